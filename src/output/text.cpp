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

/// What comes before a sentence, and the sentence: behind it, or below it where only that fits.
std::string headed(const std::string& head, std::size_t head_columns, const std::string& sentence, std::size_t indent,
                   const Style& style) {
  const std::string text = wrapped(sentence, style.columns, head_columns + 1, indent);
  return head + (text.starts_with('\n') ? "" : " ") + text + "\n";
}

/// "telec: WORD: " and a sentence, whose further lines stand below the word.
std::string talk(const char* word, const std::string& sentence, const Style& style) {
  constexpr std::string_view who = "telec: ";
  return headed(std::string(who) + style.strong(word), who.size() + std::string_view(word).size(), sentence, who.size(),
                style);
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
  constexpr std::size_t gap = 2;
  const std::string word = words_of(entry.state);
  std::string took = entry.seconds && entry.state != State::not_reached ? seconds_text(*entry.seconds) : "";
  std::size_t word_width = state_width;
  const auto too_wide = [&] {
    return style.columns > 0 &&
           word_width + gap + std::max(id_width, columns_of(entry.id)) + (took.empty() ? 0 : gap + took.size()) >
               style.columns;
  };
  if (too_wide()) {
    word_width = word.size();
    id_width = 0;
  }
  if (too_wide()) {
    took.clear();
  }
  std::string id = entry.id;
  if (too_wide()) {
    id = fitted_middle(id, style.columns - std::min(style.columns, word_width + gap));
  }
  std::string line = style.state(entry.state, padded(word, word_width)) + std::string(gap, ' ');
  line += took.empty() ? id : padded(id, id_width) + std::string(gap, ' ') + took;
  return line + "\n";
}

std::string sum_line(const std::string& sum, const Style& style) { return wrapped(sum, style.columns, 0, 2) + "\n"; }

std::string run_summary(const Report& report, const Style& style) {
  if (report.entries.empty() && !report.error) {
    if (report.recorded == 0) {
      return sum_line(report.in_tree == 0
                          ? "nothing to do: no migrations in the tree"
                          : "nothing to do: none in range, " + std::to_string(report.in_tree) + " in the tree",
                      style);
    }
    return sum_line("nothing to do: " + counted(report.recorded, "migration") +
                        (report.range.is_everything() ? "" : " in range") + " recorded, none pending",
                    style);
  }
  std::string text = std::string(report.error ? "stopped: " : "done: ") + counted(report.entries.size(), "migration");
  add_count(text, report.count(State::applied), "applied");
  add_count(text, report.count(State::already_present), "already present");
  add_count(text, report.count(State::failed), "failed");
  add_count(text, report.count(State::interrupted), "interrupted");
  add_count(text, report.count(State::unrecorded), "unrecorded");
  add_count(text, report.count(State::not_reached), "not reached");
  return sum_line(text, style);
}

std::string dry_run_text(const std::vector<const Migration*>& pending, const Report& report, const Style& style) {
  if (pending.empty()) {
    return run_summary(report, style);
  }
  std::size_t id_width = 0;
  for (const Migration* migration : pending) {
    id_width = std::max(id_width, columns_of(migration->id()));
  }
  const std::string state = style.state(State::pending, padded(words_of(State::pending), state_width)) + "  ";
  std::size_t size = 0;
  for (const Migration* migration : pending) {
    size += state.size() + migration->id().size() + 1;
  }
  const std::string sum =
      sum_line("dry run: " + counted(pending.size(), "migration") + " would run, nothing was run", style);
  std::string text;
  text.reserve(size + sum.size());
  for (const Migration* migration : pending) {
    if (style.columns > 0) {
      ReportEntry entry;
      entry.id = migration->id();
      text += entry_line(entry, id_width, style);
    } else {
      text.append(state).append(migration->id()).append(1, '\n');
    }
  }
  return text.append(sum);
}

namespace {

/// When, how it ended, which, how long: in one line where the terminal has room for that, else the id in a second one.
class AttemptLines {
 public:
  AttemptLines(const std::vector<AttemptRecord>& attempts, const Style& style) : style_(style) {
    std::size_t longest_outcome = 0;
    for (const AttemptRecord& attempt : attempts) {
      id_width_ = std::max(id_width_, columns_of(attempt.id));
      longest_outcome = std::max(longest_outcome, columns_of(attempt.outcome));
      took_width_ = std::max(took_width_, attempt.seconds ? seconds_text(*attempt.seconds).size() : 0);
    }
    const auto columns = [&] {
      return when_width_ + gap + outcome_width_ + (two_lines_ ? 0 : gap + id_width_) +
             (took_width_ > 0 ? gap + took_width_ : 0);
    };
    const auto too_wide = [&] { return style.columns > 0 && columns() > style.columns; };
    if (too_wide()) {
      two_lines_ = true;
      outcome_width_ = longest_outcome;
    }
    if (too_wide()) {
      constexpr std::size_t without_seconds = 16;
      when_width_ = without_seconds;
    }
    if (too_wide()) {
      took_width_ = 0;
    }
  }

  [[nodiscard]] std::string text(const AttemptRecord& attempt) const {
    std::string outcome = printable(attempt.outcome);
    std::ranges::replace(outcome, '_', ' ');
    const std::string when = attempt.at.empty() ? "(time unknown)" : time_text(attempt.at);
    const std::string took = attempt.seconds && took_width_ > 0 ? seconds_text(*attempt.seconds) : "";
    std::string line = padded(when.substr(0, when_width_), when_width_) + std::string(gap, ' ');
    if (two_lines_) {
      line += style_.outcome(attempt.outcome, took.empty() ? outcome : padded(outcome, outcome_width_)) +
              (took.empty() ? "" : std::string(gap, ' ') + took);
      return line + "\n  " + fitted_middle(attempt.id, style_.columns - std::min<std::size_t>(style_.columns, 2)) +
             "\n";
    }
    line += style_.outcome(attempt.outcome, padded(outcome, outcome_width_)) + std::string(gap, ' ');
    return line + (took.empty() ? attempt.id : padded(attempt.id, id_width_) + std::string(gap, ' ') + took) + "\n";
  }

