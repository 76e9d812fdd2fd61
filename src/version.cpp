// SPDX-License-Identifier: MIT
#include "version.hpp"

#include <algorithm>
#include <utility>

#include "text.hpp"

namespace telec {
namespace {

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

bool is_identifier(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_digit(c) || is_letter(c) || c == '-'; });
}

/// Takes the part before the next `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return part;
}

/// Numbers without leading zeros compare by length, then by their digits: no width can overflow.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return a.size() <=> b.size();
  }
  return a.compare(b) <=> 0;
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_is_number = all_digits(a);
  const bool b_is_number = all_digits(b);
  if (a_is_number && b_is_number) {
    return compare_numbers(a, b);
  }
  if (a_is_number != b_is_number) {
    return a_is_number ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return a.compare(b) <=> 0;
}

std::pair<std::string_view, std::string_view> split_prerelease(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    return {text, {}};
  }
  return {text.substr(0, dash), text.substr(dash + 1)};
}

}  // namespace

std::string Version::fault_of(std::string_view text) {
  if (text.size() > 200) {
    return "longer than 200 characters";
  }
  if (text.find('+') != std::string_view::npos) {
    return "build metadata ('+...') has no order, so it cannot name a version to migrate to";
  }
  const auto [core, prerelease] = split_prerelease(text);
  if (std::ranges::count(core, '.') != 2) {
    return "expected MAJOR.MINOR.PATCH, as in 1.2.0";
  }
  std::string_view rest = core;
  for (int i = 0; i < 3; ++i) {
    const std::string_view number = take_until(rest, '.');
    if (!all_digits(number)) {
      return "expected MAJOR.MINOR.PATCH, as in 1.2.0: " + quoted(number) + " is no number";
    }
    if (number.size() > 1 && number.front() == '0') {
      return "leading zero in '" + std::string(number) + "'";
    }
  }
  if (core.size() != text.size()) {
    rest = prerelease;
    const auto identifiers = std::ranges::count(prerelease, '.') + 1;
    for (std::ptrdiff_t i = 0; i < identifiers; ++i) {
      const std::string_view identifier = take_until(rest, '.');
      if (!is_identifier(identifier)) {
        return "a pre-release is made of letters, digits and '-', separated by dots, as in 1.2.0-rc.1";
      }
      if (identifier.size() > 1 && identifier.front() == '0' && all_digits(identifier)) {
        return "leading zero in '" + std::string(identifier) + "'";
      }
    }
  }
  return {};
}

Parsed<Version> Version::parse(std::string_view text) {
  if (std::string fault = fault_of(text); !fault.empty()) {
    return Refusal{std::move(fault)};
  }
  return Version(std::string(text));
}

Parsed<Version> Version::parse_loosely(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) {
    return Refusal{"it is empty"};
  }
  text = text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
  if (text.size() > 1 && text.front() == 'v') {
    text.remove_prefix(1);
  }
  return parse(text);
}

std::strong_ordering Version::compare(std::string_view a, std::string_view b) {
  auto [a_core, a_pre] = split_prerelease(a);
  auto [b_core, b_pre] = split_prerelease(b);
  for (int i = 0; i < 3; ++i) {
    const auto order = compare_numbers(take_until(a_core, '.'), take_until(b_core, '.'));
    if (order != 0) {
      return order;
    }
  }
  // SemVer 11.3: a version with a pre-release comes before the one without.
  if (a_pre.empty() || b_pre.empty()) {
    return a_pre.empty() <=> b_pre.empty();
  }
  // SemVer 11.4: identifier by identifier; where one list is the beginning of the other, the shorter comes first.
  while (!a_pre.empty() && !b_pre.empty()) {
    const auto order = compare_identifiers(take_until(a_pre, '.'), take_until(b_pre, '.'));
    if (order != 0) {
      return order;
    }
  }
  return b_pre.empty() <=> a_pre.empty();
}

}  // namespace telec
