// SPDX-License-Identifier: MIT
#include "runner.hpp"

#include <utility>

#include "text.hpp"

namespace telec {
namespace {

/// `recorded`: from before, as with --rerun.
ReportError error_of(const Migration& migration, const Judgement& judgement, const ChildResult& child,
                     const RunContext& context, bool recorded) {
  ReportError error;
  error.id = migration.id();
  error.stage = word_of(judgement.stage);
  error.message = judgement.message;
  error.traceback = judgement.traceback;
  error.output_tail = child.output_tail;
  error.log = child.log;
  error.code = judgement.timed_out ? ErrorCode::timeout : ErrorCode::migration_failed;
  const std::string again = "'" + context.command + "'";
  const std::string one = context.one + (recorded ? " --rerun " : " --only ") + migration.id();
  const std::string still = recorded ? "; it is still recorded: without --rerun it is not run" : "";
  error.hint = "mend what it complains of (the script is " + quoted(child.script) + "), then run " + again + " again" +
               (one == context.command ? "" : "; to try this one alone: '" + one + "'") + still;
  if (judgement.timed_out) {
    error.hint = "nothing it started is left running; if it needs longer: '" + context.longer + "'" + still;
  } else if (judgement.outcome == Outcome::interrupted) {
    error.code = ErrorCode::interrupted;
    error.signal = judgement.signal;
    error.hint = std::string(recorded ? "it is recorded as before" : "it is not recorded") + "; to go on, run " +
                 again + " again: its check() tells what is left to do";
  } else if (judgement.outcome == Outcome::no_python) {
    error.code = judgement.hint.empty() ? ErrorCode::no_python : ErrorCode::io;
    error.hint =
        "its script was not run; " + (judgement.hint.empty() ? std::string(name_another_python) : judgement.hint);
  }
  return error;
}

Record record_of(const Migration& migration, const Judgement& judgement, const ChildResult& child,
                 const RunContext& context) {
  Record record;
  record.id = migration.id();
  record.outcome = judgement.outcome == Outcome::applied ? "applied" : "already_present";
  record.at = child.finished_at;
  record.seconds = child.seconds;
  record.sha256 = child.sha256;
  record.python = judgement.python;
  record.telec = context.telec;
  record.user = context.user;
  record.host = context.host;
  return record;
}

State state_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::applied: return State::applied;
    case Outcome::already_present: return State::already_present;
    case Outcome::interrupted: return State::interrupted;
    case Outcome::no_python: return State::not_reached;
    case Outcome::not_present:
    case Outcome::failed: break;
  }
  return State::failed;
}

void finish(Report& report, Progress& progress, ReportEntry entry) {
  progress.finished(entry);
  report.entries.push_back(std::move(entry));
}

}  // namespace

void run_pending(const std::vector<const Migration*>& pending, History& history, Interpreter& interpreter,
                 HistoryStore& store, Progress& progress, StopRequest& stop, const RunContext& context,
                 Report& report) {
  progress.planned(pending);
  std::size_t position = 0;
  for (; position < pending.size() && !report.error; ++position) {
    const Migration& migration = *pending[position];
    if (const int signal = stop.signal(); signal != 0) {
      ReportError error;
      error.code = ErrorCode::interrupted;
      error.signal = signal;
      error.message = "stopped by " + signal_name(signal) + " before " + migration.id();
      error.hint = "what ran is recorded; to go on, run '" + context.command + "' again";
      report.error = std::move(error);
      break;
    }
    progress.started(migration, position + 1, pending.size());
    const ChildResult child = interpreter.run(migration);
    if (!child.note.empty()) {
      progress.note(migration.id() + ": " + child.note);
      report.notes.push_back(migration.id() + ": " + child.note);
    }
    const Judgement judgement = judge(child);
    ReportEntry entry;
    entry.id = migration.id();
    entry.state = state_of(judgement.outcome);
    entry.seconds = child.seconds;
    entry.log = child.log;
    entry.ended_at = child.finished_at;
    entry.sha256 = child.sha256;
    entry.python = judgement.python;
    if (judgement.outcome == Outcome::applied || judgement.outcome == Outcome::already_present) {
      history.add(record_of(migration, judgement, child, context));
      try {
        store.commit(history);
        entry.at = child.finished_at;
        entry.outcome = word_of(entry.state);
      } catch (const Error& error) {
        entry.state = State::unrecorded;
        report.error = report_error(error);
        report.error->code = ErrorCode::unrecorded;
        report.error->message = "the script did run, but it could not be recorded: " + error.message;
        report.error->id = migration.id();
        report.error->stage = word_of(Stage::commit);
        report.error->log = child.log;
      }
    } else {
      report.error = error_of(migration, judgement, child, context, history.contains(migration.id()));
    }
    if (report.error) {
      entry.stage = report.error->stage;
      entry.message = report.error->message;
    }
    finish(report, progress, std::move(entry));
  }
  for (; position < pending.size(); ++position) {
    ReportEntry entry;
    entry.id = pending[position]->id();
    entry.state = State::not_reached;
    finish(report, progress, std::move(entry));
  }
}

}  // namespace telec
