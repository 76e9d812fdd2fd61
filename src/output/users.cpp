// SPDX-License-Identifier: MIT
#include "users.hpp"

#include <algorithm>

#include "../text.hpp"
#include "width.hpp"

namespace telec {
namespace {

std::size_t count_in(UserState state, const std::vector<UserReport>& users) {
  return static_cast<std::size_t>(
      std::ranges::count_if(users, [&](const UserReport& user) { return user.state == state; }));
}

/// A failure of the script is one; of the surroundings, the next start of the user's application tries again.
std::string hook_error_line(const ReportError& error, const std::string& again) {
  const bool failed = error.code == ErrorCode::migration_failed || error.code == ErrorCode::timeout ||
                      error.code == ErrorCode::unrecorded;
  std::string line = failed                            ? "telec: failed: "
                     : error.code == ErrorCode::unsafe ? "telec: refused: "
                                                       : "telec: deferred: ";
  if (!error.id.empty()) {
    line += error.id + (error.stage.empty() ? "" : " at " + error.stage) + ": ";
  }
  line += printable(error.message);
  if (!error.log.empty()) {
    line += "; log: " + printable(error.log);
  }
  return line + "; then: " + printable(error.hint.empty() ? again : error.hint) + "\n";
}

/// "2 migrations applied, 1 already present"; empty where there was none.
std::string done_text(const Report& report) {
  const std::size_t applied = report.count(State::applied);
  const std::size_t present = report.count(State::already_present);
  if (applied == 0) {
    return present == 0 ? "" : counted(present, "migration") + " already present";
  }
  return counted(applied, "migration") + " applied" +
         (present == 0 ? "" : ", " + std::to_string(present) + " already present");
}

}  // namespace

std::string user_line(const UserReport& user, bool dry_run, const Style& style) {
  std::string line = std::string(word_of(user.state)) +
                     std::string(10 - std::string_view(word_of(user.state)).size(), ' ') + printable(user.name) + ": ";
  if (user.state != UserState::ok) {
    line += printable(user.reason) + (user.log.empty() ? "" : "; log: " + printable(user.log)) + "\n";
    if (!user.hint.empty()) {
      const std::string head = "    hint: ";
      line += head + wrapped(printable(user.hint), style.columns, head.size(), head.size()) + "\n";
    }
    return line;
  }
  const std::string late = user.late == 0 ? "" : ", " + std::to_string(user.late) + " of them late";
  if (dry_run) {
    return line + std::to_string(user.pending) + " pending" + late + "\n";
  }
  return line +
         (user.applied == 0 ? "nothing to do"
                            : counted(user.applied, "migration") + " applied or already present" + late) +
         "\n";
}

std::string users_summary(const std::vector<UserReport>& users, bool dry_run) {
  std::size_t migrated = 0;
  std::size_t idle = 0;
  for (const UserReport& user : users) {
    const bool moved = dry_run ? user.pending > 0 : user.applied > 0;
    migrated += user.state == UserState::ok && moved ? 1U : 0U;
    idle += user.state == UserState::ok && !moved ? 1U : 0U;
  }
  std::string text = counted(migrated, "user") + (dry_run ? " would be migrated" : " migrated");
  const auto add = [&](std::size_t count, const char* words, const std::string& names = {}) {
    if (count > 0) {
      text += ", " + std::to_string(count) + " " + words + (names.empty() ? "" : ": " + names);
    }
  };
  add(idle, "up to date");
  add(count_in(UserState::skipped, users), "skipped");
  add(count_in(UserState::deferred, users), "deferred", names_in(UserState::deferred, users));
  add(count_in(UserState::failed, users), "failed", names_in(UserState::failed, users));
  return text;
}

/// A line for each user who failed or was deferred, then the summary; nothing where nothing happened.
static std::string hook_users_text(const std::vector<UserReport>& users, bool dry_run,
                                   const std::function<std::string(const std::string&)>& again) {
  std::string text;
  bool anything = false;
  for (const UserReport& user : users) {
    anything = anything || (user.state == UserState::ok && (user.applied > 0 || user.pending > 0));
    if (user.state != UserState::failed && user.state != UserState::deferred) {
      continue;
    }
    anything = true;
    text += "telec: " + printable(user.name) + ": " + word_of(user.state) + ": " + printable(user.reason);
    if (!user.log.empty()) {
      text += "; log: " + printable(user.log);
    }
    text += user.uid ? "; then: " + printable(user.hint.empty() ? again(user.name) : user.hint) + "\n" : "\n";
  }
  return anything ? text + "telec: " + users_summary(users, dry_run) + "\n" : "";
}

std::string hook_text(const Report& report, const std::function<std::string(const std::string& name)>& again) {
  if (report.users) {
    const bool early = report.users->empty() && report.error;
    return early ? hook_error_line(*report.error, again("")) : hook_users_text(*report.users, report.dry_run, again);
  }
  if (report.error) {
    return hook_error_line(*report.error, again(""));
  }
  const std::string done = done_text(report);
  return done.empty() ? "" : "telec: " + done + "\n";
}

}  // namespace telec
