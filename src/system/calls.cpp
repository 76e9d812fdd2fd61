// SPDX-License-Identifier: MIT
#include "calls.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/path.hpp>
#include <cstring>
#include <ctime>

#include "../text.hpp"

namespace telec {

std::string errno_text(int number) {
  // strerror_l is not needed: the program never sets a locale, so the words are the C locale's.
  return std::strerror(number);  // NOLINT(concurrency-mt-unsafe): one thread
}

Error io_error(const std::string& action, std::string_view path, int number, std::string hint) {
  if (hint.empty() && (number == ENOSPC || number == EDQUOT)) {
    hint = "make room on the file system, then run 'telec migrate' again";
  } else if (hint.empty() && number == EROFS) {
    hint = "the file system is read-only: mount it for writing, then run 'telec migrate' again";
  } else if (hint.empty() && (number == EACCES || number == EPERM)) {
    hint = "see who owns it and its modes with 'ls -ld', and run as its owner";
  } else if (hint.empty() && (number == EMFILE || number == ENFILE)) {
    hint = "too many files are open: raise 'ulimit -n'";
  } else if (hint.empty()) {
    hint = "see to the cause, then run 'telec migrate' again: nothing that is recorded is run twice";
  }
  return {ErrorCode::io, "cannot " + action + " " + quoted(path) + ": " + errno_text(number), std::move(hint)};
}

FileDescriptor open_at(int directory, const char* path, int flags, unsigned mode) {
  return FileDescriptor(repeated([&] { return ::openat(directory, path, flags | O_CLOEXEC | O_NOCTTY, mode); }));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = repeated([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (written < 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
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

std::string read_line(int fd) {
  constexpr std::size_t longest = 1000;
  std::string line;
  char c = 0;
  while (line.size() < longest && repeated([&] { return ::read(fd, &c, 1); }) == 1 && c != '\n') {
    line.push_back(c);
  }
  return line;
}

std::string directory_of(const std::string& path) {
  const auto parent = boost::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.native();
}

std::string name_of(const std::string& path) { return boost::filesystem::path(path).filename().native(); }

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> buffer{};
  const std::size_t length = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {buffer.data(), length};
}

double monotonic_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace telec
