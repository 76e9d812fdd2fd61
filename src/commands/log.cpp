// SPDX-License-Identifier: MIT
#include <algorithm>

#include "../attempt.hpp"
#include "../output/text.hpp"
#include "../system/attempts_file.hpp"
#include "../system/state_file.hpp"
#include "../text.hpp"
#include "checks.hpp"
#include "commands.hpp"

namespace telec {
namespace {

/// An id that was never tried, and is not in the tree either: most likely mistyped.
void refuse_unknown(const std::string& id, const std::vector<AttemptRecord>& all, const Catalog& catalog) {
  std::vector<std::string_view> known = ids_of(catalog);
  known.reserve(known.size() + all.size());
  for (const AttemptRecord& attempt : all) {
    known.emplace_back(attempt.id);
  }
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  throw Error(ErrorCode::usage, "no attempt of " + quoted(id) + " is known",
              meant_id(id, known, "'telec migrate log' lists the attempts"));
}

/// The newest that is no change by hand: those print nothing. Where there is none, the newest.
const AttemptRecord& last_that_ran(const std::vector<AttemptRecord>& attempts) {
  const auto ran = std::ranges::find_if(attempts, [](const AttemptRecord& attempt) {
    return attempt.outcome != word_of(State::marked) && attempt.outcome != word_of(State::forgotten);
  });
  return ran == attempts.end() ? attempts.front() : *ran;
}

}  // namespace

int show_log(const Invocation& invocation, Voice& voice, Report& report) {
  const StateDirectory directory(state_path(invocation));
  const History history = StateFile(directory).load();
  std::vector<AttemptRecord> attempts;
  if (directory.exists()) {
    attempts = kept_attempts(directory.descriptor(), directory.directory());
  }
  if (invocation.arguments.empty()) {
    report.attempts = merge_attempts(std::move(attempts), history, "");
    voice.say(attempts_text(report, voice.result_style(), invocation.verbose));
    return voice.finish(report, 0);
  }
  const std::string& id = invocation.arguments.front();
  report.attempts = merge_attempts(attempts, history, id);
  if (report.attempts.empty()) {
    const Catalog catalog = readable_catalog(invocation);
    if (catalog.find(id) == nullptr) {
      refuse_unknown(id, merge_attempts(std::move(attempts), history, ""), catalog);
    }
    voice.say(sum_line(id + " is pending, and was never tried", voice.result_style()));
    return voice.finish(report, 0);
  }
  const AttemptRecord& last = last_that_ran(report.attempts);
  if (!last.log.empty()) {
    report.output = kept_log(directory.descriptor(), last.log);
  }
  voice.say(attempts_text(report, voice.result_style(), true));
  voice.say(output_text(last, report.output, voice.result_style()));
  return voice.finish(report, 0);
}

}  // namespace telec
