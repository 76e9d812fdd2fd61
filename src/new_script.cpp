// SPDX-License-Identifier: MIT
#include "new_script.hpp"

#include <algorithm>

#include "text.hpp"

namespace telec {
namespace {

/// For a docstring: nothing that could end it, and one line.
std::string docstring_text(std::string_view name) {
  std::string text = printable(name);
  std::erase_if(text, [](char c) { return c == '"' || c == '\\'; });
  const std::size_t begin = text.find_first_not_of(' ');
  text = begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" .") - begin + 1);
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

}  // namespace

Parsed<std::string> description_of(std::string_view name) {
  constexpr std::size_t longest = 100;
  std::string text;
  for (const char c : name) {
    const bool keeps = is_digit(c) || is_letter(c);
    if (keeps) {
      text.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (!text.empty() && text.back() != '_') {
      text.push_back('_');
    }
  }
  while (text.ends_with('_')) {
    text.pop_back();
  }
  if (text.empty()) {
    return Refusal{"it has no letter of a-z and no digit to make a file name from"};
  }
  if (text.size() > longest) {
    return Refusal{"it makes a file name of more than " + std::to_string(longest) + " letters"};
  }
  return text;
}

Parsed<int> next_number(const Catalog& catalog, std::string_view version) {
  int highest = 0;
  for (const Migration& migration : catalog.migrations()) {
    if (migration.version() == version) {
      highest = std::max(highest, migration.number());
    }
  }
  if (highest >= 999) {
    return Refusal{"version " + std::string(version) + " has used the last number, 999"};
  }
  return highest + 1;
}

std::string newest_version(const Catalog& catalog) {
  return catalog.migrations().empty() ? std::string() : std::string(catalog.migrations().back().version());
}

std::string script_text(std::string_view name, std::string_view id) {
  const std::string file(id.substr(id.find('/') + 1));
  return "\"\"\"" + docstring_text(name) +
         ".\n"
         "\n"
         "What is different afterwards, and for whom: fill in.\n"
         "\"\"\"\n"
         "\n"
         "import os\n"
         "\n"
         "_HOME = os.path.expanduser(\"~/.teleclaude\")\n"
         "\n"
         "\n"
         "def check():\n"
         "    \"\"\"Is the effect there already? Looks, and changes nothing: it is run at any time, and often.\n"
         "\n"
         "    Where there is nothing to do (the file that is to be changed does not exist), the answer is True.\n"
         "    \"\"\"\n"
         "    raise NotImplementedError(\"fill in check() of " +
         file +
         "\")\n"
         "\n"
         "\n"
         "def migrate():\n"
         "    \"\"\"Brings the effect about. Returns True, and then check() must be True.\n"
         "\n"
         "    It may be killed at any line and is then run again, after another check(): write a new file beside the "
         "old\n"
         "    one, sync it, and os.replace() it; change one thing last that makes check() True.\n"
         "    \"\"\"\n"
         "    raise NotImplementedError(\"fill in migrate() of " +
         file + "\")\n";
}

}  // namespace telec
