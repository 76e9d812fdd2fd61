// SPDX-License-Identifier: MIT
#include "checks.hpp"

#include <utility>

#include "../command_again.hpp"
#include "../system/leftovers.hpp"
#include "../system/python.hpp"
#include "../system/surroundings.hpp"
#include "../system/trusted_place.hpp"
#include "../text.hpp"

namespace telec {
namespace {

ReportError error_of(const CheckResult& result) {
  ReportError error;
  const Judgement& judgement = result.judgement;
  error.message = judgement.message;
  error.output_tail = result.child.output_tail;
  if (judgement.outcome == Outcome::interrupted) {
    error.code = ErrorCode::interrupted;
    error.signal = judgement.signal;
    error.id = result.migration->id();
    error.stage = word_of(judgement.stage);
    error.hint = "nothing was changed";
  } else {
    error.code = judgement.hint.empty() ? ErrorCode::no_python : ErrorCode::io;
    error.hint = judgement.hint.empty() ? name_another_python : judgement.hint;
  }
  return error;
}

ReportError stopped_before(const Migration& migration, int signal) {
  ReportError error;
  error.code = ErrorCode::interrupted;
  error.signal = signal;
  error.message = "stopped by " + signal_name(signal) + " before " + migration.id();
  error.hint = "nothing was changed";
  return error;
}

}  // namespace

void run_checks(const std::vector<const Migration*>& migrations, const Invocation& invocation, const Tree& tree,
                LockFile& lock, StopSignals& stop, Console& console, Report& report,
                const std::function<State(const CheckResult&)>& state_of) {
  if (migrations.empty()) {
    return;
  }
  PythonOptions options;
  options.python = find_python(invocation.python);
  refuse_unsafe_tree(tree.directory());
  refuse_unsafe_scripts(tree.directory(), migrations);
  options.home = home_directory();
  confirm_directory(options.home);
  options.environment = script_environment(options.home);
  options.timeout = invocation.timeout;
  options.only_check = true;
  const LogDirectory no_logs;
  note_blindness(console, report);
  Python python(std::move(options), tree, no_logs, lock, stop, console);
  console.planned(migrations);
  const auto finish = [&](ReportEntry entry) {
    console.finished(entry);
    report.entries.push_back(std::move(entry));
  };
  std::size_t position = 0;
  for (; position < migrations.size() && !report.error; ++position) {
    const Migration& migration = *migrations[position];
    if (const int signal = stop.signal(); signal != 0) {
      report.error = stopped_before(migration, signal);
      break;
    }
    console.started(migration, position + 1, migrations.size());
    CheckResult result = {&migration, python.run(migration), {}};
    result.judgement = judge(result.child);
    ReportEntry entry;
    entry.id = migration.id();
    entry.seconds = result.child.seconds;
    entry.state = state_of(result);
    if (result.judgement.outcome == Outcome::interrupted || result.judgement.outcome == Outcome::no_python) {
      report.error = error_of(result);
    }
    if (!result.child.note.empty()) {
      console.note(migration.id() + ": " + result.child.note);
      report.notes.push_back(migration.id() + ": " + result.child.note);
    }
    finish(std::move(entry));
  }
  for (; position < migrations.size(); ++position) {
    ReportEntry entry;
    entry.id = migrations[position]->id();
    entry.state = State::not_reached;
    finish(std::move(entry));
  }
}

void note_blindness(Progress& progress, Report& report) {
  if (const std::string trouble = Leftovers::trouble(); !trouble.empty()) {
    progress.note(trouble);
    report.notes.push_back(trouble);
  }
}

LostState lost_state(const StateFile& state, const StateDirectory& directory) {
  const std::string old = state.left_without_file();
  if (old.empty()) {
    return {};
  }
  return {"there is no state file " + quoted(directory.path()) + ", but the generation before it is there: it was lost",
          "copy that one back: cp -p " + shell_word(old) + " " + shell_word(directory.path()) +
              "; or 'telec migrate rebuild' writes it anew from every check()"};
}

void note_lost_state(const Invocation& invocation, const LostState& lost, Voice& voice, Report& report) {
  if (!lost.message.empty()) {
    const std::string text = lost.message + "; " + hint_in_full(lost.hint, invocation);
    voice.note(text);
    report.notes.push_back(text);
  }
}

State state_of_check(const CheckResult& result) {
  switch (result.judgement.outcome) {
    case Outcome::already_present:
    case Outcome::applied: return State::unrecorded;
    case Outcome::not_present: return State::pending;
    case Outcome::interrupted: return State::interrupted;
    case Outcome::no_python: return State::not_reached;
    case Outcome::failed: break;
  }
  return State::failed;
}

void confirm(const Invocation& invocation, Voice& voice, const std::string& what) {
  voice.note(what);
  if (invocation.yes) {
    return;
  }
  if (!voice.can_ask()) {
    throw Error(ErrorCode::usage,
                std::string("this changes the history, and ") +
                    (invocation.json ? "with --json nothing is asked" : "there is no terminal to ask on"),
                "give --yes if that is what you want");
  }
  if (const int signal = voice.ask("go on?"); signal != 0) {
    Error error(ErrorCode::interrupted, "not confirmed", "nothing was changed");
    error.signal = signal;
    throw error;
  }
}

void refuse_unknown_ids(const Invocation& invocation, const Catalog& catalog, const History& history,
                        const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (catalog.find(id) != nullptr) {
      continue;
    }
    if (history.contains(id)) {
      throw Error(ErrorCode::usage, quoted(id) + " is recorded, and its script is gone from the tree",
                  "put it back, or take the record away: '" + command_again(invocation, Verb::forget) + " " + id + "'");
    }
    throw Error(ErrorCode::usage, "there is no migration " + quoted(id) + " in the tree",
                meant_id(id, ids_of(catalog),
                         "an id is written as in 1.2.0/003_rename_keys.py; 'telec migrate status' lists them"));
  }
}

std::string meant_id(const std::string& typed, const std::vector<std::string_view>& ids, std::string otherwise) {
  const std::string_view near = nearest_id(typed, ids);
  return near.empty() ? std::move(otherwise) : "did you mean '" + std::string(near) + "'?";
}

Catalog readable_catalog(const Invocation& invocation) {
  try {
    return Tree(migrations_directory(invocation)).read_catalog();
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::string_view> ids_of(const Catalog& catalog) {
  std::vector<std::string_view> ids;
  ids.reserve(catalog.migrations().size());
  for (const Migration& migration : catalog.migrations()) {
    ids.emplace_back(migration.id());
  }
  return ids;
}

}  // namespace telec
