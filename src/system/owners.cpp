// SPDX-License-Identifier: MIT
#include "owners.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "../way_in.hpp"
#include "paths.hpp"
#include "surroundings.hpp"

namespace telec {
namespace {

/// Without a link on the way; as it is where that cannot be told.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

}  // namespace

std::string way_into(const std::string& path) {
  struct stat status = {};
  std::string here = path;
  while (::lstat(here.c_str(), &status) != 0) {
    const std::string above = directory_of(here);
    if (above == here) {
      break;
    }
    here = above;
  }
  here = real_path(here);
  std::vector<OwnedPlace> places;
  while (::lstat(here.c_str(), &status) == 0) {
    places.push_back({here, status.st_uid, status.st_mode & 07777U, S_ISDIR(status.st_mode)});
    const std::string above = directory_of(here);
    if (above == here) {
      break;
    }
    here = above;
  }
  return way_in(places, ::geteuid(), user_name());
}

}  // namespace telec
