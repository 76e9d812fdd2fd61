// SPDX-License-Identifier: MIT
// What a person typed: argv turned into an Invocation, by the table of verbs and options. Pure: looks at no environment
// and no file.
//
// The parser is our own because the table is needed for the help and for suggestions anyway, and a library on top of
// it would cost a quarter of the start-up time of a run that has nothing to do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command_table.hpp"
#include "range.hpp"

namespace telec {

enum class Color { automatic, always, never };

/// How `migrate` behaves inside a package's hook: never waits, says a line, and (lenient) never fails the package.
enum class Hook { none, lenient, strict };

/// What was asked. What was not typed is empty: defaults and environment are others' business.
struct Invocation {
  Verb verb = Verb::help;
  std::string help_topic;  ///< for help: a verb's words; empty: all
  bool dry_run = false;
  bool check = false;
  bool strict = false;
  bool prestart = true;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool pending = false;  ///< status: only those that are pending
  bool applied = false;  ///< status: only those that are recorded
  bool recheck = false;
  bool force = false;
  bool yes = false;
  std::vector<std::string> arguments;  ///< the words after the verb
  std::optional<std::string> reason;
  std::optional<std::string> against;
  std::optional<std::string> events;
  std::optional<Version> new_version;
  std::optional<Version> from;
  std::optional<Version> to;
  Range range;  ///< between the two
  std::vector<std::string> only;
  std::vector<std::string> rerun;
  double timeout = 600;      ///< seconds, for one migration
  double lock_timeout = 60;  ///< seconds; 0: do not wait
  bool all_users = false;
  std::vector<std::string> users;  ///< by name
  double user_timeout = 600;       ///< seconds, for one user with all that is pending for them
  std::string home;                ///< in the run of another user, the one in `users`: their home; never typed
  Hook hook = Hook::none;
  std::optional<Color> color;
  std::optional<std::string> migrations_dir;
  std::optional<std::string> state_file;
  std::optional<std::string> python;
};

/// Is it about other users' homes, rather than the caller's own?
inline bool names_users(const Invocation& invocation) { return invocation.all_users || !invocation.users.empty(); }

/// Throws Error (usage), with the nearest word as a hint.
Invocation parse_command_line(const std::vector<std::string_view>& arguments);

/// Was --json typed? For errors that are met before there is an Invocation.
bool asks_for_json(const std::vector<std::string_view>& arguments);

/// The verb that was meant, as far as it can be told: for the document of a usage error.
std::string_view command_word(const std::vector<std::string_view>& arguments);

}  // namespace telec
