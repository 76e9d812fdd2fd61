// SPDX-License-Identifier: MIT
#include "users.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "output/users.hpp"

using namespace telec;

namespace {

const Account ada = {"ada", 1001, 1001, "/home/ada"};

UserRun said(const std::string& text, int status = 0) {
  UserRun run;
  run.said = text;
  run.number = status;
  return run;
}

std::string document(const std::string& migrations, const std::string& error = "null") {
  return R"({"schema": 1, "ok": true, "migrations": [)" + migrations + R"(], "problems": [], "error": )" + error +
         "}\n";
}

UserReport user(const std::string& name, UserState state, std::optional<int> exit, std::size_t applied = 0) {
  UserReport report;
  report.name = name;
  report.uid = 1000;
  report.state = state;
  report.exit = exit;
  report.applied = applied;
  return report;
}

}  // namespace

TEST_CASE("the uids of people are those of login.defs") {
  const UidLimits limits = uid_limits_in("# UID_MIN 5\n\nUID_MIN\t\t 500 # was 1000\n  UID_MAX 2000\nSYS_UID_MIN 7\n");
  CHECK(limits.least == 500);
  CHECK(limits.most == 2000);
}

TEST_CASE("what login.defs does not say, or says in no number, has the defaults") {
  for (const char* text :
       {"", "UID_MIN\nUID_MAX x\n", "UID_MIN -1\nUID_MAX 99999999999\n", "UID_MIN 5x\n", "#UID_MIN 3"}) {
    CAPTURE(text);
    const UidLimits limits = uid_limits_in(text);
    CHECK(limits.least == 1000);
    CHECK(limits.most == 60000);
  }
}

TEST_CASE("people are within the limits, root never is one, and each uid and home counts once") {
  const std::vector<Account> all = {
      {"root", 0, 0, "/root"},        {"daemon", 999, 999, "/"},        ada,
      {"ada2", 1001, 5, "/home/ada"}, {"other", 1001, 5, "/srv/other"}, {"last", 60000, 1, "/l"},
      {"nobody", 60001, 1, "/n"}};
  std::string names;
  for (const Account& account : people_among(all, {})) {
    names += account.name + " ";
  }
  CHECK(names == "ada other last ");
  names.clear();
  for (const Account& account : people_among(all, {0, 70000})) {
    names += account.name + " ";
  }
  CHECK(names == "daemon ada other last nobody ");
}

TEST_CASE("a user whose run went well is ok, with what it applied") {
  const std::string text = document(R"({"id": "1.0.0/001_a.py", "state": "applied"}, {"state": "already_present"})");
  const UserReport report = judge_user(ada, said("d" + text));
  CHECK(report.name == "ada");
  CHECK(report.uid == 1001);
  CHECK(report.state == UserState::ok);
  CHECK(report.exit == 0);
  CHECK(report.applied == 2);
  CHECK(report.reason.empty());
  CHECK(report.document == text);
}

TEST_CASE("something pending in a dry run is no failure") {
  const UserReport report = judge_user(ada, said("d" + document(R"({"state": "pending"})"), 3));
  CHECK(report.state == UserState::ok);
  CHECK(report.exit == 3);
  CHECK(report.pending == 1);
}

TEST_CASE("a failed migration is told with id, stage, message and log") {
  const std::string error = R"({"code": "migration_failed", "message": "boom", "hint": null, "id": "1.0.0/001_a.py",)"
                            R"( "stage": "migrate", "traceback": null, "log": "/home/ada/x.log"})";
  const UserReport report = judge_user(ada, said("d" + document(R"({"state": "failed"})", error), 1));
  CHECK(report.state == UserState::failed);
  CHECK(report.exit == 1);
  CHECK(report.reason == "1.0.0/001_a.py at migrate: boom");
  CHECK(report.log == "/home/ada/x.log");
  CHECK(report.hint.empty());
}

TEST_CASE("the next step that the user's own run names is kept") {
  const std::string error = R"({"code": "io", "message": "full", "hint": "make room"})";
  CHECK(judge_user(ada, said("d" + document("", error), 74)).hint == "make room");
}

