// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include <algorithm>

#include "error.hpp"
#include "migration.hpp"
#include "text.hpp"

namespace telec {
namespace {

[[noreturn]] void refuse(std::string message, std::string hint = "see 'telec help'") {
  throw Error(ErrorCode::usage, std::move(message), std::move(hint));
}

const OptionRow* find_option(std::string_view name) {
  const auto& rows = options();
  const auto row = std::ranges::find_if(rows, [&](const OptionRow& option) { return name == option.name; });
  return row == rows.end() ? nullptr : &*row;
}

const OptionRow* find_letter(char letter) {
  const auto& rows = options();
  const auto row = std::ranges::find_if(rows, [&](const OptionRow& option) { return letter == option.letter; });
  return row == rows.end() ? nullptr : &*row;
}

std::string words_of(Verb verb) {
  for (const VerbRow& row : verbs()) {
    if (row.verb == verb) {
      return row.words;
    }
  }
  return {};
}

std::string see_help(Verb verb) {
  return verb == Verb::help ? "see 'telec help'" : "see 'telec help " + words_of(verb) + "'";
}

[[noreturn]] void refuse_option(Verb verb, std::string_view typed) {
  std::vector<std::string_view> names;
  for (const OptionRow& option : options()) {
    if (has_option(verb, option)) {
      names.emplace_back(option.name);
    }
  }
  const std::string_view name = typed.substr(0, typed.find('='));
  const std::string_view near = name.starts_with("--") ? nearest(name.substr(2), names) : std::string_view{};
  std::string message = "unknown option " + quoted(name);
  if (verb != Verb::help && find_option(name.starts_with("--") ? name.substr(2) : "") != nullptr) {
    message = "'telec " + words_of(verb) + "' has no option " + quoted(name);
  }
  refuse(std::move(message), near.empty() ? see_help(verb) : "did you mean '--" + std::string(near) + "'?");
}

[[noreturn]] void refuse_word(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view near = nearest(word, known);
  refuse("unknown command " + quoted(word), near.empty() ? "see 'telec help'" : "did you mean '" + std::string(near) + "'?");
}

Version version_value(std::string_view option, std::string_view text) {
  auto version = Version::parse_loosely(text);
  if (!version) {
    refuse("--" + std::string(option) + " " + quoted(text) + " is not a version: " + version.reason(),
           "a version is written as in 1.2.0 or 1.2.0-rc.1");
  }
  return std::move(version).value();
}

double seconds_value(std::string_view option, std::string_view text, double least) {
  constexpr double most = 30.0 * 24 * 3600;
  const auto value = decimal_number(text);
  if (!value || *value < least || *value > most) {
    refuse("--" + std::string(option) + " " + quoted(text) + " is not a number of seconds" +
               (least > 0 ? " above 0" : " from 0 on") + " (30 days at the most)",
           "as in --" + std::string(option) + " 90");
  }
  return *value;
}

std::string id_value(std::string_view option, std::string_view text) {
  const auto migration = Migration::parse(text);
  if (!migration) {
    refuse("--" + std::string(option) + " " + quoted(text) + " is not a migration's id: " + migration.reason(),
           "'telec migrate status' lists the ids");
  }
  return migration->id();
}

Color color_value(std::string_view text) {
  if (text == "auto") {
    return Color::automatic;
  }
  if (text == "always") {
    return Color::always;
  }
  if (text == "never") {
    return Color::never;
  }
  refuse("--color " + quoted(text) + " is none of auto, always, never");
}

std::string path_value(std::string_view option, std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    refuse("--" + std::string(option) + " needs a path, it is empty");
  }
  return std::string(text);
}

/// argv, cut into words and options that the table knows, before the verb is known.
struct Token {
  const OptionRow* option;  ///< null: a word, or an option that no verb has
  std::string_view typed;
  std::optional<std::string_view> value;
  bool is_word;
};

std::vector<Token> cut(const std::vector<std::string_view>& arguments) {
  std::vector<Token> tokens;
  bool only_words = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (only_words || argument.size() < 2 || argument.front() != '-') {
      tokens.push_back({nullptr, argument, {}, true});
      continue;
    }
    if (argument == "--") {
      only_words = true;
      continue;
    }
    std::string_view letters;
    std::optional<std::string_view> attached;
    const OptionRow* option = nullptr;
    if (argument.starts_with("--")) {
      const std::size_t equals = argument.find('=');
      option = find_option(argument.substr(2, equals == std::string_view::npos ? equals : equals - 2));
      if (equals != std::string_view::npos) {
        attached = argument.substr(equals + 1);
      }
    } else {
      // Letters may be joined, as in -nq; the last one may take a value.
      letters = argument.substr(1);
      while (letters.size() > 1) {
        option = find_letter(letters.front());
        if (option == nullptr || option->argument != nullptr) {
          break;
        }
        tokens.push_back({option, argument, {}, false});
        letters.remove_prefix(1);
      }
      option = find_letter(letters.front());
      if (option != nullptr && letters.size() > 1) {
        attached = letters.substr(1);
      }
    }
    if (option != nullptr && option->argument != nullptr && !attached) {
      if (i + 1 == arguments.size()) {
        refuse("--" + std::string(option->name) + " needs a value: " + option->argument);
      }
      attached = arguments[++i];
      if (attached->starts_with("--") && find_option(attached->substr(2)) != nullptr) {
        refuse("--" + std::string(option->name) + " needs a value (" + option->argument + "), and " + quoted(*attached) +
               " is an option");
      }
    }
    if (option != nullptr && option->argument == nullptr && attached) {
      refuse("--" + std::string(option->name) + " takes no value");
    }
    tokens.push_back({option, argument, attached, false});
  }
  return tokens;
}

