// SPDX-License-Identifier: MIT
// How often a person, or whoever runs this, asked to stop: one request may come as two signals.
#pragma once

namespace telec {

class StopCount {
 public:
  /// A signal was heard at this moment, in seconds of a clock that only goes forward. Not one more request: SIGHUP
  /// after another signal, since a closed terminal is told by the shell and by the kernel, and since systemd.kill(5)
  /// may send it behind its SIGTERM; the same signal within 0.1 s, since timeout(1) sends it to its child and to its
  /// own process group.
  void heard(int signal, double at);

  /// The first that was heard; 0: none.
  [[nodiscard]] int first() const { return first_; }
  [[nodiscard]] int count() const { return count_; }

 private:
  int first_ = 0;
  int last_ = 0;
  double last_at_ = 0;
  int count_ = 0;
};

}  // namespace telec
