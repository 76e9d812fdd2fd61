// SPDX-License-Identifier: MIT
// SIGINT, SIGTERM and SIGHUP as a count that can be asked and waited for: the first asks to stop after the migration
// under way, the second to stop now. A SIGHUP is never the second: of one terminal that is closed, the shell and the
// kernel both tell, and systemd.kill(5) may send it behind its SIGTERM. Blocked and read from a signalfd, so that no
// system call of a commit is ever interrupted by one.
#pragma once

#include "../runner.hpp"
#include "file_descriptor.hpp"

namespace telec {

class StopSignals : public StopRequest {
 public:
  /// From here on the three no longer end the process. One that was ignored at the start (nohup, a background job)
  /// stays ignored.
  StopSignals();

  /// The first that came; 0: none.
  int signal() override;
  /// How many came, without a SIGHUP after another one; 2 is "now".
  int count();
  /// Readable when there may be a new one.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  /// Waits until `fd` has something to read, or its end. False: a stop came first.
  bool wait_for_input(int fd);

 private:
  void read();

  FileDescriptor fd_;
  int first_ = 0;
  int count_ = 0;
};

}  // namespace telec