/// Takes the verb's words off the tokens.
void read_verb(const std::vector<Token>& tokens, Invocation& invocation) {
  std::vector<std::string_view> words;
  bool wants_help = false;
  bool wants_version = false;
  for (const Token& token : tokens) {
    if (token.is_word) {
      words.push_back(token.typed);
    } else if (token.option != nullptr) {
      wants_help = wants_help || token.option->letter == 'h';
      wants_version = wants_version || std::string_view(token.option->name) == "version";
    }
  }
  std::size_t used = 0;
  const auto next_is = [&](std::string_view word) { return used < words.size() && words[used] == word; };
  bool help = wants_help;
  if (next_is("help")) {
    help = true;
    ++used;
  }
  if (next_is("migrate")) {
    ++used;
    invocation.verb = Verb::migrate;
    if (next_is("status")) {
      ++used;
      invocation.verb = Verb::status;
    }
    if (used < words.size()) {
      refuse_word(words[used], {"status"});
    }
  } else if (used < words.size()) {
    if (words[used] == "status") {
      refuse("unknown command 'status'", "did you mean 'migrate status'?");
    }
    refuse_word(words[used], {"migrate", "help"});
  } else if (wants_version && !help) {
    invocation.verb = Verb::version;
    return;
  } else if (!help) {
    refuse("what is to be done?", "'telec migrate' runs what is pending; see 'telec help'");
  }
  if (help) {
    invocation.help_topic = invocation.verb == Verb::help ? "" : words_of(invocation.verb);
    invocation.verb = Verb::help;
  }
}

}  // namespace

bool has_option(Verb verb, const OptionRow& option) {
  switch (verb) {
    case Verb::migrate: return option.migrate;
    case Verb::status: return option.status;
    case Verb::help:
    case Verb::version: return false;
  }
  return false;
}

const std::vector<VerbRow>& verbs() {
  static const std::vector<VerbRow> rows = {
      {Verb::migrate, "migrate", "run the pending migrations, in order",
       "Runs every migration that is in range and not recorded yet, each in a python3 of its own: check(), and where\n"
       "that is False, migrate() and check() again. Each success is recorded durably before the next one starts. The\n"
       "first failure ends the run; running it again goes on from there.",
       "telec migrate                          run all that is pending\n"
       "telec migrate --dry-run                list it, run and write nothing\n"
       "telec migrate --from 1.0.0 --to 2.0.0  only versions after 1.0.0, up to 2.0.0\n"
       "telec migrate --from 1.2.0 --to 1.2.0  exactly version 1.2.0, to debug it"},
      {Verb::status, "migrate status", "show what is recorded and what is pending",
       "Lists every migration with its state, then the problems of the tree and the history. Runs no script, waits for\n"
       "no lock and writes nothing.",
       "telec migrate status                   all of it\n"
       "telec migrate status --check -q        exit 3 while something is pending"},
      {Verb::help, "help", "show this help, or that of one command", "", ""},
      {Verb::version, "--version", "show the version", "", ""},
  };
  return rows;
}

