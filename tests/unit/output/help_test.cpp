// SPDX-License-Identifier: MIT
#include "output/help.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "command_table.hpp"
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
  const std::string text = unwrapped(help_text("", 0));
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
    const std::string text = unwrapped(help_text(verb.words, 0));
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

TEST_CASE("the help of a verb has the exit statuses that it can end with, and no other's") {
  for (const VerbRow& verb : verbs()) {
    if (*verb.details == '\0') {
      continue;
    }
    CAPTURE(verb.words);
    const std::string text = unwrapped(help_text(verb.words, 0));
    for (const ExitRow& row : exit_statuses()) {
      CAPTURE(row.codes);
      CHECK(contains(text, std::string(" ") + row.codes + " " + row.means + " ") ==
            ((row.verbs & bit(verb.verb)) != 0));
    }
  }
}

TEST_CASE("what has no page of its own shows the overview") {
  for (const char* topic : {"help", "--version", "frobnicate"}) {
    CHECK(help_text(topic, 0) == help_text("", 0));
  }
}

TEST_CASE("no line of the help is wider than the terminal, but for what is typed; nor ends with a blank") {
  std::vector<std::string> topics = {""};
  for (const VerbRow& verb : verbs()) {
    topics.emplace_back(verb.words);
  }
  for (const std::string& topic : topics) {
    for (const std::size_t columns : {std::size_t{0}, std::size_t{40}, std::size_t{80}, std::size_t{200}}) {
      const std::string text = help_text(topic, columns);
      for (const std::string_view line : lines_of(text)) {
        CAPTURE(std::string(line));
        CHECK_FALSE(line.ends_with(' '));
        const bool is_typed = line.starts_with("usage: ") || line.starts_with("  ") || line.starts_with("'");
        const bool is_one_word =
            line.substr(std::min(line.find_first_not_of(' '), line.size())).find(' ') == std::string::npos;
        if (columns != 40 || !(is_typed || is_one_word)) {
          CHECK(line.size() <= (columns == 0 ? 80 : columns == 200 ? 100 : columns));
        }
      }
    }
  }
}

TEST_CASE("on a narrow terminal a sentence stands below what it is about") {
  CHECK(contains(help_text("migrate log", 40), "\n  telec migrate log\n        every attempt\n"));
  CHECK(contains(help_text("migrate log", 80), "\n  telec migrate log                      every attempt\n"));
}
