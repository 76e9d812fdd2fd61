// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include <algorithm>

#include "error.hpp"
#include "migration.hpp"
#include "text.hpp"

namespace telec {
namespace {

/// Without a hint it is the help of what was typed.
[[noreturn]] void refuse(std::string message, std::string hint = "") {
  throw Error(ErrorCode::usage, std::move(message), std::move(hint));
}

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

std::string words_of(Verb verb) {
  for (const VerbRow& row : verbs()) {
    if (row.verb == verb) {
      return row.words;
    }
  }
  return {};
}

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
    refuse("unknown command " + quoted(word), "to run one migration: telec migrate --only ID");
  }
  std::string all;
  for (const std::string_view known : words_below()) {
    all.append(all.empty() ? "" : ", ").append(known);
  }
  refuse_word(word, words_below(), "migrate ", "after 'telec migrate' comes an option, or one of: " + all);
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

/// `option`: empty for a word that belongs to none.
std::string id_value(const std::string& option, std::string_view text) {
  if (text.empty()) {
    refuse((option.empty() ? "ID" : "--" + option) + " needs a migration's id, it is empty",
           "'telec migrate status' lists the ids");
  }
  // A path into a tree ends with the id, but for a `v`; whether there is such a migration is for whoever knows the
  // tree.
  const std::size_t slash = text.rfind('/');
  const std::size_t before = slash == std::string_view::npos || slash == 0 ? slash : text.rfind('/', slash - 1);
  const std::string_view last_two =
      before == std::string_view::npos || before == slash ? text : text.substr(before + 1);
  const bool has_v = last_two.size() > 1 && last_two[0] == 'v' && is_digit(last_two[1]);
  return std::string(has_v ? last_two.substr(1) : text);
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
    refuse((option.empty() ? "DIR" : "--" + option) + " needs a path, it is empty");
  }
  return std::string(text);
}

std::string text_value(const std::string& option, std::string_view text) {
  constexpr std::size_t longest = 1000;
  if (text.find_first_not_of(" \t\n") == std::string_view::npos || text.size() > longest) {
    refuse("--" + option + " needs a text of 1 to " + std::to_string(longest) + " bytes");
  }
  return std::string(text);
}

std::string user_value(const std::string& option, std::string_view text) {
  if (text.empty() || text.find_first_of(std::string_view("\0:/\n", 4)) != std::string_view::npos) {
    refuse("--" + option + " " + quoted(text) + " is not the name of a user");
  }
  return std::string(text);
}

