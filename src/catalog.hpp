// SPDX-License-Identifier: MIT
// The migrations that a tree holds, in the order in which they run, and every near miss as a problem.
// Decides from names and types alone; whoever lists the directories tells it what is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migration.hpp"
#include "problem.hpp"

namespace telec {

enum class FileType { regular, directory, other };

/// Collects what a listing of the tree found, in any order.
class Catalog {
 public:
  /// An entry of the migrations directory itself. True: a version directory, to be listed in turn.
  bool add_top(std::string_view name, FileType type);

  /// An entry of the version directory `directory` (`v1.2.0`), for which add_top() was true. All entries of one
  /// directory come one after the other.
  void add_script(std::string_view directory, std::string_view name, FileType type);

  /// Call once after the last entry: sorts, and finds the duplicates.
  void finish();

  /// In the order in which they run; a total order, also where two share a number.
  [[nodiscard]] const std::vector<Migration>& migrations() const { return migrations_; }
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

  /// The migration with this id; null where the tree has none.
  [[nodiscard]] const Migration* find(std::string_view id) const;

 private:
  // What was found, until it is sorted: a name takes a third of what a Migration does, and moves without a copy.
  struct Name {
    std::uint64_t front;  // its first eight bytes, as a number that orders as they do
    std::uint32_t begin;  // in names_
    std::uint32_t length;
  };
  struct Group {
    std::uint32_t begin;  // of its version, in names_
    std::uint32_t length;
    std::size_t first;  // of its scripts, in found_
    std::size_t end;
    std::optional<std::uint64_t> key;
  };

  [[nodiscard]] std::string_view text_of(std::uint32_t begin, std::uint32_t length) const {
    return std::string_view(names_).substr(begin, length);
  }
  std::pair<std::uint32_t, std::uint32_t> keep(std::string_view text);
  void sort_found();

  std::string names_;
  std::vector<Name> found_;
  std::vector<Group> groups_;
  std::vector<Migration> migrations_;
  std::vector<Problem> problems_;
};

}  // namespace telec
