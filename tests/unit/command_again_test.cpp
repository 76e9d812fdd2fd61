// SPDX-License-Identifier: MIT
#include "command_again.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace telec;

namespace {

using Arguments = std::vector<std::string_view>;

Invocation typed(const Arguments& words) { return parse_command_line(words); }

const std::string A = "1.0.0/001_a.py";
const std::string B = "1.1.0/002_b.py";

}  // namespace

TEST_CASE("a command of another verb is at the same place, as far as that verb can say it") {
  const Invocation run = typed({"migrate", "--migrations-dir", "t", "--state-file", "s.json", "--python", "/p", "--to",
                                "1.2.0", "--strict", "-q"});
  CHECK(command_again(run) == "telec migrate --migrations-dir t --state-file s.json --python /p");
  CHECK(command_again(run, Verb::status) == "telec migrate status --migrations-dir t --state-file s.json");
  CHECK(command_again(run, Verb::mark) == "telec migrate mark --migrations-dir t --state-file s.json --python /p");
  CHECK(command_again(run, Verb::lint) == "telec migrate lint --migrations-dir t --python /p");
  CHECK(command_again(typed({"migrate"}), Verb::rebuild) == "telec migrate rebuild");
}

TEST_CASE("what root types for another user's run is as that user where the verb has no --user") {
  Invocation theirs = typed({"migrate", "--user", "ada", "--migrations-dir", "t"});
  theirs.home = "/home/ada";
  CHECK(run_again(theirs) == "telec migrate --migrations-dir t --user ada");
  CHECK(hint_in_full("'telec migrate rebuild' writes it anew, then 'telec migrate'", theirs) ==
        "'runuser -u ada -- env HOME=/home/ada telec migrate rebuild --migrations-dir t' writes it anew, then "
        "'telec migrate --migrations-dir t --user ada'");
  theirs.users = {"a da"};
  theirs.home = "/home/a da";
  CHECK(command_again(theirs, Verb::status) ==
        "runuser -u 'a da' -- env 'HOME=/home/a da' telec migrate status --migrations-dir t");
}

TEST_CASE("a value that a shell would not take as it stands is quoted") {
  CHECK(command_again(typed({"migrate", "--state-file", "my file.json"})) ==
        "telec migrate --state-file 'my file.json'");
}

TEST_CASE("the same run again selects the same migrations, and judges them alike") {
  CHECK(run_again(typed({"migrate"})) == "telec migrate");
  CHECK(run_again(typed({"migrate", "--from", "v1.0.0", "--to", "1.1.0"})) == "telec migrate --from 1.0.0 --to 1.1.0");
  CHECK(run_again(typed({"migrate", "--rerun", B, "--only", A, "--only", B})) ==
        "telec migrate --only " + A + " --only " + B + " --rerun " + B);
  CHECK(run_again(typed({"migrate", "--strict", "--no-prestart", "--timeout", "0.5", "--state-file", "s"})) ==
        "telec migrate --state-file s --strict --no-prestart --timeout 0.5");
  CHECK(run_again(typed({"migrate", "--timeout", "2.592e6"})) == "telec migrate --timeout 2592000");
  CHECK(run_again(typed({"migrate", "--all-users", "--user-timeout", "90"})) ==
        "telec migrate --all-users --user-timeout 90");
  CHECK(run_again(typed({"migrate", "--user", "ada", "--user", "bo b"})) == "telec migrate --user ada --user 'bo b'");
}

TEST_CASE("what only decides how a run is told is not repeated") {
  CHECK(run_again(typed({"migrate", "-v", "--json", "--color", "never", "--hook", "--events", "x"})) ==
        "telec migrate");
  CHECK(run_again(typed({"migrate", "-q", "-n", "--check", "--lock-timeout", "0"})) == "telec migrate");
}

