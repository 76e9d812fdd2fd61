// SPDX-License-Identifier: MIT
// Which file it is, whatever its name: two that are equal are the same file, as long as one of them is open.
#pragma once

#include <sys/stat.h>

namespace telec {

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

inline FileIdentity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

}  // namespace telec
