// SPDX-License-Identifier: MIT
// One migration script, known by its place in the tree: `v1.2.0/003_rename_keys.py` is the migration with the id
// `1.2.0/003_rename_keys.py`, version 1.2.0, number 3, description `rename_keys`.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "parsed.hpp"

namespace telec {

class Migration {
 public:
  /// From an id, as in the state file or on the command line: `1.2.0/003_rename_keys.py`.
  static Parsed<Migration> parse(std::string_view id);
  /// Why parse() would refuse the id; empty: it would not. Allocates nothing for a good one.
  static std::string fault_of(std::string_view id);

  /// From a version text and a file name that Version::parse() and is_script_name() accept.
  Migration(std::string_view version, std::string_view file_name);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::string_view version() const { return std::string_view(id_).substr(0, version_length_); }
  [[nodiscard]] std::string_view file_name() const { return std::string_view(id_).substr(version_length_ + 1); }
  [[nodiscard]] int number() const;
  [[nodiscard]] std::string_view description() const;

  /// Where the script is, below the migrations directory: `v1.2.0/003_rename_keys.py`.
  [[nodiscard]] std::string path() const { return "v" + id_; }

  /// The order in which migrations run: version, number, name.
  friend std::strong_ordering operator<=>(const Migration& a, const Migration& b);
  friend bool operator==(const Migration& a, const Migration& b) { return a.id_ == b.id_; }

 private:
  std::string id_;
  std::size_t version_length_;
};

/// The order of two migrations that are known by their ids alone, of which parse() accepts both.
std::strong_ordering compare_ids(std::string_view a, std::string_view b);

/// The one of `ids` that a mistyped id most likely meant; empty where none is, or more than one. Ids are like each
/// other by nature, and what is suggested is pasted into a command that changes records: so only one with the same
/// version and number, or the same description; and for a word that is no id at all, also one at most two letters away,
/// or the only one that begins with the word or has it in its middle.
std::string_view nearest_id(std::string_view word, const std::vector<std::string_view>& ids);

/// Three ASCII digits, `_`, a description of [A-Za-z0-9_]+, `.py`; at most 255 bytes.
bool is_script_name(std::string_view name);

}  // namespace telec
