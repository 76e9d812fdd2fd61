// SPDX-License-Identifier: MIT
#include "way_in.hpp"

#include <algorithm>

#include "text.hpp"

namespace telec {
namespace {

constexpr unsigned read_and_write = 0600;
constexpr unsigned enter = 0100;

std::string theirs(const std::vector<OwnedPlace>& places, std::size_t first, unsigned user, const std::string& name) {
  const auto begin = places.begin() + static_cast<std::ptrdiff_t>(first);
  const auto own = std::find_if(begin, places.end(), [&](const OwnedPlace& place) { return place.owner == user; });
  if (own != places.end()) {
    const OwnedPlace& place = *(own - 1);
    // Neither follows a link that the user could put there.
    return "give it to this user, as root, with: chown " + std::string(place.is_directory ? "-R " : "-h ") +
           shell_word(name) + " " + shell_quoted(place.path);
  }
  const OwnedPlace& place = *begin;
  if (place.owner == 0) {
    return "it belongs to root: name a place of your own, or see with root about: ls -ld " + shell_quoted(place.path);
  }
  return "it belongs to uid " + std::to_string(place.owner) + ": run as that user, or name a place of your own";
}

}  // namespace

std::string way_in(const std::vector<OwnedPlace>& places, unsigned user, const std::string& name) {
  // To read or write a file the file counts, to replace it the directory that it is in.
  const std::size_t counting = std::min<std::size_t>(places.size(), 2);
  for (std::size_t i = 0; i < counting && user != 0; ++i) {
    const OwnedPlace& place = places[i];
    if (place.owner != user) {
      return theirs(places, i, user, name);
    }
    const unsigned needed = place.is_directory ? read_and_write | enter : read_and_write;
    if ((place.mode & needed) != needed) {
      return std::string("give yourself back what is missing with: chmod ") +
             (place.is_directory ? "u+rwx " : "u+rw ") + shell_quoted(place.path);
    }
  }
  if (places.empty()) {
    return "see who owns it and its modes";
  }
  const std::string path = shell_quoted(places.front().path);
  return "it is not the modes alone: see them with: ls -ld " + path + ", and its attributes with: lsattr -d " + path;
}

}  // namespace telec
