// SPDX-License-Identifier: MIT
// The one line that is written again and again on a terminal while a script runs. Pure: what is known to a line of
// text; whoever prints it clears it first.
#pragma once

#include <cstddef>
#include <string>

namespace telec {

struct LiveView {
  std::size_t position = 0;  ///< of `total`, from 1
  std::size_t total = 0;
  std::string id;
  double elapsed = 0;     ///< seconds since it started
  double silent = 0;      ///< seconds since it last printed something, or since it started
  std::string last_line;  ///< of its output; empty: nothing yet
};

/// "[2/5] 1.2.0/003_rename_keys.py  12 s, silent for 8 s | converted 1200 of 4000", without colours and never wider
/// than `columns`. What does not fit goes in this order: the output, the middle of the id, the silence.
std::string live_line(const LiveView& view, std::size_t columns);

/// Silence is worth a word from here on, in seconds.
constexpr double silence_shown = 3;

}  // namespace telec
