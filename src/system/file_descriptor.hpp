// SPDX-License-Identifier: MIT
// An open file, closed when its owner goes. Every descriptor of the program is one of these, and close-on-exec.
#pragma once

#include <unistd.h>

#include <utility>

namespace telec {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    const int fd = std::exchange(other.fd_, -1);  // first: it may be this one
    reset();
    fd_ = fd;
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

  /// Closes without looking: for what was only read. A file that was written is closed with close().
  void reset() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  /// 0, or -1 with errno. Never repeated, also not after EINTR: on Linux the descriptor is gone (close(2)).
  [[nodiscard]] int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

}  // namespace telec
