// SPDX-License-Identifier: MIT
#include "version.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using telec::Version;

namespace {

/// Every pair of an ascending list, in both directions.
void check_ascending(const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t j = 0; j < texts.size(); ++j) {
      CAPTURE(texts[i]);
      CAPTURE(texts[j]);
      const auto a = Version::parse(texts[i]);
      const auto b = Version::parse(texts[j]);
      REQUIRE(a.ok());
      REQUIRE(b.ok());
      CHECK((*a < *b) == (i < j));
      CHECK((*a > *b) == (i > j));
      CHECK((*a == *b) == (i == j));
      CHECK((Version::compare(texts[i], texts[j]) == 0) == (i == j));
    }
  }
}

std::string refusal(const std::string& text) {
  const auto version = Version::parse(text);
  return version ? "accepted" : version.reason();
}

}  // namespace

TEST_CASE("the specification's own example of precedence holds") {
  check_ascending({"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
                   "1.0.0-rc.1", "1.0.0"});
  check_ascending({"1.0.0", "2.0.0", "2.1.0", "2.1.1"});
}

TEST_CASE("numbers are compared as numbers, not as text") {
  check_ascending({"0.0.0", "0.0.2", "0.0.10", "0.2.0", "0.10.0", "2.0.0", "10.0.0"});
  check_ascending({"1.0.0-2", "1.0.0-10", "1.0.0-100", "1.0.0-9a"});
}

TEST_CASE("a number may be longer than any machine word") {
  const std::string big = "18446744073709551616";  // 2^64
  check_ascending({"1.0.18446744073709551615", "1.0." + big, "1.0." + big + "0", "1." + big + ".0", big + ".0.0"});
  check_ascending({"1.0.0-" + big, "1.0.0-" + big + "1", "1.0.0-a"});
  check_ascending({std::string(99, '8') + ".0.0", std::string(99, '9') + ".0.0", "1" + std::string(99, '0') + ".0.0"});
}

TEST_CASE("a number in a pre-release comes before a word, and capitals before small letters") {
  check_ascending({"1.0.0-0", "1.0.0-1", "1.0.0--", "1.0.0--1", "1.0.0-A", "1.0.0-a", "1.0.0-a-b", "1.0.0-ab"});
}

TEST_CASE("the longer pre-release comes later where the shorter is its beginning") {
  check_ascending({"1.0.0-a", "1.0.0-a.0", "1.0.0-a.0.0", "1.0.0-a.b", "1.0.0-b"});
}

TEST_CASE("unusual versions that the specification allows are accepted and kept as they are") {
  for (const std::string text :
       {"0.0.0", "1.0.0-0", "1.0.0--", "1.0.0---", "1.0.0-0a", "1.0.0-00a", "1.0.0-x.7.z.92", "1.0.0-x-y-z.--",
        "1.0.0-alpha-a.b-c", "99999999999999999999999.999999999999999999.99"}) {
    CAPTURE(text);
    const auto version = Version::parse(text);
    REQUIRE(version.ok());
    CHECK(version->text() == text);
  }
}

TEST_CASE("what is not three numbers is refused") {
  for (const std::string text : {"",
                                 "1",
                                 "1.2",
                                 "1.2.3.4",
                                 "1..2",
                                 ".1.2",
                                 "1.2.",
                                 "a.b.c",
                                 "1.2.x",
                                 "1.2.3rc1",
                                 "v1.2.3",
                                 " 1.2.3",
                                 "1.2.3 ",
                                 "1.2. 3",
                                 "-1.2.3",
                                 "1.-2.3",
                                 "1,2,3",
                                 "1.2.3\n",
                                 "1.2.3/",
                                 "..",
                                 "1.2-rc.1",
                                 "\xd9\xa1.2.3",
                                 "1.2.\xef\xbc\x93"}) {
    CAPTURE(text);
    CHECK(refusal(text).starts_with("expected MAJOR.MINOR.PATCH"));
  }
  CHECK(refusal(std::string("1.2.3\0", 6)).starts_with("expected MAJOR.MINOR.PATCH"));
}

TEST_CASE("what is no number is named") {
  CHECK(refusal("1.0.0_rc") == "expected MAJOR.MINOR.PATCH, as in 1.2.0: '0_rc' is no number");
  CHECK(refusal("1.2.3 ").ends_with("'3 ' is no number"));
  CHECK(refusal("1..3").ends_with("'' is no number"));
}

TEST_CASE("leading zeros are refused and named") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"01.2.3", "01"},   {"1.02.3", "02"},        {"1.2.03", "03"},    {"1.2.00", "00"},
      {"1.2.3-01", "01"}, {"1.2.3-rc.007", "007"}, {"1.2.3-0.00", "00"}};
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& number = row.second;
    CAPTURE(text);
    CHECK(refusal(text) == "leading zero in '" + number + "'");
  }
}

TEST_CASE("a malformed pre-release is refused") {
  for (const std::string text : {"1.2.3-", "1.2.3-.", "1.2.3-a.", "1.2.3-.a", "1.2.3-a..b", "1.2.3-a_b", "1.2.3-a b",
                                 "1.2.3-\xc3\xa9", "1.2.3-a\n", "1.2.3-a/b", "1.2.3-a~b"}) {
    CAPTURE(text);
    CHECK(refusal(text).starts_with("a pre-release is made of"));
  }
}

TEST_CASE("build metadata is refused, because it has no order") {
  for (const std::string text : {"1.2.3+5", "1.2.3-rc.1+5", "1.2.3+", "+"}) {
    CAPTURE(text);
    CHECK(refusal(text).starts_with("build metadata"));
  }
}

TEST_CASE("a version has at most 200 characters") {
  CHECK(Version::parse("1.2." + std::string(196, '1')).ok());
  CHECK(refusal("1.2." + std::string(197, '1')) == "longer than 200 characters");
}

TEST_CASE("a person may type a leading v and blanks around a version") {
  for (const std::string text : {"1.2.3", "v1.2.3", " 1.2.3", "1.2.3\n", "\t v1.2.3 \r\n"}) {
    CAPTURE(text);
    const auto version = Version::parse_loosely(text);
    REQUIRE(version.ok());
    CHECK(version->text() == "1.2.3");
  }
}

TEST_CASE("nothing else is accepted loosely") {
  for (const std::string text : {"vv1.2.3", "V1.2.3", "v 1.2.3", "1.2. 3", "v", "1.2", "v1.2", "1.2.3+x", "01.2.3"}) {
    CAPTURE(text);
    CHECK_FALSE(Version::parse_loosely(text).ok());
  }
  CHECK(Version::parse_loosely("").reason() == "it is empty");
  CHECK(Version::parse_loosely(" \t\n").reason() == "it is empty");
}
