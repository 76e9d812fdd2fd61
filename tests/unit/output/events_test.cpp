// SPDX-License-Identifier: MIT
#include "output/events.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace telec;

namespace {

struct Written {
  std::vector<std::string> lines;
  Migration a = *Migration::parse("1.0.0/001_a.py");
  Events events{[this](std::string_view line) { lines.emplace_back(line); }, [] { return std::string("T"); }};

  void finish(State state) {
    ReportEntry entry;
    entry.id = a.id();
    entry.state = state;
    entry.seconds = 0.5;
    events.finished(entry);
  }
};

const std::string started =
    "{\"event\": \"started\", \"at\": \"T\", \"id\": \"1.0.0/001_a.py\", \"position\": 1, \"total\": 2}\n";

}  // namespace

TEST_CASE("each event is one line") {
  Written written;
  written.events.planned({&written.a});
  written.events.started(written.a, 1, 2);
  CHECK(written.lines ==
        std::vector<std::string>{"{\"event\": \"planned\", \"at\": \"T\", \"ids\": [\"1.0.0/001_a.py\"]}\n", started});
}

TEST_CASE("committed comes after finished, and only for what is recorded") {
  for (const State state : {State::applied, State::already_present, State::failed, State::interrupted,
                            State::unrecorded, State::not_reached}) {
    Written written;
    written.finish(state);
    const bool recorded = state == State::applied || state == State::already_present;
    CAPTURE(word_of(state));
    REQUIRE(written.lines.size() == (recorded ? 2 : 1));
    CHECK(written.lines.front().find("\"finished\"") != std::string::npos);
    CHECK((!recorded || written.lines.back().find("\"committed\"") != std::string::npos));
  }
}

TEST_CASE("output is cut at lines however it comes, and what has no end comes with the end of the script") {
  Written written;
  written.events.started(written.a, 1, 2);
  written.events.printed("on");
  written.events.printed("e\ntwo\n\nthr");
  CHECK(written.lines.size() == 4);
  written.finish(State::applied);
  CHECK(written.lines[4].find("\"text\": \"thr\"") != std::string::npos);
}

TEST_CASE("a line that ends in CRLF comes without its carriage return") {
  Written written;
  written.events.printed("one\r");
  written.events.printed("\na\rb\r\r\n");
  REQUIRE(written.lines.size() == 2);
  CHECK(written.lines[0].find("\"text\": \"one\"}") != std::string::npos);
  CHECK(written.lines[1].find("\"text\": \"a\\u000db\\u000d\"}") != std::string::npos);
}

TEST_CASE("a line without an end comes in bounded pieces") {
  Written written;
  written.events.printed(std::string(10000, 'x'));
  CHECK(written.lines.size() == 2);
  for (const std::string& line : written.lines) {
    CHECK(line.size() < 5000);
  }
}

TEST_CASE("bytes that are not UTF-8 make no line invalid") {
  Written written;
  written.events.printed("\xff\x01\"\\\n");
  CHECK(written.lines.back().find("\\u0001\\\"\\\\") != std::string::npos);
  CHECK(written.lines.back().find('\xff') == std::string::npos);
}
