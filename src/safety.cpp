// SPDX-License-Identifier: MIT
#include "safety.hpp"

#include <utility>

#include "text.hpp"

namespace telec {
namespace {

constexpr unsigned group_may_write = 0020;
constexpr unsigned all_may_write = 0002;
constexpr unsigned sticky = 01000;

}  // namespace

std::string fault_of(const PlaceFacts& place) {
  if (place.owner != 0) {
    return "belongs to uid " + std::to_string(place.owner);
  }
  if (place.is_link || (place.is_directory && place.is_on_the_way && (place.mode & sticky) != 0)) {
    return "";
  }
  if ((place.mode & all_may_write) != 0) {
    return "can be written by every user";
  }
  if ((place.mode & group_may_write) != 0) {
    return "can be written by its group (gid " + std::to_string(place.group) + ")";
  }
  return "";
}

std::string way_to_close(const std::string& what, const PlaceFacts& place, unsigned user, const std::string& bits) {
  const bool is_own = place.owner == user && user != 0;
  const bool is_for_all = place.is_directory && (place.mode & sticky) != 0;
  if (is_own || (user == 0 && !is_for_all)) {
    return "take that away with: chmod " + bits + " " + shell_quoted(place.path);
  }
  return what.starts_with("the state") ? "name a state file in a directory of your own, with --state-file FILE"
                                       : "name a migrations directory of your own, with --migrations-dir DIR";
}

Error unsafe_place(const std::string& what, const PlaceFacts& place, const std::string& fault) {
  std::string next;
  if (place.owner == 0) {
    next = way_to_close(what, place, 0, "go-w");
  } else if (place.is_on_the_way) {
    // It may be a home, and whose it is would be locked out of it.
    next = "put a copy of root's in a place of root's, or run as the user whose it is";
  } else {
    next = "run as the user whose it is, or give it to root with: chown -h root " + shell_quoted(place.path);
  }
  return {ErrorCode::unsafe, "this runs as root, and " + what + " is not safe: " + quoted(place.path) + " " + fault,
          std::move(next)};
}

}  // namespace telec
