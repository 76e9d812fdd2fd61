// SPDX-License-Identifier: MIT
// The help, made from the table of verbs and options.
#pragma once

#include <string>

namespace telec {

/// `topic`: a verb's words ("migrate status"), or empty for the overview.
std::string help_text(const std::string& topic);

}  // namespace telec
