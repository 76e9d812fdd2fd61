// SPDX-License-Identifier: MIT
#include "judgement.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace telec;

namespace {

const std::string nonce = "0123456789abcdef";

std::string line(const std::string& rest, const std::string& with_nonce = nonce) {
  return "{\"nonce\": \"" + with_nonce + "\", " + rest + "}\n";
}
std::string hello(const std::string& supported = "true") {
  return line(R"("event": "hello", "python": "3.11.2", "supported": )" + supported);
}
std::string stage(const std::string& name) { return line("\"event\": \"stage\", \"stage\": \"" + name + "\""); }
std::string verdict(const std::string& word) { return line("\"event\": \"verdict\", \"verdict\": \"" + word + "\""); }
std::string failed_verdict() {
  return line(
      R"("event": "verdict", "verdict": "failed", "stage": "migrate", "message": "ValueError: x", "traceback": "T\nU")");
}

const std::string up_to_migrate = hello() + stage("load") + stage("check") + stage("migrate");
const std::string good = up_to_migrate + stage("recheck") + verdict("applied");
const std::string present = hello() + stage("load") + stage("check") + verdict("already_present");

struct Row {
  const char* name;
  Ending ending;
  std::string said;
  Outcome outcome;
  Stage stage;
  const char* words;  ///< what the message has to contain
};

Judgement judged(const Ending& ending, const std::string& said) {
  ChildResult child;
  child.ending = ending;
  child.nonce = nonce;
  child.said = said;
  return judge(child);
}

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Judgement judgement = judged(row.ending, row.said);
    CAPTURE(judgement.message);
    CHECK(judgement.outcome == row.outcome);
    CHECK(std::string(word_of(judgement.stage)) == word_of(row.stage));
    CHECK(judgement.message.find(row.words) != std::string::npos);
    const bool success = judgement.outcome == Outcome::applied || judgement.outcome == Outcome::already_present;
    CHECK(judgement.message.empty() == success);
  }
}

}  // namespace

TEST_CASE("success is a verdict that came once, last, and with exit status 0") {
  for (const bool was_present : {false, true}) {
    const Judgement judgement = judged(Exited{0}, was_present ? present : good);
    CHECK(judgement.outcome == (was_present ? Outcome::already_present : Outcome::applied));
    CHECK(judgement.python == "3.11.2");
    CHECK(judgement.message.empty());
    CHECK(judgement.traceback.empty());
    CHECK_FALSE(judgement.timed_out);
    CHECK(judgement.signal == 0);
  }
}

TEST_CASE("a good verdict does not count when the end was not clean") {
  check_rows({
      {"exit 1", Exited{1}, good, Outcome::failed, Stage::verdict, "python exited with status 1 after its verdict"},
      {"exit 120", Exited{120}, good, Outcome::failed, Stage::verdict, "exited with status 120"},
      {"present, exit 3", Exited{3}, present, Outcome::failed, Stage::verdict, "exited with status 3"},
      {"killed", Killed{9, false}, good, Outcome::failed, Stage::verdict, "was killed by SIGKILL after its verdict"},
      {"crashed", Killed{11, true}, good, Outcome::failed, Stage::verdict, "was killed by SIGSEGV (core dumped) after"},
      {"status unknown", StatusUnknown{"No child processes"}, good, Outcome::failed, Stage::verdict,
       "ended in an unknown way: No child processes"},
      {"timed out", TimedOut{5}, good, Outcome::failed, Stage::recheck, "not finished after 5.000 s"},
      {"stopped", Stopped{2}, good, Outcome::interrupted, Stage::recheck, "stopped by SIGINT"},
  });
}

