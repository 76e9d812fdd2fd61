// SPDX-License-Identifier: MIT
#include "output/status_table.hpp"

#include <doctest/doctest.h>

#include <string>

#include "output/width.hpp"
#include "text.hpp"

using namespace telec;

namespace {

const Style plain;

Style on_a_terminal_of(std::size_t columns) {
  Style style;
  style.columns = columns;
  return style;
}

ReportEntry entry(const std::string& id, State state) {
  ReportEntry result;
  result.id = id;
  result.state = state;
  return result;
}

Report example() {
  ReportEntry known = entry("1.0.0/001_a.py", State::recorded);
  known.at = "2026-11-22T07:30:00Z";
  known.outcome = "applied";
  known.seconds = 0.021;
  ReportEntry present = entry("1.0.0/002_bb.py", State::recorded);
  present.outcome = "already_present";
  present.seconds = 0.5;
  present.changed = true;
  ReportEntry marked = entry("1.0.0/003_c.py", State::recorded);
  marked.outcome = "marked";
  marked.seconds = 0;
  marked.gone = true;
  ReportEntry late = entry("1.0.0/004_d.py", State::pending);
  late.late = true;
  Report report;
  report.entries = {known, present, marked, late, entry("1.0.0/005_e.py", State::pending)};
  report.recorded = 3;
  report.pending = 2;
  return report;
}

}  // namespace

TEST_CASE("with room there is a column for each thing that is known") {
  CHECK(status_table(example(), plain) ==
        "ID               STATE            WHEN                  TOOK     DIFFERS\n"
        "1.0.0/001_a.py   applied          2026-11-22 07:30:00Z  0.021 s\n"
        "1.0.0/002_bb.py  already present                        0.500 s  script changed\n"
        "1.0.0/003_c.py   marked                                          script gone\n"
        "1.0.0/004_d.py   pending                                         late\n"
        "1.0.0/005_e.py   pending\n");
}

TEST_CASE("a column that nobody fills is left out") {
  Report report;
  report.entries = {entry("1.0.0/001_a.py", State::pending)};
  CHECK(status_table(report, plain) == "ID              STATE\n1.0.0/001_a.py  pending\n");
  CHECK(status_table({}, plain).empty());
}

TEST_CASE("a narrower terminal loses how long, then the hour, then the day, and never what differs") {
  CHECK(status_table(example(), on_a_terminal_of(70)).find("TOOK") == std::string::npos);
  CHECK(status_table(example(), on_a_terminal_of(70)).find("07:30:00Z") != std::string::npos);
  CHECK(status_table(example(), on_a_terminal_of(62)).find(" 07:30") == std::string::npos);
  CHECK(status_table(example(), on_a_terminal_of(62)).find("2026-11-22") != std::string::npos);
  CHECK(status_table(example(), on_a_terminal_of(50)).find("WHEN") == std::string::npos);
  CHECK(status_table(example(), on_a_terminal_of(40)).find("\n  script changed\n") != std::string::npos);
}

TEST_CASE("no line is wider than the terminal") {
  for (std::size_t columns = 25; columns < 120; ++columns) {
    const std::string table = status_table(example(), on_a_terminal_of(columns));
    for (const std::string_view line : lines_of(table)) {
      CAPTURE(columns);
      CAPTURE(std::string(line));
      CHECK(columns_of(line) <= columns);
    }
  }
}

TEST_CASE("the sums count what there is, listed or not, and only that") {
  Report report = example();
  CHECK(status_sums(report, plain) ==
        "5 migrations: 3 recorded, 2 pending, 1 changed since, 1 without a script, 1 late\n");
  report.problems.push_back({"misnamed_file", "x", "y"});
  CHECK(status_sums(report, plain).ends_with(", 1 problem\n"));
  CHECK(status_sums({}, plain) == "0 migrations: 0 recorded, 0 pending\n");
  report.entries.clear();
  CHECK(status_sums(report, plain) == "5 migrations: 3 recorded, 2 pending, 1 problem\n");
}

TEST_CASE("what needs attention is what is pending or differs; having run out of order is history") {
  CHECK(attention_text(example(), plain) ==
        "1.0.0/002_bb.py  already present  script changed\n"
        "1.0.0/003_c.py   marked           script gone\n"
        "1.0.0/004_d.py   pending          late\n"
        "1.0.0/005_e.py   pending\n");
  ReportEntry done = entry("1.0.0/001_a.py", State::recorded);
  done.out_of_order = true;
  CHECK_FALSE(needs_attention(done));
  CHECK(differences_text(done) == "ran out of order");
}

TEST_CASE("what needs attention fits the terminal: first what differs goes below, then the middle of the id goes") {
  const std::string below = attention_text(example(), on_a_terminal_of(40));
  CHECK(below.starts_with(
      "1.0.0/002_bb.py  already present\n  script changed\n1.0.0/003_c.py   marked\n  script gone\n"));
  CHECK(below.ends_with("1.0.0/005_e.py   pending\n"));
  CHECK(attention_text(example(), on_a_terminal_of(30)).starts_with("1.0.0...bb.py  already present\n"));
  for (std::size_t columns = 25; columns < 60; ++columns) {
    CAPTURE(columns);
    const std::string text = attention_text(example(), on_a_terminal_of(columns));
    for (const std::string_view line : lines_of(text)) {
      CHECK(columns_of(line) <= columns);
    }
  }
}

TEST_CASE("a time or an outcome from the state file cannot steer a terminal") {
  ReportEntry odd = entry("1.0.0/001_a.py", State::recorded);
  odd.at = "\x1b[2J";
  odd.outcome = "\x1b[1m";
  Report report;
  report.entries = {odd};
  CHECK(status_table(report, plain).find('\x1b') == std::string::npos);
}
