// SPDX-License-Identifier: MIT
#include "output_stream.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "calls.hpp"

namespace telec {

void OutputStream::write(std::string_view text) {
  constexpr std::size_t buffer_limit = 65536;
  if (text.size() >= buffer_limit) {
    flush();
    put(text);  // without a copy
    return;
  }
  buffer_.append(text);
  if (buffer_.size() >= buffer_limit) {
    flush();
  }
}

void OutputStream::flush() {
  put(buffer_);
  buffer_.clear();
}

void OutputStream::offer(std::string_view text) {
  // As much as a pipe has room for where it says that it has some (pipe(7)).
  constexpr std::size_t piece = PIPE_BUF;
  buffer_.append(text);
  std::size_t written = 0;
  while (failure_ == 0 && written < buffer_.size()) {
    pollfd room = {fd_, POLLOUT, 0};
    if (repeated([&] { return ::poll(&room, 1, 0); }) == 0) {
      break;
    }
    const std::size_t size = std::min(piece, buffer_.size() - written);
    const ssize_t taken = repeated([&] { return ::write(fd_, buffer_.data() + written, size); });
    if (taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    }
    if (taken < 0) {
      failure_ = errno;
    } else {
      written += static_cast<std::size_t>(taken);
    }
  }
  buffer_.erase(0, failure_ == 0 ? written : buffer_.size());
}

void OutputStream::put(std::string_view bytes) {
  if (failure_ == 0 && !bytes.empty() && !write_all(fd_, bytes)) {
    failure_ = errno;
  }
}

bool OutputStream::is_terminal() const { return ::isatty(fd_) == 1; }

unsigned OutputStream::columns() const {
  winsize size{};
  return ::ioctl(fd_, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace telec
