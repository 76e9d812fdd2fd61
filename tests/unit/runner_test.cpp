// SPDX-License-Identifier: MIT
// The loop, against fakes that write down in one list what they are asked, in order.
#include "runner.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace telec;

namespace {

using Texts = std::vector<std::string>;

ChildResult said(const std::string& last) {
  const std::string nonce = "\"nonce\": \"n\", ";
  ChildResult child;
  child.nonce = "n";
  child.said =
      "{" + nonce + R"("event": "hello", "python": "3.11.2", "supported": true})" + "\n{" + nonce + last + "}\n";
  child.sha256 = std::string(64, 'f');
  child.finished_at = "2026-11-22T07:30:00Z";
  child.seconds = 0.5;
  return child;
}
ChildResult applied() { return said(R"("event": "verdict", "verdict": "applied")"); }
ChildResult present() { return said(R"("event": "verdict", "verdict": "already_present")"); }
ChildResult failed() {
  ChildResult child =
      said(R"("event": "verdict", "verdict": "failed", "stage": "migrate", "message": "boom", "traceback": "T")");
  child.output_tail = "out\n";
  child.log = "/logs/one.log";
  child.script = "/tree/v1.0.0/002_b.py";
  return child;
}

/// A world of fakes, and everything that happened in it.
struct World : Interpreter, HistoryStore, Progress, StopRequest {
  Texts happened;
  std::map<std::string, ChildResult> results;  // what is not here is applied
  std::string commit_fails_at;
  std::string stop_after;
  int stop_signal = 0;
  History history;
  Report report;
  std::string run_of = "telec migrate --state-file x.json --to 1.0.0";

  ChildResult run(const Migration& migration) override {
    happened.push_back("run " + migration.id());
    if (migration.id() == stop_after) {
      stop_signal = 15;
    }
    const auto found = results.find(migration.id());
    return found == results.end() ? applied() : found->second;
  }
  void commit(const History& now) override {
    const std::string last(now.applied().back());
    happened.push_back("commit " + last);
    if (last == commit_fails_at) {
      throw Error(ErrorCode::io, "cannot sync 'x': Input/output error", "see to the disk");
    }
  }
  void planned(const std::vector<const Migration*>& pending) override {
    happened.push_back("planned " + std::to_string(pending.size()));
  }
  void started(const Migration& migration, std::size_t position, std::size_t total) override {
    happened.push_back("started " + migration.id() + " " + std::to_string(position) + "/" + std::to_string(total));
  }
  void printed(std::string_view bytes) override { happened.push_back("printed " + std::string(bytes)); }
  void finished(const ReportEntry& entry) override {
    happened.push_back(std::string(word_of(entry.state)) + " " + entry.id);
  }
  void note(const std::string& text) override { happened.push_back("note " + text); }
  int signal() override { return stop_signal; }

  void play(const Texts& ids) {
    std::vector<Migration> migrations;
    for (const std::string& id : ids) {
      migrations.push_back(*Migration::parse(id));
    }
    std::vector<const Migration*> pending;
    for (const Migration& migration : migrations) {
      pending.push_back(&migration);
    }
    run_pending(pending, history, *this, *this, *this, *this,
                {"0.1.0", "ada", "box", run_of, "telec migrate --state-file x.json", "telec migrate --timeout 2"},
                report);
  }

  [[nodiscard]] Texts states() const {
    Texts states;
    for (const ReportEntry& entry : report.entries) {
      states.push_back(std::string(word_of(entry.state)) + " " + entry.id);
    }
    return states;
  }
};

const std::string A = "1.0.0/001_a.py";
const std::string B = "1.0.0/002_b.py";
const std::string C = "1.1.0/001_c.py";

}  // namespace

TEST_CASE("each migration is run, committed and only then told as applied, before the next starts") {
  World world;
  world.results[B] = present();
  world.play({A, B});
  CHECK(world.happened == Texts{"planned 2", "started " + A + " 1/2", "run " + A, "commit " + A, "applied " + A,
                                "started " + B + " 2/2", "run " + B, "commit " + B, "already_present " + B});
  CHECK_FALSE(world.report.error.has_value());
  CHECK(world.report.exit_code() == 0);
  CHECK(world.states() == Texts{"applied " + A, "already_present " + B});
}

