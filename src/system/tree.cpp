// SPDX-License-Identifier: MIT
#include "tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <string_view>
#include <vector>

#include "../text.hpp"
#include "calls.hpp"
#include "listing.hpp"

namespace telec {
namespace {

constexpr std::size_t script_limit = std::size_t{16} * 1024 * 1024;

/// The umask of this process, for as long as this lives.
class UmaskInForce {
 public:
  explicit UmaskInForce(unsigned mask) : before_(::umask(mask)) {}
  UmaskInForce(const UmaskInForce&) = delete;
  UmaskInForce& operator=(const UmaskInForce&) = delete;
  ~UmaskInForce() { ::umask(before_); }

 private:
  unsigned before_;
};

}  // namespace

Tree::Tree(std::string directory, const std::string& named_by) : directory_(std::move(directory)) {
  fd_ = open_at(AT_FDCWD, directory_.c_str(), O_RDONLY | O_DIRECTORY);
  if (fd_.is_open()) {
    return;
  }
  if (errno == ENOENT) {
    throw Error(ErrorCode::tree_untrusted, "the migrations directory " + quoted(directory_) + " does not exist",
                "name it with " + named_by);
  }
  if (errno == ENOTDIR) {
    throw Error(ErrorCode::tree_untrusted, "the migrations directory " + quoted(directory_) + " is not a directory",
                "name it with " + named_by);
  }
  throw io_error("open the migrations directory", directory_, errno);
}

Catalog Tree::read_catalog() const {
  Catalog catalog;
  std::vector<std::string> versions;
  // A second description of the directory: reading one moves its position, and the tree may be listed again.
  const FileDescriptor top = open_at(fd_.get(), ".", O_RDONLY | O_DIRECTORY);
  if (!top.is_open()) {
    throw io_error("open the migrations directory", directory_, errno);
  }
  list_directory(top, directory_, [&](std::string_view name, FileType type) {
    if (catalog.add_top(name, type)) {
      versions.emplace_back(name);
    }
  });
  for (const std::string& version : versions) {
    const std::string path = directory_ + "/" + version;
    const FileDescriptor fd = open_at(fd_.get(), version.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd.is_open()) {
      throw io_error("open the version directory", path, errno);
    }
    list_directory(fd, path, [&](std::string_view name, FileType type) { catalog.add_script(version, name, type); });
  }
  catalog.finish();
  return catalog;
}

bool Tree::read_script(const Migration& migration, std::string& bytes, std::string& reason) const {
  OpenVersion open;
  return read_script(migration, bytes, reason, open);
}

bool Tree::read_script(const Migration& migration, std::string& bytes, std::string& reason, OpenVersion& open) const {
  const auto refuse = [&](const std::string& why) {
    reason = "cannot read the script " + quoted(path_of(migration)) + ": " + why;
    return false;
  };
  if (!open.fd.is_open() || open.version != migration.version()) {
    open.version = migration.version();
    open.fd = open_at(fd_.get(), ("v" + open.version).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }
  if (!open.fd.is_open()) {
    return refuse(errno_text(errno));
  }
  // The file's name is the end of the id. O_NONBLOCK: opening a FIFO that took the script's place must not wait for a
  // writer.
  const char* name = migration.file_name().data();
  const FileDescriptor file = open_at(open.fd.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status = {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) {
    return refuse(errno == ELOOP ? "it is a symbolic link" : errno_text(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return refuse("it is not a regular file");
  }
  if (!read_all(file.get(), bytes, script_limit, static_cast<std::size_t>(status.st_size))) {
    return refuse(errno_text(errno));
  }
  if (bytes.size() > script_limit) {
    return refuse("it is larger than 16 MiB");
  }
  return true;
}

std::string Tree::create_script(const Migration& migration, const std::string& text, unsigned umask) const {
  const std::string version = "v" + std::string(migration.version());
  std::string path = path_of(migration);
  constexpr unsigned directory_mode = 0775;  // never for everybody to write to: nothing would be run from there
  constexpr unsigned file_mode = 0664;
  const UmaskInForce in_force(umask);
  if (::mkdirat(fd_.get(), version.c_str(), directory_mode) != 0 && errno != EEXIST) {
    throw io_error("create the directory", directory_ + "/" + version, errno,
                   "name your own tree with --migrations-dir DIR");
  }
  const FileDescriptor directory = open_at(fd_.get(), version.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  FileDescriptor file;
  if (directory.is_open()) {
    file = open_at(directory.get(), std::string(migration.file_name()).c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode);
  }
  if (!file.is_open() || !write_and_close(file, text)) {
    throw io_error("create", path, errno, "name your own tree with --migrations-dir DIR");
  }
  return path;
}

std::string Tree::path_of(const Migration& migration) const { return directory_ + "/" + migration.path(); }

}  // namespace telec
