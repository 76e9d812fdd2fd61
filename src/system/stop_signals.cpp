// SPDX-License-Identifier: MIT
#include "stop_signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

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
    first_ = count_ == 0 ? static_cast<int>(info.ssi_signo) : first_;
    ++count_;
  }
}

int StopSignals::signal() {
  read();
  return first_;
}

int StopSignals::count() {
  read();
  return count_;
}

}  // namespace telec
