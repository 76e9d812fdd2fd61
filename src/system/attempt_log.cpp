// SPDX-License-Identifier: MIT
#include "attempt_log.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "../text.hpp"
#include "calls.hpp"

namespace telec {
namespace {

/// "20261122T073000Z-1.1.0-001_example-4711.log": sorts by time, and two runs cannot meet in one.
std::string log_name(const std::string& id) {
  std::string name = utc_now();
  std::erase_if(name, [](char c) { return c == '-' || c == ':'; });
  std::string flat = id.substr(0, id.size() - 3);
  std::ranges::replace(flat, '/', '-');
  return name + "-" + shortened(flat, 180) + "-" + std::to_string(::getpid()) + ".log";
}

}  // namespace

FileDescriptor open_logs(int state_directory, std::string& reason) {
  constexpr const char* name = "migration_logs";
  FileDescriptor directory = open_at(state_directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory.is_open()) {
    const int number = errno;
    struct stat status = {};
    const bool is_link = ::fstatat(state_directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    reason = is_link ? "it is a symbolic link, and logs are not written through one" : errno_text(number);
    errno = number;
  }
  return directory;
}

LogDirectory::LogDirectory(int state_directory, const std::string& state_directory_path)
    : path_(state_directory_path + "/migration_logs") {
  const bool is_there = ::mkdirat(state_directory, "migration_logs", 0700) == 0 || errno == EEXIST;
  std::string reason = is_there ? "" : errno_text(errno);
  if (is_there) {
    fd_ = open_logs(state_directory, reason);
  }
  if (!fd_.is_open()) {
    trouble_ = std::string("no logs are kept: cannot ") + (is_there ? "open" : "create") + " the directory " +
               quoted(path_) + ": " + reason;
    return;
  }
  remove_oldest();
}

bool LogDirectory::has_room() const {
  struct statvfs place = {};
  if (::fstatvfs(fd_.get(), &place) != 0 || place.f_blocks == 0 || place.f_frsize == 0) {
    return true;  // what cannot be asked is tried
  }
  constexpr fsfilcnt_t files_for_records = 4;
  return place.f_bavail > room_for_records / place.f_frsize &&
         (place.f_files == 0 || place.f_favail > files_for_records);
}

void LogDirectory::remove_oldest() const {
  FileDescriptor again = open_at(fd_.get(), ".", O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(again.get()), &::closedir);
  if (!listing) {
    return;
  }
  again.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) {  // NOLINT(concurrency-mt-unsafe): one thread, own stream
    std::string name = entry->d_name;
    if (name.ends_with(".log")) {
      names.push_back(std::move(name));
    }
  }
  if (names.size() < logs_kept) {
    return;
  }
  std::ranges::sort(names);
  // One short of the limit, so that the attempt to come fits.
  names.resize(names.size() - logs_kept + 1);
  for (const std::string& name : names) {
    ::unlinkat(fd_.get(), name.c_str(), 0);
  }
}

AttemptLog::AttemptLog(const LogDirectory& directory, const std::string& id)
    : directory_(directory), name_(log_name(id)), path_(directory.path() + "/" + name_), id_(id) {}

void AttemptLog::open() {
  if (!directory_.keeps()) {
    return;
  }
  if (!directory_.has_room()) {
    trouble_ = "no log of this is kept: the file system of " + quoted(directory_.path()) + " is nearly full";
    return;
  }
  file_ = open_at(directory_.descriptor(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file_.is_open()) {
    trouble_ = "cannot write the log " + quoted(path_) + ": " + errno_text(errno);
    return;
  }
  write("# " + id_ + ", " + utc_now() + "\n");
}

void AttemptLog::write(std::string_view bytes) {
  if (!directory_.keeps() || !trouble_.empty()) {
    return;
  }
  if (!directory_.has_room()) {
    trouble_ = "the log " + quoted(path_) + " is not whole: the file system is nearly full";
  } else if (!write_all(file_.get(), bytes)) {
    trouble_ = "cannot write the log " + quoted(path_) + ": " + errno_text(errno);
  }
}

void AttemptLog::append(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  if (total_ == 0) {
    open();
  }
  if (total_ < head_limit) {
    write(bytes.substr(0, head_limit - total_));
  }
  total_ += bytes.size();
  if (bytes.size() >= tail_limit) {
    tail_.assign(bytes.substr(bytes.size() - tail_limit));
    return;
  }
  tail_.append(bytes);
  if (tail_.size() > 2 * tail_limit) {
    tail_.erase(0, tail_.size() - tail_limit);
  }
}

void AttemptLog::finish(const std::string& footer) {
  if (total_ == 0 && footer.empty()) {
    return;
  }
  if (total_ == 0) {
    open();
  }
  if (total_ > head_limit) {
    const std::size_t held_back = total_ - head_limit;
    const std::size_t kept = std::min({held_back, tail_.size(), tail_limit});
    if (held_back > kept) {
      write("\n# " + std::to_string(held_back - kept) + " bytes cut here\n");
    }
    write(std::string_view(tail_).substr(tail_.size() - kept));
  }
  if (!footer.empty()) {
    write((total_ > 0 && !tail_.ends_with('\n') ? "\n# " : "# ") + footer + (footer.ends_with('\n') ? "" : "\n"));
  }
  finished_ = file_.is_open();
  if (file_.is_open() && file_.close() != 0 && trouble_.empty()) {
    trouble_ = "cannot write the log " + quoted(path_) + ": " + errno_text(errno);
  }
}

std::string AttemptLog::tail() const {
  constexpr std::size_t shown = 16384;
  return tail_.substr(tail_.size() - std::min(tail_.size(), shown));
}

}  // namespace telec
