// SPDX-License-Identifier: MIT
#include "output/users.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace telec;

namespace {

ReportError error(ErrorCode code, const std::string& message) {
  ReportError error;
  error.code = code;
  error.message = message;
  return error;
}

std::string again(const std::string& name) { return "telec migrate" + (name.empty() ? "" : " --user " + name); }

std::string hook_line(const ReportError& error) {
  Report report;
  report.error = error;
  return hook_text(report, again);
}

UserReport user(const std::string& name, UserState state, const std::string& reason = {}) {
  UserReport user;
  user.name = name;
  user.uid = 1000;
  user.state = state;
  user.reason = reason;
  return user;
}

std::string hook_of(const std::vector<UserReport>& users, bool dry_run = false) {
  Report report;
  report.users = users;
  report.dry_run = dry_run;
  return hook_text(report, again);
}

}  // namespace

TEST_CASE("a hook's line tells whether it failed, was refused, or is only put off") {
  const std::string then = "; then: telec migrate\n";
  CHECK(hook_line(error(ErrorCode::migration_failed, "boom")) == "telec: failed: boom" + then);
  CHECK(hook_line(error(ErrorCode::timeout, "boom")) == "telec: failed: boom" + then);
  CHECK(hook_line(error(ErrorCode::unrecorded, "boom")) == "telec: failed: boom" + then);
  CHECK(hook_line(error(ErrorCode::unsafe, "boom")) == "telec: refused: boom" + then);
  CHECK(hook_line(error(ErrorCode::locked, "boom")) == "telec: deferred: boom" + then);
}

TEST_CASE("a hook's line ends in the error's own next step, where it has one") {
  ReportError absent = error(ErrorCode::tree_untrusted, "the tree does not exist");
  absent.hint = "name it\nwith DIR";
  CHECK(hook_line(absent) == "telec: deferred: the tree does not exist; then: name it\\x0awith DIR\n");
}

TEST_CASE("a hook's line names the migration, the stage and the log, as far as there are any") {
  ReportError failed = error(ErrorCode::migration_failed, "OSError: \x1b[2J");
  failed.id = "1.0.0/001_a.py";
  CHECK(hook_line(failed) == "telec: failed: 1.0.0/001_a.py: OSError: \\x1b[2J; then: telec migrate\n");
  failed.stage = "migrate";
  failed.log = "/home/ada/log";
  CHECK(hook_line(failed) ==
        "telec: failed: 1.0.0/001_a.py at migrate: OSError: \\x1b[2J; log: /home/ada/log; then: telec migrate\n");
}

TEST_CASE("a hook without users says what was done, and nothing where nothing was") {
  Report report;
  CHECK(hook_text(report, again).empty());
  ReportEntry entry;
  const auto text_of = [&](const std::vector<State>& states) {
    report.entries.clear();
    for (const State state : states) {
      entry.state = state;
      report.entries.push_back(entry);
    }
    return hook_text(report, again);
  };
  CHECK(text_of({State::pending}).empty());
  CHECK(text_of({State::applied, State::applied}) == "telec: 2 migrations applied\n");
  CHECK(text_of({State::applied, State::already_present, State::pending}) ==
        "telec: 1 migration applied, 1 already present\n");
  CHECK(text_of({State::already_present}) == "telec: 1 migration already present\n");
}

TEST_CASE("a hook for users names those who failed or were put off, and is silent where nothing happened") {
  CHECK(hook_of({}).empty());
  CHECK(hook_of({user("ada", UserState::ok), user("bob", UserState::skipped, "has no data")}).empty());
  UserReport done = user("ada", UserState::ok);
  done.applied = 2;
  CHECK(hook_of({done}) == "telec: 1 user migrated\n");
  UserReport waits = user("ada", UserState::ok);
  waits.pending = 1;
  CHECK(hook_of({waits}, true) == "telec: 1 user would be migrated\n");
  UserReport failed = user("bob", UserState::failed, "boom");
  failed.log = "/home/bob/log";
  failed.exit = 1;
  UserReport unknown = user("eve", UserState::failed, "no such user");
  unknown.uid.reset();
  CHECK(hook_of({done, failed, unknown, user("cy", UserState::deferred, "locked")}) ==
        "telec: bob: failed: boom; log: /home/bob/log; then: telec migrate --user bob\n"
        "telec: eve: failed: no such user\n"
        "telec: cy: deferred: locked; then: telec migrate --user cy\n"
        "telec: 1 user migrated, 1 deferred: cy, 2 failed: bob(1), eve\n");
}

TEST_CASE("a hook's line for a user ends in that user's own next step, where there is one") {
  UserReport failed = user("bob", UserState::failed, "cannot trust it");
  failed.hint = "'telec migrate rebuild'\nwrites it anew";
  CHECK(hook_of({failed}) ==
        "telec: bob: failed: cannot trust it; then: 'telec migrate rebuild'\\x0awrites it anew\n"
        "telec: 0 users migrated, 1 failed: bob\n");
}

TEST_CASE("a user's line tells what was done or why not, and the next step below it") {
  UserReport user = ::user("ada", UserState::ok);
  CHECK(user_line(user, false) == "ok        ada: nothing to do\n");
  user.applied = 3;
  CHECK(user_line(user, false) == "ok        ada: 3 migrations applied or already present\n");
  user.late = 2;
  CHECK(user_line(user, false) == "ok        ada: 3 migrations applied or already present, 2 of them late\n");
  user.pending = 4;
  CHECK(user_line(user, true) == "ok        ada: 4 pending, 2 of them late\n");
  user = ::user("bob", UserState::failed, "cannot trust\x1b it");
  user.log = "/home/bob/log";
  CHECK(user_line(user, false) == "failed    bob: cannot trust\\x1b it; log: /home/bob/log\n");
  user.hint = "see to it, then go\x1b on";
  CHECK(user_line(user, false) ==
        "failed    bob: cannot trust\\x1b it; log: /home/bob/log\n    hint: see to it, then go\\x1b on\n");
  Style narrow;
  narrow.columns = 25;
  CHECK(user_line(user, false, narrow).ends_with("\n    hint: see to it, then\n          go\\x1b on\n"));
}

TEST_CASE("what stopped a run for users before anybody's turn is one line") {
  Report report;
  report.users.emplace();
  report.error = error(ErrorCode::unsafe, "others can write to it");
  CHECK(hook_text(report, again) == "telec: refused: others can write to it; then: telec migrate\n");
  report.users->push_back(user("bob", UserState::failed, "boom"));
  CHECK(hook_text(report, again).starts_with("telec: bob: failed: boom"));
}
