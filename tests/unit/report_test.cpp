// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

using namespace telec;

TEST_CASE("every error has its word and its exit code") {
  const std::vector<std::tuple<ErrorCode, std::string, int>> rows = {
      {ErrorCode::usage, "usage", 2},
      {ErrorCode::migration_failed, "migration_failed", 1},
      {ErrorCode::timeout, "timeout", 1},
      {ErrorCode::unrecorded, "unrecorded", 5},
      {ErrorCode::state_untrusted, "state_untrusted", 65},
      {ErrorCode::tree_untrusted, "tree_untrusted", 65},
      {ErrorCode::no_python, "no_python", 69},
      {ErrorCode::io, "io", 74},
      {ErrorCode::locked, "locked", 75},
      {ErrorCode::deferred, "deferred", 75},
      {ErrorCode::unsafe, "unsafe", 77},
  };
  for (const auto& row : rows) {
    const auto& code = std::get<0>(row);
    const auto& word = std::get<1>(row);
    const auto& exit_code = std::get<2>(row);
    CAPTURE(word);
    CHECK(word_of(code) == word);
    CHECK(exit_code_of(code) == exit_code);
    Report report;
    report.error = report_error(Error(code, "m", "h"));
    CHECK(report.exit_code() == exit_code);
  }
}

TEST_CASE("an interrupted run exits with 128 and the signal") {
  CHECK(std::string(word_of(ErrorCode::interrupted)) == "interrupted");
  CHECK(exit_code_of(ErrorCode::interrupted, 2) == 130);
  CHECK(exit_code_of(ErrorCode::interrupted, 15) == 143);
  CHECK(exit_code_of(ErrorCode::interrupted, 1) == 129);
  Error error(ErrorCode::interrupted, "stopped");
  error.signal = 15;
  Report report;
  report.error = report_error(error);
  CHECK(report.exit_code() == 143);
}

TEST_CASE("a report without an error exits with 0, also where something is pending") {
  Report report;
  CHECK(report.exit_code() == 0);
  report.entries.push_back({});
  report.problems.push_back({"misnamed_file", "p", "m"});
  CHECK(report.count(State::pending) == 1);
  CHECK(report.exit_code() == 0);
  CHECK(pending_exit_code == 3);
}

TEST_CASE("an error is carried into the report whole") {
  const ReportError error = report_error(Error(ErrorCode::io, "cannot read 'x'", "look"));
  CHECK(error.code == ErrorCode::io);
  CHECK(error.message == "cannot read 'x'");
  CHECK(error.hint == "look");
  CHECK(error.id.empty());
  CHECK(std::string(Error(ErrorCode::io, "cannot read 'x'").what()) == "cannot read 'x'");
}

TEST_CASE("states have their words, and are counted") {
  const std::vector<std::pair<State, std::string>> rows = {
      {State::pending, "pending"},       {State::recorded, "recorded"},
      {State::applied, "applied"},       {State::already_present, "already_present"},
      {State::failed, "failed"},         {State::interrupted, "interrupted"},
      {State::unrecorded, "unrecorded"}, {State::not_reached, "not_reached"}};
  Report report;
  std::size_t times = 0;
  for (const auto& row : rows) {
    const auto& state = row.first;
    const auto& word = row.second;
    CHECK(word_of(state) == word);
    ++times;
    for (std::size_t i = 0; i < times; ++i) {
      ReportEntry entry;
      entry.state = state;
      report.entries.push_back(entry);
    }
    CHECK(report.count(state) == times);
  }
}
