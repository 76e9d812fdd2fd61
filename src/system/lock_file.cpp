// SPDX-License-Identifier: MIT
#include "lock_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "../command_again.hpp"
#include "../judgement.hpp"
#include "../text.hpp"
#include "calls.hpp"
#include "file_identity.hpp"
#include "mutant.hpp"
#include "process_stat.hpp"
#include "surroundings.hpp"

namespace telec {
namespace {

constexpr int poll_milliseconds = 20;

struct Holder {
  int pid = 0;  ///< 0: not known
  std::string started;
  std::string id;  ///< of the migration under way; empty: none
};

/// What the holder wrote: three lines, PID, when it started, the migration under way.
Holder read_holder(int fd) {
  std::array<char, 1024> buffer{};
  const ssize_t length = ::pread(fd, buffer.data(), buffer.size(), 0);
  const auto lines = lines_of({buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))});
  Holder holder;
  if (lines.empty() ||
      std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), holder.pid).ec != std::errc{} ||
      holder.pid <= 0) {
    return {};
  }
  holder.started = lines.size() > 1 ? lines[1] : "";
  holder.id = lines.size() > 2 ? lines[2] : "";
  return holder;
}

std::string describe(const Holder& holder) {
  if (holder.pid <= 0) {
    return "another run";
  }
  std::string text = "process " + std::to_string(holder.pid);
  if (!holder.started.empty()) {
    text += ", started " + printable(holder.started);
  }
  if (!holder.id.empty()) {
    text += ", running " + printable(holder.id);
  }
  if (::kill(holder.pid, 0) != 0 && errno == ESRCH) {
    text += " (it is gone; a process that it started still holds the lock)";
  }
  return text;
}

std::string describe_holder(int fd) { return describe(read_holder(fd)); }

/// Does the holder run the script that runs this? Its number may be that of another process here, where it runs in
/// another container: then that one is hardly a telec.
bool runs_this(const Holder& holder) {
  if (holder.pid <= 0) {
    return false;
  }
  if (const auto descends = descends_from(holder.pid)) {
    const auto name_of = [](const std::string& process) { return proc_text("/proc/" + process + "/comm"); };
    return *descends && name_of(std::to_string(holder.pid)) == name_of("self");
  }
  return !holder.id.empty() && environment("TELEC_MIGRATION_ID") == holder.id;
}

/// Not open only where it is not there and `create` (O_CREAT or 0) is not given.
FileDescriptor open_lock(int directory, const std::string& name, const std::string& path, int create) {
  FileDescriptor file = open_at(directory, name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | create, 0600);
  if (file.is_open() || (errno == ENOENT && create == 0)) {
    return file;
  }
  if (errno == ELOOP) {
    throw Error(ErrorCode::unsafe, "the lock " + quoted(path) + " is a symbolic link",
                "remove the link, then run again");
  }
  if (errno == EISDIR) {
    throw Error(ErrorCode::unsafe, "the lock " + quoted(path) + " is a directory", "remove it, then run again");
  }
  throw io_error("open the lock", path, errno);
}

void look_at_lock(const FileDescriptor& file, const std::string& path, struct stat& status) {
  if (::fstat(file.get(), &status) != 0) {
    throw io_error("look at the lock", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::unsafe, "the lock " + quoted(path) + " is not a regular file", "remove it, then run again");
  }
}

}  // namespace

