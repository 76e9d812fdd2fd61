// SPDX-License-Identifier: MIT
// mark, forget and rebuild: the history changed by hand. Each says what it will do and asks, then takes the lock, reads
// the history again, and commits once: all of it or nothing.
#include <algorithm>
#include <optional>

#include "../command_again.hpp"
#include "../output/text.hpp"
#include "../sha256.hpp"
#include "../system/attempts_file.hpp"
#include "../system/calls.hpp"
#include "../system/state_file.hpp"
#include "../system/surroundings.hpp"
#include "../text.hpp"
#include "build_config.hpp"
#include "checks.hpp"
#include "commands.hpp"

namespace telec {
namespace {

std::string list_of(const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) {
    text += (text.empty() ? "" : ", ") + id;
  }
  return text;
}

std::vector<std::string> each_once(const std::vector<std::string>& ids) {
  std::vector<std::string> once;
  for (const std::string& id : ids) {
    if (std::ranges::find(once, id) == once.end()) {
      once.push_back(id);
    }
  }
  return once;
}

Record record_by_hand(const std::string& id, std::string outcome) {
  Record record;
  record.id = id;
  record.outcome = std::move(outcome);
  record.at = utc_now();
  record.telec = telec_version;
  record.user = user_name();
  record.host = host_name();
  return record;
}

/// The bytes whose check() was True are what is recorded.
Record record_of(const CheckResult& result, std::string outcome) {
  Record record = record_by_hand(result.migration->id(), std::move(outcome));
  record.seconds = result.child.seconds;
  record.sha256 = result.child.sha256;
  record.python = result.judgement.python;
  return record;
}

Record unchecked_record(const Tree& tree, const Migration& migration) {
  Record record = record_by_hand(migration.id(), word_of(State::marked));
  std::string bytes;
  std::string trouble;
  if (tree.read_script(migration, bytes, trouble)) {
    record.sha256 = sha256(bytes);
  }
  return record;
}

/// For `log`. Comes after the commit, and never stands in its way.
void note_by_hand(const StateDirectory& directory, const Report& report, Voice& voice, State done) {
  const LogDirectory logs(directory.descriptor(), directory.directory());
  AttemptsFile attempts(logs, {telec_version, user_name(), host_name(), {}});
  for (const ReportEntry& entry : report.entries) {
    AttemptRecord attempt;
    attempt.id = entry.id;
    attempt.outcome = word_of(done);
    attempt.at = entry.at;
    attempt.message = report.reason;
    attempt.sha256 = entry.sha256;
    attempt.python = entry.python;
    attempts.append(std::move(attempt));
  }
  if (!attempts.trouble().empty()) {
    voice.note(attempts.trouble());
  }
}

void add_entry(const Record& record, State state, Report& report) {
  ReportEntry entry;
  entry.id = record.id;
  entry.state = state;
  entry.at = record.at;
  entry.outcome = record.outcome;
  entry.sha256 = record.sha256;
  entry.python = record.python;
  report.entries.push_back(std::move(entry));
}

void say_entries(const Report& report, Voice& voice) {
  std::size_t id_width = 0;
  for (const ReportEntry& entry : report.entries) {
    id_width = std::max(id_width, entry.id.size());
  }
  for (const ReportEntry& entry : report.entries) {
    voice.say(entry_line(entry, id_width, voice.result_style()));
  }
}

/// The lock on the state, and the state under it.
struct Locked {
  Locked(const Invocation& invocation, StateDirectory& directory, Voice& voice)
      : lock((directory.create(), directory.descriptor()), directory.name() + ".lock", directory.path() + ".lock",
             invocation.lock_timeout, stop, [&voice](const std::string& text) { voice.note(text); }),
        state(directory) {
    state.may_commit(lock);
  }

