// SPDX-License-Identifier: MIT
#include "paths.hpp"

// Not Boost.Filesystem: its path brings all locales of libstdc++ along, 15 of the 95 pages that a start touches.
#include <filesystem>
#include <system_error>

#include "calls.hpp"

namespace telec {

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.native();
}

std::string name_of(const std::string& path) { return std::filesystem::path(path).filename().native(); }

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto here = std::filesystem::current_path(error);
  return error ? path : (here / path).lexically_normal().native();
}

std::vector<std::string> everything_below(const std::string& directory) {
  std::vector<std::string> result;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    result.push_back(entry->path().native());
  }
  if (error) {
    throw io_error("list the directory", directory, error.value());
  }
  return result;
}

}  // namespace telec