Hook hook_value(std::string_view text) {
  if (text.empty()) {
    return Hook::lenient;
  }
  if (text == "strict") {
    return Hook::strict;
  }
  refuse("--hook=" + std::string(printable(text)) + " is not known",
         "--hook, or --hook=strict to keep the real exit codes");
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

const VerbRow& row_of(Verb verb) {
  return *std::ranges::find_if(verbs(), [&](const VerbRow& row) { return row.verb == verb; });
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

const std::vector<VerbRow>& verbs() {
  static const std::vector<VerbRow> rows = {
      {Verb::migrate, "migrate", "run the pending migrations, in order",
       "Runs every migration that is in range and not recorded yet, each in a python3 of its own: check(), and where "
       "that is False, migrate() and check() again. Each success is recorded durably before the next one starts. The "
       "first failure ends the run; running it again goes on from there.",
       "telec migrate                          run all that is pending\n"
       "telec migrate --dry-run                list what is pending, change nothing\n"
       "telec migrate --from 1.0.0 --to 2.0.0  only versions after 1.0.0, up to 2.0.0\n"
       "telec migrate --from 1.2.0 --to 1.2.0  exactly version 1.2.0, to debug it\n"
       "telec migrate --all-users              as root: for each user who has data"},
      {Verb::status, "migrate status", "show what is recorded and what is pending",
       "Lists every migration with its state, when it was recorded, how long it ran, and what differs: its script "
       "changed since, its script is gone, it is late (pending, while a later one is recorded), or it ran out of "
       "order. Then the problems of the tree and the history. With -q only what needs attention: nothing at all where "
       "all is well. Runs no script, waits for no lock and writes nothing.",
       "telec migrate status                   every migration, recorded and pending\n"
       "telec migrate status -q                only what needs attention\n"
       "telec migrate status --check -q        exit 3 while something is pending"},
      {Verb::log, "migrate log", "show the attempts, or what the last attempt of one printed",
       "Lists every attempt that was made, the newest first: when, how it ended, and how long it took; with -v also "
       "who "
       "made it, on which host, with which python and telec, the script's digest and the log file. With an ID: the "
       "attempts of that migration with all of this, and what the last of them printed. Failed attempts are kept too, "
       "beside the state, in migration_logs/attempts.jsonl, the newest 2 MiB of them. Runs and writes nothing.",
       "telec migrate log                      every attempt\n"
       "telec migrate log 1.2.0/003_x.py       what the last attempt of this one printed",
       "[ID]", Words::id, 0, 1},
      {Verb::verify, "migrate verify", "find scripts that changed, and effects that are gone",
       "Compares each recorded migration with its script as it is now: changed or gone since it ran is a finding (exit "
       "4). With --recheck it also runs check(), and check() alone, of every migration in range, and prints what is "
       "recorded against what is true: 'ok' (recorded, and there), 'pending' (neither), 'regressed' (recorded, and no "
       "longer there), 'unrecorded' (there, and not recorded). The history is never changed.",
       "telec migrate verify                   compare the scripts with what was recorded\n"
       "telec migrate verify --recheck         and ask each check() whether it is still so",
       "", Words::none, 0, 0},
      {Verb::lint, "migrate lint", "look for mistakes in migrations without running them",
       "For authors and for CI: reads the scripts, executes nothing of them, and prints each finding with its line, "
       "the "
       "rule, the reason and the way to mend it (exit 4). It looks at names and numbers, at the shape of check() and "
       "migrate(), at syntax and modules that Python 3.8 does not have, at imports from outside the standard library, "
       "at the network, and at files that are written in a way that a power cut can tear.",
       "telec migrate lint migrations          every script below migrations/\n"
       "telec migrate lint --against DIR       and what another tree makes late",
       "[DIR]", Words::directory, 0, 1},
      {Verb::create, "migrate new", "begin a new migration",
       "Writes a script that follows the contract, with the next number of the version, and prints its path. Its "
       "check() and migrate() are to be filled in: until then it fails when it is run, and changes nothing.",
       "telec migrate new \"rename config key\"  in the newest version of the tree\n"
       "telec migrate new \"drop cache\" --version 1.3.0  in this one",
       "NAME", Words::text, 1, 1},
      {Verb::mark, "migrate mark", "record migrations without running migrate()",
       "For what was done by hand: runs check(), and records the migration as 'marked' where that is True. Says first "
       "what it will do, and asks on a terminal; elsewhere it needs --yes. With --force and --reason it records one "
       "although its check() is not True.",
       "telec migrate mark 1.2.0/003_x.py      record it, if its check() is True\n"
       "telec migrate mark 1.2.0/003_x.py --force --reason \"not used here\"  record it all the same",
       "ID...", Words::id, 1, 1000},
      {Verb::forget, "migrate forget", "take records back",
       "Removes migrations from the history, so that they are pending again. Says first what it will do, and asks on a "
       "terminal; elsewhere it needs --yes. Effects are not undone.",
       "telec migrate forget 1.2.0/003_x.py    the next 'telec migrate' looks at it again", "ID...", Words::id, 1,
       1000},
      {Verb::rebuild, "migrate rebuild", "write a lost or refused state file anew",
       "Runs check(), and check() alone, of every migration of the tree, and records those that are True. For a state "
       "file that is lost or refused; a sound one is left as it is. The old file is kept beside it. Says first what it "
       "will do, and asks on a terminal; elsewhere it needs --yes.",
       "telec migrate rebuild                  after the state file was lost or damaged", "", Words::none, 0, 0},
      {Verb::doctor, "migrate doctor", "see whether migrations could run here",
       "Looks at the interpreter, the tree, the state, the lock, permissions, the file system, free space, and whether "
       "every pending script compiles and finds its imports; each line is 'ok', or says what to do (exit 4). Runs no "
       "migration and writes nothing.",
       "telec migrate doctor                   before an upgrade, or when something is odd", "", Words::none, 0, 0},
      {Verb::help, "help", "show this help, or that of one command", "", ""},
      {Verb::version, "--version", "show the version", "", ""},
  };
  return rows;
}

const std::vector<ExitRow>& exit_statuses() {
  constexpr unsigned run = bit(Verb::migrate);
  constexpr unsigned change = bit(Verb::mark) | bit(Verb::forget) | bit(Verb::rebuild);
  constexpr unsigned state = run | bit(Verb::status) | bit(Verb::log) | bit(Verb::verify) | change;
  constexpr unsigned tree = run | bit(Verb::status) | bit(Verb::verify) | bit(Verb::lint) | bit(Verb::create) |
                            bit(Verb::mark) | bit(Verb::rebuild);
  constexpr unsigned locks = run | bit(Verb::verify) | change;
  constexpr unsigned python = run | bit(Verb::verify) | bit(Verb::lint) | bit(Verb::mark) | bit(Verb::rebuild);
  constexpr unsigned all = state | tree | bit(Verb::doctor);
  static const std::vector<ExitRow> rows = {
      {"0", "done, or nothing to do", all},
      {"1", "a migration failed or ran out of time, and nothing after it ran", run},
      {"1", "a check() is not True, and nothing was recorded", bit(Verb::mark)},
      {"2", "usage", all},
      {"3", "something is pending (only with --check)", run | bit(Verb::status)},
      {"4", "findings", bit(Verb::verify) | bit(Verb::lint) | bit(Verb::doctor)},
      {"5", "a migration ran, but it could not be recorded", run},
      {"65", "the state file or the migrations tree cannot be trusted", state | tree},
      {"69", "no usable python3", python},
      {"74", "cannot read or write", all},
      {"75", "another run holds the lock (after --lock-timeout)", locks},
      {"75", "with --all-users or --user: nobody failed, and somebody's turn comes later", run},
      {"77", "refused for safety: the wrong user, or a place that others can write", state},
      {"129, 130, 143", "interrupted by SIGHUP, SIGINT, SIGTERM, and something was left undone",
       run | bit(Verb::verify)},
      {"129, 130, 143", "interrupted by SIGHUP, SIGINT, SIGTERM, or not confirmed (130)", change},
  };
  return rows;
}

const std::vector<OptionRow>& options() {
  using In = Invocation&;
  using Name = const std::string&;
  using Value = std::string_view;
  constexpr unsigned run = bit(Verb::migrate);
  constexpr unsigned look = bit(Verb::status);
  constexpr unsigned verify = bit(Verb::verify);
  constexpr unsigned mark = bit(Verb::mark);
  constexpr unsigned change = mark | bit(Verb::forget) | bit(Verb::rebuild);
  constexpr unsigned checks = run | verify | mark | bit(Verb::rebuild);
  constexpr unsigned all =
      run | look | verify | change | bit(Verb::log) | bit(Verb::lint) | bit(Verb::create) | bit(Verb::doctor);
  static const std::vector<OptionRow> rows = {
      {"dry-run", 'n', nullptr, true, run, "list what is pending; run and write nothing",
       [](In in, Name, Value) { in.dry_run = true; }},
      {"from", 0, "VERSION", false, run | look | verify, "only versions after this one (the version that is installed)",
       [](In in, Name name, Value value) { in.from = version_value(name, value); }},
      {"to", 0, "VERSION", false, run | look | verify,
       "only versions up to this one (the version being installed); the same as --from: exactly that version",
       [](In in, Name name, Value value) { in.to = version_value(name, value); }},
      {"only", 0, "ID", true, run, "run only this pending migration, as in 1.2.0/003_rename_keys.py; may be repeated",
       [](In in, Name name, Value value) { in.only.push_back(id_value(name, value)); }},
      {"rerun", 0, "ID", true, run, "run this migration although it is recorded; may be repeated",
       [](In in, Name name, Value value) { in.rerun.push_back(id_value(name, value)); }},
      {"pending", 0, nullptr, true, look, "list only what is pending", [](In in, Name, Value) { in.pending = true; }},
      {"applied", 0, nullptr, true, look, "list only what is recorded", [](In in, Name, Value) { in.applied = true; }},
      {"check", 0, nullptr, true, run | look,
       "exit 3 when something is pending (with --dry-run or status); does not apply anything",
       [](In in, Name, Value) { in.check = true; }},
      {"recheck", 0, nullptr, true, verify, "run check(), and only check(), to see whether the effects are there",
       [](In in, Name, Value) { in.recheck = true; }},
      {"against", 0, "DIR", false, bit(Verb::lint), "find what arrives late, or was changed, against this other tree",
       [](In in, Name name, Value value) { in.against = path_value(name, value); }},
      {"version", 0, "VERSION", false, bit(Verb::create), "the version it belongs to (default: the newest in the tree)",
       [](In in, Name name, Value value) { in.new_version = version_value(name, value); }},
      {"force", 0, nullptr, true, mark, "record it although its check() is not True; needs --reason",
       [](In in, Name, Value) { in.force = true; }},
      {"reason", 0, "TEXT", false, mark | bit(Verb::forget), "why; kept with the record and in the log",
       [](In in, Name name, Value value) { in.reason = text_value(name, value); }},
      {"yes", 'y', nullptr, true, change, "do not ask; needed where there is no terminal",
       [](In in, Name, Value) { in.yes = true; }},
      {"strict", 0, nullptr, true, run | look, "refuse to go on where the tree has a problem (exit 65)",
       [](In in, Name, Value) { in.strict = true; }},
      {"timeout", 0, "SECONDS", false, checks, "end a migration that runs longer (default 600)",
       [](In in, Name name, Value value) { in.timeout = seconds_value(name, value, 0.001); }},
      {"lock-timeout", 0, "SECONDS", false, checks | change,
       "wait this long for another run to end (default 60; 0: do not wait)",
       [](In in, Name name, Value value) { in.lock_timeout = seconds_value(name, value, 0); }},
      {"python", 0, "FILE", false, checks | bit(Verb::lint) | bit(Verb::doctor),
       "the python3 to use (else TELEC_PYTHON, /usr/bin/python3, python3 on PATH)",
       [](In in, Name name, Value value) { in.python = path_value(name, value); }},
      {"no-prestart", 0, nullptr, true, run,
       "start each python only when its turn has come, not while the one before it runs",
       [](In in, Name, Value) { in.prestart = false; }},
      {"all-users", 0, nullptr, true, run,
       "as root: for every user who has data, each as that user; one that fails stops no other",
       [](In in, Name, Value) { in.all_users = true; }},
      {"user", 0, "NAME", true, run, "as root: for this user, as that user; may be repeated",
       [](In in, Name name, Value value) { in.users.push_back(user_value(name, value)); }},
      {"user-timeout", 0, "SECONDS", false, run,
       "with --all-users or --user: give up on a user after this long (default 600)",
       [](In in, Name name, Value value) { in.user_timeout = seconds_value(name, value, 0.001); }},
      {"hook", 0, "strict", false, run,
       "for a package's hook: wait for nothing, say a line, and exit 0 whatever happens; strict: keep the exit codes",
       [](In in, Name, Value value) { in.hook = hook_value(value); }, true},
      {"events", 0, "FILE|FD", false, run,
       "append one JSON object per line to this file, or to a descriptor given as a number, as things happen",
       [](In in, Name name, Value value) { in.events = path_value(name, value); }},
      {"migrations-dir", 0, "DIR", false, all,
       "where the migrations are (else TELEC_MIGRATIONS_DIR, the installed ones)",
       [](In in, Name name, Value value) { in.migrations_dir = path_value(name, value); }},
      {"state-file", 0, "FILE", false, all,
       "where to record (else TELEC_STATE_FILE, ~/.teleclaude/migration_state.json)",
       [](In in, Name name, Value value) { in.state_file = path_value(name, value); }},
      {"json", 0, nullptr, true, all, "print exactly one JSON document on stdout",
       [](In in, Name, Value) { in.json = true; }},
      {"quiet", 'q', nullptr, true, all,
       "print nothing but errors, problems and findings (status: only what needs attention)",
       [](In in, Name, Value) { in.quiet = true; }},
      {"verbose", 'v', nullptr, true, all,
       "show what the scripts print while they run (log: everything about each attempt)",
       [](In in, Name, Value) { in.verbose = true; }},
      {"color", 0, "WHEN", false, all, "auto, always or never (auto: on a terminal, unless NO_COLOR is set)",
       [](In in, Name, Value value) { in.color = color_value(value); }},
      {"help", 'h', nullptr, true, all, "show the help of this command", [](In, Name, Value) {}},
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

std::string_view command_word(Verb verb) {
  const std::string_view words = row_of(verb).words;
  return words.starts_with("migrate ") ? words.substr(8) : words;
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
           "'telec migrate --dry-run --check' or 'telec migrate status --check'");
  }
  if (invocation.pending && invocation.applied) {
    refuse("--pending and --applied contradict each other", "without either, 'telec migrate status' lists both");
  }
  if (invocation.force && !invocation.reason) {
    refuse("--force needs --reason TEXT: whoever reads the history later wants to know why");
  }
  if (invocation.json && invocation.events && *invocation.events == "1") {
    refuse("--json and --events 1 would mix on stdout", "give the events a file or another descriptor");
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
