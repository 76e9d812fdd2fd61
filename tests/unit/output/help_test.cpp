// SPDX-License-Identifier: MIT
#include "output/help.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "command_line.hpp"
#include "text.hpp"

using namespace telec;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The text with runs of blanks and line ends as one blank, so that wrapping does not matter.
std::string unwrapped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank || (!out.empty() && out.back() != ' ')) {
      out.push_back(blank ? ' ' : c);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the overview has every verb of the table") {
  const std::string text = unwrapped(help_text(""));
  for (const VerbRow& verb : verbs()) {
    CAPTURE(verb.words);
    CHECK(contains(text, std::string("telec ") + verb.words + " "));
    CHECK(contains(text, verb.summary));
  }
}

TEST_CASE("the help of a verb has its options, and no other verb's") {
  for (const VerbRow& verb : verbs()) {
    if (*verb.details == '\0') {
      continue;
    }
    CAPTURE(verb.words);
    const std::string text = unwrapped(help_text(verb.words));
    CHECK(contains(text, std::string("usage: telec ") + verb.words + " [OPTIONS]"));
    CHECK(contains(text, "examples: "));
    for (const OptionRow& option : options()) {
      CAPTURE(option.name);
      std::string left = std::string("--") + option.name;
      if (option.argument != nullptr) {
        left +=
            option.argument_optional ? std::string("[=") + option.argument + "]" : std::string(" ") + option.argument;
      }
      left += " ";
      CHECK(contains(text, left + option.help) == has_option(verb.verb, option));
      if (has_option(verb.verb, option) && option.letter != 0) {
        CHECK(contains(text, std::string("-") + option.letter + ", --" + option.name));
      }
    }
  }
}

TEST_CASE("the help of a verb names every exit code") {
  const std::string text = unwrapped(help_text("migrate"));
  for (const char* code : {" 0 done", " 1 a migration failed", " 2 usage", " 3 something is pending", " 4 findings",
                           " 5 ran", " 65 ", " 69 ", " 74 ", " 75 ", " 77 ", " 130 and 143 "}) {
    CAPTURE(code);
    CHECK(contains(text, code));
  }
}

TEST_CASE("what has no page of its own shows the overview") {
  for (const char* topic : {"help", "--version", "frobnicate"}) {
    CHECK(help_text(topic) == help_text(""));
  }
}

TEST_CASE("no line of the help is wider than 120 columns, or ends with a blank") {
  std::vector<std::string> topics = {""};
  for (const VerbRow& verb : verbs()) {
    topics.emplace_back(verb.words);
  }
  for (const std::string& topic : topics) {
    const std::string text = help_text(topic);
    for (const std::string_view line : lines_of(text)) {
      CAPTURE(std::string(line));
      CHECK(line.size() <= 120);
      CHECK_FALSE(line.ends_with(' '));
    }
  }
}
