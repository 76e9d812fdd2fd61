// SPDX-License-Identifier: MIT
#include "output_stream.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

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