const std::vector<OptionRow>& options() {
  static const std::vector<OptionRow> rows = {
      {"dry-run", 'n', nullptr, true, false, "list what is pending; run and write nothing"},
      {"from", 0, "VERSION", true, true, "only versions after this one (the version that is installed)"},
      {"to", 0, "VERSION", true, true,
       "only versions up to this one (the version being installed); the same as --from: exactly that version"},
      {"only", 0, "ID", true, false, "run only this pending migration, as in 1.2.0/003_rename_keys.py; may be repeated"},
      {"rerun", 0, "ID", true, false, "run this migration although it is recorded; may be repeated"},
      {"check", 0, nullptr, true, true, "exit 3 when something is pending (with --dry-run or status); does not apply anything"},
      {"strict", 0, nullptr, true, true, "refuse to go on where the tree has a problem (exit 65)"},
      {"timeout", 0, "SECONDS", true, false, "end a migration that runs longer (default 600)"},
      {"lock-timeout", 0, "SECONDS", true, false, "wait this long for another run to end (default 60; 0: do not wait)"},
      {"python", 0, "FILE", true, false, "the python3 to use (else TELEC_PYTHON, /usr/bin/python3, python3 on PATH)"},
      {"migrations-dir", 0, "DIR", true, true, "where the migrations are (else TELEC_MIGRATIONS_DIR, the installed ones)"},
      {"state-file", 0, "FILE", true, true, "where to record (else TELEC_STATE_FILE, ~/.teleclaude/migration_state.json)"},
      {"json", 0, nullptr, true, true, "print exactly one JSON document on stdout"},
      {"quiet", 'q', nullptr, true, true, "print nothing but errors"},
      {"verbose", 'v', nullptr, true, true, "show what the scripts print while they run"},
      {"color", 0, "WHEN", true, true, "auto, always or never (auto: on a terminal, unless NO_COLOR is set)"},
      {"help", 'h', nullptr, true, true, "show the help of this command"},
      {"version", 0, nullptr, false, false, "show the version"},
  };
  return rows;
}

bool asks_for_json(const std::vector<std::string_view>& arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--") {
      return false;
    }
    if (argument == "--json") {
      return true;
    }
  }
  return false;
}

std::string_view command_word(const std::vector<std::string_view>& arguments) {
  return std::ranges::find(arguments, "status") != arguments.end() ? "status" : "migrate";
}

Invocation parse_command_line(const std::vector<std::string_view>& arguments) {
  const std::vector<Token> tokens = cut(arguments);
  Invocation invocation;
  read_verb(tokens, invocation);
  const Verb verb = invocation.verb;
  if (verb == Verb::help || verb == Verb::version) {
    for (const Token& token : tokens) {
      if (!token.is_word && token.option == nullptr) {
        refuse_option(Verb::help, token.typed);
      }
    }
    return invocation;
  }
  std::optional<Version> from;
  std::optional<Version> to;
  std::vector<std::string_view> seen;
  for (const Token& token : tokens) {
    if (token.is_word) {
      continue;
    }
    if (token.option == nullptr || !has_option(verb, *token.option)) {
      refuse_option(verb, token.typed);
    }
    const std::string_view name = token.option->name;
    const bool repeatable = token.option->argument == nullptr || name == "only" || name == "rerun";
    if (!repeatable && std::ranges::find(seen, name) != seen.end()) {
      refuse("--" + std::string(name) + " is given twice");
    }
    seen.push_back(name);
    const std::string_view value = token.value.value_or("");
    if (name == "dry-run") {
      invocation.dry_run = true;
    } else if (name == "check") {
      invocation.check = true;
    } else if (name == "strict") {
      invocation.strict = true;
    } else if (name == "json") {
      invocation.json = true;
    } else if (name == "quiet") {
      invocation.quiet = true;
    } else if (name == "verbose") {
      invocation.verbose = true;
    } else if (name == "from") {
      from = version_value(name, value);
    } else if (name == "to") {
      to = version_value(name, value);
    } else if (name == "only") {
      invocation.only.push_back(id_value(name, value));
    } else if (name == "rerun") {
      invocation.rerun.push_back(id_value(name, value));
    } else if (name == "timeout") {
      invocation.timeout = seconds_value(name, value, 0.001);
    } else if (name == "lock-timeout") {
      invocation.lock_timeout = seconds_value(name, value, 0);
    } else if (name == "color") {
      invocation.color = color_value(value);
    } else if (name == "migrations-dir") {
      invocation.migrations_dir = path_value(name, value);
    } else if (name == "state-file") {
      invocation.state_file = path_value(name, value);
    } else if (name == "python") {
      invocation.python = path_value(name, value);
    }
  }
  auto range = Range::between(std::move(from), std::move(to));
  if (!range) {
    refuse(range.reason(), "--from is the version that is installed, --to the one being installed; downgrades are not supported");
  }
  invocation.range = std::move(range).value();
  if (invocation.verb == Verb::migrate && invocation.check && !invocation.dry_run) {
    refuse("--check says whether something is pending, and applies nothing: it goes with --dry-run",
           "'telec migrate --dry-run --check' or 'telec migrate status --check'");
  }
  if (invocation.quiet && invocation.verbose) {
    refuse("--quiet and --verbose contradict each other");
  }
  return invocation;
}

}  // namespace telec
