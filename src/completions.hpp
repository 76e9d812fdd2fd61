// SPDX-License-Identifier: MIT
// Completions for shells and the options of the man page, made from the table of verbs and options at build time. Pure.
#pragma once

#include <string>

namespace telec {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// The options for the man page, as scdoc(5) has them, each with the commands that take it.
std::string man_page_options();

}  // namespace telec
