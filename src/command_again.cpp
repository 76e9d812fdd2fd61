// SPDX-License-Identifier: MIT
#include "command_again.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>

#include "option_values.hpp"
#include "text.hpp"

namespace telec {
namespace {

bool has_option(Verb verb, std::string_view name) {
  return std::ranges::any_of(options(),
                             [&](const OptionRow& row) { return name == row.name && has_option(verb, row); });
}

void add(std::string& command, const char* option, const std::string& value) {
  command.append(" --").append(option).append(" ").append(shell_word(value));
}

std::string seconds_as_typed(double seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.15g", seconds);
  return text.data();
}

void add_seconds(std::string& command, const char* option, double seconds, double usual) {
  if (seconds != usual) {
    add(command, option, seconds_as_typed(seconds));
  }
}

double twice(double seconds) { return std::min(2 * seconds, most_seconds); }

/// What was typed, as the user `name`; sudo(8) where the verb, or a state file that was named, leaves no --user.
std::string command_as(const std::string& name, const Invocation& invocation) {
  Invocation theirs = invocation;
  std::string command;
  if (invocation.verb != Verb::migrate) {
    command = command_again(invocation, invocation.verb);
  } else if (invocation.state_file) {
    command = run_again(invocation);
  } else {
    theirs.users = {name};
    return run_again(theirs) + (invocation.dry_run ? " --dry-run" : "");
  }
  for (const std::string& word : invocation.arguments) {
    command += " " + shell_word(word);
  }
  return "sudo -H -u " + shell_word(name) + " " + command + (invocation.dry_run ? " --dry-run" : "");
}

}  // namespace

std::string command_again(const Invocation& invocation, Verb verb) {
  std::string command = std::string("telec ") + row_of(verb).words;
  if (!invocation.home.empty() && !has_option(verb, "user")) {
    // With -u, runuser leaves HOME as it is.
    command = "runuser -u " + shell_word(invocation.users.front()) + " -- env " +
              shell_word("HOME=" + invocation.home) + " " + command;
  }
  const auto add_place = [&](const char* option, const std::optional<std::string>& value) {
    if (value && has_option(verb, option)) {
      add(command, option, *value);
    }
  };
  add_place("migrations-dir", invocation.migrations_dir);
  if (verb != Verb::lint) {  // has it, as every verb, and looks at none
    add_place("state-file", invocation.state_file);
  }
  add_place("python", invocation.python);
  return command;
}

std::string run_again(const Invocation& invocation, Verb verb) {
  const Invocation usual;
  std::string command = command_again(invocation, verb);
  command += invocation.all_users ? " --all-users" : "";
  for (const std::string& name : invocation.users) {
    add(command, "user", name);
  }
  if (invocation.from) {
    add(command, "from", invocation.from->text());
  }
  if (invocation.to) {
    add(command, "to", invocation.to->text());
  }
  for (const std::string& id : invocation.only) {
    add(command, "only", id);
  }
  for (const std::string& id : invocation.rerun) {
    add(command, "rerun", id);
  }
  command += invocation.strict ? " --strict" : "";
  command += invocation.prestart ? "" : " --no-prestart";
  add_seconds(command, "timeout", invocation.timeout, usual.timeout);
  if (names_users(invocation)) {
    add_seconds(command, "user-timeout", invocation.user_timeout, usual.user_timeout);
  }
  return command;
}

std::string run_one(const Invocation& invocation) {
  Invocation one = invocation;
  one.from.reset();
  one.to.reset();
  one.only.clear();
  one.rerun.clear();
  return run_again(one);
}

std::string run_longer(const Invocation& invocation, Verb verb) {
  Invocation longer = invocation;
  longer.timeout = twice(invocation.timeout);
  return run_again(longer, verb);
}

std::string run_waiting(const Invocation& invocation) {
  std::string command = run_again(invocation);
  add(command, "lock-timeout", longer_wait(invocation.lock_timeout));
  return command;
}

std::string longer_wait(double seconds) {
  constexpr double least = 30;
  return seconds_as_typed(twice(std::max(seconds, least)));
}

std::string hint_in_full(const std::string& hint, const Invocation& invocation) {
  std::string text = hint;
  for (const VerbRow& row : verbs()) {
    const std::string bare = std::string("'telec ") + row.words + "'";
    const std::string full =
        "'" + (row.verb == Verb::migrate ? run_again(invocation) : command_again(invocation, row.verb)) + "'";
    for (std::size_t at = text.find(bare); at != std::string::npos; at = text.find(bare, at + full.size())) {
      text.replace(at, bare.size(), full);
    }
  }
  const std::string as_user = "'telec migrate --user ";
  if (const std::size_t at = text.find(as_user); at != std::string::npos) {
    const std::size_t begin = at + as_user.size();
    const std::size_t end = text.find_first_of("' ", begin);
    if (end != std::string::npos && text[end] == '\'') {
      text.replace(at, end + 1 - at, "'" + command_as(text.substr(begin, end - begin), invocation) + "'");
    }
  }
  return text;
}

}  // namespace telec
