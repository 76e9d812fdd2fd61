// SPDX-License-Identifier: MIT
// The loop: one migration after the other, each judged and recorded before the next begins. Knows no files, no
// processes and no terminal; those are behind the three seams below.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "history.hpp"
#include "judgement.hpp"
#include "migration.hpp"
#include "report.hpp"

namespace telec {

/// Runs one migration's script in a fresh python3, to whatever end.
class Interpreter {
 public:
  virtual ~Interpreter() = default;
  virtual ChildResult run(const Migration& migration) = 0;
};

/// Where the history lives.
class HistoryStore {
 public:
  virtual ~HistoryStore() = default;
  /// Durable when it returns: the file and its directory are synced. Throws Error, and then the history on disk is
  /// the old one or, where the message says so, the new one that a power cut could still take back.
  virtual void commit(const History& history) = 0;
};

/// Told what happens as it happens; decides nothing.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void planned(const std::vector<const Migration*>& pending) = 0;
  virtual void started(const Migration& migration, std::size_t position, std::size_t total) = 0;
  /// A piece of what the script prints, as it comes; not cut at lines, not safe for a terminal.
  virtual void printed(std::string_view bytes) = 0;
  /// May more be printed? While it may not, the script that prints waits, and its time limit and who asks to stop do
  /// not.
  virtual bool has_room() { return true; }
  virtual void finished(const ReportEntry& entry) = 0;
  /// Something that a person should know and that changes no outcome.
  virtual void note(const std::string& text) = 0;
  /// The answer to a person who asks to stop, and who would ask once more where there is none.
  virtual void stopping(const std::string& text) { note(text); }
  /// Comes about twice a second while a script runs: `elapsed` seconds since it started.
  virtual void ticked(double /*elapsed*/) {}
};

/// Has a person asked to stop? Asked between migrations.
class StopRequest {
 public:
  virtual ~StopRequest() = default;
  /// The signal that asked; 0: nobody did.
  virtual int signal() = 0;
};

/// What goes into every record and every hint besides the run itself.
struct RunContext {
  std::string telec;
  std::string user;
  std::string host;
  std::string command;      ///< the same run again: "telec migrate --state-file x.json --to 1.2.0"
  std::string one = {};     ///< the same for one migration, whose --only or --rerun is to follow
  std::string longer = {};  ///< the same run with a longer --timeout
};

/// Runs `pending` in order. The first failure ends the run; what was not reached is in the report. `history` is
/// what is on disk and grows with it. An entry is told to `progress` as applied only after the commit returned.
void run_pending(const std::vector<const Migration*>& pending, History& history, Interpreter& interpreter,
                 HistoryStore& store, Progress& progress, StopRequest& stop, const RunContext& context, Report& report);

}  // namespace telec
