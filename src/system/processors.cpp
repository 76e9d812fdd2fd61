// SPDX-License-Identifier: MIT
#include "processors.hpp"

#include "process_stat.hpp"

namespace telec {

KeepOff::KeepOff(const std::vector<pid_t>& others) {
  if (others.empty() || ::sched_getaffinity(0, sizeof before_, &before_) != 0) {
    return;
  }
  cpu_set_t left = before_;
  for (std::size_t number = others.size(); number-- > 0;) {
    const ProcessStat stat = process_stat(others[number]);
    if (CPU_COUNT(&left) > 1 && stat.state == 'R' && stat.processor >= 0 && stat.processor < CPU_SETSIZE) {
      CPU_CLR(stat.processor, &left);
    }
  }
  changed_ = CPU_EQUAL(&left, &before_) == 0 && ::sched_setaffinity(0, sizeof left, &left) == 0;
}

KeepOff::~KeepOff() {
  if (changed_) {
    static_cast<void>(::sched_setaffinity(0, sizeof before_, &before_));
  }
}

}  // namespace telec
