// SPDX-License-Identifier: MIT
#include "live_line.hpp"

#include <algorithm>

#include "../text.hpp"
#include "width.hpp"

namespace telec {

std::string live_line(const LiveView& view, std::size_t columns) {
  constexpr std::size_t least_id = 12;
  constexpr std::size_t least_output = 8;
  const std::string head = "[" + std::to_string(view.position) + "/" + std::to_string(view.total) + "] ";
  const std::string time = "  " + whole_seconds(view.elapsed);
  std::string silence = view.silent >= silence_shown ? ", silent for " + whole_seconds(view.silent) : "";
  const std::size_t fixed = columns_of(head) + columns_of(time);
  if (fixed + silence.size() + std::min(least_id, view.id.size()) > columns) {
    silence.clear();
  }
  const std::size_t taken = std::min(columns, fixed + silence.size());
  std::string line = head + fitted_middle(view.id, columns - taken) + time + silence;
  std::string output = printable(view.last_line);
  std::ranges::replace(output, '\t', ' ');  // how far a tab goes depends on where it stands
  if (const std::size_t used = columns_of(line) + 3; !output.empty() && used + least_output <= columns) {
    line += " | " + fitted(output, columns - used);
  }
  // Narrower than its fixed part.
  return fitted(line, columns);
}

}  // namespace telec
