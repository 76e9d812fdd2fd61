// SPDX-License-Identifier: MIT
#include "calls.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "../text.hpp"
#include "owners.hpp"

namespace telec {

std::string errno_text(int number) {
  // strerror_l is not needed: the program never sets a locale, so the words are the C locale's.
  return std::strerror(number);  // NOLINT(concurrency-mt-unsafe): one thread
}

std::string next_step_after(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT: return "make room on the file system, then run 'telec migrate' again";
    case EROFS: return "the file system is read-only: mount it for writing, then run 'telec migrate' again";
    case EMFILE:
    case ENFILE: return "too many files are open: raise 'ulimit -n'";
    case EAGAIN: return "there are too many processes: see 'ulimit -u', then run 'telec migrate' again";
    default: return "see to the cause, then run 'telec migrate' again: nothing that is recorded is run twice";
  }
}

Error io_error(const std::string& action, std::string_view path, int number, std::string hint) {
  if (hint.empty()) {
    hint = number == EACCES || number == EPERM ? way_into(std::string(path)) : next_step_after(number);
  }
  return {ErrorCode::io, "cannot " + action + " " + quoted(path) + ": " + errno_text(number), std::move(hint)};
}

FileDescriptor open_at(int directory, const char* path, int flags, unsigned mode) {
  return FileDescriptor(repeated([&] { return ::openat(directory, path, flags | O_CLOEXEC | O_NOCTTY, mode); }));
}

bool make_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return false;
  }
  pipe = {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  return true;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = repeated([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (written < 0 && errno == EAGAIN) {
      // Somebody who shares this stream has asked not to wait for it. We have.
      pollfd room = {fd, POLLOUT, 0};
      if (repeated([&] { return ::poll(&room, 1, -1); }) > 0) {
        continue;
      }
    }
    if (written < 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool has_ended(pid_t child, bool unknown) {
  siginfo_t info = {};
  const auto ask = [&] { return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT); };
  return repeated(ask) == 0 ? info.si_pid != 0 : unknown;
}

bool write_and_close(FileDescriptor& file, std::string_view bytes) {
  const bool written = write_all(file.get(), bytes);
  const int number = errno;
  const bool closed = file.close() == 0;
  errno = written ? errno : number;
  return written && closed;
}

bool read_all(int fd, std::string& bytes, std::size_t limit, std::optional<std::size_t> size) {
  bytes.clear();
  std::size_t chunk = size.value_or(4095) + 1;
  while (bytes.size() <= limit) {
    const std::size_t begin = bytes.size();
    bytes.resize(begin + std::min(chunk, limit + 1 - begin));
    const ssize_t got = repeated([&] { return ::read(fd, bytes.data() + begin, bytes.size() - begin); });
    if (got < 0) {
      return false;
    }
    bytes.resize(begin + static_cast<std::size_t>(got));
    if (got == 0 || (begin == 0 && bytes.size() == size)) {
      break;
    }
    chunk = std::clamp<std::size_t>(chunk * 4, 4096, std::size_t{1024} * 1024);
  }
  return true;
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::optional<std::string> read_line(int fd) {
  constexpr std::size_t longest = 1000;
  std::string line;
  while (line.size() < longest) {
    char c = 0;
    if (repeated([&] { return ::read(fd, &c, 1); }) != 1) {
      return std::nullopt;
    }
    if (c == '\n') {
      break;
    }
    line.push_back(c);
  }
  return line;
}

std::string utc_now() {
  // Not gmtime(3): it reads the file that TZ names, whatever that is. And four digits for the year, whatever the clock
  // says, because names and records are compared as text.
  constexpr std::time_t end_of_9999 = 253402300799;
  const std::chrono::sys_seconds now{std::chrono::seconds(std::clamp<std::time_t>(std::time(nullptr), 0, end_of_9999))};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return buffer.data();
}

double monotonic_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace telec
