// SPDX-License-Identifier: MIT
#include "system/stop_signals.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "fixture.hpp"

using namespace telec;
using namespace telec_test;

namespace {

bool is_readable(const StopSignals& stop) {
  pollfd one = {stop.descriptor(), POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

std::string state_of(StopSignals& stop) {
  const int first = stop.signal();
  return std::to_string(first) + "/" + std::to_string(stop.count());
}

}  // namespace

TEST_CASE("without a signal nobody asked to stop") {
  CHECK(in_fork([] {
          StopSignals stop;
          std::string said = state_of(stop);
          return said + (is_readable(stop) ? " readable" : "");
        }) == "0/0");
}

TEST_CASE("each of the three signals is counted, and does not end the process") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    CHECK(in_fork([&] {
            ::signal(signal, SIG_DFL);
            StopSignals stop;
            ::kill(::getpid(), signal);
            std::string said = is_readable(stop) ? "readable " : "";
            said += state_of(stop);
            said += is_readable(stop) ? " still" : "";
            return said;
          }) == "readable " + std::to_string(signal) + "/1");
  }
}

TEST_CASE("the first signal is remembered, and another one counts") {
  CHECK(in_fork([] {
          StopSignals stop;
          ::kill(::getpid(), SIGTERM);
          const std::string first = state_of(stop);
          ::kill(::getpid(), SIGHUP);
          const std::string second = state_of(stop);
          ::kill(::getpid(), SIGINT);
          return first + " " + second + " " + state_of(stop);
        }) == "15/1 15/1 15/2");
}

TEST_CASE("waiting for input ends with the input, with its end, or with a signal") {
  const auto waits = [](const std::string& input, bool closed, int signal) {
    return in_fork([&]() -> std::string {
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_CLOEXEC) != 0 ||
          ::write(ends[1], input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
        return "no pipe";
      }
      ::signal(SIGINT, SIG_DFL);
      ::signal(SIGTERM, SIG_DFL);
      StopSignals stop;
      if (signal != 0) {
        ::kill(::getpid(), signal);
      }
      if (closed) {
        ::close(ends[1]);
      }
      return (stop.wait_for_input(ends[0]) ? "input " : "stop ") + state_of(stop);
    });
  };
  CHECK(waits("y\n", false, 0) == "input 0/0");
  CHECK(waits("", true, 0) == "input 0/0");
  CHECK(waits("", false, SIGTERM) == "stop " + std::to_string(SIGTERM) + "/1");
  CHECK(waits("y\n", false, SIGINT) == "stop " + std::to_string(SIGINT) + "/1");
}

TEST_CASE("a signal that was ignored at the start stays ignored") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    CHECK(in_fork([&] {
            ::signal(signal, SIG_IGN);
            StopSignals stop;
            ::kill(::getpid(), signal);
            return state_of(stop);
          }) == "0/0");
  }
}

TEST_CASE("other signals still end the process") {
  CHECK(in_fork([]() -> std::string {
          StopSignals stop;
          ::kill(::getpid(), SIGUSR1);
          return "alive";
        }) == "killed by 10");
}

TEST_CASE("the descriptor is closed on exec") {
  const Stops stops;
  CHECK((::fcntl(stops.signals.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}
