// SPDX-License-Identifier: MIT
#include "judgement.hpp"

#include <array>
#include <optional>
#include <utility>

#include "json_scanner.hpp"
#include "text.hpp"

namespace telec {
namespace {

constexpr unsigned line_depth_limit = 2;

struct Line {
  std::string event;
  std::string stage;
  std::string verdict;
  std::string message;
  std::string traceback;
  std::string python;
  bool supported = false;
};

/// One line with the run's nonce; nothing for a scribble.
std::optional<Line> read_line(std::string_view text, std::string_view nonce) {
  // Before anything is parsed: a script may scribble a megabyte of lines.
  if (nonce.empty() || text.find(nonce) == std::string_view::npos) {
    return std::nullopt;
  }
  Line line;
  std::string line_nonce;
  try {
    JsonScanner in(text, line_depth_limit);
    in.object([&](std::string_view key) {
      if (key == "nonce") {
        line_nonce = in.string();
      } else if (key == "event") {
        line.event = in.string();
      } else if (key == "stage") {
        line.stage = in.string();
      } else if (key == "verdict") {
        line.verdict = in.string();
      } else if (key == "message") {
        line.message = in.string();
      } else if (key == "traceback") {
        line.traceback = in.string();
      } else if (key == "python") {
        line.python = in.string();
      } else if (key == "supported") {
        line.supported = in.boolean();
      } else {
        in.skip();
      }
    });
    in.finish();
  } catch (const JsonFault&) {
    return std::nullopt;
  }
  if (line_nonce != nonce) {
    return std::nullopt;
  }
  return line;
}

struct Said {
  std::optional<Line> hello;
  std::optional<Line> verdict;
  int verdicts = 0;
  bool verdict_is_last = false;
  Stage stage = Stage::start;
};

std::optional<Stage> stage_of(std::string_view word) {
  constexpr std::array stages = {Stage::start,   Stage::load,    Stage::check, Stage::migrate,
                                 Stage::recheck, Stage::verdict, Stage::commit};
  for (const Stage stage : stages) {
    if (word == word_of(stage)) {
      return stage;
    }
  }
  return std::nullopt;
}

Said read_said(std::string_view text, std::string_view nonce) {
  Said said;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      break;  // a line that was never finished says nothing
    }
    auto line = read_line(text.substr(0, end), nonce);
    text = text.substr(end + 1);
    if (!line) {
      continue;
    }
    said.verdict_is_last = line->event == "verdict";
    if (line->event == "hello") {
      said.hello = std::move(line);
    } else if (line->event == "stage") {
      said.stage = stage_of(line->stage).value_or(said.stage);
    } else if (line->event == "verdict") {
      ++said.verdicts;
      said.verdict = std::move(line);
    }
  }
  return said;
}

Judgement failed(Stage stage, std::string message, const Said& said) {
  Judgement judgement;
  judgement.outcome = Outcome::failed;
  judgement.stage = stage;
  judgement.message = std::move(message);
  judgement.python = said.hello ? said.hello->python : "";
  return judgement;
}

Judgement no_python(std::string message) {
  Judgement judgement;
  judgement.outcome = Outcome::no_python;
  judgement.stage = Stage::start;
  judgement.message = std::move(message);
  return judgement;
}

struct Words {
  std::string operator()(const Exited& exited) const { return "exited with status " + std::to_string(exited.code); }
  std::string operator()(const Killed& killed) const {
    return "was killed by " + signal_name(killed.signal) + (killed.core_dumped ? " (core dumped)" : "");
  }
  std::string operator()(const StatusUnknown& unknown) const { return "ended in an unknown way: " + unknown.reason; }
  template <class EndedByTheRunner>
  std::string operator()(const EndedByTheRunner&) const {
    return "was ended";
  }
};

std::string describe(const Ending& ending) { return std::visit(Words(), ending); }

bool clean_exit(const Ending& ending) {
  const auto* exited = std::get_if<Exited>(&ending);
  return exited != nullptr && exited->code == 0;
}

