// SPDX-License-Identifier: MIT
// Runs a migration's script in a fresh python3: launches it, hands it the bytes that were hashed, collects its verdict
// and its output, and sees to it that nothing of it is left.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../runner.hpp"
#include "attempt_log.hpp"
#include "leftovers.hpp"
#include "lock_file.hpp"
#include "processors.hpp"
#include "python_process.hpp"
#include "standby.hpp"
#include "stop_signals.hpp"
#include "tree.hpp"

namespace telec {

/// The interpreter: `chosen` (--python), else TELEC_PYTHON, else /usr/bin/python3, else python3 on PATH. A name without
/// a slash is looked up on PATH. Throws Error: no_python where there is none that can be executed, unsafe where this is
/// root and others could change it.
std::string find_python(const std::optional<std::string>& chosen);

class Python : public Interpreter {
 public:
  /// All references outlive this.
  Python(PythonOptions options, const Tree& tree, const LogDirectory& logs, LockFile& lock, StopSignals& stop,
         Progress& progress);

  /// From here on starts ahead: `order` is what run() will be called with, one after the other. Not called: every
  /// python is started when its turn has come.
  void expect(std::vector<const Migration*> order);

  /// Never throws for what a script does. The child has been waited for when it returns, on every path.
  ChildResult run(const Migration& migration) override;

 private:
  void start_ahead(const Migration& migration, std::ptrdiff_t steps) noexcept;
  std::optional<PythonProcess> take_waiting(const Migration& migration, const std::string& sha256);

  PythonOptions options_;
  const Tree& tree_;
  const LogDirectory& logs_;
  LockFile& lock_;
  StopSignals& stop_;
  Progress& progress_;
  Leftovers leftovers_;
  std::vector<const Migration*> expected_;
  Standby standby_;
  std::optional<KeepOff> commit_aside_;  // of the pythons that start; until the next run()
};

}  // namespace telec
