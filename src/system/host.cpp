// SPDX-License-Identifier: MIT
#include "host.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "calls.hpp"
#include "paths.hpp"

namespace telec {
namespace {

struct FileSystem {
  unsigned long magic;
  const char* name;
  bool is_network;
};

// statfs(2), linux/magic.h
constexpr std::array<FileSystem, 17> file_systems = {{
    {0xef53, "ext4", false},
    {0x58465342, "xfs", false},
    {0x9123683e, "btrfs", false},
    {0x01021994, "tmpfs", false},
    {0x794c7630, "overlay", false},
    {0x2fc12fc1, "zfs", false},
    {0xf2f52010, "f2fs", false},
    {0xca451a4e, "bcachefs", false},
    {0x4d44, "vfat", false},
    {0x2011bab0, "exfat", false},
    {0x6969, "nfs", true},
    {0xff534d42, "cifs", true},
    {0xfe534d42, "smb", true},
    {0x65735546, "fuse", true},
    {0x01021997, "9p", true},
    {0x00c36400, "ceph", true},
    {0x5346414f, "afs", true},
}};

}  // namespace

std::optional<Place> place_of(const std::string& path) {
  std::string existing = path;
  struct statfs status = {};
  while (::statfs(existing.c_str(), &status) != 0) {
    if (errno != ENOENT || existing == "/" || existing == ".") {
      return std::nullopt;
    }
    existing = directory_of(existing);
  }
  Place place;
  const auto magic = static_cast<unsigned long>(status.f_type) & 0xffffffffUL;
  const auto* const known = std::ranges::find(file_systems, magic, &FileSystem::magic);
  if (known != file_systems.end()) {
    place.file_system = known->name;
    place.is_network = known->is_network;
  } else {
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "0x%lx", magic);
    place.file_system = number.data();
  }
  place.free_bytes = static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_bsize);
  place.read_only = (static_cast<unsigned long>(status.f_flags) & ST_RDONLY) != 0;
  return place;
}

Access access_of(const std::string& path) {
  Access access;
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    return access;
  }
  access.exists = true;
  access.is_directory = S_ISDIR(status.st_mode);
  if (S_ISLNK(status.st_mode) && ::stat(path.c_str(), &status) != 0) {
    return access;
  }
  access.mode = status.st_mode & 07777U;
  access.owner = status.st_uid;
  access.can_write = ::access(path.c_str(), W_OK) == 0;
  access.read_only = !access.can_write && errno == EROFS;
  return access;
}

unsigned effective_user() { return ::geteuid(); }

}  // namespace telec
