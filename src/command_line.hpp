// SPDX-License-Identifier: MIT
// What a person can type: the table of verbs and options, and argv turned into an Invocation. The help, the
// suggestions and the tests all come from the one table. Pure: looks at no environment and no file.
//
// The parser is our own because the table is needed for the help and for suggestions anyway, and a library on top of
// it would cost a quarter of the start-up time of a run that has nothing to do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsed.hpp"
#include "range.hpp"

namespace telec {

enum class Verb { migrate, status, log, verify, lint, create, mark, forget, rebuild, doctor, help, version };

/// What the words after a verb are.
enum class Words { none, id, directory, text };

/// One row per verb.
struct VerbRow {
  Verb verb;
  const char* words;           ///< what is typed: "migrate status"
  const char* summary;         ///< one line
  const char* details;         ///< a paragraph for its own help page; empty: it has none
  const char* examples;        ///< lines: a command, two blanks or more, what it does
  const char* arguments = "";  ///< the words after it, as its usage line shows them: "[ID]"
  Words kind = Words::none;
  std::size_t least = 0;  ///< how many of them there must be
  std::size_t most = 0;
};
const std::vector<VerbRow>& verbs();

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
  Hook hook = Hook::none;
  std::optional<Color> color;
  std::optional<std::string> migrations_dir;
  std::optional<std::string> state_file;
  std::optional<std::string> python;
};

/// One row per option.
struct OptionRow {
  const char* name;      ///< without the dashes: "dry-run"
  char letter;           ///< 0: none
  const char* argument;  ///< what the value is called: "VERSION"; null: a flag
  bool repeatable;
  unsigned verbs;  ///< which verbs have it: the sum of their bit()s
  const char* help;
  /// Puts the value (empty for a flag) into the invocation; throws Error (usage) where it is not good.
  void (*set)(Invocation& invocation, const std::string& name, std::string_view value);
  bool argument_optional = false;  ///< the value may be left out, and is only taken from behind a '=': --hook[=strict]
};
const std::vector<OptionRow>& options();

/// One row per exit status that is promised, and what it means; one that means different things has several rows.
struct ExitRow {
  const char* codes;  ///< "65", or "129, 130, 143"
  const char* means;
  unsigned verbs;  ///< who can end so: the sum of their bit()s
};
const std::vector<ExitRow>& exit_statuses();

constexpr unsigned bit(Verb verb) { return 1U << static_cast<unsigned>(verb); }
/// What the documents call a verb: "status" for "migrate status", "migrate" for itself.
std::string_view command_word(Verb verb);
inline bool has_option(Verb verb, const OptionRow& option) { return (option.verbs & bit(verb)) != 0; }

/// Is it about other users' homes, rather than the caller's own?
inline bool names_users(const Invocation& invocation) { return invocation.all_users || !invocation.users.empty(); }

/// Throws Error (usage), with the nearest word as a hint.
Invocation parse_command_line(const std::vector<std::string_view>& arguments);

/// Was --json typed? For errors that are met before there is an Invocation.
bool asks_for_json(const std::vector<std::string_view>& arguments);

/// The verb that was meant, as far as it can be told: for the document of a usage error.
std::string_view command_word(const std::vector<std::string_view>& arguments);

}  // namespace telec