TEST_CASE("nothing pending runs nothing and commits nothing") {
  World world;
  world.play({});
  CHECK(world.happened == Texts{"planned 0"});
  CHECK(world.report.entries.empty());
}

TEST_CASE("a record holds the run's facts and the context") {
  World world;
  world.results[B] = present();
  world.play({A, B});
  const auto record = world.history.details(A);
  REQUIRE(record.has_value());
  CHECK(record->outcome == "applied");
  CHECK(record->at == "2026-11-22T07:30:00Z");
  CHECK(record->seconds == 0.5);
  CHECK(record->sha256 == std::string(64, 'f'));
  CHECK(record->python == "3.11.2");
  CHECK(record->telec == "0.1.0");
  CHECK(record->user == "ada");
  CHECK(record->host == "box");
  CHECK(world.history.details(B)->outcome == "already_present");
  CHECK(world.report.entries[0].outcome == "applied");
  CHECK(world.report.entries[0].at == "2026-11-22T07:30:00Z");
  CHECK(world.report.entries[0].seconds == 0.5);
}

TEST_CASE("the first failure ends the run, and what was not reached is listed") {
  World world;
  world.results[B] = failed();
  world.play({A, B, C});
  CHECK(world.happened == Texts{"planned 3", "started " + A + " 1/3", "run " + A, "commit " + A, "applied " + A,
                                "started " + B + " 2/3", "run " + B, "failed " + B, "not_reached " + C});
  REQUIRE(world.report.error.has_value());
  CHECK(world.report.error->code == ErrorCode::migration_failed);
  CHECK(world.report.error->id == B);
  CHECK(world.report.error->stage == "migrate");
  CHECK(world.report.error->message == "boom");
  CHECK(world.report.error->traceback == "T");
  CHECK(world.report.error->output_tail == "out\n");
  CHECK(world.report.error->log == "/logs/one.log");
  CHECK(
      world.report.error->hint ==
      "mend what it complains of (the script is '/tree/v1.0.0/002_b.py'), then run 'telec migrate --state-file x.json "
      "--to 1.0.0' again; to try this one alone: 'telec migrate --state-file x.json --only " +
          B + "'");
  CHECK(world.report.exit_code() == 1);
  CHECK_FALSE(world.history.contains(B));
  CHECK(world.states() == Texts{"applied " + A, "failed " + B, "not_reached " + C});
  CHECK(world.report.entries[1].log == "/logs/one.log");
}

TEST_CASE("one that was recorded before is still recorded when it fails, and only --rerun runs it") {
  World world;
  world.play({A, B});
  world.report = {};
  world.results[B] = failed();
  world.play({B});
  CHECK(world.history.contains(B));
  CHECK(world.report.error->hint.ends_with("; to try this one alone: 'telec migrate --state-file x.json --rerun " + B +
                                           "'; it is still recorded: without --rerun it is not run"));
  world.report = {};
  world.results[B].ending = Stopped{2};
  world.play({B});
  CHECK(world.report.error->hint ==
        "it is recorded as before; to go on, run 'telec migrate --state-file x.json --to 1.0.0' again: its check() "
        "tells what is left to do");
}

TEST_CASE("where the run was of one alone, that is not said twice") {
  World world;
  world.results[B] = failed();
  world.run_of = "telec migrate --state-file x.json --only " + B;
  world.play({B});
  CHECK(world.report.error->hint.ends_with("then run '" + world.run_of + "' again"));
}

TEST_CASE("a commit that fails is unrecorded at the stage commit, and ends the run") {
  World world;
  world.commit_fails_at = B;
  world.play({A, B, C});
  CHECK(world.states() == Texts{"applied " + A, "unrecorded " + B, "not_reached " + C});
  CHECK(world.happened.back() == "not_reached " + C);
  REQUIRE(world.report.error.has_value());
  CHECK(world.report.error->code == ErrorCode::unrecorded);
  CHECK(world.report.error->id == B);
  CHECK(world.report.error->stage == "commit");
  CHECK(world.report.error->message ==
        "the script did run, but it could not be recorded: cannot sync 'x': Input/output error");
  CHECK(world.report.error->hint == "see to the disk");
  CHECK(world.report.exit_code() == 5);
  CHECK(world.report.entries[1].outcome.empty());
  CHECK(world.report.entries[1].at.empty());
}

