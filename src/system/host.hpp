// SPDX-License-Identifier: MIT
// Facts about the place where the state is, for `doctor`. Looks, and changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace telec {

struct Place {
  std::string file_system;       ///< "ext4"; "0x1234" where the number has no name here
  bool is_network = false;       ///< locks and renames may not hold there as they do on a local disk
  std::uint64_t free_bytes = 0;  ///< for this user
  bool read_only = false;
};

/// Of the file system that holds `path`, or of the nearest directory above that exists; nothing where it cannot be
/// asked.
std::optional<Place> place_of(const std::string& path);

struct Access {
  bool exists = false;
  bool is_directory = false;  ///< itself, not by way of a link
  unsigned mode = 0;          ///< the permission bits; of what a link leads to, as the next two
  unsigned owner = 0;
  bool can_write = false;  ///< by this process
  bool read_only = false;  ///< by nobody: its file system is
};
Access access_of(const std::string& path);

unsigned effective_user();

}  // namespace telec
