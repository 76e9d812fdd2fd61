// SPDX-License-Identifier: MIT
#include "man_page.hpp"

#include <doctest/doctest.h>

#include <string>

#include "command_table.hpp"

using namespace telec;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const char* const frame =
    "# SYNOPSIS\n@SYNOPSIS@\n# COMMANDS\n@COMMANDS@\n# OPTIONS\n@OPTIONS@\n# EXIT\n@EXIT_STATUS@\n";

}  // namespace

TEST_CASE("the man page has every command, option and exit status of the table") {
  const std::string page = man_page(frame);
  for (const VerbRow& verb : verbs()) {
    if (std::string_view(verb.words).starts_with("migrate")) {
      CAPTURE(verb.words);
      CHECK(contains(page, std::string("*telec ") + verb.words + "* [OPTIONS]"));
      CHECK(contains(page, std::string("*telec ") + verb.words + "*\n\t"));
    }
  }
  for (const OptionRow& option : options()) {
    CAPTURE(option.name);
    CHECK(contains(page, std::string("*--") + option.name + "*") ==
          (option.verbs != 0 || option.name == std::string("version")));
  }
  for (const ExitRow& row : exit_statuses()) {
    CAPTURE(row.codes);
    CHECK(contains(page, std::string("*") + row.codes + "*\n\t"));
    CHECK(contains(page, std::string("\t") + row.means));
  }
}

TEST_CASE("what a person fills in is underlined, and a value that may be left out stands in brackets") {
  const std::string page = man_page(frame);
  CHECK(contains(page, "*telec migrate log* [OPTIONS] [_ID_]++\n"));
  CHECK(contains(page, "*telec migrate mark* [OPTIONS] _ID_...++\n"));
  CHECK(contains(page, "*--from* _VERSION_\n"));
  CHECK(contains(page, "*--events* _FILE_|_FD_\n"));
  CHECK(contains(page, "*--hook*[=*strict*]\n"));
  CHECK(contains(page, "*-n*, *--dry-run*\n"));
}

TEST_CASE("who has an option is told") {
  const std::string page = man_page(frame);
  CHECK(contains(
      page, "*--recheck*\n\trun check(), and only check(), to see whether the effects are there. For *verify*.\n"));
  CHECK(contains(page, "print exactly one JSON document on stdout. For all commands.\n"));
}

TEST_CASE("what would be markup is escaped") { CHECK(contains(man_page(frame), "TELEC\\_MIGRATIONS\\_DIR")); }

TEST_CASE("a page without a place for one of the parts is none") {
  CHECK(man_page("# SYNOPSIS\n@SYNOPSIS@\n").empty());
}
