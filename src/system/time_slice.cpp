// SPDX-License-Identifier: MIT
#include "time_slice.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace telec {
namespace {

// As sched_setattr(2) has it: the kernel's own header cannot be included beside libc's <sched.h>.
struct SchedAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;  // nanoseconds; of SCHED_OTHER: the slice
  std::uint64_t deadline;
  std::uint64_t period;
};
static_assert(sizeof(SchedAttributes) == 48);  // SCHED_ATTR_SIZE_VER0: every kernel takes it

constexpr std::uint64_t reset_on_fork = 1;        // SCHED_FLAG_RESET_ON_FORK
constexpr std::uint64_t shortest_slice = 100000;  // the kernel raises what is shorter

}  // namespace

void ask_for_short_time_slices() {
  SchedAttributes attributes = {};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER ||
      attributes.nice < 0) {  // a fork that resets the slice would reset that, too
    return;
  }
  attributes.size = sizeof attributes;
  attributes.flags = reset_on_fork;
  attributes.runtime = shortest_slice;
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace telec
