// SPDX-License-Identifier: MIT
#include "stop_count.hpp"

#include <csignal>

namespace telec {

void StopCount::heard(int signal, double at) {
  constexpr double one_request = 0.1;
  if (count_ == 0) {
    first_ = signal;
  } else if (signal == SIGHUP || (signal == last_ && at - last_at_ < one_request)) {
    return;
  }
  last_ = signal;
  last_at_ = at;
  ++count_;
}

}  // namespace telec
