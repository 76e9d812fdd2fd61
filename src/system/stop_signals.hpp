// SPDX-License-Identifier: MIT
// SIGINT, SIGTERM and SIGHUP as requests that can be counted and waited for: the first asks to stop after the migration
// under way, the second to stop now (stop_count.hpp says what is a second one). Blocked and read from a signalfd, so
// that no system call of a commit is ever interrupted by one.
#pragma once

#include "../runner.hpp"
#include "../stop_count.hpp"
#include "file_descriptor.hpp"

namespace telec {

class StopSignals : public StopRequest {
 public:
  /// From here on the three no longer end the process. One that was ignored at the start (nohup, a background job)
  /// stays ignored.
  StopSignals();

  /// The first that came; 0: none.
  int signal() override;
  /// How often it was asked; 2 is "now".
  int count();
  /// Readable when there may be a new one.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  /// Waits until `fd` has something to read, or its end. False: a stop came first.
  bool wait_for_input(int fd);

 private:
  void read();

  FileDescriptor fd_;
  StopCount count_;
};

}  // namespace telec
