// SPDX-License-Identifier: MIT
// One script under way: from a launched python to everything known about how it ended. Watches its output, what it
// says, its exit, the signals that ask to stop and the clock, all at once, and never the end of a pipe alone: a daemon
// may hold that open for ever.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "../runner.hpp"
#include "attempt_log.hpp"
#include "python_process.hpp"
#include "stop_signals.hpp"

namespace telec {

class ScriptRun {
 public:
  static constexpr double start_limit = 10;  ///< seconds for a python3 to come up, until its hello

  /// All references outlive this. `timeout`: seconds from the python's hello. `began`: as of monotonic_seconds().
  /// `on_hello(said)` is called once, when the python has said that it is there. Throws boost::system::system_error
  /// where it cannot be watched; so do run() and drain().
  ScriptRun(PythonProcess child, AttemptLog& log, StopSignals& stop, Progress& progress, const std::string& id,
            double timeout, double began, std::function<void(std::string_view)> on_hello);
  ScriptRun(const ScriptRun&) = delete;
  ScriptRun& operator=(const ScriptRun&) = delete;
  ~ScriptRun();

  /// Until it has ended and has been waited for, by itself or by force. `first` is written at once, and `order` after
  /// its hello. `on_exit()` is called when the python has ended, before it is reaped and before its group is killed.
  void run(const std::string& first, const std::string& order, const std::function<void()>& on_exit);
  /// What is still in the pipes when nobody is left to write: never waits.
  void drain();
  /// Into `result`: how it ended, what it said, how long it took.
  void report(ChildResult& result);

 private:
  class Watched;
  std::unique_ptr<Watched> watched_;  // not on the stack: its buffers are larger than some limits leave of it
};

}  // namespace telec
