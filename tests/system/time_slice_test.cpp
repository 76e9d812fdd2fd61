// SPDX-License-Identifier: MIT
#include "system/time_slice.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "fixture.hpp"

using namespace telec;
using namespace telec_test;

namespace {

constexpr const char* shortest = "100000";  // nanoseconds

std::string slice() {
  std::array<unsigned char, 48> attributes{};  // struct sched_attr of sched_setattr(2), the runtime at 24
  std::uint64_t runtime = 0;
  if (::syscall(SYS_sched_getattr, 0, attributes.data(), attributes.size(), 0) != 0) {
    return "?";
  }
  std::memcpy(&runtime, attributes.data() + 24, sizeof runtime);
  return std::to_string(runtime);
}

/// "policy nice slice", as the kernel tells them of this process.
std::string attributes() {
  return std::to_string(::sched_getscheduler(0)) + " " + std::to_string(::getpriority(PRIO_PROCESS, 0)) + " " + slice();
}

/// The same of a process that this one starts.
std::string attributes_of_child() { return in_fork(attributes); }

/// Kernels that know of no slices say 0.
bool has_slices() { return slice() != "0"; }

}  // namespace

TEST_CASE("the runner's own time slice is the shortest, and what it starts has what it would have had") {
  const std::string before = attributes();
  REQUIRE(::sched_getscheduler(0) == SCHED_OTHER);
  const std::string said = in_fork([] {
    ask_for_short_time_slices();
    return slice() + "; " + attributes_of_child();
  });
  CHECK(said == std::string(has_slices() ? shortest : "0") + "; " + before);
}

TEST_CASE("niceness is kept, and passed on") {
  const std::string said = in_fork([] {
    const bool lowered = ::setpriority(PRIO_PROCESS, 0, 5) == 0;
    const std::string before = attributes();
    ask_for_short_time_slices();
    return std::string(
        lowered && slice() == (has_slices() ? shortest : "0") && attributes_of_child() == before ? "kept" : before);
  });
  CHECK(said == "kept");
}

TEST_CASE("a policy and a higher priority that the caller chose are left alone, for its scripts too") {
  for (const int chosen : {SCHED_BATCH, SCHED_IDLE, SCHED_RR, SCHED_OTHER}) {
    CAPTURE(chosen);
    const std::string said = in_fork([chosen] {
      const sched_param parameters = {chosen == SCHED_RR ? 1 : 0};
      if (::sched_setscheduler(0, chosen, &parameters) != 0 ||
          (chosen == SCHED_OTHER && ::setpriority(PRIO_PROCESS, 0, -5) != 0)) {
        return std::string(chosen == SCHED_RR || chosen == SCHED_OTHER ? "not permitted" : "refused");
      }
      const std::string before = attributes();
      ask_for_short_time_slices();
      return std::string(attributes() == before && attributes_of_child() == before ? "left alone" : before);
    });
    if (said == "not permitted") {
      MESSAGE("this user may not raise a priority");
      continue;
    }
    CHECK(said == "left alone");
  }
}
