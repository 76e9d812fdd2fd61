// SPDX-License-Identifier: MIT
#include "event_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "../text.hpp"
#include "calls.hpp"
#include "paths.hpp"
#include "surroundings.hpp"

namespace telec {

EventStream::EventStream(const std::string& target) {
  int number = -1;
  const auto read = std::from_chars(target.data(), target.data() + target.size(), number);
  if (read.ec == std::errc{} && read.ptr == target.data() + target.size()) {
    name_ = "descriptor " + target;
    const int flags = number < 0 ? -1 : ::fcntl(number, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
      throw Error(ErrorCode::usage, "--events " + quoted(target) + " is not an open descriptor that can be written",
                  "as in: telec migrate --events 3 3>events.jsonl; a file of that name is './" + target + "'");
    }
    fd_ = FileDescriptor(::fcntl(number, F_DUPFD_CLOEXEC, 3));
    if (!fd_.is_open()) {
      throw io_error("use", name_, errno);
    }
    return;
  }
  if (target == "-") {
    throw Error(ErrorCode::usage, "--events '-' names no file", "for stdout: --events 1; for stderr: --events 2");
  }
  const std::string path = absolute_path(target);
  name_ = quoted(path);
  // O_NONBLOCK: opening a FIFO without a reader must not wait for one. (write() waits with poll(2), within limits.)
  fd_ = open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0600);
  if (!fd_.is_open()) {
    throw io_error("open the events file", path, errno,
                   errno == ENXIO ? "it is a FIFO that nobody reads: start the reader first" : "");
  }
}

void EventStream::write(std::string_view line) {
  constexpr int patience_milliseconds = 1000;
  constexpr std::size_t piece = 4096;  // PIPE_BUF: what poll(2) promises room for
  while (trouble_.empty() && !line.empty()) {
    pollfd ready = {fd_.get(), POLLOUT, 0};
    const int count = ::poll(&ready, 1, patience_milliseconds);
    if (count == 0) {
      trouble_ = "no more events are written to " + name_ + ": its reader takes nothing";
      return;
    }
    const ssize_t wrote = ::write(fd_.get(), line.data(), std::min(line.size(), piece));
    if (wrote < 0 && errno != EINTR && errno != EAGAIN) {
      trouble_ = "no more events are written to " + name_ + ": " + errno_text(errno);
      return;
    }
    line.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
}

}  // namespace telec
