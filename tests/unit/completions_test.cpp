// SPDX-License-Identifier: MIT
#include "completions.hpp"

#include <doctest/doctest.h>

#include <string>

#include "command_table.hpp"

using namespace telec;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every verb and every option of the table is in each completion") {
  for (const VerbRow& verb : verbs()) {
    if (std::string_view(verb.words).starts_with("migrate ")) {
      CAPTURE(verb.words);
      const std::string name(command_word(verb.verb));
      CHECK(contains(bash_completion(), "        " + name + ")\n"));
      CHECK(contains(zsh_completion(), "        " + name + ")\n"));
      CHECK(contains(fish_completion(), "-a " + name + " -d "));
    }
  }
  for (const OptionRow& option : options()) {
    if (option.verbs == 0) {
      continue;
    }
    CAPTURE(option.name);
    const std::string name = option.name;
    CHECK(contains(bash_completion(), "--" + name));
    CHECK(contains(zsh_completion(), "--" + name +
                                         (option.argument_optional     ? "=-["
                                          : option.argument != nullptr ? "=["
                                                                       : "[")));
    CHECK(contains(fish_completion(), " -l " + name + " "));
  }
}