TEST_CASE("no verdict is a failure whatever the exit status") {
  check_rows({
      {"os._exit(0) in migrate", Exited{0}, up_to_migrate, Outcome::failed, Stage::verdict,
       "python exited with status 0 without a verdict (os._exit"},
      {"exit 1 in check", Exited{1}, hello() + stage("load") + stage("check"), Outcome::failed, Stage::check,
       "exited with status 1 without a verdict"},
      {"abort in load", Killed{6, false}, hello() + stage("load"), Outcome::failed, Stage::load,
       "was killed by SIGABRT"},
      {"killed after hello", Killed{9, false}, hello(), Outcome::failed, Stage::start, "was killed by SIGKILL"},
      {"status unknown", StatusUnknown{"?"}, up_to_migrate, Outcome::failed, Stage::migrate, "ended in an unknown way"},
  });
}

TEST_CASE("a failed verdict carries stage, message and traceback, whatever the exit status") {
  for (const Ending& ending : std::vector<Ending>{Exited{0}, Exited{1}, Killed{6, false}}) {
    const Judgement judgement = judged(ending, up_to_migrate + failed_verdict());
    CHECK(judgement.outcome == Outcome::failed);
    CHECK(judgement.stage == Stage::migrate);
    CHECK(judgement.message == "ValueError: x");
    CHECK(judgement.traceback == "T\nU");
    CHECK(judgement.python == "3.11.2");
  }
}

TEST_CASE("a failed verdict without a known stage failed where the script was") {
  check_rows({
      {"no stage", Exited{0}, up_to_migrate + line(R"("event": "verdict", "verdict": "failed", "message": "m")"),
       Outcome::failed, Stage::migrate, "m"},
      {"unknown stage", Exited{0},
       up_to_migrate + line(R"("event": "verdict", "verdict": "failed", "stage": "lunch", "message": "m")"),
       Outcome::failed, Stage::migrate, "m"},
  });
}

TEST_CASE("every stage can be where it failed") {
  for (const char* word : {"start", "load", "check", "migrate", "recheck", "verdict", "commit"}) {
    CAPTURE(word);
    const std::string said = line("\"event\": \"verdict\", \"verdict\": \"failed\", \"stage\": \"" + std::string(word) +
                                  "\", \"message\": \"m\"");
    CHECK(std::string(word_of(judged(Exited{0}, hello() + said).stage)) == word);
  }
}

TEST_CASE("a verdict that is not alone and last is damaged") {
  const char* damaged = "the verdict is damaged";
  check_rows({
      {"twice", Exited{0}, good + verdict("applied"), Outcome::failed, Stage::verdict, damaged},
      {"two that differ", Exited{0}, present + verdict("applied"), Outcome::failed, Stage::verdict, damaged},
      {"failed, then applied", Exited{0}, up_to_migrate + failed_verdict() + verdict("applied"), Outcome::failed,
       Stage::verdict, damaged},
      {"a stage after it", Exited{0}, good + stage("load"), Outcome::failed, Stage::verdict, damaged},
      {"a hello after it", Exited{0}, good + hello(), Outcome::failed, Stage::verdict, damaged},
      {"an unknown event after it", Exited{0}, good + line(R"("event": "x")"), Outcome::failed, Stage::verdict,
       damaged},
  });
}

TEST_CASE("an unknown verdict is a failure, and is quoted safely") {
  check_rows({
      {"unknown", Exited{0}, hello() + verdict("done"), Outcome::failed, Stage::verdict, "unknown verdict 'done'"},
      {"empty", Exited{0}, hello() + verdict(""), Outcome::failed, Stage::verdict, "unknown verdict ''"},
      {"escape", Exited{0}, hello() + verdict("\\u001b[2J"), Outcome::failed, Stage::verdict,
       "unknown verdict '\\x1b[2J'"},
      {"no verdict in it", Exited{0}, hello() + line(R"("event": "verdict")"), Outcome::failed, Stage::verdict,
       "unknown verdict ''"},
  });
  CHECK(judged(Exited{0}, hello() + verdict(std::string(5000, 'x'))).message.size() < 200);
}

