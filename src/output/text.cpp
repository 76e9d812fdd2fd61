// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <algorithm>
#include <string_view>

#include "../text.hpp"

namespace telec {
namespace {

constexpr std::size_t state_width = 15;
constexpr std::size_t shown_output_lines = 20;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) {
    text.append(width - text.size(), ' ');
  }
  return text;
}

std::string words_of(State state) {
  std::string words = word_of(state);
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::size_t widest_id(const Report& report) {
  std::size_t width = 0;
  for (const ReportEntry& entry : report.entries) {
    width = std::max(width, entry.id.size());
  }
  return width;
}

void add_count(std::string& text, std::size_t count, std::string_view words) {
  if (count > 0) {
    text.append(", ").append(std::to_string(count)).append(" ").append(words);
  }
}

/// "2026-11-22T07:30:00Z" -> "2026-11-22 07:30:00Z"
std::string time_text(std::string at) {
  std::ranges::replace(at, 'T', ' ');
  return printable(at);
}

std::string indented(std::string_view text, std::string_view prefix, std::size_t lines) {
  std::string out;
  for (const std::string_view line : last_lines(text, lines)) {
    out.append(prefix).append(printable(line)).append("\n");
  }
  return out;
}

}  // namespace

std::string Style::state(State state, const std::string& text) const {
  if (!color) {
    return text;
  }
  const char* code = "33";  // yellow: something is left to do
  switch (state) {
    case State::applied:
    case State::already_present:
    case State::recorded: code = "32"; break;
    case State::failed:
    case State::unrecorded:
    case State::interrupted: code = "31"; break;
    case State::pending:
    case State::not_reached: break;
  }
  return std::string("\033[") + code + "m" + text + "\033[0m";
}

std::string Style::strong(const std::string& text) const { return color ? "\033[1m" + text + "\033[0m" : text; }

std::string entry_line(const ReportEntry& entry, std::size_t id_width, const Style& style) {
  std::string line = style.state(entry.state, padded(words_of(entry.state), state_width)) + "  ";
  if (entry.seconds && entry.state != State::not_reached) {
    return line + padded(entry.id, id_width) + "  " + seconds_text(*entry.seconds) + "\n";
  }
  return line + entry.id + "\n";
}

std::string run_summary(const Report& report) {
  if (report.entries.empty() && !report.error) {
    if (report.recorded == 0) {
      return report.in_tree == 0 ? "nothing to do: no migrations in the tree\n"
                                 : "nothing to do: none in range, " + std::to_string(report.in_tree) + " in the tree\n";
    }
    return "nothing to do: " + counted(report.recorded, "migration") + (report.range.is_everything() ? "" : " in range") +
           " recorded, none pending\n";
  }
  std::string text = std::string(report.error ? "stopped: " : "done: ") + counted(report.entries.size(), "migration");
  add_count(text, report.count(State::applied), "applied");
  add_count(text, report.count(State::already_present), "already present");
  add_count(text, report.count(State::failed), "failed");
  add_count(text, report.count(State::interrupted), "interrupted");
  add_count(text, report.count(State::unrecorded), "unrecorded");
  add_count(text, report.count(State::not_reached), "not reached");
  return text + "\n";
}

std::string dry_run_text(const Report& report, const Style& style) {
  std::string text;
  for (const ReportEntry& entry : report.entries) {
    text += entry_line(entry, 0, style);
  }
  if (report.entries.empty()) {
    return run_summary(report);
  }
  return text + "dry run: " + counted(report.entries.size(), "migration") + " would run, nothing was run\n";
}

std::string status_text(const Report& report, const Style& style) {
  const std::size_t width = widest_id(report);
  std::string text;
  std::size_t gone = 0;
  for (const ReportEntry& entry : report.entries) {
    std::string line = style.state(entry.state, padded(words_of(entry.state), state_width)) + "  " + padded(entry.id, width);
    if (!entry.at.empty()) {
      line += "  " + time_text(entry.at);
    }
    if (entry.seconds) {
      line += "  " + seconds_text(*entry.seconds);
    }
    if (entry.outcome == "already_present") {
      line += "  (was already present)";
    } else if (entry.outcome == "marked") {
      line += "  (marked by hand)";
    }
    line += entry.late ? "  (late)" : "";
    line += entry.gone ? "  (script gone)" : "";
    gone += entry.gone ? 1 : 0;
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += counted(report.entries.size(), "migration") + ": " + std::to_string(report.count(State::recorded)) +
          " recorded, " + std::to_string(report.count(State::pending)) + " pending";
  add_count(text, gone, "of the recorded without a script");
  return text + "\n";
}

std::string problem_lines(const std::vector<Problem>& problems, const Style& style) {
  std::string text;
  for (const Problem& problem : problems) {
    text += "telec: " + style.strong("problem:") + " " + printable(problem.path) + ": " + problem.message + "\n";
  }
  return text;
}

std::string error_text(const ReportError& error, const Style& style) {
  std::string text = "telec: " + style.strong("error:") + " ";
  if (!error.id.empty() && error.code != ErrorCode::unrecorded) {
    text += error.id + (error.code == ErrorCode::interrupted ? " was interrupted" : error.code == ErrorCode::timeout ? " timed out" : " failed") +
            (error.stage.empty() ? "" : " at " + error.stage) + ": ";
  } else if (!error.id.empty()) {
    text += error.id + ": ";
  }
  text += printable(error.message) + "\n";
  if (!error.traceback.empty()) {
    text += indented(error.traceback, "  ", 60);
  }
  if (!error.output_tail.empty()) {
    text += "the last that it printed:\n" + indented(error.output_tail, "  | ", shown_output_lines);
  }
  if (!error.log.empty()) {
    text += "log: " + printable(error.log) + "\n";
  }
  if (!error.hint.empty()) {
    text += "hint: " + printable(error.hint) + "\n";
  }
  return text;
}

std::string note_line(const std::string& text, const Style& style) {
  return "telec: " + style.strong("note:") + " " + printable(text) + "\n";
}

}  // namespace telec
