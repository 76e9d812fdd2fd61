// SPDX-License-Identifier: MIT
// Starting ahead: while a migration runs, the python of the next one is already starting. It is as fresh as any, has a
// session of its own, and is given no work before its predecessor is committed; while it waits it compiles the next
// script (it never executes it) and imports the modules of the standard library that the script names.
//
// It must see the machine that its predecessor left. What shaped its start is compared when its turn comes, and after
// any change, or any doubt, it is dropped and a python is started then and there: a cold start is all that it can cost.
#pragma once

#include <ctime>
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
  /// `lock` is held by the waiting python too; a wait for it ends when `stop` becomes readable. `options` outlives
  /// this.
  Standby(const PythonOptions& options, int lock, int stop);
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;
  ~Standby() { drop(); }

  /// Is there a second processor for it?
  static bool is_worthwhile();

  /// What a python of this run said at its start, cold or not: where its paths are learnt from.
  void learn(std::string_view said, const std::string& nonce);

  /// Starts one for `migration`, whose script has these bytes. Does nothing where that cannot be done well; never
  /// throws.
  void start(const Migration& migration, const std::string& path, const std::string& source, const std::string& sha256);

  /// The waiting python, ready for its order, if it is the one for `migration`, was made from these bytes, lives, and
  /// nothing that shaped its start has changed. Otherwise it is dropped.
  std::optional<PythonProcess> take(const Migration& migration, const std::string& sha256);

  /// Kills it and waits for it.
  void drop();

  /// Its pid; -1: none waits.
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid : -1; }

 private:
  bool is_usable();
  bool hear(double seconds, const std::function<bool(const StartFacts&)>& enough);
  bool receive();

  const PythonOptions& options_;
  int lock_;
  int stop_;
  FingerprintTaker taker_;
  std::vector<std::string> paths_;  // of the last python that said them; empty: not known
  std::optional<PythonProcess> process_;
  std::string id_;
  std::string sha256_;
  Fingerprint before_;                     // taken before it was started
  std::vector<std::string> before_paths_;  // what before_ was made from
  timespec started_ = {};                  // when, by the clock of the file systems
};

}  // namespace telec
