// SPDX-License-Identifier: MIT
// What a person sees: lines for migrations, summaries, problems and errors. Values to text; writes nothing itself.
// All that comes from scripts, names and paths is made printable first.
#pragma once

#include <string>
#include <vector>

#include "../report.hpp"

namespace telec {

/// Colours for a terminal, or none.
struct Style {
  bool color = false;
  [[nodiscard]] std::string state(State state, const std::string& text) const;
  [[nodiscard]] std::string strong(const std::string& text) const;
};

/// "applied          1.1.0/001_rename_key.py  0.021 s\n"
std::string entry_line(const ReportEntry& entry, std::size_t id_width, const Style& style);

/// The last line of a run: "done: 2 migrations, 1 applied, 1 already present\n".
std::string run_summary(const Report& report);

/// The list of a dry run, with its summary.
std::string dry_run_text(const Report& report, const Style& style);

/// The table of `status`, with its summary.
std::string status_text(const Report& report, const Style& style);

/// "telec: problem: v1.1.0/2_x.py: expected three digits ...\n", one line each.
std::string problem_lines(const std::vector<Problem>& problems, const Style& style);

/// "telec: error: ..." with traceback, last output, log and hint where there are any.
std::string error_text(const ReportError& error, const Style& style);

/// "telec: note: ...\n"
std::string note_line(const std::string& text, const Style& style);

}  // namespace telec