TEST_CASE("what arrived late is counted where it ran or would run") {
  const std::string migrations = R"({"state": "applied", "late": true}, {"state": "already_present", "late": false},)"
                                 R"( {"late": true, "state": "pending"}, {"state": "not_reached", "late": true})";
  CHECK(judge_user(ada, said("d" + document(migrations))).late == 2);
}

TEST_CASE("exit codes that another moment may mend are deferred, all others are failures") {
  for (const int code : {69, 75, 129, 130, 143}) {
    CHECK(judge_user(ada, said("d" + document(""), code)).state == UserState::deferred);
  }
  for (const int code : {1, 2, 4, 5, 65, 74, 77, 99, 255}) {
    CHECK(judge_user(ada, said("d" + document(""), code)).state == UserState::failed);
  }
}

TEST_CASE("a python that was named and cannot be used fails, since waiting brings none") {
  CHECK(judge_user(ada, said("d" + document(""), 69), {.names_python = true}).state == UserState::failed);
  CHECK(judge_user(ada, said("d" + document(""), 75), {.names_python = true}).state == UserState::deferred);
}

TEST_CASE("data of somebody else fails who was named, and others are skipped") {
  const UserRun run = said("uits .teleclaude belongs to uid 0", 77);
  const UserReport skipped = judge_user(ada, run);
  CHECK(skipped.state == UserState::skipped);
  CHECK_FALSE(skipped.exit.has_value());
  const UserReport failed = judge_user({"ada", 1001, 1001, "/home/a da"}, run, {.by_name = true});
  CHECK(failed.state == UserState::failed);
  CHECK(failed.exit == 77);
  CHECK(failed.reason == "its .teleclaude belongs to uid 0");
  CHECK(failed.hint == "see who made it; to give it to the user: chown -R ada: '/home/a da/.teleclaude'");
  CHECK(judge_user(ada, said("uno", 0)).state == UserState::failed);
}

TEST_CASE("where all failures of those who were named are refusals, the whole is one") {
  const UserReport fine = user("ada", UserState::ok, 0);
  const UserReport refused = user("bob", UserState::failed, 77);
  const UserReport failed = user("cy", UserState::failed, 1);
  CHECK(failure_of({fine, refused, refused}, {.by_name = true}) == ErrorCode::unsafe);
  CHECK(failure_of({refused, failed}, {.by_name = true}) == ErrorCode::migration_failed);
  CHECK(failure_of({refused, unknown_user("eve")}, {.by_name = true}) == ErrorCode::migration_failed);
  CHECK(failure_of({refused}, {}) == ErrorCode::migration_failed);
}

TEST_CASE("a skip and a failure to become the user have their reasons") {
  const UserReport skipped = judge_user(ada, said("shas no data"));
  CHECK(skipped.state == UserState::skipped);
  CHECK(skipped.reason == "has no data");
  CHECK_FALSE(skipped.exit.has_value());
  const UserReport failed = judge_user(ada, said("fcannot become uid 5", 74));
  CHECK(failed.state == UserState::failed);
  CHECK(failed.reason == "cannot become uid 5");
}

TEST_CASE("time-outs, signals and a missing process are told apart") {
  UserRun run;
  run.ending = UserRun::Ending::timed_out;
  run.limit = 2;
  CHECK(judge_user(ada, run).state == UserState::deferred);
  CHECK(judge_user(ada, run).reason == "not done after 2.000 s, given up on for now");
  run.ending = UserRun::Ending::no_answer;
  CHECK(judge_user(ada, run).state == UserState::deferred);
  CHECK(judge_user(ada, run).reason == "its home did not answer within 2.000 s, given up on for now");
  run.ending = UserRun::Ending::interrupted;
  CHECK(judge_user(ada, run).state == UserState::deferred);
  run.ending = UserRun::Ending::killed;
  run.number = 9;
  CHECK(judge_user(ada, run).state == UserState::failed);
  CHECK(judge_user(ada, run).reason == "the run was ended by signal 9");
  run.ending = UserRun::Ending::not_started;
  run.trouble = "cannot fork: no";
  CHECK(judge_user(ada, run).reason == "cannot fork: no");
}