TEST_CASE("a stop that was asked for before the first migration runs nothing") {
  World world;
  world.stop_signal = 2;
  world.play({A, B});
  CHECK(world.happened == Texts{"planned 2", "not_reached " + A, "not_reached " + B});
  CHECK(world.report.error->code == ErrorCode::interrupted);
  CHECK(world.report.error->message == "stopped by SIGINT before " + A);
  CHECK(world.report.exit_code() == 130);
}

TEST_CASE("a stop that is asked for during a migration lets it finish, and ends the run") {
  World world;
  world.stop_after = A;
  world.play({A, B, C});
  CHECK(world.states() == Texts{"applied " + A, "not_reached " + B, "not_reached " + C});
  CHECK(world.history.contains(A));
  CHECK(world.report.error->message == "stopped by SIGTERM before " + B);
  CHECK(world.report.error->hint ==
        "what ran is recorded; to go on, run 'telec migrate --state-file x.json --to 1.0.0' again");
  CHECK(world.report.exit_code() == 143);
}

TEST_CASE("a stop that is asked for during the last migration changes nothing") {
  World world;
  world.stop_after = B;
  world.play({A, B});
  CHECK(world.states() == Texts{"applied " + A, "applied " + B});
  CHECK_FALSE(world.report.error.has_value());
}

TEST_CASE("a stop during a migration that fails is a failure, not an interruption") {
  World world;
  world.stop_after = A;
  world.results[A] = failed();
  world.play({A, B});
  CHECK(world.report.error->code == ErrorCode::migration_failed);
}

TEST_CASE("a migration that was stopped now is interrupted and not recorded") {
  World world;
  ChildResult child = applied();
  child.ending = Stopped{2};
  world.results[A] = child;
  world.play({A, B});
  CHECK(world.states() == Texts{"interrupted " + A, "not_reached " + B});
  CHECK(world.report.error->code == ErrorCode::interrupted);
  CHECK(world.report.error->id == A);
  CHECK(world.report.exit_code() == 130);
  CHECK(world.history.applied().empty());
}

TEST_CASE("the time limit is its own error, and exits like a failure") {
  World world;
  ChildResult child = applied();
  child.ending = TimedOut{1};
  world.results[A] = child;
  world.play({A, B});
  CHECK(world.states() == Texts{"failed " + A, "not_reached " + B});
  CHECK(world.report.error->code == ErrorCode::timeout);
  CHECK(world.report.error->hint ==
        "nothing it started is left running; if it needs longer: 'telec migrate --timeout 2'");
  CHECK(world.report.exit_code() == 1);
}

TEST_CASE("without a python nothing was reached") {
  World world;
  ChildResult child;
  child.ending = NotStarted{"cannot execute '/x'"};
  world.results[A] = child;
  world.play({A, B});
  CHECK(world.states() == Texts{"not_reached " + A, "not_reached " + B});
  CHECK(world.report.error->code == ErrorCode::no_python);
  CHECK(world.report.exit_code() == 69);
}

TEST_CASE("where python did not start for want of something else, that is what is said") {
  World world;
  ChildResult child;
  child.ending = NotStarted{"cannot fork for python '/x': Resource temporarily unavailable", "there are too many"};
  world.results[A] = child;
  world.play({A, B});
  CHECK(world.states() == Texts{"not_reached " + A, "not_reached " + B});
  CHECK(world.report.error->code == ErrorCode::io);
  CHECK(world.report.error->hint == "its script was not run; there are too many");
  CHECK(world.report.exit_code() == 74);
}

TEST_CASE("a script that was refused failed to load, and is not committed") {
  World world;
  ChildResult child;
  child.refused = "cannot read the script 'x': it is a symbolic link";
  world.results[A] = child;
  world.play({A});
  CHECK(world.states() == Texts{"failed " + A});
  CHECK(world.report.error->stage == "load");
  CHECK(world.history.applied().empty());
}

TEST_CASE("a note is told and kept, and changes no outcome") {
  World world;
  ChildResult child = applied();
  child.note = "it left processes running, they were ended: 4711 (sleep)";
  world.results[A] = child;
  world.play({A});
  CHECK(world.happened == Texts{"planned 1", "started " + A + " 1/1", "run " + A, "note " + A + ": " + child.note,
                                "commit " + A, "applied " + A});
  CHECK(world.report.notes == Texts{A + ": " + child.note});
}
