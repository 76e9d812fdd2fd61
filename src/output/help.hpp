// SPDX-License-Identifier: MIT
// The help, made from the table of verbs and options.
#pragma once

#include <cstddef>
#include <string>

namespace telec {

/// `topic`: a verb's words ("migrate status"), or empty for the overview. No line is wider than the terminal, or than
/// 80 where there is none (0), but for a command that is wider by itself.
std::string help_text(const std::string& topic, std::size_t terminal_columns);

}  // namespace telec
