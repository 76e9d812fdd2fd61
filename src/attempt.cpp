// SPDX-License-Identifier: MIT
#include "attempt.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "history.hpp"
#include "json_scanner.hpp"
#include "json_text.hpp"
#include "migration.hpp"
#include "text.hpp"

namespace telec {
namespace {

constexpr std::size_t message_limit = 1000;

std::string optional_text(JsonScanner& in) {
  if (in.peek() == JsonScanner::Type::null) {
    in.skip();
    return {};
  }
  return in.string();
}

std::optional<AttemptRecord> read_attempt(std::string_view line) {
  AttemptRecord attempt;
  try {
    JsonScanner in(line, 4);
    in.object([&](std::string_view key) {
      if (key == "id") {
        attempt.id = in.string();
      } else if (key == "outcome") {
        attempt.outcome = in.string();
      } else if (key == "at") {
        attempt.at = optional_text(in);
      } else if (key == "seconds" && in.peek() != JsonScanner::Type::null) {
        if (const double seconds = in.number(); is_duration(seconds)) {
          attempt.seconds = seconds;
        }
      } else if (key == "stage") {
        attempt.stage = optional_text(in);
      } else if (key == "message") {
        attempt.message = optional_text(in);
      } else if (key == "sha256") {
        attempt.sha256 = optional_text(in);
      } else if (key == "python") {
        attempt.python = optional_text(in);
      } else if (key == "telec") {
        attempt.telec = optional_text(in);
      } else if (key == "user") {
        attempt.user = optional_text(in);
      } else if (key == "host") {
        attempt.host = optional_text(in);
      } else if (key == "log") {
        attempt.log = optional_text(in);
      } else {
        in.skip();
      }
    });
    in.finish();
  } catch (const JsonFault&) {
    return std::nullopt;
  }
  // The log's name is opened later: nothing that leads out of the directory.
  if (!Migration::parse(attempt.id) || attempt.log.find('/') != std::string::npos) {
    return std::nullopt;
  }
  return attempt;
}

AttemptRecord attempt_of(const Record& record) {
  AttemptRecord attempt;
  attempt.id = record.id;
  attempt.outcome = record.outcome.empty() ? "recorded" : record.outcome;
  attempt.at = record.at;
  if (record.outcome != "marked") {
    attempt.seconds = record.seconds;
  }
  attempt.message = record.reason;
  attempt.sha256 = record.sha256;
  attempt.python = record.python;
  attempt.telec = record.telec;
  attempt.user = record.user;
  attempt.host = record.host;
  attempt.from_history = true;
  return attempt;
}

/// A byte may take six when it is escaped.
std::string message_that_fits(const std::string& message) {
  std::string cut = shortened(message, message_limit);
  for (std::size_t limit = message_limit; json_string(cut).size() > 2 * message_limit; limit /= 2) {
    cut = shortened(message, limit);
  }
  return cut;
}

}  // namespace

std::string attempt_line(const AttemptRecord& attempt) {
  std::string line = "{\"id\": " + json_string(attempt.id) + ", \"outcome\": " + json_string(attempt.outcome) +
                     ", \"at\": " + json_string(attempt.at) + ", \"seconds\": " + json_seconds(attempt.seconds);
  const auto add = [&](const char* key, const std::string& value) {
    line.append(", \"").append(key).append("\": ").append(value.empty() ? "null" : json_string(value));
  };
  add("stage", attempt.stage);
  add("message", message_that_fits(attempt.message));
  add("sha256", attempt.sha256);
  add("python", attempt.python);
  add("telec", attempt.telec);
  add("user", attempt.user);
  add("host", attempt.host);
  add("log", attempt.log);
  return line + "}\n";
}

std::vector<AttemptRecord> read_attempts(std::string_view text) {
  std::vector<AttemptRecord> attempts;
  for (const std::string_view line : lines_of(text)) {
    if (auto attempt = read_attempt(line)) {
      attempts.push_back(std::move(*attempt));
    }
  }
  return attempts;
}

std::vector<AttemptRecord> merge_attempts(std::vector<AttemptRecord> attempts, const History& history,
                                          std::string_view id) {
  std::set<std::pair<std::string, std::string>> known;
  // They stand in the order in which they were made, whatever the clock said: it may have gone back. So each counts as
  // not earlier than the one before it, and only what is added from the history has its place by its time.
  std::vector<std::pair<std::string, AttemptRecord>> placed;
  for (AttemptRecord& attempt : attempts) {
    known.emplace(attempt.id, attempt.at);
    std::string place = placed.empty() ? attempt.at : std::max(placed.back().first, attempt.at);
    placed.emplace_back(std::move(place), std::move(attempt));
  }
  for (const std::string_view applied : history.applied()) {
    Record record = history.details(applied).value_or(Record());
    record.id = std::string(applied);
    if (!known.contains({record.id, record.at})) {
      placed.emplace_back(record.at, attempt_of(record));
    }
  }
  // Times have whole seconds: what is equal stays in the order in which it was written, which is turned around below.
  std::ranges::stable_sort(placed, {}, &std::pair<std::string, AttemptRecord>::first);
  std::ranges::reverse(placed);
  std::vector<AttemptRecord> newest_first;
  for (auto& [place, attempt] : placed) {
    if (id.empty() || attempt.id == id) {
      newest_first.push_back(std::move(attempt));
    }
  }
  return newest_first;
}

}  // namespace telec
