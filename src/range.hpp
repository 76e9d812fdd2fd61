// SPDX-License-Identifier: MIT
// Which versions a run is about: `--from A --to B` selects A < version <= B (A is what is installed, B what is being
// installed); `--from X --to X` selects exactly X, to debug one version. Either side may be open.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "parsed.hpp"
#include "version.hpp"

namespace telec {

class Range {
 public:
  /// Every version.
  Range() = default;
  /// Refused where from > to.
  static Parsed<Range> between(std::optional<Version> from, std::optional<Version> to);

  [[nodiscard]] bool contains(std::string_view version) const;
  [[nodiscard]] const std::optional<Version>& from() const { return from_; }
  [[nodiscard]] const std::optional<Version>& to() const { return to_; }
  /// Both sides open.
  [[nodiscard]] bool is_everything() const { return !from_ && !to_; }

 private:
  std::optional<Version> from_;
  std::optional<Version> to_;
};

}  // namespace telec
