// SPDX-License-Identifier: MIT
// What a command came to: the value that both voices (text and JSON) and the exit code are made from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "migration.hpp"
#include "plan.hpp"
#include "problem.hpp"
#include "range.hpp"

namespace telec {

/// What became of one migration, in the words of the JSON document.
enum class State { pending, recorded, applied, already_present, failed, interrupted, unrecorded, not_reached };
const char* word_of(State state);

struct ReportEntry {
  std::string id;
  State state = State::pending;
  std::optional<double> seconds;  ///< how long it ran, now or when it was recorded
  bool late = false;
  bool gone = false;     ///< recorded, and not in the tree
  std::string at;        ///< when it was recorded: UTC, RFC 3339; empty where unknown
  std::string outcome;   ///< as recorded: applied, already_present, marked; empty where unknown
  std::string log;       ///< the log of this run's attempt; empty: nothing was printed
};

struct ReportError {
  ErrorCode code = ErrorCode::io;
  std::string message;
  std::string hint;
  std::string id;         ///< the migration it is about; empty: none
  std::string stage;      ///< word_of(Stage); empty: none
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
  std::vector<std::string> notes;  ///< said on stderr as they come; never change the outcome
  std::optional<ReportError> error;
  std::size_t in_tree = 0;         ///< how many migrations the tree has, in range or not
  std::size_t recorded = 0;        ///< how many migrations of the tree are recorded, in range

  [[nodiscard]] std::size_t count(State state) const;
  /// 0, or the exit code of the error. Pending migrations are not an error here: see pending_exit_code.
  [[nodiscard]] int exit_code() const;
};

/// For `--check`: something is pending.
constexpr int pending_exit_code = 3;

ReportError report_error(const Error& error);

}  // namespace telec
