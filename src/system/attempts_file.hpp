// SPDX-License-Identifier: MIT
// `migration_logs/attempts.jsonl` beside the state: every attempt as it ends, the failed ones too. A help, never a
// condition: it is written after the commit, nothing waits for it, and what cannot be written is noted. Bounded: at
// 1 MiB it becomes attempts.jsonl.1 in place of the one before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../attempt.hpp"
#include "../runner.hpp"
#include "attempt_log.hpp"

namespace telec {

class AttemptsFile : public Progress {
 public:
  /// `logs` outlives this.
  AttemptsFile(const LogDirectory& logs, RunContext context) : logs_(logs), context_(std::move(context)) {}

  void planned(const std::vector<const Migration*>&) override {}
  void started(const Migration&, std::size_t, std::size_t) override {}
  void printed(std::string_view) override {}
  void note(const std::string&) override {}
  /// Writes down what was tried; what was not reached is no attempt.
  void finished(const ReportEntry& entry) override;

  /// Something that was done to the history by hand. Fills in who, where and with what.
  void append(AttemptRecord attempt);

  /// Why something is missing; empty: nothing is.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  static constexpr std::size_t size_limit = std::size_t{1024} * 1024;

 private:
  const LogDirectory& logs_;
  RunContext context_;
  std::string trouble_;
};

/// Is there a directory of logs? Throws Error (io) where it, or the file of attempts, is there and could not be
/// written: attempts would be lost. Looks, and changes nothing.
bool refuse_lost_attempts(int state_directory, const std::string& state_directory_path);

/// What is kept for the state in `directory`, in the order in which it was written. None where there is no file.
/// Throws Error (io) where there is one that cannot be read.
std::vector<AttemptRecord> kept_attempts(int state_directory, const std::string& state_directory_path);

/// The text of a log file that an attempt names; nothing where it is no longer there, or cannot be read.
std::optional<std::string> kept_log(int state_directory, const std::string& name);

}  // namespace telec
