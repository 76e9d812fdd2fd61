// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>

#include "../command_again.hpp"
#include "../output/events.hpp"
#include "../output/text.hpp"
#include "../plan.hpp"
#include "../progress_list.hpp"
#include "../runner.hpp"
#include "../system/attempt_log.hpp"
#include "../system/attempts_file.hpp"
#include "../system/calls.hpp"
#include "../system/event_stream.hpp"
#include "../system/lock_file.hpp"
#include "../system/python.hpp"
#include "../system/state_file.hpp"
#include "../system/stop_signals.hpp"
#include "../system/surroundings.hpp"
#include "../system/tree.hpp"
#include "../system/trusted_place.hpp"
#include "../text.hpp"
#include "build_config.hpp"
#include "checks.hpp"
#include "commands.hpp"

namespace telec {
namespace {

/// A named migration that the range leaves out would be passed over in silence.
void refuse_ids_out_of_range(const Range& range, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (!range.contains(id.substr(0, id.find('/')))) {
      throw Error(ErrorCode::usage, quoted(id) + " is not in the range of --from and --to",
                  "leave out the range: the id says it all");
    }
  }
}

Plan plan_for(const Invocation& invocation, const Catalog& catalog, const History& history, Report& report) {
  Plan plan = make_plan(catalog, history, invocation.range, {invocation.only, invocation.rerun});
  report.problems = plan.problems;
  report.recorded = static_cast<std::size_t>(std::ranges::count_if(plan.steps, &Plan::Step::recorded));
  return plan;
}

void list_pending_as(State state, const Plan& plan, Report& report) {
  report.entries.reserve(plan.steps.size());
  for (const Plan::Step& step : plan.steps) {
    if (!step.recorded) {
      ReportEntry entry;
      entry.id = step.migration->id();
      entry.state = state;
      entry.late = step.late;
      report.entries.push_back(std::move(entry));
    }
  }
}

int dry_run(const Invocation& invocation, const Tree& tree, const Plan& plan, Voice& voice, Report& report) {
  const std::vector<const Migration*> pending = plan.pending();
  if (invocation.json || voice.in_hook()) {
    list_pending_as(State::pending, plan, report);
  }
  voice.problems(report);
  refuse_problems_if_strict(invocation, report);
  if (!pending.empty()) {
    refuse_unsafe_tree(tree.directory());  // as the run will, of which nothing else is to be promised
  }
  voice.say(dry_run_text(pending, report, voice.result_style()));
  return voice.finish(report, invocation.check && !pending.empty() ? pending_exit_code : 0);
}

int nothing_to_do(const Invocation& invocation, Events* events, Voice& voice, Report& report) {
  if (events != nullptr) {
    events->planned({});
  }
  voice.problems(report);
  refuse_problems_if_strict(invocation, report);
  voice.say(run_summary(report, voice.result_style()));
  return voice.finish(report, 0);
}

/// With something pending: takes the lock, looks again at what is pending then, and runs it.
int run(const Invocation& invocation, const Tree& tree, const Catalog& catalog, StateDirectory& directory,
        Events* events, Voice& voice, Report& report) {
  PythonOptions options;
  options.python = find_python(invocation.python);
  refuse_unsafe_tree(tree.directory());
  options.home = home_directory();
  confirm_directory(options.home);
  options.environment = script_environment(options.home);
  options.timeout = invocation.timeout;
  StopSignals stop;
  directory.create();
  LockFile lock(
      directory.descriptor(), directory.name() + ".lock", directory.path() + ".lock", invocation.lock_timeout, stop,
      [&](const std::string& text) { voice.note(text); },
      "wait for it to end, then run '" + run_again(invocation) + "' again, or wait longer: '" +
          run_waiting(invocation) + "'; there is nothing to delete");
  StateFile state(directory);
  state.may_commit(lock);
  History history = state.load();
  const Plan plan = plan_for(invocation, catalog, history, report);
  const std::vector<const Migration*> pending = plan.pending();
  if (pending.empty()) {
    // Another run did it while this one waited.
    return nothing_to_do(invocation, events, voice, report);
  }
  refuse_problems_if_strict(invocation, report);
  voice.problems(report);
  refuse_unsafe_scripts(tree.directory(), pending);
  state.probe(history, pending.size());
  const LogDirectory logs(directory.descriptor(), directory.directory());
  const RunContext context = {telec_version,         user_name(),         host_name(),
                              run_again(invocation), run_one(invocation), run_longer(invocation)};
  Console console = voice.console();
  AttemptsFile attempts(logs, context);
  ProgressList listeners;
  listeners.add(console);
  listeners.add(attempts);
  if (events != nullptr) {
    listeners.add(*events);
  }
  note_blindness(listeners, report);
  Python python(std::move(options), tree, logs, lock, stop, listeners);
  if (invocation.prestart && pending.size() > 1) {
    python.expect(pending);
  }
  run_pending(pending, history, python, state, listeners, stop, context, report);
  if (!attempts.trouble().empty()) {
    listeners.note(attempts.trouble());
    report.notes.push_back(attempts.trouble());
  }
  auto step = plan.steps.begin();
  for (ReportEntry& entry : report.entries) {
    // What ran is in the order of the plan.
    step = std::find_if(step, plan.steps.end(), [&](const Plan::Step& one) { return one.migration->id() == entry.id; });
    entry.late = step != plan.steps.end() && step->late;
    if (entry.state == State::already_present &&
        std::ranges::find(invocation.rerun, entry.id) != invocation.rerun.end()) {
      voice.note(entry.id + ": its check() was True, so migrate() was not called");
    }
  }
  voice.say(run_summary(report, voice.result_style()));
  return voice.finish(report, report.exit_code());
}

}  // namespace