TEST_CASE("the command for one leaves out what selects, and what is to wait longer is told how long") {
  const Invocation run =
      typed({"migrate", "--state-file", "s", "--from", "1.0.0", "--only", A, "--strict", "--timeout", "5"});
  CHECK(run_one(run) == "telec migrate --state-file s --strict --timeout 5");
  CHECK(run_longer(run) == "telec migrate --state-file s --from 1.0.0 --only " + A + " --strict --timeout 10");
  CHECK(run_longer(typed({"migrate"})) == "telec migrate --timeout 1200");
  CHECK(run_longer(typed({"migrate", "--timeout", "0.25"})) == "telec migrate --timeout 0.5");
  CHECK(run_longer(typed({"migrate", "--timeout", "2000000"})) == "telec migrate --timeout 2592000");
  CHECK(run_waiting(typed({"migrate", "--to", "1.0.0"})) == "telec migrate --to 1.0.0 --lock-timeout 120");
  CHECK(run_waiting(typed({"migrate", "--lock-timeout", "0"})) == "telec migrate --lock-timeout 60");
  CHECK(longer_wait(2592000) == "2592000");
}

TEST_CASE("a look again selects the same") {
  const Invocation look = typed({"migrate", "status", "--state-file", "s", "--from", "1.0.0", "--strict", "--check"});
  CHECK(run_again(look, Verb::status) == "telec migrate status --state-file s --from 1.0.0 --strict");
}

TEST_CASE("every command can be typed") {
  const Invocation run = typed({"migrate", "--migrations-dir", "t", "--python", "/p", "--from", "1.0.0", "--to",
                                "2.0.0", "--only", A, "--rerun", B, "--strict", "--no-prestart", "--timeout", "2.25"});
  const std::string command = run_again(run);
  Arguments words;
  for (std::string_view rest = command; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    words.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  words.erase(words.begin());
  CHECK(run_again(typed(words)) == command);
}

TEST_CASE("a hint is completed with what was typed, and only once") {
  const Invocation run = typed({"migrate", "--state-file", "s", "--to", "1.1.0"});
  const std::string full =
      "then run 'telec migrate --state-file s --to 1.1.0' again; or 'telec migrate rebuild --state-file s'";
  CHECK(hint_in_full("then run 'telec migrate' again; or 'telec migrate rebuild'", run) == full);
  CHECK(hint_in_full(full, run) == full);
  CHECK(hint_in_full("'telec migrate log', 'telec migrate'", typed({"migrate"})) ==
        "'telec migrate log', 'telec migrate'");
  CHECK(hint_in_full("did you mean 'telec migrate --dry-run'?", run) == "did you mean 'telec migrate --dry-run'?");
  CHECK(hint_in_full("", run).empty());
}

TEST_CASE("what root is to do as a user is what was typed, as that user") {
  const std::string hint = "run as that user, with 'telec migrate --user ada': why";
  const auto full = [&](const Arguments& words) { return hint_in_full(hint, typed(words)); };
  CHECK(full({"migrate"}) == hint);
  CHECK(full({"migrate", "-n", "--to", "1.1.0", "--migrations-dir", "t"}) ==
        "run as that user, with 'telec migrate --migrations-dir t --user ada --to 1.1.0 --dry-run': why");
  // Where there is no --user.
  CHECK(full({"migrate", "--state-file", "s", "-n"}) ==
        "run as that user, with 'sudo -H -u ada telec migrate --state-file s --dry-run': why");
  CHECK(full({"migrate", "status", "--migrations-dir", "t"}) ==
        "run as that user, with 'sudo -H -u ada telec migrate status --migrations-dir t': why");
  CHECK(full({"migrate", "log", A}) == "run as that user, with 'sudo -H -u ada telec migrate log " + A + "': why");
  CHECK(hint_in_full("'telec migrate --user DOM\\ada'", typed({"migrate"})) == "'telec migrate --user 'DOM\\ada''");
  const std::string complete = "run 'telec migrate --user ada --to 1.1.0' again";
  CHECK(hint_in_full(complete, typed({"migrate"})) == complete);
}
