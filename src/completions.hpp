// SPDX-License-Identifier: MIT
// Completions for shells, made from the table of verbs and options at build time. Pure.
#pragma once

#include <string>

namespace telec {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace telec
