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
  if (name == "--version") {
    refuse(std::move(message), "did you mean 'telec --version'?");
  }
  refuse(std::move(message), near.empty() ? see_help(verb) : "did you mean '--" + std::string(near) + "'?");
}

[[noreturn]] void refuse_word(std::string_view word, const std::vector<std::string_view>& known, const std::string& before) {
  const std::string_view near = nearest(word, known);
  if (near.empty() && !before.empty()) {
    refuse("unexpected argument " + quoted(word), "see 'telec help " + before + "'");
  }
  refuse("unknown command " + quoted(word), near.empty() ? "see 'telec help'" : "did you mean '" + before + (before.empty() ? "" : " ") + std::string(near) + "'?");
}

Version version_value(const std::string& option, std::string_view text) {
  auto version = Version::parse_loosely(text);
  if (!version) {
    refuse("--" + option + " " + quoted(text) + " is not a version: " + version.reason(),
           "a version is written as in 1.2.0 or 1.2.0-rc.1");
  }
  return std::move(version).value();
}

double seconds_value(const std::string& option, std::string_view text, double least) {
  constexpr double most = 30.0 * 24 * 3600;
  const auto value = decimal_number(text);
  if (!value || *value < least || *value > most) {
    refuse("--" + option + " " + quoted(text) + " is not a number of seconds" +
               (least > 0 ? " above 0" : " from 0 on") + " (30 days at the most)",
           "as in --" + option + " 90");
  }
  return *value;
}

