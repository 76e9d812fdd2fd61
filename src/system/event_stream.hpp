// SPDX-License-Identifier: MIT
// Where `--events` writes: a file that is appended to, or a descriptor that the caller left open. It never stops or
// delays a run for long: a reader that takes nothing for a second, or is gone, ends the events, not the run.
#pragma once

#include <string>
#include <string_view>

#include "file_descriptor.hpp"

namespace telec {

class EventStream {
 public:
  /// `target`: a path, or the number of an open descriptor. Throws Error: io, or usage for a number that is not open.
  explicit EventStream(const std::string& target);

  void write(std::string_view line);
  /// Why the events ended early; empty: they did not.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  std::string name_;
  FileDescriptor fd_;
  std::string trouble_;
};

}  // namespace telec
