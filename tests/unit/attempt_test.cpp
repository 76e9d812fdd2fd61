// SPDX-License-Identifier: MIT
#include "attempt.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "history.hpp"

using namespace telec;

namespace {

AttemptRecord attempt(const std::string& id, const std::string& outcome, const std::string& at) {
  AttemptRecord result;
  result.id = id;
  result.outcome = outcome;
  result.at = at;
  return result;
}

std::vector<std::string> outcomes(const std::vector<AttemptRecord>& attempts) {
  std::vector<std::string> result;
  for (const AttemptRecord& one : attempts) {
    result.push_back(one.id + " " + one.outcome);
  }
  return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an attempt is one line, and reads back as it was") {
  AttemptRecord written = attempt("1.0.0/001_a.py", "failed", "2026-11-22T07:30:00Z");
  written.seconds = 1.25;
  written.stage = "migrate";
  written.message = "ValueError: \"x\"\nand more";
  written.sha256 = "ab";
  written.python = "3.11.2";
  written.telec = "0.1.0";
  written.user = "ada";
  written.host = "box";
  written.log = "x.log";
  const std::string line = attempt_line(written);
  CHECK(line.find('\n') == line.size() - 1);
  const auto read = read_attempts(line);
  REQUIRE(read.size() == 1);
  CHECK(attempt_line(read.front()) == line);
  CHECK(read.front().message == written.message);
}

TEST_CASE("a long message is cut, so that a line stays bounded") {
  AttemptRecord written = attempt("1.0.0/001_a.py", "failed", "");
  for (const char c : {'x', '\x01', '"', '\xff'}) {
    CAPTURE(c);
    written.message = std::string(100000, c);
    const std::string line = attempt_line(written);
    CHECK(line.size() < 4096);
    CHECK(line.size() > 1000);
    CHECK(read_attempts(line).size() == 1);
  }
}

TEST_CASE("what is no attempt is passed over, and spoils nothing") {
  const std::string good = attempt_line(attempt("1.0.0/001_a.py", "applied", "t"));
  CHECK(read_attempts("{\"id\": \"1.0\n" + good + "null\n[]\n{}\n\xff\n" + good).size() == 2);
  CHECK(read_attempts(R"({"id": "1.0.0/001_a.py", "outcome": "x", "log": "../../etc/passwd"})").empty());
  CHECK(read_attempts(R"({"id": "nonsense", "outcome": "x"})").empty());
  CHECK(read_attempts("").empty());
}

TEST_CASE("a duration that cannot have been measured is none") {
  for (const char* seconds : {"-1", "1e300", "1e9", "123456789012345678901234567890"}) {
    CAPTURE(seconds);
    const std::string text =
        std::string(R"("id": "1.0.0/001_a.py", "outcome": "applied", "seconds": )") + seconds + "}";
    const auto attempts = read_attempts("{" + text);
    REQUIRE(attempts.size() == 1);
    CHECK_FALSE(attempts[0].seconds);
    const auto history = History::parse(R"({"applied": ["1.0.0/001_a.py"], "history": [{)" + text + "]}");
    REQUIRE(history.ok());
    CHECK_FALSE(history->details("1.0.0/001_a.py")->seconds);
  }
}

TEST_CASE("the last that was made comes first, also where the clock was set back") {
  const std::vector<AttemptRecord> kept = {attempt("1.0.0/001_a.py", "failed", "2033-01-01T00:00:00Z"),
                                           attempt("1.0.0/001_a.py", "interrupted", "2026-01-02T00:00:00Z"),
                                           attempt("1.0.0/001_a.py", "applied", "2026-01-03T00:00:00Z")};
  const auto history = History::parse(R"({"applied": ["1.0.0/002_b.py"],
                                          "history": [{"id": "1.0.0/002_b.py", "at": "2026-01-01T00:00:00Z"}]})");
  REQUIRE(history.ok());
  CHECK(outcomes(merge_attempts(kept, *history, "")) == Texts{"1.0.0/001_a.py applied", "1.0.0/001_a.py interrupted",
                                                              "1.0.0/001_a.py failed", "1.0.0/002_b.py recorded"});
  CHECK(outcomes(merge_attempts(kept, *history, "1.0.0/001_a.py")).front() == "1.0.0/001_a.py applied");
}

