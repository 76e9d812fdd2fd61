// SPDX-License-Identifier: MIT
#include "safety.hpp"

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

Error unsafe_place(const std::string& what, const PlaceFacts& place, const std::string& fault) {
  const std::string path = quoted(place.path);
  const std::string next = place.owner != 0
                               ? "give it to root with 'chown root " + place.path + "', or run as the user whose it is"
                               : "take that away with: chmod go-w " + path;
  return {ErrorCode::unsafe, "this runs as root, and " + what + " is not safe: " + path + " " + fault, printable(next)};
}

}  // namespace telec
