// SPDX-License-Identifier: MIT
#include "users.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "json_scanner.hpp"
#include "text.hpp"

namespace telec {
namespace {

constexpr unsigned document_depth = 16;
constexpr std::size_t reason_limit = 2000;

std::optional<unsigned> number_in(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string_view> words_of_line(std::string_view line) {
  constexpr std::string_view blanks = " \t";
  std::vector<std::string_view> words;
  std::size_t begin = line.find_first_not_of(blanks);
  while (begin != std::string_view::npos && line[begin] != '#') {
    const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(blanks, end);
  }
  return words;
}

/// A string, or null as the empty one.
std::string text_or_null(JsonScanner& scanner) {
  if (scanner.peek() == JsonScanner::Type::null) {
    scanner.skip();
    return {};
  }
  return scanner.string();
}

struct DocumentError {
  bool present = false;
  std::string message;
  std::string id;
  std::string stage;
};

void read_migrations(JsonScanner& scanner, UserReport& report) {
  scanner.array([&] {
    std::string state;
    bool late = false;
    scanner.object([&](std::string_view key) {
      if (key == "state") {
        state = scanner.string();
      } else if (key == "late") {
        late = scanner.boolean();
      } else {
        scanner.skip();
      }
    });
    const bool applied = state == "applied" || state == "already_present";
    const bool pending = state == "pending";
    report.applied += applied ? 1U : 0U;
    report.pending += pending ? 1U : 0U;
    report.late += late && (applied || pending) ? 1U : 0U;
  });
}

void read_error(JsonScanner& scanner, UserReport& report, DocumentError& error) {
  if (scanner.peek() == JsonScanner::Type::null) {
    scanner.skip();
    return;
  }
  error.present = true;
  scanner.object([&](std::string_view key) {
    if (key == "message") {
      error.message = scanner.string();
    } else if (key == "id") {
      error.id = text_or_null(scanner);
    } else if (key == "stage") {
      error.stage = text_or_null(scanner);
    } else if (key == "log") {
      report.log = text_or_null(scanner);
    } else if (key == "hint") {
      report.hint = text_or_null(scanner);
    } else {
      scanner.skip();
    }
  });
}

/// Fills what the document tells. False where it is none; then nothing of it is kept.
bool read_document(std::string text, UserReport& report) {
  UserReport read = report;
  DocumentError error;
  try {
    JsonScanner scanner(text, document_depth);
    scanner.object([&](std::string_view key) {
      if (key == "migrations") {
        read_migrations(scanner, read);
      } else if (key == "error") {
        read_error(scanner, read, error);
      } else {
        scanner.skip();
      }
    });
    scanner.finish();
  } catch (const JsonFault&) {
    return false;
  }
  if (error.present) {
    read.reason = error.id;
    if (!error.id.empty()) {
      read.reason += error.stage.empty() ? ": " : " at " + error.stage + ": ";
    }
    read.reason = shortened(read.reason + error.message, reason_limit);
  }
  read.document = std::move(text);
  report = std::move(read);
  return true;
}

UserState state_for_exit(int code, const UsersAsked& asked) {
  switch (code) {
    case 0:
    case 3: return UserState::ok;
    case 69:  // no python3: perhaps it is being upgraded too
      return asked.names_python ? UserState::failed : UserState::deferred;
    case 75:   // another run of theirs is under way
    case 129:  // stopped by a person, between two migrations
    case 130:
    case 143: return UserState::deferred;
    default: return UserState::failed;
  }
}

}  // namespace

UidLimits uid_limits_in(std::string_view login_defs) {
  UidLimits limits;
  for (const std::string_view line : lines_of(login_defs)) {
    const auto words = words_of_line(line);
    if (words.size() < 2) {
      continue;
    }
    const auto number = number_in(words[1]);
    if (number && words[0] == "UID_MIN") {
      limits.least = *number;
    } else if (number && words[0] == "UID_MAX") {
      limits.most = *number;
    }
  }
  return limits;
}

std::vector<Account> people_among(const std::vector<Account>& all, const UidLimits& limits) {
  std::vector<Account> people;
  std::set<std::pair<unsigned, std::string>> seen;
  for (const Account& account : all) {
    if (account.uid != 0 && account.uid >= limits.least && account.uid <= limits.most &&
        seen.emplace(account.uid, account.home).second) {
      people.push_back(account);
    }
  }
  return people;
}

const char* word_of(UserState state) {
  switch (state) {
    case UserState::ok: return "ok";
    case UserState::skipped: return "skipped";
    case UserState::deferred: return "deferred";
    case UserState::failed: return "failed";
  }
  return "failed";
}

UserReport judge_user(const Account& account, UserRun run, const UsersAsked& asked) {
  UserReport report;
  report.name = account.name;
  report.uid = account.uid;
  const char says = run.said.empty() ? '\0' : run.said.front();
  std::string rest = run.said.empty() ? std::string() : run.said.substr(1);
  switch (run.ending) {
    case UserRun::Ending::not_started:
      report.state = UserState::failed;
      report.reason = run.trouble;
      return report;
    case UserRun::Ending::no_answer:
      report.state = UserState::deferred;
      report.reason = "its home did not answer within " + seconds_text(run.limit) + ", given up on for now";
      return report;
    case UserRun::Ending::timed_out:
      report.state = UserState::deferred;
      report.reason = "not done after " + seconds_text(run.limit) + ", given up on for now";
      return report;
    case UserRun::Ending::interrupted:
      report.state = UserState::deferred;
      report.reason = "stopped";
      return report;
    case UserRun::Ending::killed:
      report.state = UserState::failed;
      report.reason = "the run was ended by signal " + std::to_string(run.number);
      return report;
    case UserRun::Ending::exited: break;
  }
  if (says == says_skipped && run.number == 0) {
    report.state = UserState::skipped;
    report.reason = shortened(rest, reason_limit);
    return report;
  }
  if (says == says_unsafe && run.number != 0) {
    report.state = asked.by_name ? UserState::failed : UserState::skipped;
    report.reason = shortened(rest, reason_limit);
    if (asked.by_name) {
      report.exit = run.number;
      report.hint = "see who made it; to give it to the user: chown -R " + shell_word(account.name + ":") + " " +
                    shell_word(account.home + "/.teleclaude");
    }
    return report;
  }
  if (says == says_failed && run.number != 0) {
    report.state = UserState::failed;
    report.reason = shortened(rest, reason_limit);
    return report;
  }
  report.exit = run.number;
  report.state = state_for_exit(run.number, asked);
  if (run.said_too_much) {
    report.reason = "what the run said is longer than " + std::to_string(UserRun::said_limit) + " bytes";
  } else if (says != says_document || !read_document(std::move(rest), report)) {
    report.state = UserState::failed;
    report.reason = "the run ended with status " + std::to_string(run.number) + " and said nothing that can be read";
  }
  return report;
}

UserReport unknown_user(const std::string& name, const std::string& why) {
  UserReport report;
  report.name = name;
  report.state = UserState::failed;
  report.reason = why;
  return report;
}

UserReport unreached_user(const Account& account, const std::string& reason) {
  UserReport report;
  report.name = account.name;
  report.uid = account.uid;
  report.state = UserState::deferred;
  report.reason = reason;
  return report;
}

ErrorCode failure_of(const std::vector<UserReport>& users, const UsersAsked& asked) {
  const bool all_unsafe = std::ranges::all_of(users, [](const UserReport& user) {
    return user.state != UserState::failed || user.exit == exit_code_of(ErrorCode::unsafe);
  });
  return asked.by_name && all_unsafe ? ErrorCode::unsafe : ErrorCode::migration_failed;
}

std::string names_in(UserState state, const std::vector<UserReport>& users) {
  std::string names;
  for (const UserReport& user : users) {
    if (user.state == state) {
      names += (names.empty() ? "" : ", ") + printable(user.name);
      names += user.exit ? "(" + std::to_string(*user.exit) + ")" : "";
    }
  }
  return names;
}

}  // namespace telec
