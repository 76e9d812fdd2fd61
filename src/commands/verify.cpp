// SPDX-License-Identifier: MIT
#include "../verify.hpp"

#include <algorithm>
#include <optional>

#include "../command_again.hpp"
#include "../output/text.hpp"
#include "../plan.hpp"
#include "../system/state_file.hpp"
#include "../text.hpp"
#include "checks.hpp"
#include "commands.hpp"

namespace telec {
namespace {

std::string recorded_text(const std::optional<Record>& record) {
  return record && !record->at.empty() ? "recorded on " + record->at : "recorded";
}

/// How many records cannot be compared: the older runner kept no digest.
std::size_t compare_scripts(const Invocation& invocation, const Tree& tree, const History& history, const Plan& plan,
                            Report& report) {
  std::size_t without_digest = 0;
  Tree::OpenVersion open;
  for (const Plan::Step& step : plan.steps) {
    if (!step.recorded) {
      continue;
    }
    const auto record = history.details(step.migration->id());
    if (!record || record->sha256.empty()) {
      ++without_digest;
      continue;
    }
    std::string bytes;
    std::string reason;
    if (!tree.read_script(*step.migration, bytes, reason, open)) {
      report.findings.push_back({"script_unreadable", step.migration->path(), 0, reason, mend_unreadable});
    } else if (!is_same_script(bytes, record->sha256)) {
      report.findings.push_back(
          {"script_changed", step.migration->path(), 0,
           "its script is not the one that was " + recorded_text(record) + "; it is not run again by itself",
           "if the change matters here: " + command_again(invocation) + " --rerun " + step.migration->id()});
    }
  }
  for (const std::string& id : plan.gone) {
    report.findings.push_back(
        {"script_gone", "v" + id, 0, recorded_text(history.details(id)) + ", and no longer in the tree",
         "put it back, or take the record away: " + command_again(invocation, Verb::forget) + " " + id});
  }
  return without_digest;
}

void add_finding(const Invocation& invocation, const CheckResult& result, State state,
                 const std::optional<Record>& record, Report& report) {
  const std::string& id = result.migration->id();
  const std::string path = result.migration->path();
  if (state == State::regressed) {
    report.findings.push_back(
        {"regressed", path, 0, recorded_text(record) + ", and check() is False now",
         "find out what undid it; to bring it about again: " + command_again(invocation) + " --rerun " + id});
  } else if (state == State::unrecorded) {
    report.findings.push_back({"unrecorded", path, 0, "check() is True, and it is not recorded",
                               "'" + run_again(invocation) +
                                   "' records it as already present; to record it alone, as marked: " +
                                   command_again(invocation, Verb::mark) + " " + id});
  } else if (state == State::failed) {
    report.findings.push_back({"check_failed", path, 0, "check() gave no answer: " + result.judgement.message,
                               result.judgement.stage == Stage::check
                                   ? "mend its check(): it is to look, and to answer True or False"
                                   : "mend what it complains of"});
  }
}

/// From here on no run changes what is looked at. Where nothing was ever recorded, there is nothing to lock, and
/// nothing is created for a look.
struct Standstill {
  Standstill(const Invocation& invocation, const StateDirectory& directory, Voice& voice)
      : lock(directory.exists()
                 ? LockFile(directory.descriptor(), directory.name() + ".lock", directory.path() + ".lock",
                            invocation.lock_timeout, stop, [&voice](const std::string& text) { voice.note(text); })
                 : LockFile()) {}

  StopSignals stop;
  LockFile lock;
};

void recheck(const Invocation& invocation, const Tree& tree, const History& history, const Plan& plan,
             Standstill& standstill, Voice& voice, Report& report) {
  std::vector<const Migration*> all;
  for (const Plan::Step& step : plan.steps) {
    all.push_back(step.migration);
  }
  Console console = voice.console();
  run_checks(all, invocation, tree, standstill.lock, standstill.stop, console, report, [&](const CheckResult& result) {
    const bool recorded = history.contains(result.migration->id());
    const State state = state_of_recheck(recorded, result.judgement.outcome);
    if (state == State::failed && result.judgement.outcome == Outcome::no_python) {
      return State::not_reached;
    }
    add_finding(invocation, result, state, history.details(result.migration->id()), report);
    if (state == State::failed) {
      console.show_tail(result.migration->id(), result.child.output_tail);
    }
    return state;
  });
}

std::string sums(const Report& report, std::size_t recorded, bool rechecked) {
  if (!rechecked) {
    return counted(recorded, "recorded migration") + ": " +
           (report.findings.empty() ? "no findings" : counted(report.findings.size(), "finding"));
  }
  std::string text = counted(report.entries.size(), "migration") + ": " + std::to_string(report.count(State::ok)) +
                     " ok, " + std::to_string(report.count(State::pending)) + " pending";
  const auto add = [&](State state, const char* word) {
    text += report.count(state) > 0 ? ", " + std::to_string(report.count(state)) + " " + word : "";
  };
  add(State::regressed, "regressed");
  add(State::unrecorded, "unrecorded");
  add(State::failed, "without an answer");
  add(State::interrupted, "interrupted");
  add(State::not_reached, "not reached");
  return text + (report.findings.empty() ? "; no findings" : "; " + counted(report.findings.size(), "finding"));
}

}  // namespace

int verify(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  const StateDirectory directory(state_path(invocation));
  std::optional<Standstill> standstill;
  if (invocation.recheck) {
    standstill.emplace(invocation, directory, voice);
  }
  const History history = StateFile(directory).load();
  const Plan plan = make_plan(catalog, history, invocation.range);
  report.problems = plan.problems;
  const std::size_t without_digest = compare_scripts(invocation, tree, history, plan, report);
  if (standstill) {
    recheck(invocation, tree, history, plan, *standstill, voice, report);
    standstill.reset();  // what is left is to be said, which may take as long as its reader likes
  }
  std::ranges::stable_sort(report.findings, {}, &Finding::path);
  voice.insist(findings_text(report.findings, voice.result_style()));
  voice.problems(report);
  const auto recorded = static_cast<std::size_t>(std::ranges::count_if(plan.steps, &Plan::Step::recorded));
  std::string sum = sums(report, recorded + plan.gone.size(), invocation.recheck);
  if (without_digest > 0) {
    sum += "; " + std::to_string(without_digest) + " recorded without a digest, so not compared";
  }
  voice.say(sum_line(sum, voice.result_style()));
  return voice.finish(report, report.error ? report.exit_code() : report.findings.empty() ? 0 : findings_exit_code);
}

}  // namespace telec
