// SPDX-License-Identifier: MIT
// The table of `status`: an id, its state, when, how long, and what differs, in as many columns as there are.
#pragma once

#include <cstddef>
#include <string>

#include "text.hpp"

namespace telec {

/// What differs, as a person reads it: "late", "script changed, ran out of order"; empty: nothing.
std::string differences_text(const ReportEntry& entry);

/// Pending, or something differs that can be seen to, which what ran out of order cannot: what `status -q` shows.
bool needs_attention(const ReportEntry& entry);

/// Where the terminal is too narrow, it drops how long, then the time of day, then the day; what differs moves below
/// its row; the id is cut in its middle last of all.
std::string status_table(const Report& report, const Style& style);

/// "3 migrations: 2 recorded, 1 pending\n", whether all of them are listed or not; then what is odd about those that
/// are.
std::string status_sums(const Report& report, const Style& style);

/// `status -q`: a row for each that needs attention, without a heading.
std::string attention_text(const Report& report, const Style& style);

}  // namespace telec