Judgement judge_silence(const ChildResult& child, const Said& said) {
  std::string message = "python " + describe(child.ending) + " without a verdict";
  if (child.said_too_much) {
    message += " (more came on the verdict's descriptor than is read)";
  } else if (const auto* exited = std::get_if<Exited>(&child.ending); exited != nullptr) {
    message += " (os._exit, exec, or a closed descriptor)";
  }
  const Stage stage = clean_exit(child.ending) ? Stage::verdict : said.stage;
  return failed(stage, std::move(message), said);
}

}  // namespace

const char* word_of(Stage stage) {
  switch (stage) {
    case Stage::start: return "start";
    case Stage::load: return "load";
    case Stage::check: return "check";
    case Stage::migrate: return "migrate";
    case Stage::recheck: return "recheck";
    case Stage::verdict: return "verdict";
    case Stage::commit: return "commit";
  }
  return "start";
}

Stage stage_reached(std::string_view said, std::string_view nonce) { return read_said(said, nonce).stage; }

Judgement judge(const ChildResult& child) {
  const Said said = read_said(child.said, child.nonce);
  if (!child.refused.empty()) {
    return failed(Stage::load, child.refused, said);
  }
  if (const auto* not_started = std::get_if<NotStarted>(&child.ending)) {
    Judgement judgement = no_python(not_started->reason);
    judgement.hint = not_started->hint;
    return judgement;
  }
  if (const auto* stopped = std::get_if<Stopped>(&child.ending)) {
    Judgement judgement = failed(said.stage, "stopped by " + signal_name(stopped->signal), said);
    judgement.outcome = Outcome::interrupted;
    judgement.signal = stopped->signal;
    return judgement;
  }
  if (!said.hello) {
    if (const auto* timed_out = std::get_if<TimedOut>(&child.ending)) {
      return no_python("python did not start within " + seconds_text(timed_out->seconds));
    }
    return no_python("python " + describe(child.ending) + " before it could load anything");
  }
  if (!said.hello->supported) {
    return no_python("python " + said.hello->python + " is too old, 3.8 or newer is needed");
  }
  if (const auto* timed_out = std::get_if<TimedOut>(&child.ending)) {
    Judgement judgement = failed(said.stage, "not finished after " + seconds_text(timed_out->seconds), said);
    judgement.timed_out = true;
    return judgement;
  }
  if (!child.survivors.empty()) {
    return failed(Stage::verdict, "processes that it started could not be ended: " + child.survivors, said);
  }
  if (said.verdicts == 0) {
    return judge_silence(child, said);
  }
  if (said.verdicts > 1 || !said.verdict_is_last || child.said_too_much) {
    return failed(Stage::verdict, "the verdict is damaged: something else was written on its descriptor", said);
  }
  if (said.verdict->verdict == "failed") {
    Judgement judgement = failed(stage_of(said.verdict->stage).value_or(said.stage),
                                 said.verdict->message.empty() ? "no reason was given" : said.verdict->message, said);
    judgement.traceback = said.verdict->traceback;
    return judgement;
  }
  const std::string& word = said.verdict->verdict;
  if (word != "applied" && word != "already_present" && word != "not_present") {
    return failed(Stage::verdict, "unknown verdict " + quoted(shortened(said.verdict->verdict, 80)), said);
  }
  if (!clean_exit(child.ending)) {
    return failed(Stage::verdict, "python " + describe(child.ending) + " after its verdict", said);
  }
  Judgement judgement;
  judgement.outcome = word == "applied"           ? Outcome::applied
                      : word == "already_present" ? Outcome::already_present
                                                  : Outcome::not_present;
  judgement.python = said.hello->python;
  return judgement;
}

std::string signal_name(int signal) {
  // The numbers of Linux, signal(7), on all its architectures but alpha, mips, sparc and parisc.
  constexpr std::array names = {"",       "HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
                                "FPE",    "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
                                "STKFLT", "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",
                                "XCPU",   "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS"};
  if (signal > 0 && static_cast<std::size_t>(signal) < names.size()) {
    return std::string("SIG") + names.at(static_cast<std::size_t>(signal));
  }
  return "signal " + std::to_string(signal);
}

}  // namespace telec
