// SPDX-License-Identifier: MIT
// Is a script still the one that was recorded? And what a look with check() alone says about a record. Pure.
#pragma once

#include <string>
#include <string_view>

#include "judgement.hpp"
#include "report.hpp"

namespace telec {

/// Do `bytes` have the recorded digest, as they are or with other line ends or another BOM? A checkout may change
/// those, and they change nothing about what the script does.
bool is_same_script(std::string_view bytes, const std::string& sha256);

/// What is recorded against what is true: ok, regressed, pending or unrecorded; failed where check() gave no answer.
State state_of_recheck(bool recorded, Outcome checked);

/// The ids that were recorded after one that comes later in the order of migrations; `order`: as first recorded.
std::vector<std::string> recorded_out_of_order(const std::vector<std::string_view>& order);

}  // namespace telec
