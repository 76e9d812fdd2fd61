// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include <algorithm>

#include "command_again.hpp"
#include "error.hpp"
#include "option_values.hpp"
#include "text.hpp"

namespace telec {
namespace {

/// `creating`: 'new' is among the words, whose --version takes a value.
const OptionRow* find_option(std::string_view name, bool creating = false) {
  const OptionRow* found = nullptr;
  for (const OptionRow& option : options()) {
    if (name == option.name && (found == nullptr || creating == (option.argument != nullptr))) {
      found = &option;
    }
  }
  return found;
}

const OptionRow* find_letter(char letter) {
  const auto& rows = options();
  const auto row = std::ranges::find_if(rows, [&](const OptionRow& option) { return letter == option.letter; });
  return row == rows.end() ? nullptr : &*row;
}

std::string words_of(Verb verb) { return row_of(verb).words; }

/// Who has an option of that name: "'telec migrate', 'telec migrate status'"; empty where too many have it to be told.
std::string whose_option(std::string_view name) {
  constexpr std::size_t told = 3;
  std::string text;
  std::size_t count = 0;
  for (const VerbRow& row : verbs()) {
    const auto is_it = [&](const OptionRow& option) { return name == option.name && has_option(row.verb, option); };
    if (std::ranges::any_of(options(), is_it)) {
      text.append(text.empty() ? "" : ", ").append("'telec ").append(row.words).append("'");
      ++count;
    }
  }
  return count <= told ? text : "";
}

std::string see_help(Verb verb) {
  return verb == Verb::help ? "see 'telec help'" : "see 'telec help " + words_of(verb) + "'";
}

[[noreturn]] void refuse_option(Verb verb, std::string_view typed) {
  std::vector<std::string_view> names;
  for (const OptionRow& option : options()) {
    // Without a command there are --help and --version.
    const bool is_for_none = option.argument == nullptr && (option.letter == 'h' || option.verbs == 0);
    if (has_option(verb, option) || (verb == Verb::help && is_for_none)) {
      names.emplace_back(option.name);
    }
  }
  const std::string_view name = typed.substr(0, typed.find('='));
  const std::string_view near = name.starts_with("--") ? nearest(name.substr(2), names) : std::string_view{};
  std::string message = "unknown option " + quoted(name);
  if (verb != Verb::help && find_option(name.starts_with("--") ? name.substr(2) : "") != nullptr) {
    message = "'telec " + words_of(verb) + "' has no option " + quoted(name);
    if (name != "--version") {
      const std::string whose = whose_option(name.substr(2));
      refuse(std::move(message), (whose.empty() ? "" : "it belongs to " + whose + "; ") + see_help(verb));
    }
  }
  if (name == "--version") {
    refuse(std::move(message), "did you mean 'telec --version'?");
  }
  refuse(std::move(message), near.empty() ? see_help(verb) : "did you mean '--" + std::string(near) + "'?");
}

/// `before`: what was typed before the word: "" or "migrate ".
[[noreturn]] void refuse_word(std::string_view word, const std::vector<std::string_view>& known,
                              const std::string& before, std::string hint) {
  const std::string_view near = nearest(word, known);
  refuse("unknown command " + quoted(word),
         near.empty() ? std::move(hint) : "did you mean 'telec " + before + std::string(near) + "'?");
}

/// What can come after `telec migrate`.
std::vector<std::string_view> words_below() {
  std::vector<std::string_view> words;
  for (const VerbRow& row : verbs()) {
    if (const std::string_view typed = row.words; typed.starts_with("migrate ")) {
      words.push_back(typed.substr(8));
    }
  }
  return words;
}

[[noreturn]] void refuse_below(std::string_view word) {
  if (word.ends_with(".py") || word.find('/') != std::string_view::npos) {
    refuse("unknown command " + quoted(word),
           "to run one migration: 'telec migrate --only " + shell_word(id_value("", word)) + "'");
  }
  std::string all;
  for (const std::string_view known : words_below()) {
    all.append(all.empty() ? "" : ", ").append(known);
  }
  refuse_word(word, words_below(), "migrate ", "after 'telec migrate' comes an option, or one of: " + all);
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
  const bool creating = std::ranges::find(arguments, "new") != arguments.end();
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
      option = find_option(argument.substr(2, equals == std::string_view::npos ? equals : equals - 2), creating);
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
    if (option != nullptr && option->argument != nullptr && !option->argument_optional && !attached) {
      if (i + 1 == arguments.size()) {
        refuse("--" + std::string(option->name) + " needs a value: " + option->argument);
      }
      attached = arguments[++i];
      if (attached->starts_with("--") && find_option(attached->substr(2)) != nullptr) {
        refuse("--" + std::string(option->name) + " needs a value (" + option->argument + "), and " +
               quoted(*attached) + " is an option");
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

/// The words after the verb.
void read_words(const std::vector<std::string_view>& words, std::size_t used, bool help, Invocation& invocation) {
  const VerbRow& row = row_of(invocation.verb);
  if (row.most == 0 && used < words.size()) {
    if (row.verb == Verb::migrate) {
      refuse_below(words[used]);
    }
    refuse("unexpected argument " + quoted(words[used]), see_help(row.verb));
  }
  for (; used < words.size(); ++used) {
    invocation.arguments.emplace_back(words[used]);
  }
  if (help) {
    return;
  }
  const std::string usage = std::string("usage: telec ") + row.words + " [OPTIONS] " + row.arguments;
  if (invocation.arguments.size() < row.least) {
    refuse(std::string("'telec ") + row.words + "' needs " + row.arguments, usage);
  }
  if (invocation.arguments.size() > row.most) {
    const bool is_name = row.kind == Words::text;
    refuse("one argument too many: " + quoted(invocation.arguments[row.most]),
           is_name ? "put the name in quotes, as in telec migrate new \"rename config key\"" : usage);
  }
  for (std::string& word : invocation.arguments) {
    word = row.kind == Words::id ? id_value("", word) : row.kind == Words::directory ? path_value("", word) : word;
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
      wants_version =
          wants_version || (std::string_view(token.option->name) == "version" && token.option->argument == nullptr);
    }
  }
  std::size_t used = 0;
  const auto next_is = [&](std::string_view word) { return used < words.size() && words[used] == word; };
  bool help = wants_help;
  for (; next_is("help"); ++used) {
    help = true;
  }
  // 'telec help status' can only mean one thing.
  const auto below = words_below();
  const bool names_below = help && used < words.size() && std::ranges::find(below, words[used]) != below.end();
  if (next_is("migrate") || names_below) {
    used += names_below ? 0 : 1;
    for (; next_is("help"); ++used) {
      help = true;
    }
    invocation.verb = Verb::migrate;
    for (const VerbRow& row : verbs()) {
      if (const std::string_view typed = row.words;
          invocation.verb == Verb::migrate && typed.starts_with("migrate ") && next_is(typed.substr(8))) {
        ++used;
        invocation.verb = row.verb;
      }
    }
    refuse_unknown_option(tokens, invocation.verb);
    read_words(words, used, help, invocation);
  } else if (used < words.size()) {
    refuse_unknown_option(tokens, Verb::help);
    if (!nearest(words[used], below).empty()) {
      refuse_word(words[used], below, "migrate ", "");
    }
    refuse_word(words[used], {"migrate", "help"}, "", "see 'telec help'");
  } else if (wants_version && !help) {
    invocation.verb = Verb::version;
    return;
  } else if (!help) {
    refuse_unknown_option(tokens, Verb::help);
    refuse("no command was given", "'telec migrate' runs what is pending; see 'telec help'");
  }
  if (help) {
    invocation.help_topic = invocation.verb == Verb::help ? "" : words_of(invocation.verb);
    invocation.verb = Verb::help;
  }
}

}  // namespace

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
  for (const VerbRow& row : verbs()) {
    const std::string_view words = row.words;
    if (words.starts_with("migrate ") && std::ranges::find(arguments, words.substr(8)) != arguments.end()) {
      return words.substr(8);
    }
  }
  return "migrate";
}

namespace {

Invocation parse(const std::vector<std::string_view>& arguments) {
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
    refuse(range.reason(),
           "--from is the version that is installed, --to the one being installed; downgrades are not supported");
  }
  invocation.range = std::move(range).value();
  if (invocation.verb == Verb::migrate && invocation.check && !invocation.dry_run) {
    refuse("--check says whether something is pending, and applies nothing: it goes with --dry-run",
           "'" + run_again(invocation) + " --dry-run --check'");
  }
  if (invocation.pending && invocation.applied) {
    refuse("--pending and --applied contradict each other",
           "without either, '" + run_again(invocation, verb) + "' lists both");
  }
  if (invocation.force && !invocation.reason) {
    refuse("--force needs --reason TEXT: whoever reads the history later wants to know why");
  }
  if (invocation.json && invocation.events && *invocation.events == "1") {
    refuse("--json and --events 1 would mix on stdout", "give the events a file or another descriptor");
  }
  if (invocation.all_users && !invocation.users.empty()) {
    refuse("--all-users and --user contradict each other",
           "--all-users alone is everybody who has data, --user alone is who was named");
  }
  if (!names_users(invocation) && std::ranges::find(seen, find_option("user-timeout")) != seen.end()) {
    refuse("--user-timeout limits each of other users' runs: it goes with --all-users or --user",
           "--timeout SECONDS limits each migration");
  }
  if (names_users(invocation) && invocation.state_file) {
    refuse("--state-file names one file, and every user has one of their own",
           "leave --state-file out; it is ~/.teleclaude/migration_state.json of each user");
  }
  if (names_users(invocation) && invocation.events) {
    refuse("--events has one run's events, and every user has a run of their own",
           "with --json each user's document says what ran");
  }
  if (invocation.hook != Hook::none) {
    invocation.lock_timeout = 0;
  }
  if (invocation.quiet && invocation.verbose) {
    refuse("--quiet and --verbose contradict each other");
  }
  return invocation;
}

/// The words are looked for, not read: what could not be read has led here.
std::string see_help_of(const std::vector<std::string_view>& arguments) {
  if (std::ranges::find(arguments, "migrate") == arguments.end()) {
    return "see 'telec help'";
  }
  const std::string_view word = command_word(arguments);
  return "see 'telec help migrate" + (word == "migrate" ? "'" : " " + std::string(word) + "'");
}

}  // namespace

Invocation parse_command_line(const std::vector<std::string_view>& arguments) {
  try {
    return parse(arguments);
  } catch (Error& error) {
    if (error.hint.empty()) {
      error.hint = see_help_of(arguments);
    }
    throw;
  }
}

}  // namespace telec
