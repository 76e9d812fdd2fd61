// SPDX-License-Identifier: MIT
// Entries that telec wrote itself are read by a shortcut. Whatever the shortcut takes, the general reading takes too,
// and to the same end; whatever it does not take is read, or refused, as ever.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "history.hpp"

using namespace telec;

namespace {

const std::string own =
    R"({"id": "1.2.0/003_x.py", "outcome": "applied", "at": "2026-11-22T07:30:00Z", "seconds": 0.021, "sha256": "ab", "python": "3.11.2", "telec": "0.1.0", "user": "ada", "host": null})";

std::string state_with(const std::string& entry) {
  return "{\"applied\": [\"1.2.0/003_x.py\"], \"history\": [\n    " + entry + "\n  ]}";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::string refusal(const std::string& entry) {
  auto history = History::parse(state_with(entry));
  return history ? "" : history.reason();
}

void check_same(const Record& a, const Record& b) {
  CHECK(a.outcome == b.outcome);
  CHECK(a.at == b.at);
  CHECK(a.seconds == b.seconds);
  CHECK(a.sha256 == b.sha256);
  CHECK(a.python == b.python);
  CHECK(a.telec == b.telec);
  CHECK(a.user == b.user);
  CHECK(a.host == b.host);
}

}  // namespace

TEST_CASE("the shortcut and the general reading come to the same record") {
  auto by_shortcut = History::parse(state_with(own));
  auto in_general = History::parse(state_with(replaced(own, "\"at\": ", "\"at\" : ")));
  REQUIRE(by_shortcut);
  REQUIRE(in_general);
  const auto a = by_shortcut->details("1.2.0/003_x.py");
  const auto b = in_general->details("1.2.0/003_x.py");
  REQUIRE(a);
  REQUIRE(b);
  check_same(*a, *b);
  CHECK(a->seconds == doctest::Approx(0.021));
  CHECK(a->user == "ada");
  CHECK(a->host.empty());
}

TEST_CASE("a record that was added is read back as it was") {
  History history;
  Record record;
  record.id = "1.2.0/003_x.py";
  record.outcome = "already_present";
  record.at = "2026-11-22T07:30:00Z";
  record.seconds = 12.345;
  record.sha256 = std::string(64, 'a');
  record.user = "o\"brien \xc3\xa9";  // escaped, and not ASCII: not for the shortcut
  history.add(record);
  auto again = History::parse(history.text());
  REQUIRE(again);
  const auto found = again->details(record.id);
  REQUIRE(found);
  check_same(*found, record);
  CHECK(again->text() == history.text());
}

TEST_CASE("how long is nothing where nobody knows, in either reading, and is not written as a number") {
  for (const char* place : {"\"at\": ", "\"at\" : "}) {
    CAPTURE(place);
    auto history = History::parse(state_with(replaced(replaced(own, "0.021", "null"), "\"at\": ", place)));
    REQUIRE(history);
    CHECK_FALSE(history->details("1.2.0/003_x.py")->seconds);
    CHECK(history->details("1.2.0/003_x.py")->user == "ada");
  }
  auto absent = History::parse(state_with(replaced(own, ", \"seconds\": 0.021", "")));
  REQUIRE(absent);
  CHECK_FALSE(absent->details("1.2.0/003_x.py")->seconds);
  History history;
  Record record;
  record.id = "1.2.0/003_x.py";
  record.outcome = "marked";
  history.add(record);
  CHECK(history.text().find("\"seconds\": null, ") != std::string::npos);
  CHECK(History::parse(history.text()));
}

TEST_CASE("text() after more records is what text() of the whole would be") {
  History grown;
  Record record;
  record.outcome = "applied";
  for (int i = 0; i < 40; ++i) {
    record.id = "1." + std::to_string(i) + ".0/001_x.py";
    grown.add(record);
    auto again = History::parse(grown.text());  // with the checksum compared
    REQUIRE(again);
    CHECK(again->text() == grown.text());
    CHECK(again->applied().size() == static_cast<std::size_t>(i + 1));
    CHECK(again->contains(record.id));
    CHECK_FALSE(again->contains("1." + std::to_string(i + 1) + ".0/001_x.py"));
  }
}

TEST_CASE("what is wrong in an entry is refused whether or not it is nearly in telec's own form") {
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"\"applied\"", "\"done\""},
      {"0.021", "00.021"},
      {"0.021", ".021"},
      {"0.021", "0.02x"},
      {"0.021", "-"},
      {"\"ab\"", "\"a\nb\""},
      {"\"ab\"", "\"a\\qb\""},
      {"\"ab\"", "ab"},
      {"\"ada\"", "\"\xff\""},
      {"\"ada\"", "\"ada"},
      {"null}", "nul}"},
      {"null}", "null"},
      {"\"1.2.0/003_x.py\"", "\"1.2.0/x.py\""},
      {"\"1.2.0/003_x.py\"", "\"1.02.0/003_x.py\""},
      {"\"1.2.0/003_x.py\"", "\"\""},
      {", \"at\"", ", \"id\""},
      {"\"telec\"", "\"python\""},
      {"null}", "null, }"},
      {"null}", "null}}"},
  };
  CHECK(refusal(own).empty());
  for (const auto& fault : faults) {
    const std::string& what = fault.first;
    const std::string& by = fault.second;
    CAPTURE(what);
    CAPTURE(by);
    CHECK_FALSE(refusal(replaced(own, what, by)).empty());
    // The same fault where the end of the entry is that of the one before it.
    CHECK_FALSE(refusal(own + ",\n" + replaced(own, what, by)).empty());
  }
}

TEST_CASE("an id in the history that is not one of the applied ones is looked at") {
  CHECK(refusal(own + ",\n" + replaced(own, "1.2.0/003_x.py", "1.1.0/001_y.py")).empty());
  CHECK_FALSE(refusal(own + ",\n" + replaced(own, "1.2.0/003_x.py", "1.1.0/01_y.py")).empty());
}

TEST_CASE("an id that stands twice counts once, and the checksum is over what was written") {
  const std::string ids = R"(["1.2.0/003_x.py", "1.1.0/001_y.py", "1.2.0/003_x.py"])";
  auto history = History::parse("{\"applied\": " + ids + "}");
  REQUIRE(history);
  CHECK(history->applied().size() == 2);
  CHECK(History::parse(history->text()));
}