LockFile::LockFile(int directory, std::string name, std::string path, double timeout, StopSignals& stop,
                   const std::function<void(const std::string&)>& waiting, std::string hint)
    : directory_(directory), name_(std::move(name)), path_(std::move(path)), started_at_(utc_now()) {
  const double begin = monotonic_seconds();
  const double deadline = begin + timeout;
  bool told = false;
  bool first = true;
  while (!open()) {
    if (std::exchange(first, false) && fd_.is_open()) {
      if (const Holder holder = read_holder(fd_.get()); runs_this(holder)) {
        throw Error(ErrorCode::locked,
                    "the lock " + quoted(path_) + " is held by " + describe(holder) + ", which is what runs this",
                    "take this call out of the script: a migration would wait for itself, and what comes after it is "
                    "run when it has ended");
      }
    }
    const double left = deadline - monotonic_seconds();
    if (left <= 0) {
      throw Error(ErrorCode::locked, "the lock " + quoted(path_) + " is held by " + describe_holder(fd_.get()),
                  hint.empty() ? "wait for it to end, or longer with --lock-timeout " + longer_wait(timeout) +
                                     "; there is nothing to delete"
                               : std::move(hint));
    }
    if (!told && monotonic_seconds() - begin > 1) {
      told = true;
      waiting("waiting for the lock, held by " + describe_holder(fd_.get()));
    }
    // flock(2) cannot wait with a time limit, and a signal must end the wait at once.
    pollfd wake = {stop.descriptor(), POLLIN, 0};
    ::poll(&wake, 1, static_cast<int>(std::min<double>(poll_milliseconds, left * 1000)) + 1);
    if (const int signal = stop.signal(); signal != 0) {
      Error error(ErrorCode::interrupted,
                  "stopped by " + signal_name(signal) + " while waiting for the lock " + quoted(path_) + ", held by " +
                      describe_holder(fd_.get()),
                  "nothing was run");
      error.signal = signal;
      throw error;
    }
  }
  announce("");
}

LockFile::~LockFile() {
  // Only for messages, so a failure changes nothing.
  [[maybe_unused]] const int cleared = ::ftruncate(fd_.get(), 0);
}

LockFile::LockFile() : directory_(-1), fd_(open_at(AT_FDCWD, "/dev/null", O_RDWR)) {}

std::string lock_holder(int directory, const std::string& name, const std::string& path) {
  const FileDescriptor file = open_lock(directory, name, path, 0);
  if (!file.is_open()) {
    return {};
  }
  struct stat status = {};
  look_at_lock(file, path, status);
  if (repeated([&] { return ::flock(file.get(), LOCK_SH | LOCK_NB); }) == 0) {
    return {};
  }
  if (errno != EWOULDBLOCK) {
    throw io_error("lock", path, errno);
  }
  return describe_holder(file.get());
}

bool LockFile::open() {
  if (!fd_.is_open()) {
    fd_ = open_lock(directory_, name_, path_, O_CREAT);
  }
  struct stat opened = {};
  look_at_lock(fd_, path_, opened);
  if (!mutant(Mutant::lock_is_nothing) && repeated([&] { return ::flock(fd_.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno == EWOULDBLOCK) {
      return false;
    }
    throw io_error("lock", path_, errno);
  }
  struct stat named = {};
  if (::fstatat(directory_, name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      identity_of(opened) != identity_of(named)) {
    // Someone removed or replaced the file between open and flock: what is locked is not what others will lock.
    fd_.reset();
    return false;
  }
  return true;
}

void LockFile::announce(const std::string& id) {
  const std::string text = std::to_string(::getpid()) + "\n" + started_at_ + "\n" + id + "\n";
  // Only for messages, so a failure changes nothing.
  if (::pwrite(fd_.get(), text.data(), text.size(), 0) >= 0) {
    [[maybe_unused]] const int cut = ::ftruncate(fd_.get(), static_cast<off_t>(text.size()));
  }
}

void LockFile::confirm() const {
  struct stat opened = {};
  struct stat named = {};
  const bool seen =
      ::fstat(fd_.get(), &opened) == 0 && ::fstatat(directory_, name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0;
  if (!seen && errno != ENOENT) {
    throw io_error("look at the lock", path_, errno);
  }
  if (!seen || identity_of(opened) != identity_of(named)) {
    throw Error(ErrorCode::io, "the lock " + quoted(path_) + " was removed or replaced while the migration ran",
                "another run may have started meanwhile: see that none runs, then run 'telec migrate' again");
  }
}

}  // namespace telec
