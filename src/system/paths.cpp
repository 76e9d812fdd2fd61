// SPDX-License-Identifier: MIT
#include "paths.hpp"

// Not Boost.Filesystem: its path brings all locales of libstdc++ along, 15 of the 95 pages that a start touches.
#include <filesystem>
#include <system_error>

namespace telec {

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.native();
}

std::string name_of(const std::string& path) { return std::filesystem::path(path).filename().native(); }

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto here = std::filesystem::current_path(error);
  if (error) {
    return path;
  }
  std::string plain = (here / path).lexically_normal().native();
  if (plain.size() > 1 && plain.ends_with('/') && !path.ends_with('/')) {
    plain.pop_back();  // of "..", which leaves it there
  }
  return plain;
}

}  // namespace telec
