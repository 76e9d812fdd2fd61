// SPDX-License-Identifier: MIT
#include "output/text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "text.hpp"

using namespace telec;

namespace {

const Style plain;

ReportEntry entry(const std::string& id, State state, std::optional<double> seconds = {}) {
  ReportEntry result;
  result.id = id;
  result.state = state;
  result.seconds = seconds;
  return result;
}

Report report_of(const std::vector<ReportEntry>& entries) {
  Report report;
  report.entries = entries;
  return report;
}

std::string without_colour(std::string text) {
  for (std::size_t at = text.find('\033'); at != std::string::npos; at = text.find('\033')) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  return text;
}

const std::string A = "1.0.0/001_a.py";
const std::string B = "1.0.0/002_bb.py";

}  // namespace

TEST_CASE("a line has outcome, id and seconds in columns") {
  CHECK(entry_line(entry(A, State::applied, 0.021), 16, plain) == "applied          1.0.0/001_a.py    0.021 s\n");
  CHECK(entry_line(entry(A, State::already_present, 1), 0, plain) == "already present  1.0.0/001_a.py  1.000 s\n");
  CHECK(entry_line(entry(A, State::not_reached), 20, plain) == "not reached      1.0.0/001_a.py\n");
  CHECK(entry_line(entry(A, State::not_reached, 0.5), 20, plain) == "not reached      1.0.0/001_a.py\n");
  CHECK(entry_line(entry(A, State::unrecorded, 0.5), 0, plain) == "unrecorded       1.0.0/001_a.py  0.500 s\n");
}

TEST_CASE("where the columns do not fit, first they go, then the seconds, then the middle of the id") {
  Style style;
  const auto line = [&](std::size_t columns) {
    style.columns = columns;
    return entry_line(entry("1.0.0/001_rename_key.py", State::already_present, 0.5), 30, style);
  };
  CHECK(line(58) == "already present  1.0.0/001_rename_key.py         0.500 s\n");
  CHECK(line(50) == "already present  1.0.0/001_rename_key.py  0.500 s\n");
  CHECK(line(48) == "already present  1.0.0/001_rename_key.py\n");
  CHECK(line(36) == "already present  1.0.0/00...e_key.py\n");
  for (std::size_t columns = 20; columns < 70; ++columns) {
    CHECK(line(columns).size() - 1 <= columns);
  }
}

TEST_CASE("on a narrow terminal an attempt takes two lines") {
  Report report;
  AttemptRecord one;
  one.id = "1.0.0/001_rename_key.py";
  one.outcome = "failed";
  one.at = "2026-11-22T07:30:00Z";
  one.seconds = 0.021;
  one.stage = "check";
  one.message = "a reason that takes more than one line";
  AttemptRecord two = one;
  two.outcome = "marked";
  two.seconds.reset();
  two.stage.clear();
  two.message.clear();
  report.attempts = {one, two};
  Style style;
  CHECK(attempts_text(report, style, false) ==
        "2026-11-22 07:30:00Z  failed           1.0.0/001_rename_key.py  0.021 s\n"
        "    at check: a reason that takes more than one line\n"
        "2026-11-22 07:30:00Z  marked           1.0.0/001_rename_key.py\n");
  style.columns = 40;
  CHECK(attempts_text(report, style, false) ==
        "2026-11-22 07:30:00Z  failed  0.021 s\n"
        "  1.0.0/001_rename_key.py\n"
        "    at check: a reason that takes more\n"
        "      than one line\n"
        "2026-11-22 07:30:00Z  marked\n"
        "  1.0.0/001_rename_key.py\n");
  style.columns = 24;
  CHECK(attempts_text(report, style, false).starts_with("2026-11-22 07:30  failed\n  1.0.0/001_...me_key.py\n"));
}

TEST_CASE("sentences are broken on a terminal, and nowhere else") {
  Style style;
  style.columns = 40;
  CHECK(note_line("a sentence that does not fit in forty columns", style) ==
        "telec: note: a sentence that does not\n       fit in forty columns\n");
  CHECK(note_line("a sentence that does not fit in forty columns", plain) ==
        "telec: note: a sentence that does not fit in forty columns\n");
  CHECK(findings_text({{"torn_write", "v1.0.0/001_a.py", 3, "half a file may be left",
                        "write it as:\n    code is never broken, wherever it ends"}},
                      style) ==
        "v1.0.0/001_a.py:3: torn_write: half a\n    file may be left\n    write it as:\n        code is never broken, "
        "wherever it ends\n");
  CHECK(error_text(report_error(Error(ErrorCode::io, "cannot read the state file",
                                      "try it again with: telec migrate status --json")),
                   style) ==
        "telec: error: cannot read the state file\nhint: try it again with:\n      telec migrate status --json\n");
}

