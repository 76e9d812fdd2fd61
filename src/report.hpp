// SPDX-License-Identifier: MIT
// What a command came to: the value that both voices (text and JSON) and the exit code are made from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attempt.hpp"
#include "error.hpp"
#include "migration.hpp"
#include "plan.hpp"
#include "problem.hpp"
#include "range.hpp"
#include "users.hpp"

namespace telec {

/// What became of one migration, in the words of the JSON document.
enum class State {
  pending,
  recorded,
  applied,
  already_present,
  failed,
  interrupted,
  unrecorded,
  not_reached,
  ok,         ///< verify --recheck: recorded, and check() is True
  regressed,  ///< verify --recheck: recorded, and check() is False
  marked,     ///< recorded by hand just now
  forgotten,  ///< its record was taken back just now
};
const char* word_of(State state);

struct ReportEntry {
  std::string id;
  State state = State::pending;
  std::optional<double> seconds;  ///< how long it ran, now or when it was recorded
  bool late = false;
  bool gone = false;          ///< recorded, and not in the tree
  bool changed = false;       ///< recorded, and its script is not the one that ran (line ends and a BOM do not count)
  bool out_of_order = false;  ///< recorded after one that comes later
  std::string at;             ///< when it was recorded: UTC, RFC 3339; empty where unknown
  std::string outcome;        ///< as recorded: applied, already_present, marked; empty where unknown
  std::string log;            ///< the log of this run's attempt; empty: nothing was printed
  // For the record of attempts; not in the document.
  std::string ended_at;
  std::string sha256;
  std::string python;
  std::string stage;    ///< where it failed
  std::string message;  ///< why it failed
};

/// Something that `verify` or `lint` found.
struct Finding {
  std::string rule;     ///< a stable word for machines: `torn_write`
  std::string path;     ///< below the migrations directory
  int line = 0;         ///< 0: of the file as a whole
  std::string message;  ///< why it is a finding
  std::string hint;     ///< how to mend it
};

/// One line of `doctor`.
struct HealthCheck {
  std::string name;  ///< a stable word for machines: `interpreter`
  bool ok = true;
  std::string message;  ///< what is so
  std::string hint;     ///< what to do; empty where it is ok
};

struct ReportError {
  ErrorCode code = ErrorCode::io;
  std::string message;
  std::string hint;
  std::string id;     ///< the migration it is about; empty: none
  std::string stage;  ///< word_of(Stage); empty: none
  std::string traceback;
  std::string output_tail;  ///< the last of what the script printed; for people, not in the document
  std::string log;
  int signal = 0;
};

struct Report {
  std::string command = "migrate";
  bool dry_run = false;
  Range range;
  std::vector<ReportEntry> entries;
  std::vector<Problem> problems;
  std::vector<std::string> notes;       ///< said on stderr as they come; never change the outcome
  std::vector<Finding> findings;        ///< verify, lint
  std::vector<HealthCheck> health;      ///< doctor
  std::vector<AttemptRecord> attempts;  ///< log
  std::optional<std::string> output;    ///< log ID: what the last attempt printed
  std::string path;                     ///< new: the file that was written
  std::string reason;                   ///< mark, forget: why
  std::string kept;                     ///< rebuild: where the old state file is now; empty: there was none
  std::optional<ReportError> error;
  std::optional<std::vector<UserReport>> users;  ///< with --all-users or --user
  std::size_t in_tree = 0;                       ///< how many migrations the tree has, in range or not
  std::size_t recorded = 0;  ///< how many are recorded, in range: of the tree; status: also without a script
  std::size_t pending = 0;   ///< status: how many are pending, listed or not

  [[nodiscard]] std::size_t count(State state) const;
  /// 0, or the exit code of the error. Pending migrations are not an error here: see pending_exit_code.
  [[nodiscard]] int exit_code() const;
};

/// For `--check`: something is pending.
constexpr int pending_exit_code = 3;
/// For verify, lint and doctor: there is something to mend.
constexpr int findings_exit_code = 4;

ReportError report_error(const Error& error);

}  // namespace telec
