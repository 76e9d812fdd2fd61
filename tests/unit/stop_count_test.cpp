// SPDX-License-Identifier: MIT
#include "stop_count.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <vector>

using namespace telec;

namespace {

struct Heard {
  int signal;
  double at;
};

/// "15/2": the first, and how often it was asked.
std::string after(const std::vector<Heard>& signals) {
  StopCount stop;
  for (const Heard& one : signals) {
    stop.heard(one.signal, one.at);
  }
  return std::to_string(stop.first()) + "/" + std::to_string(stop.count());
}

}  // namespace

TEST_CASE("the first signal is remembered, and each further one is one more request") {
  CHECK(after({}) == "0/0");
  CHECK(after({{SIGTERM, 1}}) == "15/1");
  CHECK(after({{SIGTERM, 1}, {SIGTERM, 1.2}}) == "15/2");
  CHECK(after({{SIGTERM, 1}, {SIGINT, 1}}) == "15/2");
  CHECK(after({{SIGINT, 1}, {SIGINT, 2}, {SIGINT, 3}}) == "2/3");
}

TEST_CASE("the same signal again at once is the same request, as timeout(1) sends it") {
  CHECK(after({{SIGINT, 1}, {SIGINT, 1.0001}}) == "2/1");
  CHECK(after({{SIGINT, 1}, {SIGINT, 1.0001}, {SIGINT, 1.2}}) == "2/2");
  CHECK(after({{SIGHUP, 1}, {SIGHUP, 1}, {SIGINT, 1}, {SIGINT, 1.05}}) == "1/2");
}

TEST_CASE("a terminal that is closed may be told of twice, and asks once") {
  CHECK(after({{SIGHUP, 1}, {SIGHUP, 60}}) == "1/1");
  CHECK(after({{SIGTERM, 1}, {SIGHUP, 1}}) == "15/1");
  CHECK(after({{SIGHUP, 1}, {SIGTERM, 2}}) == "1/2");
}
