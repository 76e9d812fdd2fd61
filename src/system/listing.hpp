// SPDX-License-Identifier: MIT
// What a directory holds. Not <filesystem>'s iterators: their step is noexcept and allocates, so that the end of memory
// would be the end of the process (libstdc++ 12, _Dir::advance).
#pragma once
#include <dirent.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "../catalog.hpp"
#include "calls.hpp"
#include "file_descriptor.hpp"

namespace telec {

/// What an entry of the open `directory` is; asked of the file system only where its listing does not tell.
FileType type_of(int directory, const dirent64& entry);

/// One for all listings: a page of it that was written costs a page fault.
std::array<char, 32768>& listing_buffer();

/// Calls `on_entry(name, type)` for each entry but `.` and `..`, in no order; `on_entry` must not list. `path` is for
/// the message of the Error (io). Reads with getdents64(2): opendir(3) would cost two more calls and 32 KiB per
/// directory, and a tree has one for each version.
template <class OnEntry>
void list_directory(const FileDescriptor& fd, const std::string& path, OnEntry on_entry) {
  std::array<char, 32768>& buffer = listing_buffer();
  while (true) {
    const ssize_t got = repeated([&] { return ::getdents64(fd.get(), buffer.data(), buffer.size()); });
    if (got < 0) {
      throw io_error("list the directory", path, errno);
    }
    if (got == 0) {
      return;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      // The kernel lays out whole entries, each aligned for the next.
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        on_entry(name, type_of(fd.get(), *entry));
      }
    }
  }
}

/// The paths of everything below a directory, at any depth, in no order. Links are named and not followed. Throws Error
/// (io) when a directory cannot be listed.
std::vector<std::string> everything_below(const std::string& directory);

}  // namespace telec