TEST_CASE("a scribble without the nonce says nothing") {
  const std::string forged = line(R"("event": "verdict", "verdict": "applied")", "fedcba9876543210");
  for (const std::string& scribble :
       {forged, std::string("applied\n"), std::string("\n"), std::string("{}\n"), std::string("[]\n"),
        std::string("{\"event\": \"verdict\", \"verdict\": \"applied\"}\n"),
        std::string("{\"nonce\": 1, \"event\": \"verdict\"}\n"), std::string("\xff\xfe\n"), "x" + verdict("applied"),
        verdict("applied").substr(0, verdict("applied").size() - 1) + "x\n",
        line(R"("event": "verdict", "verdict": true)"),
        line(R"("event": "verdict", "verdict": "applied", "verdict": "applied")"),
        line(R"("event": "verdict", "verdict": "applied", "x": [[[]]])"),
        line(R"("event": "verdict", "verdict": "applied")", ""),
        line(R"("event": "verdict", "verdict": "applied", "message": ")" + nonce + "\"", "another")}) {
    CAPTURE(scribble);
    CHECK(judged(Exited{0}, up_to_migrate + scribble).outcome == Outcome::failed);
    CHECK(judged(Exited{0}, up_to_migrate + scribble).message.find("without a verdict") != std::string::npos);
    CHECK(judged(Exited{0}, up_to_migrate + scribble + verdict("applied")).outcome == Outcome::applied);
    CHECK(judged(Exited{0}, scribble + good).outcome == Outcome::applied);
    CHECK(judged(Exited{0}, good + scribble).outcome == Outcome::applied);
  }
}

TEST_CASE("without a nonce nothing is believed") {
  ChildResult child;
  child.said = R"({"nonce": "", "event": "hello", "python": "3", "supported": true}
{"nonce": "", "event": "verdict", "verdict": "applied"}
)";
  CHECK(judge(child).outcome == Outcome::no_python);
}

TEST_CASE("a line that was never finished says nothing") {
  const std::string unfinished = good.substr(0, good.size() - 1);
  CHECK(judged(Exited{0}, unfinished).message.find("without a verdict") != std::string::npos);
  CHECK(judged(Exited{0}, good + verdict("applied").substr(0, 20)).outcome == Outcome::applied);
}

TEST_CASE("every truncation of what was said is short of success") {
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    const Outcome outcome = judged(Exited{0}, good.substr(0, length)).outcome;
    CHECK((outcome == Outcome::failed || outcome == Outcome::no_python));
  }
}

TEST_CASE("unknown keys and unknown events before the verdict do no harm") {
  CHECK(judged(Exited{0}, hello() + line(R"("event": "progress", "done": 3)") + stage("lunch") + verdict("applied"))
            .outcome == Outcome::applied);
  CHECK(judged(Exited{0}, hello() + line(R"("event": "verdict", "verdict": "applied", "more": [1])")).outcome ==
        Outcome::applied);
}

TEST_CASE("no hello means no python") {
  check_rows({
      {"exit 0", Exited{0}, "", Outcome::no_python, Stage::start,
       "python exited with status 0 before it could load anything"},
      {"exit 1", Exited{1}, "", Outcome::no_python, Stage::start, "exited with status 1 before"},
      {"killed", Killed{11, false}, "", Outcome::no_python, Stage::start, "was killed by SIGSEGV before"},
      {"status unknown", StatusUnknown{"?"}, "", Outcome::no_python, Stage::start, "ended in an unknown way"},
      {"timed out", TimedOut{10}, "", Outcome::no_python, Stage::start, "python did not start within 10.000 s"},
      {"a verdict alone", Exited{0}, verdict("applied"), Outcome::no_python, Stage::start,
       "before it could load anything"},
      {"a scribble alone", Exited{0}, "hello\n", Outcome::no_python, Stage::start, "before it could load anything"},
      {"not started", NotStarted{"cannot execute '/x': No such file or directory"}, "", Outcome::no_python,
       Stage::start, "cannot execute '/x'"},
      {"not started wins over what was said", NotStarted{"why"}, good, Outcome::no_python, Stage::start, "why"},
  });
}

