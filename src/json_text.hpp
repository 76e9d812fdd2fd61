// SPDX-License-Identifier: MIT
// The smallest part of writing JSON that deciding code needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace telec {

/// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// A duration to the millisecond, as in 12.345; `null` where there is none (see is_duration in text.hpp).
std::string json_seconds(std::optional<double> seconds);

}  // namespace telec
