// SPDX-License-Identifier: MIT
// What a person sees: lines for migrations, summaries, problems and errors. Values to text; writes nothing itself.
// All that comes from scripts, names and paths is made printable first.
#pragma once

#include <string>
#include <vector>

#include "../report.hpp"

namespace telec {

/// What the stream is that text goes to.
struct Style {
  bool color = false;
  std::size_t columns = 0;  ///< of the terminal, to break sentences and fit lines; 0: it is none, nothing is broken
  [[nodiscard]] std::string state(State state, const std::string& text) const;
  /// The same for the outcome of an attempt, a word of State.
  [[nodiscard]] std::string outcome(const std::string& word, const std::string& text) const;
  [[nodiscard]] std::string strong(const std::string& text) const;
};

/// "applied          1.1.0/001_rename_key.py  0.021 s\n"; on a terminal that is too narrow for the columns, without
/// them, then without the seconds, then with the middle of the id left out.
std::string entry_line(const ReportEntry& entry, std::size_t id_width, const Style& style);

/// A sum as the last line of what is told: "4 recorded migrations: no findings\n".
std::string sum_line(const std::string& sum, const Style& style);

/// The last line of a run: "done: 2 migrations, 1 applied, 1 already present\n".
std::string run_summary(const Report& report, const Style& style);

/// The list of a dry run, with its summary. The report need not have entries for it.
std::string dry_run_text(const std::vector<const Migration*>& pending, const Report& report, const Style& style);

/// The attempts of a report, newest first: a line each (on a narrow terminal two), and with `details` who, with what,
/// the digest and the log.
std::string attempts_text(const Report& report, const Style& style, bool details);

/// What `last`, the last attempt that ran, printed, each line marked as the script's own.
std::string output_text(const AttemptRecord& last, const std::optional<std::string>& output, const Style& style);

/// "v1.2.0/003_x.py:12: torn_write: ...\n    HINT\n"
std::string findings_text(const std::vector<Finding>& findings, const Style& style);

/// The lines of `doctor`, with their sum.
std::string health_text(const Report& report, const Style& style);

/// Of these only what is to be mended: nothing where all is well.
std::string mend_text(const Report& report, const Style& style);

/// "telec: problem: v1.1.0/2_x.py: expected three digits ...\n", one line each.
std::string problem_lines(const std::vector<Problem>& problems, const Style& style);

/// "telec: error: ..." with traceback, last output, log and hint where there are any.
std::string error_text(const ReportError& error, const Style& style);

/// "the last that WHO printed:", and the last lines of `tail`; empty where there is none.
std::string last_printed(const std::string& who, const std::string& tail);

/// "telec: note: ...\n"
std::string note_line(const std::string& text, const Style& style);

}  // namespace telec
