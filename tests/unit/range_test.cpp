// SPDX-License-Identifier: MIT
#include "range.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using telec::Range;
using telec::Version;

namespace {

std::optional<Version> version(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(*Version::parse(text));
}

/// Which of a fixed list of versions are in range.
std::vector<std::string> selected(const std::string& from, const std::string& to) {
  const auto range = Range::between(version(from), version(to));
  REQUIRE(range.ok());
  std::vector<std::string> result;
  for (const char* candidate : {"1.0.0-rc.1", "1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "2.0.0"}) {
    if (range->contains(candidate)) {
      result.emplace_back(candidate);
    }
  }
  return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an open range is everything") {
  CHECK(Range().is_everything());
  CHECK(Range().contains("0.0.0-0"));
  CHECK(Range().contains("99999999999999999999.0.0"));
  CHECK(selected("", "") == Texts{"1.0.0-rc.1", "1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "2.0.0"});
}

TEST_CASE("--from is left out and --to is included") {
  CHECK(selected("1.0.0", "1.2.0") == Texts{"1.1.0", "1.2.0-rc.1", "1.2.0"});
}

TEST_CASE("either side may be left out") {
  CHECK(selected("1.1.0", "") == Texts{"1.2.0-rc.1", "1.2.0", "2.0.0"});
  CHECK(selected("", "1.0.0") == Texts{"1.0.0-rc.1", "1.0.0"});
  CHECK_FALSE(Range::between(version("1.0.0"), std::nullopt)->is_everything());
  CHECK_FALSE(Range::between(std::nullopt, version("1.0.0"))->is_everything());
}

TEST_CASE("--from X --to X is exactly X") {
  CHECK(selected("1.2.0", "1.2.0") == Texts{"1.2.0"});
  CHECK(selected("1.2.0-rc.1", "1.2.0-rc.1") == Texts{"1.2.0-rc.1"});
  CHECK(selected("1.5.0", "1.5.0").empty());
}

TEST_CASE("a pre-release is between the releases around it") {
  CHECK(selected("1.0.0-rc.1", "1.0.0") == Texts{"1.0.0"});
  CHECK(selected("1.1.0", "1.2.0-rc.1") == Texts{"1.2.0-rc.1"});
}

TEST_CASE("bounds need not be in the tree") {
  CHECK(selected("1.0.5", "1.9.9") == Texts{"1.1.0", "1.2.0-rc.1", "1.2.0"});
}

TEST_CASE("--from above --to is refused with both values") {
  const auto range = Range::between(version("2.0.0"), version("2.0.0-rc.1"));
  REQUIRE_FALSE(range.ok());
  CHECK(range.reason() == "--from 2.0.0 is newer than --to 2.0.0-rc.1");
}

TEST_CASE("a range keeps its bounds") {
  const auto range = Range::between(version("1.0.0"), version("2.0.0"));
  CHECK(range->from()->text() == "1.0.0");
  CHECK(range->to()->text() == "2.0.0");
}
