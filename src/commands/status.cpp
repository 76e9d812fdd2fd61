// SPDX-License-Identifier: MIT
#include <algorithm>

#include "../output/status_table.hpp"
#include "../output/text.hpp"
#include "../plan.hpp"
#include "../system/state_file.hpp"
#include "../system/tree.hpp"
#include "../verify.hpp"
#include "checks.hpp"
#include "commands.hpp"

namespace telec {
namespace {

/// What is known about the recorded ones, and what differs.
class Details {
 public:
  Details(const History& history, const Tree& tree)
      : history_(history), tree_(tree), out_of_order_(recorded_out_of_order(history.order())) {
    std::ranges::sort(out_of_order_);
  }

  /// `migration`: null where the tree has none.
  void add(const Migration* migration, ReportEntry& entry) {
    entry.out_of_order = std::ranges::binary_search(out_of_order_, entry.id);
    auto record = history_.details(entry.id);
    if (!record) {
      return;
    }
    entry.at = std::move(record->at);
    entry.outcome = std::move(record->outcome);
    entry.seconds = record->seconds;
    std::string reason;
    if (migration != nullptr && !record->sha256.empty() && tree_.read_script(*migration, bytes_, reason, open_)) {
      entry.changed = !is_same_script(bytes_, record->sha256);
    }
  }

 private:
  const History& history_;
  const Tree& tree_;
  std::vector<std::string> out_of_order_;
  Tree::OpenVersion open_;
  std::string bytes_;
};

void list(const Invocation& invocation, const Tree& tree, const History& history, const Plan& plan, Report& report) {
  Details details(history, tree);
  report.entries.reserve(plan.steps.size() + plan.gone.size());
  for (const Plan::Step& step : plan.steps) {
    if (step.recorded ? invocation.pending : invocation.applied) {
      continue;
    }
    ReportEntry& entry = report.entries.emplace_back();
    entry.id = step.migration->id();
    entry.late = step.late;
    if (step.recorded) {
      entry.state = State::recorded;
      details.add(step.migration, entry);
    }
  }
  if (plan.gone.empty() || invocation.pending) {
    return;
  }
  for (const std::string& id : plan.gone) {
    ReportEntry& entry = report.entries.emplace_back();
    entry.id = id;
    entry.state = State::recorded;
    entry.gone = true;
    details.add(nullptr, entry);
  }
  std::ranges::sort(
      report.entries, [](const std::string& a, const std::string& b) { return compare_ids(a, b) < 0; },
      &ReportEntry::id);
}

}  // namespace

int status(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  const StateDirectory directory(state_path(invocation));
  StateFile state(directory);
  const History history = state.load();
  const Plan plan = make_plan(catalog, history, invocation.range);
  report.problems = plan.problems;
  report.pending = plan.pending().size();
  report.recorded = plan.steps.size() - report.pending + plan.gone.size();
  note_lost_state(invocation, lost_state(state, directory), voice, report);
  const bool only_exit_code = invocation.quiet && invocation.check && !invocation.json;
  if (!only_exit_code) {
    list(invocation, tree, history, plan, report);
  }
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
  return voice.finish(report, invocation.check && report.pending > 0 ? pending_exit_code : 0);
}

}  // namespace telec