 private:
  static constexpr std::size_t gap = 2;
  const Style& style_;
  bool two_lines_ = false;
  std::size_t when_width_ = 20;
  std::size_t outcome_width_ = state_width;
  std::size_t id_width_ = 0;
  std::size_t took_width_ = 0;
};

}  // namespace

std::string attempts_text(const Report& report, const Style& style, bool details) {
  std::string text;
  const AttemptLines lines(report.attempts, style);
  for (const AttemptRecord& attempt : report.attempts) {
    text += lines.text(attempt);
    const auto add = [&](const char* what, const std::string& value) {
      if (!value.empty()) {
        text += "    " + wrapped(what + printable(value), style.columns, 4, 6) + "\n";
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

std::string output_text(const AttemptRecord& last, const std::optional<std::string>& output, const Style& style) {
  if (!output && last.outcome == word_of(State::marked)) {
    return sum_line(last.id + " was recorded by hand: nothing was run", style);
  }
  if (!output && last.outcome == word_of(State::forgotten)) {
    return sum_line("the record of " + last.id + " was taken back: nothing was run", style);
  }
  if (!output && last.from_history) {
    return sum_line("what " + last.id + " printed is not known: only its record is kept", style);
  }
  if (!output) {
    return sum_line(last.log.empty() ? "the last attempt of " + last.id + " printed nothing"
                                     : "the log of the last attempt of " + last.id + " is no longer kept",
                    style);
  }
  std::string text = sum_line("the log of the last attempt of " + last.id + ":", style);
  for (const std::string_view line : lines_of(*output)) {
    text.append("  | ").append(printable(line)).append("\n");
  }
  return text;
}

std::string findings_text(const std::vector<Finding>& findings, const Style& style) {
  constexpr std::size_t indent = 4;
  std::string text;
  for (const Finding& finding : findings) {
    const std::string place =
        shown_path(finding.path) + (finding.line > 0 ? ":" + std::to_string(finding.line) : "") + ":";
    text +=
        headed(style.strong(place), columns_of(place), finding.rule + ": " + printable(finding.message), indent, style);
    for (const std::string_view line : lines_of(finding.hint)) {
      // Code is left as it is.
      text += std::string(indent, ' ') +
              (line.starts_with(' ') ? printable(line) : wrapped(printable(line), style.columns, indent, indent)) +
              "\n";
    }
  }
  return text;
}

namespace {

std::string health_line(const HealthCheck& check, const Style& style) {
  constexpr std::size_t word_width = 6;
  constexpr std::size_t name_width = 14;
  constexpr std::size_t narrow = 60;
  const bool is_narrow = style.columns > 0 && style.columns < narrow;
  const std::size_t indent = is_narrow ? word_width : word_width + name_width;
  const std::string name = is_narrow ? check.name + ":" : padded(check.name, name_width - 1);
  std::string text =
      headed(style.state(check.ok ? State::ok : State::failed, padded(check.ok ? "ok" : "mend", word_width)) + name,
             word_width + name.size(), printable(check.message), indent, style);
  if (!check.ok && !check.hint.empty()) {
    text += std::string(indent, ' ') + wrapped(printable(check.hint), style.columns, indent, indent) + "\n";
  }
  return text;
}

}  // namespace

std::string health_text(const Report& report, const Style& style) {
  std::string text;
  std::size_t bad = 0;
  for (const HealthCheck& check : report.health) {
    text += health_line(check, style);
    bad += check.ok ? 0 : 1;
  }
  return text +
         (bad == 0 ? "all is well: " + counted(report.health.size(), "look") : counted(bad, "thing") + " to mend") +
         "\n";
}

std::string mend_text(const Report& report, const Style& style) {
  std::string text;
  for (const HealthCheck& check : report.health) {
    text += check.ok ? "" : health_line(check, style);
  }
  return text;
}

std::string problem_lines(const std::vector<Problem>& problems, const Style& style) {
  std::string text;
  for (const Problem& problem : problems) {
    text += talk("problem:", shown_path(problem.path) + ": " + problem.message, style);
  }
  return text;
}

std::string error_text(const ReportError& error, const Style& style) {
  std::string about;
  if (!error.id.empty() && error.code != ErrorCode::unrecorded) {
    about = error.id +
            (error.code == ErrorCode::interrupted ? " was interrupted"
             : error.code == ErrorCode::timeout   ? " timed out"
                                                  : " failed") +
            (error.stage.empty() ? "" : " at " + error.stage) + ": ";
  } else if (!error.id.empty()) {
    about = error.id + ": ";
  }
  std::string text = talk("error:", about + printable(error.message), style);
  if (!error.traceback.empty()) {
    text += indented(error.traceback, "  ", 60);
  }
  text += last_printed("it", error.output_tail);
  if (!error.log.empty()) {
    text += "log: " + printable(error.log) + "\n";
  }
  if (!error.hint.empty()) {
    constexpr std::size_t indent = 6;
    text += "hint: " + wrapped(printable(error.hint), style.columns, indent, indent) + "\n";
  }
  return text;
}

std::string last_printed(const std::string& who, const std::string& tail) {
  return tail.empty() ? "" : "the last that " + who + " printed:\n" + indented(tail, "  | ", shown_output_lines);
}

std::string note_line(const std::string& text, const Style& style) { return talk("note:", printable(text), style); }

}  // namespace telec
