// SPDX-License-Identifier: MIT
#include "migration.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"
#include "version.hpp"

namespace telec {

namespace {

constexpr auto is_of_description = [] {
  std::array<bool, 256> good{};
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    const char c = static_cast<char>(byte);
    good.at(byte) = is_digit(c) || is_letter(c) || c == '_';
  }
  return good;
}();

/// What a word has of an id, well written or not.
struct Parts {
  std::string_view version;
  std::string_view number;
  std::string_view description;
};

Parts parts_of(std::string_view word) {
  const std::size_t slash = word.find('/');
  if (slash == std::string_view::npos) {
    return {};
  }
  std::string_view name = word.substr(slash + 1);
  if (name.ends_with(".py")) {
    name.remove_suffix(3);
  }
  const std::size_t end = std::min(name.find('_'), name.size());
  return {word.substr(0, slash), name.substr(0, end), name.substr(std::min(end + 1, name.size()))};
}

}  // namespace

bool is_script_name(std::string_view name) {
  constexpr std::string_view ending = ".py";
  if (name.size() > 255 || name.size() < 8 || !name.ends_with(ending) || name[3] != '_' || !is_digit(name[0]) ||
      !is_digit(name[1]) || !is_digit(name[2])) {
    return false;
  }
  const std::string_view description = name.substr(4, name.size() - 4 - ending.size());
  return std::ranges::all_of(description, [](char c) { return is_of_description[static_cast<unsigned char>(c)]; });
}

Migration::Migration(std::string_view version, std::string_view file_name) : version_length_(version.size()) {
  id_.reserve(version.size() + 1 + file_name.size());
  id_.append(version).append(1, '/').append(file_name);
}

std::string Migration::fault_of(std::string_view id) {
  const std::size_t slash = id.find('/');
  if (slash == std::string_view::npos) {
    return "expected VERSION/NNN_description.py, as in 1.2.0/003_rename_keys.py";
  }
  std::string fault = Version::fault_of(id.substr(0, slash));
  if (fault.empty() && !is_script_name(id.substr(slash + 1))) {
    fault = "expected NNN_description.py after the version, as in 1.2.0/003_rename_keys.py";
  }
  return fault;
}

Parsed<Migration> Migration::parse(std::string_view id) {
  if (std::string fault = fault_of(id); !fault.empty()) {
    return Refusal{std::move(fault)};
  }
  const std::size_t slash = id.find('/');
  return Migration(id.substr(0, slash), id.substr(slash + 1));
}

int Migration::number() const {
  const std::string_view name = file_name();
  return (name[0] - '0') * 100 + (name[1] - '0') * 10 + (name[2] - '0');
}

std::string_view Migration::description() const {
  const std::string_view name = file_name();
  return name.substr(4, name.size() - 7);
}

std::strong_ordering compare_ids(std::string_view a, std::string_view b) {
  const std::string_view a_version = a.substr(0, a.find('/'));
  const std::string_view b_version = b.substr(0, b.find('/'));
  if (a_version != b_version) {
    return Version::compare(a_version, b_version);
  }
  // Three digits lead every name, so the order of the names is the order of the numbers too.
  return a.substr(a_version.size()).compare(b.substr(a_version.size())) <=> 0;
}

std::string_view nearest_id(std::string_view word, const std::vector<std::string_view>& ids) {
  const Parts typed = parts_of(word);
  std::string_view near;
  for (const std::string_view id : ids) {
    const Parts parts = parts_of(id);
    const bool same_place = parts.version == typed.version && parts.number == typed.number;
    const bool same_description = !typed.description.empty() && parts.description == typed.description;
    if (id == near || (!same_place && !same_description)) {
      continue;
    }
    if (!near.empty()) {
      return {};
    }
    near = id;
  }
  constexpr std::size_t most = 2;
  return near.empty() && !Migration::fault_of(word).empty() ? nearest(word, ids, most) : near;
}

std::strong_ordering operator<=>(const Migration& a, const Migration& b) { return compare_ids(a.id_, b.id_); }

}  // namespace telec
