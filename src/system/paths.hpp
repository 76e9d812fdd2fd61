// SPDX-License-Identifier: MIT
// Paths as text.
#pragma once
#include <string>

namespace telec {

/// The directory part of a path ("." where there is none), and the name after it (empty after a trailing slash).
std::string directory_of(const std::string& path);
std::string name_of(const std::string& path);

/// `path` made absolute against the current directory, without "." and "..", since a script runs in another directory;
/// as it is where the current directory is gone. Symbolic links are not looked at. A trailing slash stays.
std::string absolute_path(const std::string& path);

}  // namespace telec
