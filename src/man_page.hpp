// SPDX-License-Identifier: MIT
// The man page: what of it can be made from the table of verbs and options, put into the text that a person wrote. At
// build time; pure.
#pragma once

#include <string>

namespace telec {

/// `source`, as scdoc(5) reads it, with the lines @SYNOPSIS@, @COMMANDS@, @OPTIONS@ and @EXIT_STATUS@ replaced; empty
/// where one of them is not in it.
std::string man_page(std::string source);

}  // namespace telec