std::string id_value(const std::string& option, std::string_view text) {
  if (text.empty()) {
    refuse("--" + option + " needs a migration's id, it is empty", "'telec migrate status' lists the ids");
  }
  // A path below the tree is the id with a `v`; whether there is such a migration is for whoever knows the tree.
  return std::string(text.substr(text.size() > 1 && text[0] == 'v' && is_digit(text[1]) ? 1 : 0));
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

std::string path_value(const std::string& option, std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    refuse("--" + option + " needs a path, it is empty");
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

/// A mistyped option's value looks like a word too many: the option is what there is to say something about.
void refuse_unknown_option(const std::vector<Token>& tokens, Verb verb) {
  for (const Token& token : tokens) {
    if (!token.is_word && token.option == nullptr) {
      refuse_option(verb, token.typed);
    }
  }
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
  for (; next_is("help"); ++used) {
    help = true;
  }
  if (next_is("migrate")) {
    ++used;
    invocation.verb = Verb::migrate;
    std::vector<std::string_view> below;
    for (const VerbRow& row : verbs()) {
      const std::string_view typed = row.words;
      if (!typed.starts_with("migrate ")) {
        continue;
      }
      below.push_back(typed.substr(8));
      if (invocation.verb == Verb::migrate && next_is(below.back())) {
        ++used;
        invocation.verb = row.verb;
      }
    }
    refuse_unknown_option(tokens, invocation.verb);
    if (used < words.size()) {
      refuse_word(words[used], below, words_of(invocation.verb));
    }
  } else if (used < words.size()) {
    refuse_unknown_option(tokens, Verb::help);
    for (const VerbRow& row : verbs()) {
      if (row.words == "migrate " + std::string(words[used])) {
        refuse("unknown command " + quoted(words[used]), "did you mean '" + std::string(row.words) + "'?");
      }
    }
    refuse_word(words[used], {"migrate", "help"}, "");
  } else if (wants_version && !help) {
    invocation.verb = Verb::version;
    return;
  } else if (!help) {
    refuse("no command was given", "'telec migrate' runs what is pending; see 'telec help'");
  }
  if (help) {
    invocation.help_topic = invocation.verb == Verb::help ? "" : words_of(invocation.verb);
    invocation.verb = Verb::help;
  }
}

}  // namespace

const std::vector<VerbRow>& verbs() {
  static const std::vector<VerbRow> rows = {
      {Verb::migrate, "migrate", "run the pending migrations, in order",
       "Runs every migration that is in range and not recorded yet, each in a python3 of its own: check(), and where\n"
       "that is False, migrate() and check() again. Each success is recorded durably before the next one starts. The\n"
       "first failure ends the run; running it again goes on from there.",
       "telec migrate                          run all that is pending\n"
       "telec migrate --dry-run                list what is pending, run and write nothing\n"
       "telec migrate --from 1.0.0 --to 2.0.0  only versions after 1.0.0, up to 2.0.0\n"
       "telec migrate --from 1.2.0 --to 1.2.0  exactly version 1.2.0, to debug it"},
      {Verb::status, "migrate status", "show what is recorded and what is pending",
       "Lists every migration with its state, then the problems of the tree and the history. Runs no script, waits for\n"
       "no lock and writes nothing.",
       "telec migrate status                   list every migration, recorded and pending\n"
       "telec migrate status --check -q        exit 3 while something is pending"},
      {Verb::help, "help", "show this help, or that of one command", "", ""},
      {Verb::version, "--version", "show the version", "", ""},
  };
  return rows;
}

const std::vector<OptionRow>& options() {
  using In = Invocation&;
  using Name = const std::string&;
  using Value = std::string_view;
  constexpr unsigned run = bit(Verb::migrate);
  constexpr unsigned look = bit(Verb::status);
  static const std::vector<OptionRow> rows = {
      {"dry-run", 'n', nullptr, true, run, "list what is pending; run and write nothing",
       [](In in, Name, Value) { in.dry_run = true; }},
      {"from", 0, "VERSION", false, run | look, "only versions after this one (the version that is installed)",
       [](In in, Name name, Value value) { in.from = version_value(name, value); }},
      {"to", 0, "VERSION", false, run | look,
       "only versions up to this one (the version being installed); the same as --from: exactly that version",
       [](In in, Name name, Value value) { in.to = version_value(name, value); }},
      {"only", 0, "ID", true, run, "run only this pending migration, as in 1.2.0/003_rename_keys.py; may be repeated",
       [](In in, Name name, Value value) { in.only.push_back(id_value(name, value)); }},
      {"rerun", 0, "ID", true, run, "run this migration although it is recorded; may be repeated",
       [](In in, Name name, Value value) { in.rerun.push_back(id_value(name, value)); }},
      {"check", 0, nullptr, true, run | look,
       "exit 3 when something is pending (with --dry-run or status); does not apply anything",
       [](In in, Name, Value) { in.check = true; }},
      {"strict", 0, nullptr, true, run | look, "refuse to go on where the tree has a problem (exit 65)",
       [](In in, Name, Value) { in.strict = true; }},
      {"timeout", 0, "SECONDS", false, run, "end a migration that runs longer (default 600)",
       [](In in, Name name, Value value) { in.timeout = seconds_value(name, value, 0.001); }},
      {"lock-timeout", 0, "SECONDS", false, run, "wait this long for another run to end (default 60; 0: do not wait)",
       [](In in, Name name, Value value) { in.lock_timeout = seconds_value(name, value, 0); }},
      {"python", 0, "FILE", false, run, "the python3 to use (else TELEC_PYTHON, /usr/bin/python3, python3 on PATH)",
       [](In in, Name name, Value value) { in.python = path_value(name, value); }},
      {"no-prestart", 0, nullptr, true, run, "start each python only when its turn has come, not while the one before it runs",
       [](In in, Name, Value) { in.prestart = false; }},
      {"migrations-dir", 0, "DIR", false, run | look,
       "where the migrations are (else TELEC_MIGRATIONS_DIR, the installed ones)",
       [](In in, Name name, Value value) { in.migrations_dir = path_value(name, value); }},
      {"state-file", 0, "FILE", false, run | look,
       "where to record (else TELEC_STATE_FILE, ~/.teleclaude/migration_state.json)",
       [](In in, Name name, Value value) { in.state_file = path_value(name, value); }},
      {"json", 0, nullptr, true, run | look, "print exactly one JSON document on stdout",
       [](In in, Name, Value) { in.json = true; }},
      {"quiet", 'q', nullptr, true, run | look, "print nothing but errors", [](In in, Name, Value) { in.quiet = true; }},
      {"verbose", 'v', nullptr, true, run | look, "show what the scripts print while they run",
       [](In in, Name, Value) { in.verbose = true; }},
      {"color", 0, "WHEN", false, run | look, "auto, always or never (auto: on a terminal, unless NO_COLOR is set)",
       [](In in, Name, Value value) { in.color = color_value(value); }},
      {"help", 'h', nullptr, true, run | look, "show the help of this command", [](In, Name, Value) {}},
      {"version", 0, nullptr, true, 0, "show the version", [](In, Name, Value) {}},
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
    refuse_unknown_option(tokens, Verb::help);
    return invocation;
  }
  std::vector<const OptionRow*> seen;
  for (const Token& token : tokens) {
    if (token.is_word) {
      continue;
    }
    if (token.option == nullptr || !has_option(verb, *token.option)) {
      refuse_option(verb, token.typed);
    }
    if (!token.option->repeatable && std::ranges::find(seen, token.option) != seen.end()) {
      refuse("--" + std::string(token.option->name) + " is given twice");
    }
    seen.push_back(token.option);
    token.option->set(invocation, token.option->name, token.value.value_or(""));
  }
  auto range = Range::between(invocation.from, invocation.to);
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