TEST_CASE("what does not fit behind its word, and fits below it, stands there") {
  Style style;
  style.columns = 40;
  CHECK(findings_text({{"unrecorded", "v1.0.0/001_create_workspaces.py", 0, "it is there", ""}}, style) ==
        "v1.0.0/001_create_workspaces.py:\n    unrecorded: it is there\n");
  CHECK(note_line("1.0.0/001_create_workspaces.py is recorded", style) ==
        "telec: note:\n       1.0.0/001_create_workspaces.py is\n       recorded\n");
  CHECK(note_line("1.0.0/001_wider_than_forty_columns_anyway.py", style) ==
        "telec: note: 1.0.0/001_wider_than_forty_columns_anyway.py\n");
}

TEST_CASE("a record without a run behind it does not claim what nobody knows") {
  AttemptRecord last;
  last.id = A;
  last.outcome = "marked";
  CHECK(output_text(last, std::nullopt, plain) == "1.0.0/001_a.py was recorded by hand: nothing was run\n");
  last.outcome = "forgotten";
  CHECK(output_text(last, std::nullopt, plain) == "the record of 1.0.0/001_a.py was taken back: nothing was run\n");
  last.outcome = "applied";
  last.from_history = true;
  CHECK(output_text(last, std::nullopt, plain) ==
        "what 1.0.0/001_a.py printed is not known: only its record is kept\n");
}

TEST_CASE("a log that is gone is not the same as nothing that was printed") {
  AttemptRecord last;
  last.id = A;
  CHECK(output_text(last, std::nullopt, plain) == "the last attempt of 1.0.0/001_a.py printed nothing\n");
  last.log = "x.log";
  CHECK(output_text(last, std::nullopt, plain) == "the log of the last attempt of 1.0.0/001_a.py is no longer kept\n");
  CHECK(output_text(last, "one\ntwo\x1b\n", plain) ==
        "the log of the last attempt of 1.0.0/001_a.py:\n  | one\n  | two\\x1b\n");
}

TEST_CASE("what doctor saw stands in columns, and on a narrow terminal below its name") {
  Report report;
  report.health = {{"disk", true, "ext4, 40 GiB free", ""},
                   {"permissions", false, "others can reach it", "chmod 0700 it"}};
  CHECK(health_text(report, plain) ==
        "ok    disk          ext4, 40 GiB free\nmend  permissions   others can reach it\n                    chmod "
        "0700 it\n"
        "1 thing to mend\n");
  Style style;
  style.columns = 30;
  CHECK(health_text(report, style) ==
        "ok    disk: ext4, 40 GiB free\nmend  permissions: others can\n      reach it\n      chmod 0700 it\n1 thing to "
        "mend\n");
  CHECK(mend_text(report, plain) == "mend  permissions   others can reach it\n                    chmod 0700 it\n");
  report.health.pop_back();
  CHECK(mend_text(report, plain).empty());
}

TEST_CASE("colour changes nothing but the colour") {
  Style style;
  style.color = true;
  for (const State state : {State::pending, State::recorded, State::applied, State::already_present, State::failed,
                            State::interrupted, State::unrecorded, State::not_reached}) {
    const std::string coloured = entry_line(entry(A, state, 0.5), 20, style);
    CHECK(coloured != entry_line(entry(A, state, 0.5), 20, plain));
    CHECK(without_colour(coloured) == entry_line(entry(A, state, 0.5), 20, plain));
    CHECK(coloured.find("\033[0m") != std::string::npos);
  }
  CHECK(without_colour(note_line("x", style)) == note_line("x", plain));
}

TEST_CASE("a summary counts every outcome that there was, and no other") {
  CHECK(run_summary(report_of({entry(A, State::applied), entry(B, State::already_present)}), plain) ==
        "done: 2 migrations, 1 applied, 1 already present\n");
  CHECK(run_summary(report_of({entry(A, State::applied)}), plain) == "done: 1 migration, 1 applied\n");
  Report failed = report_of({entry(A, State::applied), entry(B, State::failed), entry(B, State::not_reached)});
  failed.error = ReportError{};
  CHECK(run_summary(failed, plain) == "stopped: 3 migrations, 1 applied, 1 failed, 1 not reached\n");
  Report others = report_of({entry(A, State::interrupted), entry(B, State::unrecorded)});
  others.error = ReportError{};
  CHECK(run_summary(others, plain) == "stopped: 2 migrations, 1 interrupted, 1 unrecorded\n");
}

TEST_CASE("nothing to do says why") {
  Report report;
  CHECK(run_summary(report, plain) == "nothing to do: no migrations in the tree\n");
  report.in_tree = 3;
  report.recorded = 3;
  CHECK(run_summary(report, plain) == "nothing to do: 3 migrations recorded, none pending\n");
  report.recorded = 1;
  CHECK(run_summary(report, plain) == "nothing to do: 1 migration recorded, none pending\n");
  report.range = *Range::between(*Version::parse("1.0.0"), std::nullopt);
  CHECK(run_summary(report, plain) == "nothing to do: 1 migration in range recorded, none pending\n");
  report.recorded = 0;
  CHECK(run_summary(report, plain) == "nothing to do: none in range, 3 in the tree\n");
}

TEST_CASE("a dry run lists what would run, and says that nothing was") {
  const Migration a = *Migration::parse(A);
  const Migration b = *Migration::parse(B);
  CHECK(dry_run_text({&a, &b}, {}, plain) ==
        "pending          1.0.0/001_a.py\npending          1.0.0/002_bb.py\ndry run: 2 migrations would run, nothing "
        "was run\n");
  CHECK(dry_run_text({}, {}, plain) == "nothing to do: no migrations in the tree\n");
}

