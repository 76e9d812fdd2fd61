// SPDX-License-Identifier: MIT
#include "stop_signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "calls.hpp"

namespace telec {

StopSignals::StopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_IGN) {
      ::sigaddset(&signals, number);
    }
  }
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) {
    throw io_error("block", "signals", errno);
  }
  fd_ = FileDescriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.is_open()) {
    throw io_error("watch for", "signals", errno);
  }
}

void StopSignals::read() {
  signalfd_siginfo info{};
  while (repeated([&] { return ::read(fd_.get(), &info, sizeof info); }) == static_cast<ssize_t>(sizeof info)) {
    count_.heard(static_cast<int>(info.ssi_signo), monotonic_seconds());
  }
}

bool StopSignals::wait_for_input(int fd) {
  std::array<pollfd, 2> either = {{{fd_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
  while (signal() == 0) {
    if (repeated([&] { return ::poll(either.data(), either.size(), -1); }) < 0) {
      throw io_error("wait for", "an answer", errno);
    }
    if (either[0].revents == 0 && either[1].revents != 0) {
      return true;
    }
  }
  return false;
}

int StopSignals::signal() {
  read();
  return count_.first();
}

int StopSignals::count() {
  read();
  return count_.count();
}

}  // namespace telec
