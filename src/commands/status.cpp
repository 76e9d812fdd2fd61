// SPDX-License-Identifier: MIT
#include <algorithm>

#include "../output/status_table.hpp"
#include "../output/text.hpp"
#include "../plan.hpp"
#include "../system/state_file.hpp"
#include "../system/tree.hpp"
#include "../verify.hpp"
#include "commands.hpp"

namespace telec {
namespace {

void add_details(const History& history, const Tree& tree, const Migration* migration, bool compare,
                 ReportEntry& entry) {
  const auto record = history.details(entry.id);
  if (!record) {
    return;
  }
  entry.at = record->at;
  entry.outcome = record->outcome;
  entry.seconds = record->seconds;
  std::string bytes;
  std::string reason;
  if (compare && migration != nullptr && !record->sha256.empty() && tree.read_script(*migration, bytes, reason)) {
    entry.changed = !is_same_script(bytes, record->sha256);
  }
}

void list(const Invocation& invocation, const Tree& tree, const History& history, const Plan& plan, Report& report) {
  // Only the exit code is asked for: no script needs to be read.
  const bool compare = !(invocation.quiet && invocation.check && !invocation.json);
  const std::vector<std::string> out_of_order = recorded_out_of_order(history.order());
  const auto add = [&](ReportEntry entry, const Migration* migration) {
    if (entry.state == State::recorded) {
      add_details(history, tree, migration, compare, entry);
      entry.out_of_order = std::ranges::find(out_of_order, entry.id) != out_of_order.end();
    }
    if (invocation.pending ? entry.state == State::pending : !invocation.applied || entry.state == State::recorded) {
      report.entries.push_back(std::move(entry));
    }
  };
  for (const Plan::Step& step : plan.steps) {
    ReportEntry entry;
    entry.id = step.migration->id();
    entry.state = step.recorded ? State::recorded : State::pending;
    entry.late = step.late;
    add(std::move(entry), step.migration);
  }
  for (const std::string& id : plan.gone) {
    ReportEntry entry;
    entry.id = id;
    entry.state = State::recorded;
    entry.gone = true;
    add(std::move(entry), nullptr);
  }
  if (!plan.gone.empty()) {
    std::ranges::sort(report.entries, [](const ReportEntry& a, const ReportEntry& b) {
      return *Migration::parse(a.id) < *Migration::parse(b.id);
    });
  }
}

}  // namespace

int status(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  const StateDirectory directory(state_path(invocation));
  const History history = StateFile(directory).load();
  const Plan plan = make_plan(catalog, history, invocation.range);
  report.problems = plan.problems;
  const bool pending = !plan.pending().empty();
  list(invocation, tree, history, plan, report);
  if (invocation.quiet && !invocation.json && !invocation.check) {
    // What needs attention is what was asked for here: nothing at all where all is well.
    voice.insist(attention_text(report, voice.result_style()));
    voice.problems(report);
  } else {
    voice.say(status_table(report, voice.result_style()));
    voice.problems(report);
    voice.say(status_sums(report, voice.result_style()));
  }
  refuse_problems_if_strict(invocation, report);
  return voice.finish(report, invocation.check && pending ? pending_exit_code : 0);
}

}  // namespace telec
