// SPDX-License-Identifier: MIT
// Which processors this process runs on, beside pythons that start. It does what the next python waits for, a commit
// above all, in many short turns with waits between. Woken on a processor where a python works, it can stay queued
// behind it for a whole tick (4 ms), while another one is idle.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <vector>

namespace telec {

/// As long as it lives, this process stays off the processors where `others` are running now. At least one of those
/// that it may use is left to it: what comes last in `others` counts first. Nothing is changed where none of them is
/// running, where the kernel does not tell, or with more than 1,024 processors. Start nothing meanwhile: a child would
/// inherit it.
class KeepOff {
 public:
  explicit KeepOff(const std::vector<pid_t>& others);
  KeepOff(const KeepOff&) = delete;
  KeepOff& operator=(const KeepOff&) = delete;
  /// Every processor that it might use before may be used again (sched_setaffinity(2)).
  ~KeepOff();

 private:
  cpu_set_t before_ = {};
  bool changed_ = false;
};

}  // namespace telec
