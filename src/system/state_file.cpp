// SPDX-License-Identifier: MIT
#include "state_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "../safety.hpp"
#include "../text.hpp"
#include "calls.hpp"
#include "mutant.hpp"
#include "paths.hpp"
#include "surroundings.hpp"
#include "trusted_place.hpp"

namespace telec {
namespace {

/// Refuses a place that any other user could write to: they could skip or repeat migrations.
void refuse_if_unsafe(const struct stat& status, const std::string& what, const std::string& path) {
  if (mutant(Mutant::ownership_unchecked)) {
    return;
  }
  const auto close = [&](const char* bits) {
    const PlaceFacts place = {path, status.st_uid, status.st_gid, status.st_mode & 07777U, S_ISDIR(status.st_mode)};
    return way_to_close(what, place, ::geteuid(), bits);
  };
  if ((status.st_mode & S_IWOTH) != 0) {
    throw Error(ErrorCode::unsafe, what + " " + quoted(path) + " can be written by every user", close("o-w"));
  }
  if (::geteuid() == 0 && status.st_uid != 0) {
    throw Error(
        ErrorCode::unsafe,
        "this runs as root, and " + what + " " + quoted(path) + " belongs to uid " + std::to_string(status.st_uid),
        run_as_owner(status.st_uid, path));
  }
  if (::geteuid() == 0 && (status.st_mode & S_IWGRP) != 0) {
    throw Error(ErrorCode::unsafe,
                "this runs as root, and " + what + " " + quoted(path) + " can be written by its group (gid " +
                    std::to_string(status.st_gid) + ")",
                close("g-w"));
  }
}

/// Compares the bytes of a file, piece by piece; false with errno where it cannot be read.
bool has_content(int fd, std::string_view expected, bool& same) {
  static std::array<char, std::size_t{64} * 1024> buffer;
  while (true) {
    const ssize_t got = repeated([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (got <= 0) {
      same = expected.empty();
      return got == 0;
    }
    if (!expected.starts_with(std::string_view(buffer.data(), static_cast<std::size_t>(got)))) {
      same = false;
      return true;
    }
    expected.remove_prefix(static_cast<std::size_t>(got));
  }
}

}  // namespace

StateDirectory::StateDirectory(const std::string& path)
    : path_(path), directory_(directory_of(path)), name_(name_of(path)) {
  open();
}

void StateDirectory::open() {
  const auto look = [this] { fd_ = open_at(AT_FDCWD, directory_.c_str(), O_RDONLY | O_DIRECTORY); };
  look();
  struct stat found = {};
  if (!fd_.is_open() && errno == ENOENT) {
    if (::lstat(directory_.c_str(), &found) != 0) {
      return;
    }
    look();  // another run may have made it between the two calls
  }
  if (!fd_.is_open()) {
    const int number = errno;
    // A link that leads nowhere: an unmounted home looks like this, and it is not an empty history.
    throw io_error("open the state directory", directory_, number,
                   number == ENOENT && S_ISLNK(found.st_mode)
                       ? "it is a symbolic link that leads nowhere: see whether what it leads to is mounted"
                       : "");
  }
  struct stat status = {};
  if (::fstat(fd_.get(), &status) != 0) {
    throw io_error("look at the state directory", directory_, errno);
  }
  refuse_if_unsafe(status, "the state directory", directory_);
  refuse_unsafe_path("the state directory", directory_);
}

void StateDirectory::create() {
  if (exists()) {
    return;
  }
  refuse_unsafe_path("the state directory", directory_);
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw io_error("create the state directory", directory_, errno,
                   errno == ENOENT ? "the directory above it does not exist: create it first" : "");
  }
  const std::string parent = directory_of(directory_);
  FileDescriptor above = open_at(AT_FDCWD, parent.c_str(), O_RDONLY | O_DIRECTORY);
  if (!above.is_open() || ::fsync(above.get()) != 0) {
    throw io_error("sync the directory", parent, errno);
  }
  open();
  if (!exists()) {
    throw io_error("open the state directory", directory_, ENOENT);
  }
}

void StateDirectory::confirm() const {
  struct stat opened = {};
  struct stat named = {};
  const bool seen = ::fstat(fd_.get(), &opened) == 0 && ::stat(directory_.c_str(), &named) == 0;
  if (!seen && errno != ENOENT && errno != ENOTDIR) {
    throw io_error("look at the state directory", directory_, errno);
  }
  if (!seen || identity_of(opened) != identity_of(named)) {
    throw Error(ErrorCode::io,
                "the state directory " + quoted(directory_) + " was moved or replaced while the migration ran",
                "put it back, then run 'telec migrate' again: the script's check() tells what is left to do");
  }
}

std::string StateFile::way_back(Refused refused) const {
  struct stat status = {};
  std::string text = "it is left as it is";
  if (refused == Refused::newer) {
    text += "; a newer telec wrote it: upgrade telec";
  } else if (refused == Refused::link) {
    text += "; what it leads to can be named with --state-file FILE";
  }
  const bool has_old = ::fstatat(directory_.descriptor(), old_name().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                       S_ISREG(status.st_mode);
  if (has_old) {
    // A copy onto what is no file would go through the link, into the directory, or wait at the FIFO.
    const bool is_file = refused == Refused::text || refused == Refused::newer;
    text += "; the generation before it is " + quoted(directory_.directory() + "/" + old_name()) +
            (is_file ? ": compare the two, and copy that one back"
                     : ": move this one away, then copy that one to its place");
  }
  if (refused != Refused::newer) {
    text += std::string(has_old || refused == Refused::link ? "; or '" : "; '") +
            "telec migrate rebuild' writes it anew from every check(), and keeps this one beside it";
  }
  return text;
}

StateFile::Found StateFile::find(const std::string* expected) const {
  Found found;
  if (!directory_.exists()) {
    return found;
  }
  const auto refuse = [&](Refused refused, const std::string& why) {
    return Error(ErrorCode::state_untrusted, "cannot trust the state file " + quoted(directory_.path()) + ": " + why,
                 way_back(refused));
  };
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const FileDescriptor file =
      open_at(directory_.descriptor(), directory_.name().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return found;
    }
    if (errno == ELOOP) {
      throw refuse(Refused::link, "it is a symbolic link, and a commit would replace the link");
    }
    if (errno == ENXIO) {
      throw refuse(Refused::no_file, "it is not a regular file");
    }
    throw io_error("read the state file", directory_.path(), errno);
  }
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) {
    throw io_error("look at the state file", directory_.path(), errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw refuse(Refused::no_file, S_ISDIR(status.st_mode) ? "it is a directory" : "it is not a regular file");
  }
  refuse_if_unsafe(status, "the state file", directory_.path());
  if (status.st_size > static_cast<off_t>(History::size_limit)) {
    throw refuse(Refused::text, "larger than " + std::to_string(History::size_limit) + " bytes");
  }
  const bool read = expected != nullptr ? has_content(file.get(), *expected, found.is_expected)
                                        : read_all(file.get(), found.text, History::size_limit,
                                                   static_cast<std::size_t>(status.st_size));
  if (!read) {
    throw io_error("read the state file", directory_.path(), errno);
  }
  found.exists = true;
  found.identity = identity_of(status);
  return found;
}

History StateFile::load() {
  Found found = find();
  if (lock_ != nullptr) {
    last_ = found;
  }
  found_none_ = !found.exists;
  if (found_none_) {
    return {};
  }
  auto history = History::parse(std::move(found.text));
  if (!history) {
    throw Error(ErrorCode::state_untrusted,
                "cannot trust the state file " + quoted(directory_.path()) + ": " + history.reason(),
                way_back(history.refusal().is_newer ? Refused::newer : Refused::text));
  }
  return std::move(history).value();
}

std::string StateFile::left_without_file() const {
  struct stat status = {};
  const bool left = found_none_ && directory_.exists() &&
                    ::fstatat(directory_.descriptor(), old_name().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  return left ? directory_.directory() + "/" + old_name() : "";
}

bool StateFile::discard(const std::string& temporary) const noexcept {
  return ::unlinkat(directory_.descriptor(), temporary.c_str(), 0) == 0;
}

void StateFile::remove_leftover(const std::string& temporary) const {
  if (!discard(temporary) && errno != ENOENT) {
    throw io_error("remove what an earlier run left", directory_.directory() + "/" + temporary, errno);
  }
}

void StateFile::refuse_too_large(std::size_t size) const {
  if (size > History::size_limit) {
    throw Error(ErrorCode::io,
                "the state file " + quoted(directory_.path()) + " would grow beyond the " +
                    std::to_string(History::size_limit) + " bytes that telec reads",
                "make it smaller: entries of its 'history' may be taken out by hand, the ids of its 'applied' may not");
  }
}

void StateFile::refuse_what_cannot_be_replaced() const {
  if (!directory_.exists()) {
    return;
  }
  const std::string itself = ".";
  for (const std::string& name : {itself, directory_.name(), temporary_name(), old_name(), old_temporary_name()}) {
    struct statx found = {};
    if (::statx(directory_.descriptor(), name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &found) != 0) {
      continue;  // not there, as a rule; what else is wrong a commit will meet
    }
    const std::string path = directory_.directory() + (name == itself ? "" : "/" + name);
    if (name != itself && S_ISDIR(found.stx_mode)) {
      throw io_error("replace", path, EISDIR, "move it away, then run 'telec migrate' again");
    }
    if ((found.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0) {
      throw io_error(name == itself ? "write to the state directory" : "replace", path, EPERM,
                     "it is immutable or append-only: take that away, as root, with: chattr -ia " + shell_quoted(path));
    }
  }
}

void StateFile::probe(const History& history, std::size_t more) const {
  const std::string temporary = temporary_name();
  const std::string path = directory_.directory() + "/" + temporary;
  constexpr std::size_t room_for_record = 512;
  constexpr std::size_t least_room = 4096;
  const std::size_t size = history.text().size() + std::max(more * room_for_record, least_room);
  refuse_too_large(size);
  refuse_what_cannot_be_replaced();
  const std::string bytes(size, ' ');  // before there is a file to leave behind
  remove_leftover(old_temporary_name());
  remove_leftover(temporary);
  FileDescriptor file =
      open_at(directory_.descriptor(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file.is_open()) {
    throw io_error("write a probe to", path, errno);
  }
  const bool written = write_and_close(file, bytes);
  const int write_errno = errno;
  const bool removed = discard(temporary);
  const int remove_errno = errno;
  if (!written) {
    throw io_error("write a probe to", path, write_errno);
  }
  if (!removed) {
    throw io_error("remove the probe", path, remove_errno);
  }
}

void StateFile::confirm_unchanged() const {
  directory_.confirm();
  lock_->confirm();
  const Found now = find(&last_.text);
  if (now.exists != last_.exists || now.identity != last_.identity || (now.exists && !now.is_expected)) {
    throw Error(
        ErrorCode::io,
        "the state file " + quoted(directory_.path()) + " was changed by something else while the migration ran",
        "nothing was overwritten; see what changed it, then run 'telec migrate' again: check() tells what is left to "
        "do");
  }
}

void StateFile::link_or_copy(const std::string& name) const {
  const std::string path = directory_.directory() + "/" + name;
  const int directory = directory_.descriptor();
  const auto link = [&] { return ::linkat(directory, directory_.name().c_str(), directory, name.c_str(), 0) == 0; };
  if (link()) {
    return;
  }
  if (errno == EEXIST) {
    remove_leftover(name);
    if (link()) {
      return;
    }
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK && errno != ENOSYS) {
    throw io_error("link the generation before to", path, errno);
  }
  // A file system without hard links: a copy, which a power cut may take; the state itself does not depend on it.
  remove_leftover(name);
  FileDescriptor copy = open_at(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!copy.is_open() || !write_and_close(copy, last_.text)) {
    throw io_error("copy the generation before to", path, errno);
  }
}

void StateFile::keep_old_generation() const {
  const std::string temporary = old_temporary_name();
  const std::string old = old_name();
  try {
    link_or_copy(temporary);
    if (::renameat(directory_.descriptor(), temporary.c_str(), directory_.descriptor(), old.c_str()) != 0) {
      throw io_error("replace", directory_.directory() + "/" + old, errno);
    }
    // Where a run was killed just here, `.old` is the state already, and rename(2) does nothing with two names of one
    // file.
    remove_leftover(temporary);
  } catch (...) {
    discard(temporary);
    throw;
  }
}

std::string StateFile::keep_aside() {
  std::string time = utc_now();
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  std::string name = directory_.name() + ".refused-" + time;
  const int directory = directory_.descriptor();
  struct stat status = {};
  for (int i = 2; ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0; ++i) {
    name = directory_.name() + ".refused-" + time + "-" + std::to_string(i);
  }
  std::string path = directory_.directory() + "/" + name;
  keeps_old_ = false;
  bool replaceable = true;
  try {
    static_cast<void>(find(&last_.text));
  } catch (const Error& error) {
    if (error.code != ErrorCode::state_untrusted) {
      throw;
    }
    replaceable = false;  // a directory, a link, too large: nothing that a commit would put another file over
  }
  if (replaceable && ::linkat(directory, directory_.name().c_str(), directory, name.c_str(), 0) == 0) {
    return path;
  }
  // Also on a file system without hard links. A kill before the commit leaves no state, which is the truth by then: the
  // next run asks every check().
  if (::renameat(directory, directory_.name().c_str(), directory, name.c_str()) != 0) {
    throw io_error("rename the old state file to", path, errno);
  }
  last_ = {};
  return path;
}

void StateFile::commit(const History& history) {
  confirm_unchanged();
  Found next;
  next.exists = true;
  next.text = history.text();
  refuse_too_large(next.text.size());
  const int directory = directory_.descriptor();
  const std::string temporary = temporary_name();
  const std::string path = directory_.directory() + "/" + temporary;
  remove_leftover(temporary);
  try {
    const int exclusive = mutant(Mutant::no_exclusive) ? 0 : O_EXCL | O_NOFOLLOW;
    FileDescriptor file = open_at(directory, temporary.c_str(), O_WRONLY | O_CREAT | exclusive, 0600);
    struct stat status = {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0) {
      throw io_error("create", path, errno);
    }
    next.identity = identity_of(status);
    if (!write_all(file.get(), next.text)) {
      throw io_error("write", path, errno);
    }
    if (mutant(Mutant::rename_first)) {
      ::renameat(directory, temporary.c_str(), directory, directory_.name().c_str());
    }
    if (!mutant(Mutant::no_fsync) && ::fsync(file.get()) != 0) {
      throw io_error("sync", path, errno);
    }
    if (file.close() != 0 && !mutant(Mutant::close_unchecked)) {
      throw io_error("close", path, errno);
    }
    if (last_.exists && keeps_old_) {
      keep_old_generation();
    }
    if (!mutant(Mutant::rename_first) &&
        ::renameat(directory, temporary.c_str(), directory, directory_.name().c_str()) != 0) {
      throw io_error("rename " + quoted(path) + " to", directory_.path(), errno);
    }
  } catch (...) {
    discard(temporary);  // the first failure is the one to tell of
    throw;
  }
  last_ = std::move(next);
  if (!mutant(Mutant::no_directory_fsync) && ::fsync(directory) != 0) {
    Error error = io_error("sync the state directory", directory_.directory(), errno);
    error.message += "; the record is in the state file, but a power cut may still take it back";
    throw error;
  }
}

}  // namespace telec
