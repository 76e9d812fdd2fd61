// SPDX-License-Identifier: MIT
#include <algorithm>

#include "../output/text.hpp"
#include "../plan.hpp"
#include "../system/state_file.hpp"
#include "../system/tree.hpp"
#include "commands.hpp"

namespace telec {
namespace {

void add_details(const History& history, ReportEntry& entry) {
  if (const auto record = history.details(entry.id)) {
    entry.at = record->at;
    entry.outcome = record->outcome;
    entry.seconds = record->seconds;
  }
}

}  // namespace

int status(const Invocation& invocation, Voice& voice, Report& report) {
  report.command = "status";
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  const StateDirectory directory(state_path(invocation));
  const History history = StateFile(directory).load();
  const Plan plan = make_plan(catalog, history, invocation.range);
  report.problems = plan.problems;
  for (const Plan::Step& step : plan.steps) {
    ReportEntry entry;
    entry.id = step.migration->id();
    entry.state = step.recorded ? State::recorded : State::pending;
    entry.late = step.late;
    add_details(history, entry);
    report.entries.push_back(std::move(entry));
  }
  for (const std::string& id : plan.gone) {
    ReportEntry entry;
    entry.id = id;
    entry.state = State::recorded;
    entry.gone = true;
    add_details(history, entry);
    report.entries.push_back(std::move(entry));
  }
  if (!plan.gone.empty()) {
    std::ranges::sort(report.entries, [](const ReportEntry& a, const ReportEntry& b) {
      return *Migration::parse(a.id) < *Migration::parse(b.id);
    });
  }
  voice.say(status_text(report, voice.result_style()));
  voice.problems(report);
  refuse_problems_if_strict(invocation, report);
  return voice.finish(report, invocation.check && report.count(State::pending) > 0 ? pending_exit_code : 0);
}

}  // namespace telec