TEST_CASE("the list of a dry run keeps its columns on a narrow terminal") {
  const Migration a = *Migration::parse(A);
  const Migration long_one = *Migration::parse("1.0.0/002_a_name_that_is_long.py");
  Style style;
  style.columns = 40;
  CHECK(dry_run_text({&a, &long_one}, {}, style)
            .starts_with("pending  1.0.0/001_a.py\npending  1.0.0/002_a_na...hat_is_long.py\n"));
  style.columns = 60;
  CHECK(dry_run_text({&a, &long_one}, {}, style)
            .starts_with("pending          1.0.0/001_a.py\npending          1.0.0/002"));
}

TEST_CASE("problems are one line each, with a path in quotes where it is unusual") {
  CHECK(problem_lines(
            {{"misnamed_file", "v1.1.0/2\n\x1b_x.py", "expected"}, {"out_of_order", "v1.1.0/001_a.py", "late"}},
            plain) == "telec: problem: 'v1.1.0/2\\x0a\\x1b_x.py': expected\ntelec: problem: v1.1.0/001_a.py: late\n");
  CHECK(problem_lines({{"misnamed_directory", "v1.0.0 ", "expected"}}, plain) ==
        "telec: problem: 'v1.0.0 ': expected\n");
  CHECK(findings_text({{"misnamed_directory", "v1.0.0 ", 0, "expected", ""}}, plain) ==
        "'v1.0.0 ': misnamed_directory: expected\n");
  CHECK(problem_lines({}, plain).empty());
}

TEST_CASE("an error of the tool is one line and its hint") {
  CHECK(error_text(report_error(Error(ErrorCode::io, "cannot read 'x': No such file", "look")), plain) ==
        "telec: error: cannot read 'x': No such file\nhint: look\n");
  CHECK(error_text(report_error(Error(ErrorCode::io, "m")), plain) == "telec: error: m\n");
}

TEST_CASE("an error of a migration has id, stage, traceback, last output, log and hint, in this order") {
  ReportError error;
  error.code = ErrorCode::migration_failed;
  error.id = A;
  error.stage = "migrate";
  error.message = "ValueError: x";
  error.traceback = "Traceback:\n  line\n";
  error.output_tail = "one\ntwo\n";
  error.log = "/logs/x.log";
  error.hint = "mend it";
  CHECK(error_text(error, plain) ==
        "telec: error: 1.0.0/001_a.py failed at migrate: ValueError: x\n  Traceback:\n    line\nthe last that it "
        "printed:\n"
        "  | one\n  | two\nlog: /logs/x.log\nhint: mend it\n");
}

TEST_CASE("each kind of ending has its verb") {
  ReportError error;
  error.id = A;
  error.stage = "check";
  error.message = "m";
  error.code = ErrorCode::timeout;
  CHECK(error_text(error, plain) == "telec: error: 1.0.0/001_a.py timed out at check: m\n");
  error.code = ErrorCode::interrupted;
  CHECK(error_text(error, plain) == "telec: error: 1.0.0/001_a.py was interrupted at check: m\n");
  error.code = ErrorCode::unrecorded;
  CHECK(error_text(error, plain) == "telec: error: 1.0.0/001_a.py: m\n");
  error.code = ErrorCode::no_python;
  CHECK(error_text(error, plain).find("telec: error: 1.0.0/001_a.py") == 0);
}

TEST_CASE("nothing that a script said can steer the terminal or forge a line of ours") {
  const std::string evil = "x\r\x1b[2J\xc2\x9b\xe2\x80\xae\ntelec: error: forged";
  ReportError error;
  error.code = ErrorCode::migration_failed;
  error.id = A;
  error.stage = "migrate";
  error.message = evil;
  error.traceback = evil;
  error.output_tail = evil;
  error.log = evil;
  error.hint = evil;
  const std::string text = error_text(error, plain);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find("\xc2\x9b") == std::string::npos);
  std::size_t ours = 0;
  for (const std::string_view line : lines_of(text)) {
    CHECK(line == printable(line));
    ours += line.starts_with("telec: ") ? 1 : 0;
  }
  CHECK(ours == 1);
  const std::string note = note_line(evil, plain);
  CHECK(lines_of(note).size() == 1);
}

TEST_CASE("only the last lines of much output are shown") {
  ReportError error;
  error.message = "m";
  for (int i = 1; i <= 100; ++i) {
    error.output_tail += "line " + std::to_string(i) + "\n";
    error.traceback += "frame " + std::to_string(i) + "\n";
  }
  const std::string text = error_text(error, plain);
  CHECK(text.find("  | line 80\n") == std::string::npos);
  CHECK(text.find("  | line 81\n") != std::string::npos);
  CHECK(text.find("  | line 100\n") != std::string::npos);
  CHECK(text.find("  frame 40\n") == std::string::npos);
  CHECK(text.find("  frame 41\n") != std::string::npos);
}
