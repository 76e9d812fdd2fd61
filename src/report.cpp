// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>

namespace telec {

const char* word_of(State state) {
  switch (state) {
    case State::pending: return "pending";
    case State::recorded: return "recorded";
    case State::applied: return "applied";
    case State::already_present: return "already_present";
    case State::failed: return "failed";
    case State::interrupted: return "interrupted";
    case State::unrecorded: return "unrecorded";
    case State::not_reached: return "not_reached";
    case State::ok: return "ok";
    case State::regressed: return "regressed";
    case State::marked: return "marked";
    case State::forgotten: return "forgotten";
  }
  return "pending";
}

std::size_t Report::count(State state) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries, [&](const ReportEntry& entry) { return entry.state == state; }));
}

int Report::exit_code() const { return error ? exit_code_of(error->code, error->signal) : 0; }

ReportError report_error(const Error& error) {
  ReportError result;
  result.code = error.code;
  result.message = error.message;
  result.hint = error.hint;
  result.signal = error.signal;
  return result;
}

}  // namespace telec
