// SPDX-License-Identifier: MIT
// What is typed as the value of an option, or as a word after a verb, turned into what it means. Each throws Error
// (usage) where it means nothing; `option` is the option's name without its dashes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "command_line.hpp"
#include "version.hpp"

namespace telec {

/// Throws Error (usage). Without a hint it will be the help of what was typed.
[[noreturn]] void refuse(std::string message, std::string hint = "");

Version version_value(const std::string& option, std::string_view text);

/// 30 days.
constexpr double most_seconds = 30.0 * 24 * 3600;

/// From `least`, or above 0 where that is more, to most_seconds.
double seconds_value(const std::string& option, std::string_view text, double least);

/// An id, also as the end of a path into a tree, with the version's `v`. `option`: empty for a word that belongs to
/// none; so in path_value().
std::string id_value(const std::string& option, std::string_view text);

/// Any text but an empty one, and no NUL.
std::string path_value(const std::string& option, std::string_view text);

/// 1 to 1,000 bytes, and not only blanks.
std::string text_value(const std::string& option, std::string_view text);

/// What can be the name of an account.
std::string user_value(const std::string& option, std::string_view text);

Color color_value(std::string_view text);

/// Empty: --hook alone.
Hook hook_value(std::string_view text);

}  // namespace telec
