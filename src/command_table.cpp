// SPDX-License-Identifier: MIT
#include "command_table.hpp"

#include <algorithm>

#include "command_line.hpp"
#include "option_values.hpp"

namespace telec {

const std::vector<VerbRow>& verbs() {
  static const std::vector<VerbRow> rows = {
      {Verb::migrate, "migrate", "run the pending migrations, in order",
       "Runs every migration that is in range and not recorded yet, each in a python3 of its own: check(), and where "
       "that is False, migrate() and check() again. Each success is recorded durably before the next one starts. The "
       "first failure ends the run; running it again goes on from there.",
       "telec migrate                          run all that is pending\n"
       "telec migrate --dry-run                list what is pending, change nothing\n"
       "telec migrate --from 1.0.0 --to 2.0.0  only versions after 1.0.0, up to 2.0.0\n"
       "telec migrate --from 1.2.0 --to 1.2.0  exactly version 1.2.0, to debug it\n"
       "telec migrate --all-users              as root: for each user who has data"},
      {Verb::status, "migrate status", "show what is recorded and what is pending",
       "Lists every migration with its state, when it was recorded, how long it ran, and what differs: its script "
       "changed since, its script is gone, it is late (pending, while a later one is recorded), or it ran out of "
       "order. Then the problems of the tree and the history. With -q only what needs attention: nothing at all where "
       "all is well. Runs no script, waits for no lock and writes nothing.",
       "telec migrate status                   every migration, recorded and pending\n"
       "telec migrate status -q                only what needs attention\n"
       "telec migrate status --check -q        exit 3 while something is pending"},
      {Verb::log, "migrate log", "show the attempts, or what the last attempt of one printed",
       "Lists every attempt that was made, the newest first: when, how it ended, and how long it took; with -v also "
       "who "
       "made it, on which host, with which python and telec, the script's digest and the log file. With an ID: the "
       "attempts of that migration with all of this, and what the last of them printed. Failed attempts are kept too, "
       "beside the state, in migration_logs/attempts.jsonl, the newest 2 MiB of them. Runs and writes nothing.",
       "telec migrate log                      every attempt\n"
       "telec migrate log 1.2.0/003_x.py       what the last attempt of this one printed",
       "[ID]", Words::id, 0, 1},
      {Verb::verify, "migrate verify", "find scripts that changed, and effects that are gone",
       "Compares each recorded migration with its script as it is now: changed or gone since it ran is a finding (exit "
       "4). With --recheck it also runs check(), and check() alone, of every migration in range, and prints what is "
       "recorded against what is true: 'ok' (recorded, and there), 'pending' (neither), 'regressed' (recorded, and no "
       "longer there), 'unrecorded' (there, and not recorded). The history is never changed.",
       "telec migrate verify                   compare the scripts with what was recorded\n"
       "telec migrate verify --recheck         and ask each check() whether it is still so",
       "", Words::none, 0, 0},
      {Verb::lint, "migrate lint", "look for mistakes in migrations without running them",
       "For authors and for CI: reads the scripts, executes nothing of them, and prints each finding with its line, "
       "the "
       "rule, the reason and the way to mend it (exit 4). It looks at names and numbers, at the shape of check() and "
       "migrate(), at syntax and modules that Python 3.8 does not have, at imports from outside the standard library, "
       "at the network, and at files that are written in a way that a power cut can tear.",
       "telec migrate lint migrations          every script below migrations/\n"
       "telec migrate lint --against DIR       and what another tree makes late",
       "[DIR]", Words::directory, 0, 1},
      {Verb::create, "migrate new", "begin a new migration",
       "Writes a script that follows the contract, with the next number of the version, and prints its path. Its "
       "check() and migrate() are to be filled in: until then it fails when it is run, and changes nothing.",
       "telec migrate new \"rename config key\"  in the newest version of the tree\n"
       "telec migrate new \"drop cache\" --version 1.3.0  in this one",
       "NAME", Words::text, 1, 1},
      {Verb::mark, "migrate mark", "record migrations without running migrate()",
       "For what was done by hand: runs check(), and records the migration as 'marked' where that is True. Says first "
       "what it will do, and asks on a terminal; elsewhere it needs --yes. With --force and --reason it records one "
       "although its check() is not True.",
       "telec migrate mark 1.2.0/003_x.py      record it, if its check() is True\n"
       "telec migrate mark 1.2.0/003_x.py --force --reason \"not used here\"  record it all the same",
       "ID...", Words::id, 1, 1000},
      {Verb::forget, "migrate forget", "take records back",
       "Removes migrations from the history, so that they are pending again. Says first what it will do, and asks on a "
       "terminal; elsewhere it needs --yes. Effects are not undone.",
       "telec migrate forget 1.2.0/003_x.py    the next 'telec migrate' looks at it again", "ID...", Words::id, 1,
       1000},
      {Verb::rebuild, "migrate rebuild", "write a lost or refused state file anew",
       "Runs check(), and check() alone, of every migration of the tree, and records those that are True. For a state "
       "file that is lost or refused; a sound one is left as it is. The old file is kept beside it. Says first what it "
       "will do, and asks on a terminal; elsewhere it needs --yes.",
       "telec migrate rebuild                  after the state file was lost or damaged", "", Words::none, 0, 0},
      {Verb::doctor, "migrate doctor", "see whether migrations could run here",
       "Looks at the interpreter, the tree, the state, the lock, permissions, the file system, free space, and whether "
       "every pending script compiles and finds its imports; each line is 'ok', or says what to do (exit 4). Runs no "
       "migration and writes nothing.",
       "telec migrate doctor                   before an upgrade, or when something is odd", "", Words::none, 0, 0},
      {Verb::help, "help", "show this help, or that of one command", "", ""},
      {Verb::version, "--version", "show the version", "", ""},
  };
  return rows;
}

const std::vector<ExitRow>& exit_statuses() {
  constexpr unsigned run = bit(Verb::migrate);
  constexpr unsigned change = bit(Verb::mark) | bit(Verb::forget) | bit(Verb::rebuild);
  constexpr unsigned state = run | bit(Verb::status) | bit(Verb::log) | bit(Verb::verify) | change;
  constexpr unsigned tree = run | bit(Verb::status) | bit(Verb::verify) | bit(Verb::lint) | bit(Verb::create) |
                            bit(Verb::mark) | bit(Verb::rebuild);
  constexpr unsigned locks = run | bit(Verb::verify) | change;
  constexpr unsigned python = run | bit(Verb::verify) | bit(Verb::lint) | bit(Verb::mark) | bit(Verb::rebuild);
  constexpr unsigned all = state | tree | bit(Verb::doctor);
  static const std::vector<ExitRow> rows = {
      {"0", "done, or nothing to do", all},
      {"1", "a migration failed or ran out of time, and nothing after it ran", run},
      {"1", "a check() is not True, and nothing was recorded", bit(Verb::mark)},
      {"2", "usage", all},
      {"3", "something is pending (only with --check)", run | bit(Verb::status)},
      {"4", "findings", bit(Verb::verify) | bit(Verb::lint) | bit(Verb::doctor)},
      {"5", "a migration ran, but it could not be recorded", run},
      {"65", "the state file or the migrations tree cannot be trusted", state | tree},
      {"69", "no usable python3", python},
      {"74", "cannot read or write", all},
      {"75", "another run holds the lock (after --lock-timeout)", locks},
      {"75", "with --all-users or --user: nobody failed, and somebody's turn comes later", run},
      {"77", "refused for safety: the wrong user, or a place that others can write", state | bit(Verb::lint)},
      {"129, 130, 143", "interrupted by SIGHUP, SIGINT, SIGTERM, and something was left undone",
       run | bit(Verb::verify)},
      {"129, 130, 143", "interrupted by SIGHUP, SIGINT, SIGTERM, or not confirmed (130)", change},
  };
  return rows;
}

const std::vector<OptionRow>& options() {
  using In = Invocation&;
  using Name = const std::string&;
  using Value = std::string_view;
  constexpr unsigned run = bit(Verb::migrate);
  constexpr unsigned look = bit(Verb::status);
  constexpr unsigned verify = bit(Verb::verify);
  constexpr unsigned mark = bit(Verb::mark);
  constexpr unsigned change = mark | bit(Verb::forget) | bit(Verb::rebuild);
  constexpr unsigned checks = run | verify | mark | bit(Verb::rebuild);
  constexpr unsigned all =
      run | look | verify | change | bit(Verb::log) | bit(Verb::lint) | bit(Verb::create) | bit(Verb::doctor);
  static const std::vector<OptionRow> rows = {
      {"dry-run", 'n', nullptr, true, run, "list what is pending; run and write nothing",
       [](In in, Name, Value) { in.dry_run = true; }},
      {"from", 0, "VERSION", false, run | look | verify, "only versions after this one (the version that is installed)",
       [](In in, Name name, Value value) { in.from = version_value(name, value); }},
      {"to", 0, "VERSION", false, run | look | verify,
       "only versions up to this one (the version being installed); the same as --from: exactly that version",
       [](In in, Name name, Value value) { in.to = version_value(name, value); }},
      {"only", 0, "ID", true, run, "run only this pending migration, as in 1.2.0/003_rename_keys.py; may be repeated",
       [](In in, Name name, Value value) { in.only.push_back(id_value(name, value)); }},
      {"rerun", 0, "ID", true, run,
       "run this migration although it is recorded, and no other but those of --only; may be repeated",
       [](In in, Name name, Value value) { in.rerun.push_back(id_value(name, value)); }},
      {"pending", 0, nullptr, true, look, "list only what is pending", [](In in, Name, Value) { in.pending = true; }},
      {"applied", 0, nullptr, true, look, "list only what is recorded", [](In in, Name, Value) { in.applied = true; }},
      {"check", 0, nullptr, true, run | look,
       "exit 3 when something is pending (with --dry-run or status); does not apply anything",
       [](In in, Name, Value) { in.check = true; }},
      {"recheck", 0, nullptr, true, verify, "run check(), and only check(), to see whether the effects are there",
       [](In in, Name, Value) { in.recheck = true; }},
      {"against", 0, "DIR", false, bit(Verb::lint), "find what arrives late, or was changed, against this other tree",
       [](In in, Name name, Value value) { in.against = path_value(name, value); }},
      {"version", 0, "VERSION", false, bit(Verb::create), "the version it belongs to (default: the newest in the tree)",
       [](In in, Name name, Value value) { in.new_version = version_value(name, value); }},
      {"force", 0, nullptr, true, mark, "record it although its check() is not True; needs --reason",
       [](In in, Name, Value) { in.force = true; }},
      {"reason", 0, "TEXT", false, mark | bit(Verb::forget), "why; kept with the record and in the log",
       [](In in, Name name, Value value) { in.reason = text_value(name, value); }},
      {"yes", 'y', nullptr, true, change, "do not ask; needed where there is no terminal",
       [](In in, Name, Value) { in.yes = true; }},
      {"strict", 0, nullptr, true, run | look,
       "refuse to go on where the tree has a problem or a migration arrived late (exit 65)",
       [](In in, Name, Value) { in.strict = true; }},
      {"timeout", 0, "SECONDS", false, checks, "end a migration that runs longer (default 600)",
       [](In in, Name name, Value value) { in.timeout = seconds_value(name, value, 0.001); }},
      {"lock-timeout", 0, "SECONDS", false, checks | change,
       "wait this long for another run to end (default 60; 0: do not wait)",
       [](In in, Name name, Value value) { in.lock_timeout = seconds_value(name, value, 0); }},
      {"python", 0, "FILE", false, checks | bit(Verb::lint) | bit(Verb::doctor),
       "the python3 to use, without a slash one on PATH (else TELEC_PYTHON, /usr/bin/python3, python3 on PATH)",
       [](In in, Name name, Value value) { in.python = path_value(name, value); }},
      {"no-prestart", 0, nullptr, true, run,
       "start each python only when its turn has come, not while the one before it runs",
       [](In in, Name, Value) { in.prestart = false; }},
      {"all-users", 0, nullptr, true, run,
       "as root: for every user who has data, each as that user and recorded in their own home, whatever "
       "TELEC_STATE_FILE says; one that fails stops no other; --strict looks at the tree alone",
       [](In in, Name, Value) { in.all_users = true; }},
      {"user", 0, "NAME", true, run, "as root: the same for this user alone; may be repeated",
       [](In in, Name name, Value value) { in.users.push_back(user_value(name, value)); }},
      {"user-timeout", 0, "SECONDS", false, run,
       "with --all-users or --user: give up on a user after this long (default 600)",
       [](In in, Name name, Value value) { in.user_timeout = seconds_value(name, value, 0.001); }},
      {"hook", 0, "strict", false, run,
       "for a package's hook: wait for nothing, say a line where something was done or failed, and exit 0, but 2 for "
       "a command line that cannot be read; does nothing where DPKG_ROOT is set, nor for root without a ~/.teleclaude "
       "or a named state file, which -v says; strict: keep the exit codes",
       [](In in, Name, Value value) { in.hook = hook_value(value); }, true},
      {"events", 0, "FILE|FD", false, run,
       "append one JSON object per line to this file, or to a descriptor given as a number, as things happen",
       [](In in, Name name, Value value) { in.events = path_value(name, value); }},
      {"migrations-dir", 0, "DIR", false, all,
       "where the migrations are (else TELEC_MIGRATIONS_DIR, the installed ones)",
       [](In in, Name name, Value value) { in.migrations_dir = path_value(name, value); }},
      {"state-file", 0, "FILE", false, all,
       "where to record (else TELEC_STATE_FILE, ~/.teleclaude/migration_state.json)",
       [](In in, Name name, Value value) { in.state_file = path_value(name, value); }},
      {"json", 0, nullptr, true, all, "print exactly one JSON document on stdout",
       [](In in, Name, Value) { in.json = true; }},
      {"quiet", 'q', nullptr, true, all,
       "print nothing but errors, problems and findings (status: only what needs attention)",
       [](In in, Name, Value) { in.quiet = true; }},
      {"verbose", 'v', nullptr, true, all,
       "show what the scripts print while they run (log: everything about each attempt)",
       [](In in, Name, Value) { in.verbose = true; }},
      {"color", 0, "WHEN", false, all, "auto, always or never (auto: on a terminal, unless NO_COLOR is set)",
       [](In in, Name, Value value) { in.color = color_value(value); }},
      {"help", 'h', nullptr, true, all, "show the help of this command", [](In, Name, Value) {}},
      {"version", 0, nullptr, true, 0, "show the version", [](In, Name, Value) {}},
  };
  return rows;
}

const VerbRow& row_of(Verb verb) {
  return *std::ranges::find_if(verbs(), [&](const VerbRow& row) { return row.verb == verb; });
}

std::string_view command_word(Verb verb) {
  const std::string_view words = row_of(verb).words;
  return words.starts_with("migrate ") ? words.substr(8) : words;
}

}  // namespace telec
