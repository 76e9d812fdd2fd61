// SPDX-License-Identifier: MIT
// One run for many users: who is one of them, what became of each, and what all of it comes to. Pure: values in,
// values out. What a user's process says about itself is that user's word, so it is checked like any other input.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace telec {

struct Account {
  std::string name;
  unsigned uid = 0;
  unsigned gid = 0;
  std::string home;
};

/// The uids of people, as login.defs(5) has them.
struct UidLimits {
  unsigned least = 1000;
  unsigned most = 60000;
};
/// UID_MIN and UID_MAX from the text of login.defs; the defaults for what is not there or is no number.
UidLimits uid_limits_in(std::string_view login_defs);

/// Those of `all` within the limits, in their order, each uid and home once. Never uid 0.
std::vector<Account> people_among(const std::vector<Account>& all, const UidLimits& limits);

/// What became of one user, in the words of the JSON document.
enum class UserState { ok, skipped, deferred, failed };
const char* word_of(UserState state);

struct UserReport {
  std::string name;
  std::optional<unsigned> uid;  ///< nothing: there is no such user
  UserState state = UserState::ok;
  std::optional<int> exit;  ///< what the user's own run exited with; nothing: it did not get that far
  std::string reason;       ///< why it is not ok; empty where it is
  std::string document;     ///< what the user's own run printed with --json; empty: none
  std::string hint;         ///< the next step, as root types it; empty where there is none
  // Read out of the document:
  std::size_t applied = 0;  ///< applied or already present, and recorded
  std::size_t pending = 0;  ///< with --dry-run
  std::size_t late = 0;     ///< of either: those that come before one that was recorded already
  std::string log;
};

/// How the process that became the user ended, and what it said. The first byte says what follows: 'd' the document,
/// 's' why the user is skipped, 'u' why their data is not theirs alone to change, 'f' why the process could not become
/// the user.
struct UserRun {
  enum class Ending { exited, killed, no_answer, timed_out, not_started, interrupted };
  Ending ending = Ending::exited;
  int number = 0;       ///< the exit status or the signal
  double limit = 0;     ///< for no_answer (nothing was said at all) and timed_out: seconds
  std::string trouble;  ///< for not_started
  std::string said;
  bool said_too_much = false;

  static constexpr std::size_t said_limit = std::size_t{16} * 1024 * 1024;
};
constexpr char says_document = 'd';
constexpr char says_skipped = 's';
constexpr char says_unsafe = 'u';
constexpr char says_failed = 'f';

/// What was asked for, as far as it decides what an ending means.
struct UsersAsked {
  bool by_name = false;       ///< with --user: who cannot be migrated fails, and is not skipped
  bool names_python = false;  ///< one that cannot be used does not come by waiting
};

/// Total: whatever the process did and said has an outcome.
UserReport judge_user(const Account& account, UserRun run, const UsersAsked& asked = {});

/// A user who was named and whom the system does not know, or cannot look up.
UserReport unknown_user(const std::string& name, const std::string& why = "there is no such user");
/// A user whose turn did not come.
UserReport unreached_user(const Account& account, const std::string& reason);

/// What the whole of it failed with, where somebody failed: refused for safety, where all of them were who were named.
ErrorCode failure_of(const std::vector<UserReport>& users, const UsersAsked& asked);

/// The names in one state, "bob(1), cy(75)": with the exit code where there is one.
std::string names_in(UserState state, const std::vector<UserReport>& users);

}  // namespace telec
