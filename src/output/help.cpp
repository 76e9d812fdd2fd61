// SPDX-License-Identifier: MIT
#include "help.hpp"

#include <algorithm>
#include <string_view>

#include "../command_line.hpp"
#include "../text.hpp"

namespace telec {
namespace {

constexpr std::size_t help_column = 28;
constexpr std::size_t help_width = 100;

void add_row(std::string& out, std::string left, std::string_view help) {
  out.append("  ").append(left);
  std::size_t column = left.size() + 2;
  if (column + 2 > help_column) {
    out.append("\n");
    column = 0;
  }
  while (!help.empty()) {
    out.append(help_column - column, ' ');
    std::size_t end = help.size();
    if (end > help_width - help_column) {
      end = help.rfind(' ', help_width - help_column);
    }
    out.append(help.substr(0, end)).append("\n");
    help.remove_prefix(std::min(help.size(), end + 1));
    column = 0;
  }
}

/// " FILE", or "[=strict]" where the value may be left out.
std::string argument_text(const OptionRow& option) {
  if (option.argument == nullptr) {
    return "";
  }
  return option.argument_optional ? std::string("[=") + option.argument + "]" : std::string(" ") + option.argument;
}

void add_examples(std::string& out, std::string_view examples) {
  for (const std::string_view line : lines_of(examples)) {
    out.append("  ").append(line).append("\n");
  }
}

std::string overview() {
  std::string out =
      "telec migrate brings a home from one version of TeleClaude to the next.\n\n"
      "examples:\n";
  for (const VerbRow& verb : verbs()) {
    const bool at_length = verb.verb == Verb::migrate || verb.verb == Verb::status;
    const std::string examples = verb.examples;
    add_examples(out, at_length ? examples : examples.substr(0, examples.find('\n')));
  }
  out += "\ncommands:\n";
  for (const VerbRow& verb : verbs()) {
    add_row(out, std::string("telec ") + verb.words, verb.summary);
  }
  return out + "\n'telec help migrate' lists the options of 'telec migrate', and so on.\n";
}

}  // namespace

std::string help_text(const std::string& topic) {
  for (const VerbRow& verb : verbs()) {
    if (topic.empty() || verb.words != topic || *verb.details == '\0') {
      continue;
    }
    std::string out = std::string("usage: telec ") + verb.words + " [OPTIONS]" + (*verb.arguments != '\0' ? " " : "") +
                      verb.arguments + "\n\n" + verb.details + "\n\nexamples:\n";
    add_examples(out, verb.examples);
    out += "\noptions:\n";
    for (const OptionRow& option : options()) {
      if (has_option(verb.verb, option)) {
        std::string left = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
        left += std::string("--") + option.name + argument_text(option);
        add_row(out, std::move(left), option.help);
      }
    }
    return out +
           "\nexit status: 0 done or nothing to do, 1 a migration failed, 2 usage, 3 something is pending (--check),\n"
           "4 findings, 5 ran but could not be recorded, 65 state or tree cannot be trusted, 69 no usable python3,\n"
           "74 cannot read or write, 75 another run holds the lock, 77 refused for safety, 130 and 143 interrupted.\n";
  }
  return overview();
}

}  // namespace telec
