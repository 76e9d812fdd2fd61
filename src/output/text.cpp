// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <algorithm>
#include <string_view>

#include "../text.hpp"
#include "width.hpp"

namespace telec {
namespace {

constexpr std::size_t state_width = 15;
constexpr std::size_t shown_output_lines = 20;

std::string words_of(State state) {
  std::string words = word_of(state);
  std::ranges::replace(words, '_', ' ');
  return words;
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
    case State::recorded:
    case State::ok:
    case State::marked: code = "32"; break;
    case State::failed:
    case State::regressed:
    case State::unrecorded:
    case State::interrupted: code = "31"; break;
    case State::pending:
    case State::forgotten:
    case State::not_reached: break;
  }
  return std::string("\033[") + code + "m" + text + "\033[0m";
}

std::string Style::outcome(const std::string& word, const std::string& text) const {
  if (word == "applied" || word == "already_present" || word == "marked" || word == "recorded") {
    return state(State::recorded, text);
  }
  return state(word == "forgotten" ? State::forgotten : State::failed, text);
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
    return "nothing to do: " + counted(report.recorded, "migration") +
           (report.range.is_everything() ? "" : " in range") + " recorded, none pending\n";
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

std::string dry_run_text(const std::vector<const Migration*>& pending, const Report& report, const Style& style) {
  if (pending.empty()) {
    return run_summary(report);
  }
  const std::string state = style.state(State::pending, padded(words_of(State::pending), state_width)) + "  ";
  std::size_t size = 0;
  for (const Migration* migration : pending) {
    size += state.size() + migration->id().size() + 1;
  }
  const std::string sum = "dry run: " + counted(pending.size(), "migration") + " would run, nothing was run\n";
  std::string text;
  text.reserve(size + sum.size());
  for (const Migration* migration : pending) {
    text.append(state).append(migration->id()).append(1, '\n');
  }
  return text.append(sum);
}

std::string attempts_text(const Report& report, const Style& style, bool details) {
  std::string text;
  std::size_t id_width = 0;
  for (const AttemptRecord& attempt : report.attempts) {
    id_width = std::max(id_width, columns_of(attempt.id));
  }
  for (const AttemptRecord& attempt : report.attempts) {
    std::string outcome = attempt.outcome;
    std::ranges::replace(outcome, '_', ' ');
    std::string line = padded(attempt.at.empty() ? "(time unknown)" : time_text(attempt.at), 20) + "  " +
                       style.outcome(attempt.outcome, padded(printable(outcome), state_width)) + "  " +
                       padded(attempt.id, id_width);
    if (attempt.seconds) {
      line += "  " + seconds_text(*attempt.seconds);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
    const auto add = [&](const char* what, const std::string& value) {
      if (!value.empty()) {
        text += std::string("    ") + what + printable(value) + "\n";
      }
    };
    const bool failed = !attempt.stage.empty();
    if (failed || !attempt.message.empty()) {
      add("", failed ? "at " + attempt.stage + ": " + attempt.message : attempt.message);
    }
    if (details) {
      std::string who = attempt.user.empty() && attempt.host.empty() ? "" : attempt.user + "@" + attempt.host;
      std::string with = attempt.python.empty() ? "" : "python " + attempt.python;
      with += attempt.telec.empty() ? "" : (with.empty() ? "" : ", ") + std::string("telec ") + attempt.telec;
      add("by ", who.append(who.empty() || with.empty() ? "" : ", ").append(with));
      add("sha256 ", attempt.sha256);
      add("log ", attempt.log);
    }
  }
  if (report.attempts.empty()) {
    return "no attempts\n";
  }
  return text;
}

std::string output_text(const std::string& id, const std::optional<std::string>& output) {
  if (!output) {
    return id + " printed nothing in its last attempt, or its log is no longer kept\n";
  }
  std::string text = "the log of the last attempt of " + id + ":\n";
  for (const std::string_view line : lines_of(*output)) {
    text.append("  | ").append(printable(line)).append("\n");
  }
  return text;
}

std::string findings_text(const std::vector<Finding>& findings, const Style& style) {
  std::string text;
  for (const Finding& finding : findings) {
    text += style.strong(printable(finding.path) + (finding.line > 0 ? ":" + std::to_string(finding.line) : "") + ":") +
            " " + finding.rule + ": " + printable(finding.message) + "\n";
    if (!finding.hint.empty()) {
      for (const std::string_view line : lines_of(finding.hint)) {
        text.append("    ").append(printable(line)).append("\n");
      }
    }
  }
  return text;
}

std::string health_text(const Report& report, const Style& style) {
  std::string text;
  std::size_t bad = 0;
  for (const HealthCheck& check : report.health) {
    text += style.state(check.ok ? State::ok : State::failed, check.ok ? "ok    " : "mend  ") + padded(check.name, 12) +
            "  " + printable(check.message) + "\n";
    if (!check.ok && !check.hint.empty()) {
      text += std::string(20, ' ') + printable(check.hint) + "\n";
    }
    bad += check.ok ? 0 : 1;
  }
  return text + (bad == 0 ? "all is well: " + counted(report.health.size(), "look") + "\n"
                          : counted(bad, "thing") + " to mend\n");
}

std::string problem_lines(const std::vector<Problem>& problems, const Style& style) {
  std::string text;
  const std::string begin = "telec: " + style.strong("problem:") + " ";
  for (const Problem& problem : problems) {
    text.append(begin).append(printable(problem.path)).append(": ").append(problem.message).append(1, '\n');
  }
  return text;
}

std::string error_text(const ReportError& error, const Style& style) {
  std::string text = "telec: " + style.strong("error:") + " ";
  if (!error.id.empty() && error.code != ErrorCode::unrecorded) {
    text += error.id +
            (error.code == ErrorCode::interrupted ? " was interrupted"
             : error.code == ErrorCode::timeout   ? " timed out"
                                                  : " failed") +
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
