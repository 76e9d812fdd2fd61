// SPDX-License-Identifier: MIT
#include "output_stream.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "calls.hpp"

namespace telec {

void OutputStream::write(std::string_view text) {
  constexpr std::size_t buffer_limit = 65536;
  buffer_.append(text);
  if (buffer_.size() >= buffer_limit) {
    flush();
  }
}

void OutputStream::flush() {
  if (failure_ == 0 && !buffer_.empty() && !write_all(fd_, buffer_)) {
    failure_ = errno;
  }
  buffer_.clear();
}

bool OutputStream::is_terminal() const { return ::isatty(fd_) == 1; }

unsigned OutputStream::columns() const {
  winsize size{};
  return ::ioctl(fd_, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace telec