  StopSignals stop;
  LockFile lock;
  StateFile state;
};

/// What of `ids` is not recorded yet; says so of the others.
std::vector<std::string> not_recorded(const History& history, const std::vector<std::string>& ids, Voice& voice,
                                      Report& report) {
  std::vector<std::string> rest;
  for (const std::string& id : ids) {
    if (!history.contains(id)) {
      rest.push_back(id);
      continue;
    }
    voice.note(id + " is recorded already");
    report.notes.push_back(id + " is recorded already");
  }
  return rest;
}

/// What brings one whose check() is not True nearer to its record.
std::string next_step(const Invocation& invocation, const CheckResult& result) {
  const Judgement& judgement = result.judgement;
  if (judgement.outcome != Outcome::failed) {
    return "'" + command_again(invocation) + " --only " + result.migration->id() + "' brings it about";
  }
  if (judgement.timed_out) {
    std::string longer = run_longer(invocation, Verb::mark);
    for (const std::string& id : each_once(invocation.arguments)) {
      longer += " " + id;
    }
    return "if it needs longer: '" + longer + "'";
  }
  if (judgement.stage == Stage::check) {
    return "mend its check()";
  }
  return "mend what it complains of (the script is " + quoted(result.child.script) + ")";
}

/// The error of the first whose check() is not True, in the report.
void refuse_what_is_not_there(const Invocation& invocation, const std::vector<CheckResult>& results, Report& report) {
  for (const CheckResult& result : results) {
    const Judgement& judgement = result.judgement;
    if (judgement.outcome == Outcome::already_present) {
      continue;
    }
    const bool failed = judgement.outcome == Outcome::failed;
    ReportError error;
    error.code = judgement.timed_out ? ErrorCode::timeout : ErrorCode::migration_failed;
    error.id = result.migration->id();
    error.stage = word_of(failed ? judgement.stage : Stage::check);
    error.message = failed ? judgement.message : "check() is False: its effect is not there";
    error.traceback = judgement.traceback;
    error.output_tail = failed ? result.child.output_tail : "";
    error.hint =
        "nothing was recorded; " + next_step(invocation, result) + "; --force --reason TEXT records it all the same";
    report.error = std::move(error);
    return;
  }
}

}  // namespace

int mark(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  const std::vector<std::string> asked = each_once(invocation.arguments);
  report.reason = invocation.reason.value_or("");
  StateDirectory directory(state_path(invocation));
  const History before = StateFile(directory).load();
  refuse_unknown_ids(invocation, catalog, before, asked);
  const std::vector<std::string> ids = not_recorded(before, asked, voice, report);
  if (ids.empty()) {
    voice.say("nothing to mark\n");
    return voice.finish(report, 0);
  }
  confirm(invocation, voice,
          invocation.force ? "will record without a look at check(): " + list_of(ids)
                           : "will run check() and, where it is True, record: " + list_of(ids));
  Locked locked(invocation, directory, voice);
  History history = locked.state.load();
  std::vector<const Migration*> migrations;
  for (const std::string& id : not_recorded(history, ids, voice, report)) {
    migrations.push_back(catalog.find(id));
  }
  if (migrations.empty()) {
    voice.say("nothing to mark\n");
    return voice.finish(report, 0);
  }
  std::vector<Record> records;
  if (invocation.force) {
    for (const Migration* migration : migrations) {
      records.push_back(unchecked_record(tree, *migration));
    }
  } else {
    std::vector<CheckResult> results;
    Console console = voice.silent_console();
    run_checks(migrations, invocation, tree, locked.lock, locked.stop, console, report, [&](const CheckResult& result) {
      results.push_back(result);
      return state_of_check(result);
    });
    if (!report.error) {
      refuse_what_is_not_there(invocation, results, report);
    }
    if (report.error) {
      say_entries(report, voice);
      return voice.finish(report, report.exit_code());
    }
    for (const CheckResult& result : results) {
      records.push_back(record_of(result, word_of(State::marked)));
    }
  }
  for (Record& record : records) {
    record.reason = report.reason;
    history.add(record);
  }
  locked.state.commit(history);
  report.entries.clear();
  for (const Record& record : records) {
    add_entry(record, State::marked, report);
  }
  note_by_hand(directory, report, voice, State::marked);
  say_entries(report, voice);
  voice.say("recorded " + counted(report.entries.size(), "migration") + "\n");
  return voice.finish(report, 0);
}

