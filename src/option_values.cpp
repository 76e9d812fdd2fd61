// SPDX-License-Identifier: MIT
#include "option_values.hpp"

#include <utility>

#include "error.hpp"
#include "text.hpp"

namespace telec {

void refuse(std::string message, std::string hint) {
  throw Error(ErrorCode::usage, std::move(message), std::move(hint));
}

Version version_value(const std::string& option, std::string_view text) {
  auto version = Version::parse_loosely(text);
  if (!version) {
    refuse("--" + option + " " + quoted(text) + " is not a version: " + version.reason(),
           "a version is written as in 1.2.0 or 1.2.0-rc.1");
  }
  return std::move(version).value();
}

double seconds_value(const std::string& option, std::string_view text, double least) {
  const auto value = decimal_number(text);
  if (!value || *value < least || *value > most_seconds) {
    refuse("--" + option + " " + quoted(text) + " is not a number of seconds" +
               (least > 0 ? " above 0" : " from 0 on") + " (30 days at the most)",
           "as in --" + option + " 90");
  }
  return *value;
}

/// `option`: empty for a word that belongs to none.
std::string id_value(const std::string& option, std::string_view text) {
  if (text.empty()) {
    refuse((option.empty() ? "ID" : "--" + option) + " needs a migration's id, it is empty",
           "'telec migrate status' lists the ids");
  }
  // A path into a tree ends with the id, but for a `v`; whether there is such a migration is for whoever knows the
  // tree.
  const std::size_t slash = text.rfind('/');
  const std::size_t before = slash == std::string_view::npos || slash == 0 ? slash : text.rfind('/', slash - 1);
  const std::string_view last_two =
      before == std::string_view::npos || before == slash ? text : text.substr(before + 1);
  const bool has_v = last_two.size() > 1 && last_two[0] == 'v' && is_digit(last_two[1]);
  return std::string(has_v ? last_two.substr(1) : text);
}

Color color_value(std::string_view text) {
  if (text == "auto") {
    return Color::automatic;
  }
  if (text == "always") {
    return Color::always;
  }
  if (text == "never") {
    return Color::never;
  }
  refuse("--color " + quoted(text) + " is none of auto, always, never");
}

std::string path_value(const std::string& option, std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    refuse((option.empty() ? "DIR" : "--" + option) + " needs a path, it is empty");
  }
  return std::string(text);
}

std::string text_value(const std::string& option, std::string_view text) {
  constexpr std::size_t longest = 1000;
  if (text.find_first_not_of(" \t\n") == std::string_view::npos || text.size() > longest) {
    refuse("--" + option + " needs a text of 1 to " + std::to_string(longest) + " bytes");
  }
  return std::string(text);
}

std::string user_value(const std::string& option, std::string_view text) {
  if (text.empty() || text.find_first_of(std::string_view("\0:/\n", 4)) != std::string_view::npos) {
    refuse("--" + option + " " + quoted(text) + " is not the name of a user");
  }
  return std::string(text);
}

Hook hook_value(std::string_view text) {
  if (text.empty()) {
    return Hook::lenient;
  }
  if (text == "strict") {
    return Hook::strict;
  }
  refuse("--hook=" + std::string(printable(text)) + " is not known",
         "--hook, or --hook=strict to keep the real exit codes");
}

}  // namespace telec