TEST_CASE("a python that is too old is no python, however it ended") {
  for (const Ending& ending : std::vector<Ending>{Exited{3}, Exited{0}, Killed{9, false}, TimedOut{1}}) {
    const Judgement judgement = judged(ending, hello("false"));
    CHECK(judgement.outcome == Outcome::no_python);
    CHECK(judgement.message == "python 3.11.2 is too old, 3.8 or newer is needed");
  }
  const std::string silent_about_it = line(R"("event": "hello", "python": "3.1.0")");
  CHECK(judged(Exited{0}, silent_about_it + verdict("applied")).outcome == Outcome::no_python);
}

TEST_CASE("the time limit after hello is a failure with the stage that was reached") {
  const Judgement judgement = judged(TimedOut{0.5}, up_to_migrate);
  CHECK(judgement.outcome == Outcome::failed);
  CHECK(judgement.timed_out);
  CHECK(judgement.stage == Stage::migrate);
  CHECK(judgement.message == "not finished after 0.500 s");
  CHECK_FALSE(judged(TimedOut{1}, "").timed_out);
}

TEST_CASE("stopped by a person is interrupted, at any moment") {
  for (const std::string& said : {std::string(), hello(), up_to_migrate, good, hello("false")}) {
    CAPTURE(said);
    const Judgement judgement = judged(Stopped{15}, said);
    CHECK(judgement.outcome == Outcome::interrupted);
    CHECK(judgement.signal == 15);
    CHECK(judgement.message == "stopped by SIGTERM");
  }
}

TEST_CASE("processes that could not be ended make even a good verdict a failure") {
  ChildResult child;
  child.nonce = nonce;
  child.said = good;
  child.survivors = "4711 (sleep)";
  const Judgement judgement = judge(child);
  CHECK(judgement.outcome == Outcome::failed);
  CHECK(judgement.stage == Stage::verdict);
  CHECK(judgement.message == "processes that it started could not be ended: 4711 (sleep)");
  child.ending = TimedOut{1};
  CHECK(judge(child).timed_out);
}

TEST_CASE("more on the verdict's descriptor than is read is a failure, with and without a verdict") {
  ChildResult child;
  child.nonce = nonce;
  child.said_too_much = true;
  child.said = good;
  CHECK(judge(child).message.starts_with("the verdict is damaged"));
  child.said = up_to_migrate + std::string(1000, 'x');
  CHECK(judge(child).outcome == Outcome::failed);
  CHECK(judge(child).message.find("more came on the verdict's descriptor than is read") != std::string::npos);
}

TEST_CASE("a script that was refused failed to load, whatever else is said") {
  ChildResult child;
  child.nonce = nonce;
  child.said = good;
  child.refused = "it is a symbolic link";
  for (const Ending& ending : std::vector<Ending>{Exited{0}, NotStarted{"x"}, Stopped{2}, TimedOut{1}}) {
    child.ending = ending;
    CHECK(judge(child).outcome == Outcome::failed);
    CHECK(judge(child).stage == Stage::load);
    CHECK(judge(child).message == "it is a symbolic link");
  }
}

TEST_CASE("the stage reached is the last known one that was said with the nonce") {
  CHECK(stage_reached("", nonce) == Stage::start);
  CHECK(stage_reached(hello(), nonce) == Stage::start);
  CHECK(stage_reached(hello() + stage("load") + stage("check"), nonce) == Stage::check);
  CHECK(stage_reached(hello() + stage("check") + stage("lunch"), nonce) == Stage::check);
  CHECK(stage_reached(hello() + stage("check") + stage("migrate"), "other") == Stage::start);
  CHECK(stage_reached(stage("check") + stage("migrate").substr(0, 30), nonce) == Stage::check);
}

TEST_CASE("signals have their names") {
  CHECK(signal_name(1) == "SIGHUP");
  CHECK(signal_name(2) == "SIGINT");
  CHECK(signal_name(9) == "SIGKILL");
  CHECK(signal_name(11) == "SIGSEGV");
  CHECK(signal_name(15) == "SIGTERM");
  CHECK(signal_name(31) == "SIGSYS");
  CHECK(signal_name(0) == "signal 0");
  CHECK(signal_name(32) == "signal 32");
  CHECK(signal_name(64) == "signal 64");
  CHECK(signal_name(-1) == "signal -1");
}
