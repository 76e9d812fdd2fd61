// SPDX-License-Identifier: MIT
#include "help.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "../command_table.hpp"
#include "../text.hpp"
#include "width.hpp"

namespace telec {
namespace {

/// Two columns: what is typed, and a sentence about it, below it where there is not enough room beside it.
class Rows {
 public:
  Rows(std::size_t left_width, std::size_t columns) : columns_(columns), beside_(left_width + indent + gap) {
    constexpr std::size_t least_room = 30;
    if (beside_ + least_room > columns) {
      beside_ = 0;
    }
  }

  void add(std::string& out, const std::string& left, std::string_view sentence) const {
    constexpr std::size_t below = 8;
    const bool is_beside = indent + left.size() + gap <= beside_;
    const std::size_t at = beside_ > 0 ? beside_ : below;
    out.append(indent, ' ').append(left);
    out.append(is_beside ? beside_ - indent - left.size() : 0, ' ')
        .append(is_beside ? "" : "\n" + std::string(at, ' '));
    out.append(wrapped(sentence, columns_, at, at)).append("\n");
  }

 private:
  static constexpr std::size_t indent = 2;
  static constexpr std::size_t gap = 2;
  std::size_t columns_;
  std::size_t beside_;  // the column of the sentences; 0: below
};

/// " FILE", or "[=strict]" where the value may be left out.
std::string argument_text(const OptionRow& option) {
  if (option.argument == nullptr) {
    return "";
  }
  return option.argument_optional ? std::string("[=") + option.argument + "]" : std::string(" ") + option.argument;
}

/// "telec migrate log    every attempt" -> the command, and what it does.
std::pair<std::string_view, std::string_view> example_of(std::string_view line) {
  const std::size_t end = std::min(line.find("  "), line.size());
  const std::size_t begin = std::min(line.find_first_not_of(' ', end), line.size());
  return {line.substr(0, end), line.substr(begin)};
}

void add_examples(std::string& out, std::string_view examples, std::size_t columns) {
  constexpr std::size_t usual_width = 37;
  const Rows rows(usual_width, columns);
  out.append("\nexamples:\n");
  for (const std::string_view line : lines_of(examples)) {
    const auto [command, what] = example_of(line);
    rows.add(out, std::string(command), what);
  }
}

std::string overview(std::size_t columns) {
  std::string out =
      wrapped("telec migrate brings a home from one version of TeleClaude to the next.", columns, 0, 0) + "\n";
  std::string examples;
  for (const VerbRow& verb : verbs()) {
    if (verb.verb == Verb::migrate || verb.verb == Verb::status) {
      examples.append(verb.examples).append("\n");
    }
  }
  add_examples(out, examples, columns);
  constexpr std::size_t longest_command = 21;
  const Rows rows(longest_command, columns);
  out += "\ncommands:\n";
  for (const VerbRow& verb : verbs()) {
    rows.add(out, std::string("telec ") + verb.words, verb.summary);
  }
  return out + "\n" +
         wrapped("'telec help status' explains 'telec migrate status' with its options, and so on.", columns, 0, 0) +
         "\n";
}

}  // namespace

std::string help_text(const std::string& topic, std::size_t terminal_columns) {
  constexpr std::size_t usual = 80;
  constexpr std::size_t most = 100;  // beyond that a line is hard to read
  const std::size_t columns = terminal_columns == 0 ? usual : std::min(terminal_columns, most);
  for (const VerbRow& verb : verbs()) {
    if (topic.empty() || verb.words != topic || *verb.details == '\0') {
      continue;
    }
    std::string out = std::string("usage: telec ") + verb.words + " [OPTIONS]" + (*verb.arguments != '\0' ? " " : "") +
                      verb.arguments + "\n\n" + wrapped(verb.details, columns, 0, 0) + "\n";
    add_examples(out, verb.examples, columns);
    out += "\noptions:\n";
    constexpr std::size_t usual_option = 24;
    const Rows rows(usual_option, columns);
    for (const OptionRow& option : options()) {
      if (has_option(verb.verb, option)) {
        const std::string letter = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
        rows.add(out, letter + "--" + option.name + argument_text(option), option.help);
      }
    }
    out += "\nexit status:\n";
    constexpr std::size_t longest_codes = 13;
    const Rows statuses(longest_codes, columns);
    for (const ExitRow& row : exit_statuses()) {
      if ((row.verbs & bit(verb.verb)) != 0) {
        statuses.add(out, row.codes, row.means);
      }
    }
    return out;
  }
  return overview(columns);
}

}  // namespace telec
