// SPDX-License-Identifier: MIT
#include "listing.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace telec {

FileType type_of(int directory, const dirent64& entry) {
  switch (entry.d_type) {
    case DT_REG: return FileType::regular;
    case DT_DIR: return FileType::directory;
    case DT_UNKNOWN: break;  // the file system does not say
    default: return FileType::other;
  }
  struct stat status = {};
  if (::fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return FileType::other;
  }
  if (S_ISREG(status.st_mode)) {
    return FileType::regular;
  }
  return S_ISDIR(status.st_mode) ? FileType::directory : FileType::other;
}

std::array<char, 32768>& listing_buffer() {
  alignas(dirent64) static std::array<char, 32768> buffer;
  return buffer;
}

std::vector<std::string> everything_below(const std::string& directory) {
  std::vector<std::string> result;
  std::vector<std::string> unread{directory};
  while (!unread.empty()) {
    const std::string next = std::move(unread.back());
    unread.pop_back();
    const FileDescriptor fd = open_at(AT_FDCWD, next.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd.is_open()) {
      throw io_error("list the directory", next, errno);
    }
    list_directory(fd, next, [&](std::string_view name, FileType type) {
      const std::string& path = result.emplace_back(next + "/" + std::string(name));
      if (type == FileType::directory) {
        unread.push_back(path);
      }
    });
  }
  return result;
}

}  // namespace telec
