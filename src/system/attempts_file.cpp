// SPDX-License-Identifier: MIT
#include "attempts_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "../text.hpp"
#include "calls.hpp"
#include "paths.hpp"

namespace telec {
namespace {

constexpr const char* file_name = "attempts.jsonl";
constexpr const char* older_name = "attempts.jsonl.1";

/// A regular file's bytes, about `limit` of them at most; nothing, with errno, where it is not there, is none or cannot
/// be read.
std::optional<std::string> text_of(int directory, const char* name, std::size_t limit) {
  const FileDescriptor file = open_at(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status = {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) {
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  std::string text;
  return read_all(file.get(), text, limit) ? std::optional(std::move(text)) : std::nullopt;
}

/// The file, open to append to; `flags`: O_CREAT or 0. Not open where it cannot be written or is no regular file: errno
/// and `reason` say why.
FileDescriptor open_to_append(int logs, int flags, struct stat& status, std::string& reason) {
  FileDescriptor file = open_at(logs, file_name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
  if (file.is_open() && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    return file;
  }
  const int number = file.is_open() ? EINVAL : errno;
  reason = number == ELOOP                       ? "it is a symbolic link"
           : number == EINVAL || number == ENXIO ? "it is not a regular file"
                                                 : errno_text(number);
  file.reset();
  errno = number;
  return file;
}

}  // namespace

void AttemptsFile::finished(const ReportEntry& entry) {
  if (entry.state == State::not_reached) {
    return;
  }
  AttemptRecord attempt;
  attempt.id = entry.id;
  attempt.outcome = word_of(entry.state);
  attempt.at = entry.ended_at;
  attempt.seconds = entry.seconds;
  attempt.stage = entry.stage;
  attempt.message = entry.message;
  attempt.sha256 = entry.sha256;
  attempt.python = entry.python;
  attempt.log = name_of(entry.log);
  append(std::move(attempt));
}

void AttemptsFile::append(AttemptRecord attempt) {
  if (attempt.at.empty()) {
    attempt.at = utc_now();
  }
  attempt.telec = context_.telec;
  attempt.user = context_.user;
  attempt.host = context_.host;
  if (!logs_.keeps()) {
    trouble_ = logs_.trouble();
    return;
  }
  const int directory = logs_.descriptor();
  const std::string path = logs_.path() + "/" + file_name;
  if (!logs_.has_room()) {
    trouble_ = "cannot write " + quoted(path) + ": the file system is nearly full";
    return;
  }
  struct stat status = {};
  if (::fstatat(directory, file_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      status.st_size >= static_cast<off_t>(size_limit) &&
      ::renameat(directory, file_name, directory, older_name) != 0) {
    trouble_ = "cannot rotate " + quoted(path) + ": " + errno_text(errno);
    return;
  }
  std::string reason;
  const FileDescriptor file = open_to_append(directory, O_CREAT, status, reason);
  // The newline in front ends a line that a full disk cut short.
  std::string line = attempt_line(attempt);
  if (file.is_open()) {
    char last = '\n';
    const FileDescriptor reading = open_at(directory, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (status.st_size > 0 && reading.is_open() && ::pread(reading.get(), &last, 1, status.st_size - 1) == 1 &&
        last != '\n') {
      line.insert(0, "\n");
    }
    if (write_all(file.get(), line)) {
      return;
    }
    reason = errno_text(errno);
  }
  trouble_ = "cannot write " + quoted(path) + ": " + reason;
}

bool refuse_lost_attempts(int state_directory, const std::string& state_directory_path) {
  const std::string path = state_directory_path + "/migration_logs";
  std::string reason;
  const FileDescriptor logs = open_logs(state_directory, reason);
  if (!logs.is_open() && errno == ENOENT) {
    return false;
  }
  if (!logs.is_open()) {
    Error error = io_error("open the directory", path, errno, errno == ENOTDIR ? "move it away" : "");
    error.message = "no logs are kept: cannot open the directory " + quoted(path) + ": " + reason;
    throw error;
  }
  if (::faccessat(logs.get(), ".", W_OK | X_OK, 0) != 0) {
    throw io_error("write to the directory", path, errno);
  }
  struct stat status = {};
  const std::string file = path + "/" + file_name;
  if (!open_to_append(logs.get(), 0, status, reason).is_open() && errno != ENOENT) {
    Error error = io_error("write", file, errno, errno == EACCES || errno == EPERM ? "" : "move it away");
    error.message = "cannot write " + quoted(file) + ": " + reason;
    throw error;
  }
  return true;
}

std::vector<AttemptRecord> kept_attempts(int state_directory, const std::string& state_directory_path) {
  std::string reason;
  const FileDescriptor logs = open_logs(state_directory, reason);
  if (!logs.is_open()) {
    if (errno == ENOENT) {
      return {};
    }
    Error error = io_error("open the directory", state_directory_path + "/migration_logs", errno);
    error.message = "cannot open the directory " + quoted(state_directory_path + "/migration_logs") + ": " + reason;
    throw error;
  }
  constexpr std::size_t most = 2 * AttemptsFile::size_limit;
  std::string text;
  for (const char* name : {older_name, file_name}) {
    const auto part = text_of(logs.get(), name, most);
    if (!part && errno != ENOENT) {
      throw io_error("read the log", state_directory_path + "/migration_logs/" + name, errno);
    }
    text += part.value_or("");
  }
  return read_attempts(text);
}

std::optional<std::string> kept_log(int state_directory, const std::string& name) {
  constexpr std::size_t most = std::size_t{1024} * 1024;
  std::string reason;
  const FileDescriptor logs = open_logs(state_directory, reason);
  return logs.is_open() && !name.empty() ? text_of(logs.get(), name.c_str(), most) : std::nullopt;
}

}  // namespace telec
