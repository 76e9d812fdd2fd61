// SPDX-License-Identifier: MIT
#include "range.hpp"

namespace telec {

Parsed<Range> Range::between(std::optional<Version> from, std::optional<Version> to) {
  if (from && to && *from > *to) {
    return Refusal{"--from " + from->text() + " is newer than --to " + to->text()};
  }
  Range range;
  range.from_ = std::move(from);
  range.to_ = std::move(to);
  return range;
}

bool Range::contains(std::string_view version) const {
  if (from_ && to_ && *from_ == *to_) {
    return version == to_->text();
  }
  return (!from_ || Version::compare(from_->text(), version) < 0) &&
         (!to_ || Version::compare(version, to_->text()) <= 0);
}

}  // namespace telec