void refuse_wrong_ids(const Invocation& invocation, const Catalog& catalog, const History& history) {
  for (const auto* ids : {&invocation.only, &invocation.rerun}) {
    refuse_unknown_ids(invocation, catalog, history, *ids);
  }
  for (const auto* ids : {&invocation.only, &invocation.rerun}) {
    refuse_ids_out_of_range(invocation.range, *ids);
  }
}

void refuse_problems_if_strict(const Invocation& invocation, const Report& report) {
  const auto late = static_cast<std::size_t>(
      std::ranges::count_if(report.problems, [](const Problem& problem) { return problem.kind == "out_of_order"; }));
  if (!invocation.strict || report.problems.size() == (names_users(invocation) ? late : 0)) {
    return;
  }
  Invocation lenient = invocation;
  lenient.strict = false;
  std::string hint = late < report.problems.size() ? "mend what is listed above; " : "";
  if (late > 0) {
    hint += "what arrived late cannot be mended, and is run without --strict: '" + run_again(lenient) + "'; ";
  }
  throw Error(ErrorCode::tree_untrusted,
              counted(report.problems.size(), "problem") +
                  (late == 0 ? " in the migrations tree" : " in the migrations tree and the history") +
                  ", and --strict was given",
              hint + "nothing was run");
}

namespace {

/// `events`: null where nobody asked for them.
int plan_and_run(const Invocation& invocation, Events* events, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  report.in_tree = catalog.migrations().size();
  StateDirectory directory(state_path(invocation));
  // Without the lock: where nothing is pending, none is waited for and nothing is written.
  StateFile state(directory);
  const History history = state.load();
  refuse_wrong_ids(invocation, catalog, history);
  const Plan plan = plan_for(invocation, catalog, history, report);
  note_lost_state(invocation, lost_state(state, directory), voice, report);
  if (invocation.dry_run) {
    if (events != nullptr) {
      events->planned(plan.pending());
    }
    return dry_run(invocation, tree, plan, voice, report);
  }
  if (plan.pending().empty()) {
    return nothing_to_do(invocation, events, voice, report);
  }
  if (invocation.strict && !report.problems.empty()) {
    voice.problems(report);
    refuse_problems_if_strict(invocation, report);
  }
  try {
    return run(invocation, tree, catalog, directory, events, voice, report);
  } catch (Error& error) {
    if (report.entries.empty()) {
      list_pending_as(State::not_reached, plan, report);
    }
    if (error.code == ErrorCode::interrupted) {
      error.hint += "; to go on, run '" + run_again(invocation) + "' again";
    }
    throw;
  }
}

}  // namespace

int migrate(const Invocation& invocation, Voice& voice, Report& report) {
  report.dry_run = invocation.dry_run;
  if (!invocation.events) {
    return plan_and_run(invocation, nullptr, voice, report);
  }
  EventStream stream(*invocation.events);
  Events events([&](std::string_view line) { stream.write(line); }, utc_now);
  int code = 0;
  try {
    code = plan_and_run(invocation, &events, voice, report);
  } catch (const Error& error) {
    // Whoever follows is told the end, whatever it is.
    report.error = report_error(error);
    events.ended(report, report.exit_code());
    throw;
  }
  events.ended(report, code);
  if (!stream.trouble().empty()) {
    voice.note(stream.trouble());
  }
  return code;
}

}  // namespace telec
