// SPDX-License-Identifier: MIT
#include "man_page.hpp"

#include <string_view>
#include <vector>

#include "command_table.hpp"
#include "text.hpp"

namespace telec {
namespace {

std::vector<const VerbRow*> migrate_verbs() {
  std::vector<const VerbRow*> rows;
  for (const VerbRow& verb : verbs()) {
    if (std::string_view(verb.words).starts_with("migrate")) {
      rows.push_back(&verb);
    }
  }
  return rows;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out.append(c == '_' || c == '*' || c == '\\' ? "\\" : "").push_back(c);
  }
  return out;
}

/// "[ID]" -> "[_ID_]", "ID..." -> "_ID_...": what a person puts something in the place of is underlined.
std::string underlined(std::string_view argument) {
  std::string out;
  bool within = false;
  for (const char c : argument) {
    if (is_letter(c) != within) {
      out.push_back('_');
      within = !within;
    }
    out.push_back(c);
  }
  return within ? out + "_" : out;
}

std::string synopsis() {
  std::string out;
  for (const VerbRow* verb : migrate_verbs()) {
    out += (out.empty() ? "" : "++\n") + std::string("*telec ") + verb->words + "* [OPTIONS]" +
           (*verb->arguments != '\0' ? " " + underlined(verb->arguments) : "");
  }
  return out + "\n";
}

std::string commands() {
  std::string out;
  for (const VerbRow* verb : migrate_verbs()) {
    out += std::string("*telec ") + verb->words + "*\n\t" + escaped(verb->details) + "\n\n";
  }
  return out;
}

/// The commands among `wanted`: "all commands", or each by its name.
std::string commands_of(unsigned wanted) {
  std::string names;
  bool all = true;
  for (const VerbRow* verb : migrate_verbs()) {
    if ((wanted & bit(verb->verb)) != 0) {
      names += (names.empty() ? "*" : ", *") + std::string(command_word(verb->verb)) + "*";
    } else {
      all = false;
    }
  }
  return all ? "all commands" : names;
}

std::string option_list() {
  std::string out;
  for (const OptionRow& option : options()) {
    const std::string names = commands_of(option.verbs);
    if (names.empty()) {
      continue;
    }
    std::string value;
    if (option.argument_optional) {
      value = std::string("[=*") + option.argument + "*]";
    } else if (option.argument != nullptr) {
      value = " " + underlined(option.argument);
    }
    out += option.letter != 0 ? std::string("*-") + option.letter + "*, " : "";
    out.append("*--").append(option.name).append("*").append(value).append("\n\t").append(escaped(option.help));
    out.append(". For ").append(names).append(".\n\n");
  }
  return out;
}

std::string exit_status_list() {
  std::string out;
  std::string_view codes;
  for (const ExitRow& row : exit_statuses()) {
    if (codes != row.codes) {
      codes = row.codes;
      out += "*" + std::string(codes) + "*\n";
    }
    out += "\t" + escaped(row.means) + ". For " + commands_of(row.verbs) + ".\n\n";
  }
  return out;
}

}  // namespace

std::string man_page(std::string source) {
  struct Part {
    std::string_view mark;
    std::string (*text)();
  };
  for (const Part& part : {Part{"@SYNOPSIS@\n", synopsis}, Part{"@COMMANDS@\n", commands},
                           Part{"@OPTIONS@\n", option_list}, Part{"@EXIT_STATUS@\n", exit_status_list}}) {
    const std::size_t at = source.find(part.mark);
    if (at == std::string::npos) {
      return {};
    }
    source.replace(at, part.mark.size(), part.text());
  }
  return source;
}

}  // namespace telec
