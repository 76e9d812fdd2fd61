// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"

using namespace telec;

namespace {

using Typed = std::vector<std::string>;

std::vector<std::string_view> views(const Typed& words) { return {words.begin(), words.end()}; }

Invocation parsed(const Typed& words) { return parse_command_line(views(words)); }

struct Refused {
  std::string message = "accepted";
  std::string hint;
};

Refused refused(const Typed& words) {
  try {
    parsed(words);
  } catch (const Error& error) {
    CHECK(error.code == ErrorCode::usage);
    CHECK_FALSE(error.hint.empty());
    return {error.message, error.hint};
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("migrate alone has the documented defaults") {
  const Invocation invocation = parsed({"migrate"});
  CHECK(invocation.verb == Verb::migrate);
  CHECK(invocation.range.is_everything());
  CHECK_FALSE(invocation.from.has_value());
  CHECK_FALSE(invocation.to.has_value());
  CHECK(invocation.only.empty());
  CHECK(invocation.rerun.empty());
  CHECK(invocation.timeout == 600);
  CHECK(invocation.lock_timeout == 60);
  CHECK_FALSE(invocation.dry_run);
  CHECK_FALSE(invocation.check);
  CHECK_FALSE(invocation.strict);
  CHECK_FALSE(invocation.json);
  CHECK_FALSE(invocation.quiet);
  CHECK_FALSE(invocation.verbose);
  CHECK_FALSE(invocation.color.has_value());
  CHECK_FALSE(invocation.migrations_dir.has_value());
  CHECK_FALSE(invocation.state_file.has_value());
  CHECK_FALSE(invocation.python.has_value());
}

TEST_CASE("every option of migrate is read") {
  const Invocation invocation = parsed(
      {"migrate",        "--dry-run",    "--from",         "1.0.0",   "--to",           "v2.0.0",  "--only",
       "1.1.0/001_a.py", "--only",       "1.1.0/002_b.py", "--rerun", "1.1.0/001_a.py", "--check", "--strict",
       "--timeout",      "1.5",          "--lock-timeout", "0",       "--python",       "py",      "--migrations-dir",
       "tree",           "--state-file", "state",          "--json",  "--quiet",        "--color", "always"});
  CHECK(invocation.dry_run);
  CHECK(invocation.range.from()->text() == "1.0.0");
  CHECK(invocation.range.to()->text() == "2.0.0");
  CHECK(invocation.only == Typed{"1.1.0/001_a.py", "1.1.0/002_b.py"});
  CHECK(invocation.rerun == Typed{"1.1.0/001_a.py"});
  CHECK(invocation.check);
  CHECK(invocation.strict);
  CHECK(invocation.timeout == 1.5);
  CHECK(invocation.lock_timeout == 0);
  CHECK(invocation.python == "py");
  CHECK(invocation.migrations_dir == "tree");
  CHECK(invocation.state_file == "state");
  CHECK(invocation.json);
  CHECK(invocation.quiet);
  CHECK(invocation.color == Color::always);
  CHECK(parsed({"migrate", "--verbose"}).verbose);
  CHECK(parsed({"migrate", "--color", "never"}).color == Color::never);
  CHECK(parsed({"migrate", "--color", "auto"}).color == Color::automatic);
}

TEST_CASE("a value may be joined with an equals sign, also one that has signs of its own") {
  const Invocation invocation = parsed({"migrate", "--from=1.0.0", "--to=2.0.0", "--state-file=a=b",
                                        "--migrations-dir=--json", "--timeout=3", "--only=1.1.0/001_a.py"});
  CHECK(invocation.range.from()->text() == "1.0.0");
  CHECK(invocation.range.to()->text() == "2.0.0");
  CHECK(invocation.state_file == "a=b");
  CHECK(invocation.migrations_dir == "--json");
  CHECK_FALSE(invocation.json);
  CHECK(invocation.timeout == 3);
}

TEST_CASE("letters may be joined") {
  const Invocation invocation = parsed({"migrate", "-nq"});
  CHECK(invocation.dry_run);
  CHECK(invocation.quiet);
  CHECK(parsed({"migrate", "-v", "-n"}).verbose);
  CHECK(parsed({"migrate", "-vn"}).dry_run);
  CHECK(parsed({"migrate", "-vh"}).verb == Verb::help);
  CHECK(contains(refused({"migrate", "-nx"}).message, "unknown option '-nx'"));
  CHECK(contains(refused({"migrate", "-x"}).message, "unknown option '-x'"));
  CHECK(contains(refused({"migrate", "-xn"}).message, "unknown option '-xn'"));
}

TEST_CASE("options may stand before and between the words") {
  CHECK(parsed({"--json", "migrate"}).json);
  const Invocation invocation = parsed({"-q", "migrate", "--json", "status", "--check"});
  CHECK(invocation.verb == Verb::status);
  CHECK(invocation.quiet);
  CHECK(invocation.json);
  CHECK(invocation.check);
  CHECK(parsed({"--state-file", "status", "migrate"}).verb == Verb::migrate);
}

TEST_CASE("a value that is missing is named with what it should be") {
  for (const OptionRow& option : options()) {
    if (option.argument == nullptr || option.argument_optional || !has_option(Verb::migrate, option)) {
      continue;
    }
    const std::string typed = std::string("--") + option.name;
    CAPTURE(typed);
    CHECK(refused({"migrate", typed}).message == typed + " needs a value: " + option.argument);
    CHECK(contains(refused({"migrate", typed, "--json"}).message, typed + " needs a value"));
    CHECK(contains(refused({"migrate", typed, "--json"}).message, "'--json' is an option"));
    CHECK(refused({"migrate", typed + "="}).message != "accepted");
  }
}

TEST_CASE("a flag takes no value") {
  for (const OptionRow& option : options()) {
    if (option.argument == nullptr && has_option(Verb::migrate, option)) {
      const std::string typed = std::string("--") + option.name;
      CHECK(refused({"migrate", typed + "=yes"}).message == typed + " takes no value");
      CHECK(refused({"migrate", typed + "="}).message == typed + " takes no value");
    }
  }
}

TEST_CASE("an unknown option suggests the nearest one of its verb") {
  CHECK(refused({"migrate", "--dry-rum"}).message == "unknown option '--dry-rum'");
  CHECK(refused({"migrate", "--dry-rum"}).hint == "did you mean '--dry-run'?");
  CHECK(refused({"migrate", "--dryrun"}).hint == "did you mean '--dry-run'?");
  CHECK(refused({"migrate", "--form=1.0.0"}).hint == "did you mean '--from'?");
  CHECK(refused({"migrate", "--form=1.0.0"}).message == "unknown option '--form'");
  CHECK(refused({"migrate", "--frobnicate"}).hint == "see 'telec help migrate'");
  CHECK(refused({"migrate", "status", "--frobnicate"}).hint == "see 'telec help migrate status'");
  CHECK(refused({"help", "--frobnicate"}).message == "unknown option '--frobnicate'");
}

TEST_CASE("an option is never guessed from its beginning") {
  CHECK(refused({"migrate", "--dry"}).message == "unknown option '--dry'");
  CHECK(refused({"migrate", "--lock"}).message == "unknown option '--lock'");
  CHECK(refused({"migrate", "-dry-run"}).message == "unknown option '-dry-run'");
}

TEST_CASE("an option of another verb is refused as such") {
  for (const OptionRow& option : options()) {
    const std::string typed = std::string("--") + option.name;
    CAPTURE(typed);
    const Typed value = option.argument != nullptr && !option.argument_optional ? Typed{"1"} : Typed{};
    Typed words = {"migrate", "status", typed};
    words.insert(words.end(), value.begin(), value.end());
    // `new` has a --version with a value; everywhere else it is the flag of telec itself.
    if (!has_option(Verb::status, option) && option.verbs != bit(Verb::create)) {
      CHECK(refused(words).message == "'telec migrate status' has no option '" + typed + "'");
    }
  }
  CHECK(refused({"migrate", "--version"}).message == "'telec migrate' has no option '--version'");
  CHECK(refused({"migrate", "status", "--dry-run"}).hint ==
        "it belongs to 'telec migrate'; see 'telec help migrate status'");
  CHECK(refused({"migrate", "log", "--from", "1.0.0"}).hint ==
        "it belongs to 'telec migrate', 'telec migrate status', 'telec migrate verify'; see 'telec help migrate log'");
  CHECK(refused({"migrate", "status", "--python", "x"}).hint == "see 'telec help migrate status'");
}

TEST_CASE("help may stand behind 'telec migrate' too") {
  CHECK(parsed({"migrate", "help"}).help_topic == parsed({"help", "migrate"}).help_topic);
  CHECK(parsed({"migrate", "help", "lint"}).help_topic == "migrate lint");
  CHECK(contains(refused({"migrate", "help", "lnit"}).hint, "did you mean"));
}

TEST_CASE("an option that is given twice is refused, but for flags and for those that may be repeated") {
  for (const char* name :
       {"--from", "--to", "--timeout", "--lock-timeout", "--python", "--migrations-dir", "--state-file"}) {
    CAPTURE(name);
    const std::string value = std::string(name) == "--from" || std::string(name) == "--to" ? "1.0.0" : "1";
    CHECK(refused({"migrate", name, value, name, value}).message == std::string(name) + " is given twice");
  }
  CHECK(refused({"migrate", "--color=auto", "--color=auto"}).message == "--color is given twice");
  CHECK(parsed({"migrate", "-v", "-v", "--verbose"}).verbose);
  CHECK(parsed({"migrate", "--rerun=1.1.0/001_a.py", "--rerun=1.1.0/002_b.py"}).rerun.size() == 2);
}

TEST_CASE("contradictions are refused") {
  CHECK(refused({"migrate", "-q", "-v"}).message == "--quiet and --verbose contradict each other");
  CHECK(contains(refused({"migrate", "--check"}).message, "--check"));
  CHECK(refused({"migrate", "--check"}).hint == "'telec migrate --dry-run --check'");
  CHECK(refused({"migrate", "--check", "--state-file", "s", "--to", "1.0.0"}).hint ==
        "'telec migrate --state-file s --to 1.0.0 --dry-run --check'");
  CHECK(refused({"migrate", "status", "--pending", "--applied", "--migrations-dir", "a b", "--to", "1.0.0"}).hint ==
        "without either, 'telec migrate status --migrations-dir 'a b' --to 1.0.0' lists both");
  CHECK(parsed({"migrate", "--check", "--dry-run"}).check);
  CHECK(parsed({"migrate", "status", "--check"}).check);
  CHECK(refused({"migrate", "--from", "2.0.0", "--to", "1.0.0"}).message == "--from 2.0.0 is newer than --to 1.0.0");
  CHECK(contains(refused({"migrate", "--from", "2.0.0", "--to", "1.0.0"}).hint, "downgrades are not supported"));
}

TEST_CASE("a bad version names the option, the value and what is wrong") {
  for (const char* name : {"--from", "--to"}) {
    CHECK(refused({"migrate", name, "1.02.0"}).message ==
          std::string(name) + " '1.02.0' is not a version: leading zero in '02'");
    CHECK(refused({"migrate", name, ""}).message == std::string(name) + " '' is not a version: it is empty");
    CHECK(contains(refused({"migrate", name, "1.2.0+5"}).message, "build metadata"));
    CHECK_FALSE(contains(refused({"migrate", name, "\x1b[2J"}).message, "\x1b"));
  }
  CHECK(parsed({"migrate", "--from", " v1.0.0 "}).range.from()->text() == "1.0.0");
}

TEST_CASE("an id may be typed as the script's path, and must not be empty") {
  for (const char* name : {"--only", "--rerun"}) {
    CAPTURE(name);
    const Invocation invocation =
        parsed({"migrate", name, "v1.1.0/001_a.py", name, "verbatim", name, "1.1.0/002_b.py"});
    const Typed expected = {"1.1.0/001_a.py", "verbatim", "1.1.0/002_b.py"};
    CHECK((std::string(name) == "--only" ? invocation.only : invocation.rerun) == expected);
    CHECK(refused({"migrate", name, ""}).message == std::string(name) + " needs a migration's id, it is empty");
  }
}

TEST_CASE("a mistyped option is named, not the value that looks like a word too many") {
  CHECK(refused({"migrate", "--form", "1.0.0"}).message == "unknown option '--form'");
  CHECK(refused({"--form", "1.0.0", "migrate"}).message == "unknown option '--form'");
  CHECK(refused({"migrate", "--version"}).hint == "did you mean 'telec --version'?");
}

TEST_CASE("seconds are a plain number within 30 days") {
  for (const char* good : {"1", "0.5", ".5", "90", "1e3", "2592000"}) {
    CAPTURE(good);
    CHECK(parsed({"migrate", "--timeout", good}).timeout > 0);
  }
  for (const char* bad : {"", "0", "-1", "x", "1s", "1 ", " 1", "nan", "inf", "-inf", "1e999", "0x10", "1,5", "2592001",
                          "0.0001", "1.2.3", "--1", "1e"}) {
    CAPTURE(bad);
    CHECK(contains(refused({"migrate", "--timeout", bad}).message, "is not a number of seconds above 0"));
  }
  CHECK(parsed({"migrate", "--lock-timeout", "0"}).lock_timeout == 0);
  CHECK(contains(refused({"migrate", "--lock-timeout", "-1"}).message, "is not a number of seconds from 0 on"));
}

TEST_CASE("a bad colour and an empty path are refused") {
  CHECK(contains(refused({"migrate", "--color", "blue"}).message, "'blue' is none of auto, always, never"));
  for (const char* name : {"--migrations-dir", "--state-file", "--python"}) {
    CHECK(refused({"migrate", name, ""}).message == std::string(name) + " needs a path, it is empty");
  }
  CHECK(refused({"migrate", "lint", ""}).message == "DIR needs a path, it is empty");
}

TEST_CASE("a reason is a text of some length, and not of any") {
  const auto reason = [](const std::string& text) {
    return refused({"migrate", "mark", "1.0.0/001_a.py", "--force", "--reason", text}).message;
  };
  CHECK(reason(std::string(1000, 'x')) == "accepted");
  for (const std::string& bad : {std::string(), std::string(" \t\n"), std::string(1001, 'x')}) {
    CHECK(reason(bad) == "--reason needs a text of 1 to 1000 bytes");
  }
}

TEST_CASE("the verbs are told apart") {
  CHECK(parsed({"migrate", "status"}).verb == Verb::status);
  CHECK(parsed({"--version"}).verb == Verb::version);
  CHECK(parsed({"help"}).verb == Verb::help);
  CHECK(parsed({"--help"}).verb == Verb::help);
  CHECK(parsed({"-h"}).verb == Verb::help);
  CHECK(parsed({"--version", "--help"}).verb == Verb::help);
}

TEST_CASE("help has a topic where one is named, before or after") {
  CHECK(parsed({"help"}).help_topic.empty());
  CHECK(parsed({"help", "migrate"}).help_topic == "migrate");
  CHECK(parsed({"help", "migrate", "status"}).help_topic == "migrate status");
  CHECK(parsed({"migrate", "--help"}).help_topic == "migrate");
  CHECK(parsed({"migrate", "status", "-h"}).help_topic == "migrate status");
  CHECK(parsed({"-h", "migrate", "status"}).help_topic == "migrate status");
  CHECK(parsed({"migrate", "--from", "1.0.0", "-h"}).help_topic == "migrate");
  CHECK(parsed({"help", "migrate"}).verb == Verb::help);
  CHECK(parsed({"help", "status"}).help_topic == "migrate status");
  CHECK(parsed({"status", "--help"}).help_topic == "migrate status");
}

TEST_CASE("every error ends with an exit status of the table") {
  for (const ErrorCode code : {ErrorCode::usage, ErrorCode::migration_failed, ErrorCode::timeout, ErrorCode::unrecorded,
                               ErrorCode::state_untrusted, ErrorCode::tree_untrusted, ErrorCode::no_python,
                               ErrorCode::io, ErrorCode::locked, ErrorCode::deferred, ErrorCode::unsafe}) {
    CAPTURE(word_of(code));
    const std::string status = std::to_string(exit_code_of(code));
    CHECK(std::ranges::any_of(exit_statuses(), [&](const ExitRow& row) { return row.codes == status; }));
  }
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    const std::string status = std::to_string(exit_code_of(ErrorCode::interrupted, signal));
    CHECK(contains(exit_statuses().back().codes, status));
  }
}

TEST_CASE("help about help is the overview") {
  CHECK(parsed({"help", "help"}).verb == Verb::help);
  CHECK(parsed({"help", "help"}).help_topic.empty());
  CHECK(parsed({"help", "--help"}).help_topic.empty());
}

TEST_CASE("an unknown word suggests the nearest") {
  CHECK(refused({"migrat"}).message == "unknown command 'migrat'");
  CHECK(refused({"migrat"}).hint == "did you mean 'telec migrate'?");
  CHECK(refused({"migrate", "staus"}).message == "unknown command 'staus'");
  CHECK(refused({"migrate", "staus"}).hint == "did you mean 'telec migrate status'?");
  CHECK(refused({"status"}).hint == "did you mean 'telec migrate status'?");
  CHECK(refused({"halp"}).hint == "did you mean 'telec help'?");
  CHECK(refused({"statsu"}).hint == "did you mean 'telec migrate status'?");
  CHECK(refused({"frobnicate"}).hint == "see 'telec help'");
  CHECK(refused({"migrate", "frobnicate"}).hint ==
        "after 'telec migrate' comes an option, or one of: status, log, verify, lint, new, mark, forget, rebuild, "
        "doctor");
  CHECK(refused({"migrate", "1.2.0/003_x.py"}).hint == "to run one migration: 'telec migrate --only 1.2.0/003_x.py'");
  CHECK(refused({"migrate", "a/v1.2.0/003 x"}).hint == "to run one migration: 'telec migrate --only '1.2.0/003 x''");
  CHECK(refused({""}).message == "unknown command ''");
  CHECK(refused({"migrate", "status", "more"}).message == "unexpected argument 'more'");
  CHECK(refused({"migrate", "status", "more"}).hint == "see 'telec help migrate status'");
  CHECK(refused({"help", "frobnicate"}).message == "unknown command 'frobnicate'");
  CHECK(refused({"-"}).message == "unknown command '-'");
  CHECK_FALSE(contains(refused({"\x1b[2J"}).message, "\x1b"));
}

TEST_CASE("an unknown option without a command suggests the nearest of those that need none") {
  CHECK(refused({"--versio"}).message == "unknown option '--versio'");
  CHECK(refused({"--versio"}).hint == "did you mean '--version'?");
  CHECK(refused({"--hlep"}).hint == "did you mean '--help'?");
  CHECK(refused({"--frobnicate"}).hint == "see 'telec help'");
  // What cannot even be cut into options names the help of what was typed, as far as that can be told.
  CHECK(refused({"--timeout"}).hint == "see 'telec help'");
  CHECK(refused({"migrate", "--timeout"}).hint == "see 'telec help migrate'");
  CHECK(refused({"--json", "migrate", "status", "--state-file"}).hint == "see 'telec help migrate status'");
  CHECK(refused({"migrate", "log", "--quiet=yes"}).hint == "see 'telec help migrate log'");
  CHECK(refused({"-x"}).message == "unknown option '-x'");
}

TEST_CASE("a path into a tree is taken as the id that it ends with") {
  for (const char* typed :
       {"1.1.0/001_a.py", "v1.1.0/001_a.py", "./v1.1.0/001_a.py", "/usr/share/telec/migrations/v1.1.0/001_a.py"}) {
    CAPTURE(typed);
    CHECK(parsed({"migrate", "log", typed}).arguments == std::vector<std::string>{"1.1.0/001_a.py"});
  }
  for (const char* typed : {"verbatim", "/v", "x/001_a.py", "v", "/001_a.py", "value/001_a.py"}) {
    CAPTURE(typed);
    CHECK(parsed({"migrate", "log", typed}).arguments == std::vector<std::string>{typed});
  }
}

TEST_CASE("no words at all say how to begin") {
  CHECK(refused({}).message == "no command was given");
  CHECK(contains(refused({}).hint, "telec migrate"));
  CHECK(refused({"--json"}).message == "no command was given");
}

TEST_CASE("after -- everything is a word") {
  CHECK(parsed({"--", "migrate"}).verb == Verb::migrate);
  CHECK(parsed({"migrate", "--"}).verb == Verb::migrate);
  CHECK(refused({"migrate", "--", "--json"}).message == "unknown command '--json'");
}

TEST_CASE("--json is seen also where the rest is wrong") {
  CHECK(asks_for_json(views({"migrat", "--json"})));
  CHECK_FALSE(asks_for_json(views({"migrate"})));
  CHECK_FALSE(asks_for_json(views({"migrate", "--", "--json"})));
  CHECK_FALSE(asks_for_json({}));
}

TEST_CASE("the command of a broken line is told as far as it can be") {
  CHECK(std::string(command_word(views({"migrate", "status", "--nope"}))) == "status");
  CHECK(std::string(command_word(views({"migrate", "--nope"}))) == "migrate");
  CHECK(std::string(command_word({})) == "migrate");
}

TEST_CASE("no verb has a name or a letter twice, and every row has help") {
  const auto& rows = options();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK_FALSE(std::string(rows[i].help).empty());
    for (std::size_t j = 0; j < i; ++j) {
      // --version alone has two meanings, of which no verb has both.
      CHECK((std::string(rows[i].name) != rows[j].name || (rows[i].verbs & rows[j].verbs) == 0));
      CHECK((std::string(rows[i].name) != rows[j].name || std::string(rows[i].name) == "version"));
      CHECK((rows[i].letter == 0 || rows[i].letter != rows[j].letter));
    }
  }
}

TEST_CASE("every option of a verb is accepted by it") {
  for (const Verb verb : {Verb::migrate, Verb::status}) {
    for (const OptionRow& option : options()) {
      if (!has_option(verb, option)) {
        continue;
      }
      Typed words = verb == Verb::status ? Typed{"migrate", "status"} : Typed{"migrate", "--dry-run"};
      if (option.name == std::string("user-timeout")) {
        words.push_back("--all-users");
      }
      words.push_back(std::string("--") + option.name);
      if (option.argument != nullptr && !option.argument_optional) {
        const std::string kind = option.argument;
        words.push_back(kind == "VERSION" ? "1.0.0" : kind == "ID" ? "1.0.0/001_a.py" : kind == "WHEN" ? "auto" : "5");
      }
      CAPTURE(words.back());
      CHECK_NOTHROW(parsed(words));
    }
  }
}

TEST_CASE("--hook takes its value only from behind a '='") {
  CHECK(parsed({"migrate"}).hook == Hook::none);
  CHECK(parsed({"migrate", "--hook"}).hook == Hook::lenient);
  CHECK(parsed({"migrate", "--hook", "-q"}).quiet);
  CHECK(parsed({"migrate", "--hook="}).hook == Hook::lenient);
  CHECK(parsed({"migrate", "--hook=strict"}).hook == Hook::strict);
  CHECK(refused({"migrate", "--hook=loose"}).message == "--hook=loose is not known");
  CHECK(contains(refused({"migrate", "--hook", "strict"}).message, "'strict'"));
  CHECK(refused({"migrate", "--hook", "--hook"}).message == "--hook is given twice");
}

TEST_CASE("a hook waits for no lock, whatever was typed") {
  CHECK(parsed({"migrate", "--hook"}).lock_timeout == 0);
  CHECK(parsed({"migrate", "--lock-timeout", "5", "--hook"}).lock_timeout == 0);
}

TEST_CASE("users are named one by one or all at once, each with a state file of their own") {
  CHECK_FALSE(names_users(parsed({"migrate"})));
  CHECK(names_users(parsed({"migrate", "--all-users"})));
  const Invocation named = parsed({"migrate", "--user", "ada", "--user=bob", "--user-timeout", "5"});
  CHECK(named.users == std::vector<std::string>{"ada", "bob"});
  CHECK(named.user_timeout == 5);
  CHECK(parsed({"migrate"}).user_timeout == 600);
  for (const char* name : {"", "a:b", "a/b", "a\nb"}) {
    CHECK(contains(refused({"migrate", "--user", name}).message, "is not the name of a user"));
  }
  CHECK(contains(refused({"migrate", "--all-users", "--state-file", "x"}).message, "--state-file names one file"));
  CHECK(contains(refused({"migrate", "status", "--all-users"}).message, "has no option '--all-users'"));
  for (const Typed& words : {Typed{"migrate", "--all-users", "--user", "ada"},
                             Typed{"migrate", "--user", "ada", "--all-users", "--dry-run"}}) {
    CHECK(refused(words).message == "--all-users and --user contradict each other");
  }
  for (const char* seconds : {"5", "600"}) {
    CHECK(contains(refused({"migrate", "--user-timeout", seconds}).message, "it goes with --all-users or --user"));
  }
}