int forget(const Invocation& invocation, Voice& voice, Report& report) {
  const std::vector<std::string> ids = each_once(invocation.arguments);
  report.reason = invocation.reason.value_or("");
  StateDirectory directory(state_path(invocation));
  const auto refuse_unrecorded = [&](const History& history) {
    for (const std::string& id : ids) {
      if (!history.contains(id)) {
        if (readable_catalog(invocation).find(id) != nullptr) {
          throw Error(ErrorCode::usage, id + " is not recorded", "there is nothing to take back: it is pending");
        }
        throw Error(ErrorCode::usage, id + " is not recorded",
                    meant_id(id, history.applied(),
                             "'" + command_again(invocation, Verb::status) + " --applied' lists what is"));
      }
    }
  };
  refuse_unrecorded(StateFile(directory).load());
  confirm(invocation, voice,
          "will take back the records of " + list_of(ids) + "; their effects stay, and '" + command_again(invocation) +
              "' looks at them again");
  Locked locked(invocation, directory, voice);
  History history = locked.state.load();
  refuse_unrecorded(history);
  for (const std::string& id : ids) {
    history.remove(id);
  }
  locked.state.commit(history);
  for (const std::string& id : ids) {
    Record record;
    record.id = id;
    record.at = utc_now();
    add_entry(record, State::forgotten, report);
  }
  note_by_hand(directory, report, voice, State::forgotten);
  say_entries(report, voice);
  voice.say("took back " + counted(report.entries.size(), "record") + "\n");
  return voice.finish(report, 0);
}

namespace {

/// Why the state is to be rebuilt: what is wrong with it; empty: it is not there. Nothing where it is sound.
std::optional<std::string> fault_of_state(StateFile& state) {
  try {
    if (!state.exists()) {
      return "";
    }
    const History history = state.load();
    static_cast<void>(history);
  } catch (const Error& error) {
    if (error.code != ErrorCode::state_untrusted) {
      throw;
    }
    return error.message;
  }
  return std::nullopt;
}

int nothing_to_rebuild(const Invocation& invocation, Voice& voice, Report& report) {
  report.notes.emplace_back("the state file is sound, and is left as it is");
  voice.note(report.notes.back() + "; to change single records: '" + command_again(invocation, Verb::mark) + "', '" +
             command_again(invocation, Verb::forget) + "'");
  voice.say("nothing to rebuild\n");
  return voice.finish(report, 0);
}

}  // namespace

int rebuild(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  report.problems = catalog.problems();
  StateDirectory directory(state_path(invocation));
  StateFile look(directory);
  const auto fault = fault_of_state(look);
  if (!fault) {
    return nothing_to_rebuild(invocation, voice, report);
  }
  voice.note(fault->empty() ? "there is no state file at " + quoted(directory.path()) : *fault);
  confirm(invocation, voice,
          "will run check() of " + counted(catalog.migrations().size(), "migration") +
              " and record those that are True" + (fault->empty() ? "" : "; the file that is there is kept beside it"));
  Locked locked(invocation, directory, voice);
  // As it is by now: another may have changed it while this one asked, or waited for the lock.
  const auto fault_now = fault_of_state(locked.state);
  if (!fault_now) {
    return nothing_to_rebuild(invocation, voice, report);
  }
  if (fault_now != fault) {
    voice.note(fault_now->empty() ? "the state file is gone by now" : "by now: " + *fault_now);
  }
  std::vector<const Migration*> all;
  for (const Migration& migration : catalog.migrations()) {
    all.push_back(&migration);
  }
  History history;
  Console console = voice.silent_console();
  run_checks(all, invocation, tree, locked.lock, locked.stop, console, report, [&](const CheckResult& result) {
    if (result.judgement.outcome == Outcome::already_present) {
      history.add(record_of(result, word_of(State::already_present)));
    }
    if (result.judgement.outcome == Outcome::failed) {
      const std::string text =
          result.migration->id() + ": check() gave no answer, so it is not recorded: " + result.judgement.message;
      console.note(text);
      report.notes.push_back(text);
      console.show_tail(result.migration->id(), result.child.output_tail);
    }
    return state_of_check(result);
  });
  if (report.error) {
    say_entries(report, voice);
    return voice.finish(report, report.exit_code());
  }
  if (!fault_now->empty()) {
    report.kept = locked.state.keep_aside();
  }
  locked.state.commit(history);
  for (ReportEntry& entry : report.entries) {
    entry.state = entry.state == State::unrecorded ? State::already_present : entry.state;
  }
  say_entries(report, voice);
  voice.problems(report);
  if (!report.kept.empty()) {
    voice.note("the old state file is kept as " + quoted(report.kept));
  }
  voice.say("rebuilt: " + counted(report.count(State::already_present), "migration") + " recorded, " +
            std::to_string(report.count(State::pending)) + " pending" +
            (report.count(State::failed) > 0 ? ", " + std::to_string(report.count(State::failed)) + " without an answer"
                                             : "") +
            "\n");
  return voice.finish(report, 0);
}

}  // namespace telec
