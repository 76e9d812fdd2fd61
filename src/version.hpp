// SPDX-License-Identifier: MIT
// A version by Semantic Versioning 2.0.0 (semver.org), ordered by its precedence rules (section 11).
// Build metadata is refused: it has no order, and the order of versions is the order in which migrations run.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "parsed.hpp"

namespace telec {

class Version {
 public:
  /// "1.2.0-rc.1" exactly as the specification writes it: no `v`, no blanks. Numbers may have any length.
  static Parsed<Version> parse(std::string_view text);
  /// Why parse() would refuse the text; empty: it would not. Allocates nothing for a good one.
  static std::string fault_of(std::string_view text);

  /// As a person types it: a leading `v` and surrounding blanks are accepted.
  static Parsed<Version> parse_loosely(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }

  friend std::strong_ordering operator<=>(const Version& a, const Version& b) { return compare(a.text_, b.text_); }
  friend bool operator==(const Version& a, const Version& b) { return a.text_ == b.text_; }

  /// Precedence of two texts that parse() accepts; for callers that keep the text alone.
  static std::strong_ordering compare(std::string_view a, std::string_view b);

 private:
  explicit Version(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace telec