TEST_CASE("what a user's process says is not believed before it was read to the end") {
  const std::string deep = "d" + std::string(100000, '[') + std::string(100000, ']');
  const std::vector<std::string> lies = {"",
                                         "d",
                                         "x{}",
                                         "d[]",
                                         "d{",
                                         deep,
                                         "d{\"migrations\": 5}",
                                         "d{\"migrations\": [5]}",
                                         "d{\"error\": {\"message\": 5}}",
                                         "d{\"a\": 1, \"a\": 2}",
                                         "d{\"a\": \"\xff\"}",
                                         "d{} x"};
  for (const std::string& lie : lies) {
    CAPTURE(lie.substr(0, 40));
    const UserReport report = judge_user(ada, said(lie));
    CHECK(report.state == UserState::failed);
    CHECK(report.document.empty());
    CHECK(report.applied == 0);
  }
  // A skip that exits as a failure would hide one.
  CHECK(judge_user(ada, said("shas no data", 1)).state == UserState::failed);
  CHECK(judge_user(ada, said("fno", 0)).state == UserState::failed);
}

TEST_CASE("a document that is too long is left out, and what the run came to still counts") {
  UserRun run = said("d{", 1);
  run.said_too_much = true;
  const UserReport report = judge_user(ada, run);
  CHECK(report.state == UserState::failed);
  CHECK(report.document.empty());
}

TEST_CASE("the summary counts each kind and names who needs a person") {
  const std::vector<UserReport> users = {user("ada", UserState::ok, 0, 2),
                                         user("cy", UserState::ok, 0),
                                         user("bob", UserState::failed, 1),
                                         user("dee", UserState::deferred, 75),
                                         user("eve", UserState::skipped, std::nullopt),
                                         unknown_user("zoe\n")};
  CHECK(users_summary(users, false) ==
        "1 user migrated, 1 up to date, 1 skipped, 1 deferred: dee(75), 2 failed: bob(1), zoe\\x0a");
  CHECK(users_summary({}, true) == "0 users would be migrated");
}

static std::string again(const std::string& name) { return "telec migrate" + (name.empty() ? "" : " --user " + name); }

TEST_CASE("a hook says nothing where nothing happened, and a line for each user who needs a person") {
  Report report;
  report.users = {user("cy", UserState::ok, 0), user("eve", UserState::skipped, std::nullopt)};
  CHECK(hook_text(report, again).empty());
  report.users->push_back(user("ada", UserState::ok, 0, 2));
  CHECK(hook_text(report, again) == "telec: 1 user migrated, 1 up to date, 1 skipped\n");
  UserReport bob = user("bob", UserState::failed, 1);
  bob.reason = "1.0.0/001_a.py at migrate: boom\nboom";
  bob.log = "/home/bob/x.log";
  report.users->push_back(bob);
  CHECK(hook_text(report, again) ==
        "telec: bob: failed: 1.0.0/001_a.py at migrate: boom\\x0aboom; log: /home/bob/x.log; then: telec migrate "
        "--user bob\n"
        "telec: 1 user migrated, 1 up to date, 1 skipped, 1 failed: bob(1)\n");
}

TEST_CASE("a hook for one user says one line: done, failed, deferred or refused") {
  Report report;
  CHECK(hook_text(report, again).empty());
  ReportEntry entry;
  entry.id = "1.0.0/001_a.py";
  entry.state = State::applied;
  report.entries = {entry, entry};
  CHECK(hook_text(report, again) == "telec: 2 migrations applied\n");
  for (const auto& [code, word] :
       std::vector<std::pair<ErrorCode, std::string>>{{ErrorCode::migration_failed, "failed"},
                                                      {ErrorCode::timeout, "failed"},
                                                      {ErrorCode::unrecorded, "failed"},
                                                      {ErrorCode::unsafe, "refused"},
                                                      {ErrorCode::locked, "deferred"},
                                                      {ErrorCode::no_python, "deferred"},
                                                      {ErrorCode::usage, "deferred"}}) {
    report.error = report_error(Error(code, "why"));
    CHECK(hook_text(report, again) == "telec: " + word + ": why; then: telec migrate\n");
  }
}

TEST_CASE("a hook fails no package unless it is strict") {
  CHECK(hook_exit_code(false, 1) == 0);
  CHECK(hook_exit_code(false, 77) == 0);
  CHECK(hook_exit_code(true, 1) == 1);
  CHECK(hook_exit_code(true, 0) == 0);
}