TEST_CASE("the newest comes first, and within a second the one that was written last") {
  const std::vector<AttemptRecord> kept = {attempt("1.0.0/001_a.py", "failed", "2026-01-01T00:00:00Z"),
                                           attempt("1.0.0/001_a.py", "applied", "2026-01-01T00:00:00Z"),
                                           attempt("1.0.0/002_b.py", "applied", "2026-01-02T00:00:00Z")};
  CHECK(outcomes(merge_attempts(kept, History(), "")) ==
        Texts{"1.0.0/002_b.py applied", "1.0.0/001_a.py applied", "1.0.0/001_a.py failed"});
  CHECK(outcomes(merge_attempts(kept, History(), "1.0.0/002_b.py")) == Texts{"1.0.0/002_b.py applied"});
}

TEST_CASE("what the history has without an attempt is added, and what it has with one is not said twice") {
  History history;
  Record record;
  record.id = "1.0.0/001_a.py";
  record.outcome = "applied";
  record.at = "2026-01-01T00:00:00Z";
  history.add(record);
  CHECK(merge_attempts({}, history, "").size() == 1);
  CHECK(merge_attempts({attempt("1.0.0/001_a.py", "applied", "2026-01-01T00:00:00Z")}, history, "").size() == 1);
  CHECK(merge_attempts({attempt("1.0.0/001_a.py", "applied", "2026-01-02T00:00:00Z")}, history, "").size() == 2);
}

TEST_CASE("what is known from the history alone says so, and how long it took only where that was recorded") {
  History history;
  Record record;
  record.id = "1.0.0/001_a.py";
  record.outcome = "applied";
  record.at = "2026-01-01T00:00:00Z";
  record.seconds = 0.5;
  history.add(record);
  record.id = "1.0.0/002_b.py";
  record.outcome = "marked";
  history.add(record);
  const auto known = merge_attempts({}, history, "");
  REQUIRE(known.size() == 2);
  CHECK(known[1].from_history);
  CHECK(known[1].seconds == 0.5);
  CHECK_FALSE(known[0].seconds);
  const auto bare = History::parse(R"({"applied": ["1.0.0/001_a.py"]})");
  REQUIRE(bare.ok());
  const auto recorded = merge_attempts({}, *bare, "");
  REQUIRE(recorded.size() == 1);
  CHECK(recorded[0].outcome == "recorded");
  CHECK_FALSE(recorded[0].seconds);
  const auto brief =
      History::parse(R"({"applied": ["1.0.0/001_a.py"], "history": [{"id": "1.0.0/001_a.py", "outcome": "applied"}]})");
  REQUIRE(brief.ok());
  CHECK_FALSE(merge_attempts({}, *brief, "")[0].seconds);
  CHECK_FALSE(
      merge_attempts({attempt("1.0.0/001_a.py", "failed", "2026-01-01T00:00:00Z")}, History(), "")[0].from_history);
}

TEST_CASE("a record that is taken back is gone with its entries, and the text of the rest reads back") {
  History history;
  for (const char* id : {"1.0.0/002_b.py", "1.0.0/001_a.py", "1.0.0/002_b.py"}) {
    Record record;
    record.id = id;
    record.outcome = "applied";
    history.add(record);
  }
  CHECK(history.order() == std::vector<std::string_view>{"1.0.0/002_b.py", "1.0.0/001_a.py"});
  CHECK(history.remove("1.0.0/002_b.py"));
  CHECK_FALSE(history.remove("1.0.0/002_b.py"));
  CHECK_FALSE(history.details("1.0.0/002_b.py"));
  CHECK(history.details("1.0.0/001_a.py"));
  CHECK(history.text().find("002_b") == std::string::npos);
  const auto again = History::parse(history.text());
  REQUIRE(again.ok());
  CHECK(again->applied().size() == 1);
}
