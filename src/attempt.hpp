// SPDX-License-Identifier: MIT
// One attempt to run a migration, as it is kept in `migration_logs/attempts.jsonl`: the failed ones too, which the
// history does not have. One JSON object per line:
//
//   {"id": "1.2.0/003_x.py", "outcome": "failed", "at": "2026-11-22T07:30:00Z", "seconds": 0.021, "stage": "migrate",
//    "message": "ValueError: ...", "sha256": ..., "python": ..., "telec": ..., "user": ..., "host": ..., "log": ...}
//
// Text to values and back; reads and writes no file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace telec {

class History;

struct AttemptRecord {
  std::string id;
  std::string outcome;  ///< a word of State: applied, failed, ..., or marked, forgotten
  std::string at;       ///< when it ended: UTC, RFC 3339
  std::optional<double> seconds;
  std::string stage;    ///< where it failed; empty: it did not
  std::string message;  ///< why it failed, or the reason that a person gave
  std::string sha256;
  std::string python;
  std::string telec;
  std::string user;
  std::string host;
  std::string log;            ///< the name of its log file beside; empty: nothing was printed
  bool from_history = false;  ///< only its record is known: whether it printed something is not
};

/// One line, ended by a newline, of at most 4 KiB: a longer message is cut.
std::string attempt_line(const AttemptRecord& attempt);

/// The attempts of a file, in its order. What is no attempt (a line that a full disk cut short) is passed over.
std::vector<AttemptRecord> read_attempts(std::string_view text);

/// The attempts, and what the history records without one (the older runner's records; attempts that are no longer
/// kept), the last that was made first; only those of `id` unless that is empty. `attempts` are in the order in which
/// they were made, which a clock that was set back does not change.
std::vector<AttemptRecord> merge_attempts(std::vector<AttemptRecord> attempts, const History& history,
                                          std::string_view id);

}  // namespace telec
