// SPDX-License-Identifier: MIT
// Starting ahead: while a migration runs, the python of the next one is already starting; beside its commit, so does
// that of the one after. Each is as fresh as any, has a session of its own, and is given no work before its predecessor
// is committed; while it waits it compiles its script (it never executes it) and imports the modules of the standard
// library that the script imports first.
//
// It must see the machine that its predecessor left. What shaped its start is compared when its turn comes, and after
// any change, or any doubt, it is dropped and a python is started then and there: a cold start is all that it can cost.
#pragma once

#include <ctime>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../migration.hpp"
#include "../start_facts.hpp"
#include "fingerprint.hpp"
#include "python_process.hpp"

namespace telec {

class Standby {
 public:
  /// A python that was started ahead, and what is needed to tell whether it may still be used.
  struct Waiting {
    PythonProcess process;
    std::string id;
    std::string sha256;
    Fingerprint before;              ///< of the moment before it was started
    std::vector<std::string> paths;  ///< what `before` was made from; empty: it is unproven, see is_unproven()
    timespec started = {};           ///< when, by the clock of the file systems
  };

  /// `lock` is held by the waiting python too; a wait for it ends when `stop` becomes readable. `options` outlives
  /// this.
  Standby(const PythonOptions& options, int lock, int stop);
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;
  ~Standby() { drop(); }

  /// Is there a second processor for it?
  static bool is_worthwhile();

  /// What a python of this run said at its start, before it was given its order: where the paths are learnt from. One
  /// that is unproven gets its fingerprint now, if everything is as it was when it was started; or it is dropped.
  void learn(std::string_view said, const std::string& nonce);

  /// Starts one for `migration`, which comes after all that wait, and whose script has these bytes. Does nothing where
  /// that cannot be done well; never throws.
  void start(const Migration& migration, const std::string& path, const std::string& source, const std::string& sha256);

  /// Does one wait that was started before the paths were known? Then nothing may be run until they have been learnt.
  [[nodiscard]] bool is_unproven() const { return !waiting_.empty() && waiting_.front().paths.empty(); }

  /// The python that waits first, which may still be on its way, if it is the one for `migration`, was made from these
  /// bytes, and nothing that shaped its start has changed. Otherwise all are dropped.
  std::optional<Waiting> take(const Migration& migration, const std::string& sha256);

  /// Waits until it is ready for its order: it lives, and was started and has imported as was assumed. Where that is
  /// not so, or not soon, it is ended.
  bool is_ready(Waiting& waiting);

  /// Kills all that wait, and waits for them.
  void drop();

  /// Of the first that waits, and while a script runs there is no other; -1: none waits.
  [[nodiscard]] pid_t pid() const { return waiting_.empty() ? -1 : waiting_.front().process.pid; }

  /// Of all that wait, in the order of their turns.
  [[nodiscard]] std::vector<pid_t> pids() const;

 private:
  bool hear(PythonProcess& process, double seconds, const std::function<bool(const StartFacts&)>& enough) const;
  bool proves_ready(Waiting& waiting);

  const PythonOptions& options_;
  int lock_;
  int stop_;
  FingerprintTaker taker_;
  std::vector<std::string> paths_;  // of the last python that said them; empty: not known
  bool says_paths_ = true;          // as far as is known: one that does not is never started ahead
  bool in_time_ = true;             // once one was not ready in time, those after it would not be either
  std::deque<Waiting> waiting_;
};

}  // namespace telec
