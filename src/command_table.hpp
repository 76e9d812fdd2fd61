// SPDX-License-Identifier: MIT
// What a person can type: the table of verbs, options and exit statuses. The parser, the help, the man page, the
// completions, the suggestions and the tests all come from this one. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace telec {

struct Invocation;

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
/// The row of a verb: every verb has one.
const VerbRow& row_of(Verb verb);

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

}  // namespace telec
