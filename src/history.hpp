// SPDX-License-Identifier: MIT
// What was recorded: the text of the state file to a value and back. Reads and writes no file.
//
//   {"schema": 1, "applied": [ID...], "checksum": "crc32:...", "history": [{"id": ..., "outcome": ...}...]}
//
// `applied` is the truth and all that TeleClaude's older runner knows; `history` holds the details, the newest last;
// `checksum` is over the ids of `applied`, each followed by a newline (CRC-32 as in ISO-HDLC), so that a damaged
// byte inside an id is noticed. Absent means unknown: the older runner drops every key but `applied`. Keys that are
// not known here, at the top and in an entry, are written back as they were.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsed.hpp"

namespace telec {

/// One entry of `history`. Texts that were not recorded are empty.
struct Record {
  std::string id;
  std::string outcome;            ///< applied, already_present or marked
  std::string at;                 ///< UTC, RFC 3339: 2026-11-22T07:30:00Z
  std::optional<double> seconds;  ///< nothing also where what the file says cannot be a duration
  std::string sha256;             ///< of the script's bytes that ran, in hexadecimal
  std::string python;             ///< 3.11.2
  std::string telec;              ///< 0.1.0
  std::string user;
  std::string host;
  std::string reason;  ///< marked by hand: why; empty where nobody said
};

class History {
 public:
  /// Absent history is empty history.
  History() = default;
  History(History&&) = default;
  History& operator=(History&&) = default;

  static constexpr std::size_t size_limit = std::size_t{64} * 1024 * 1024;  ///< bytes; some 200,000 records
  static constexpr unsigned depth_limit = 16;

  /// The text of a state file. Refused: malformed, a key that stands twice, too deep, too large, wrong types, an id
  /// that is none, a checksum that does not match, a schema newer than 1.
  static Parsed<History> parse(std::string text);

  /// Is the migration recorded?
  [[nodiscard]] bool contains(std::string_view id) const { return find(id).has_value(); }
  /// Where it stands in applied(); nothing where it does not.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view id) const;
  /// The recorded ids, in the order of the file, each once.
  [[nodiscard]] const std::vector<std::string_view>& applied() const { return applied_; }
  /// The newest entry for an id; nothing where there is none.
  [[nodiscard]] std::optional<Record> details(std::string_view id) const;

  /// Adds a record: its id to `applied` unless it is there, and an entry to `history`.
  void add(const Record& record);

  /// Takes a record back: the id and all its entries. False where it is not recorded.
  bool remove(std::string_view id);

  /// The recorded ids that have an entry, in the order in which they were first recorded.
  [[nodiscard]] std::vector<std::string_view> order() const;

  /// The text to write. parse(text()) gives an equal history, unless it is larger than size_limit.
  [[nodiscard]] std::string text() const;

 private:
  struct Entry {
    std::string_view id;
    std::string_view raw;
  };
  struct Member {
    std::string_view raw_key;
    std::string_view raw_value;
  };

  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  void read(std::string_view text);
  void insert(std::string_view id);
  [[nodiscard]] std::size_t slot_of(std::string_view id) const;
  void make_slots() const;
  [[nodiscard]] const Entry* newest_entry(std::string_view id) const;

  std::deque<std::string> texts_;  // what the views below look into: a deque never moves its elements
  std::vector<std::string_view> applied_;
  bool ascending_ = true;  // each id of applied_ comes after the one before it, so none can stand twice
  std::vector<Entry> entries_;
  std::vector<Member> others_;

  // Ids are recorded in the order in which a tree is walked, so what is asked for is nearly always what comes next. The
  // hash table into applied_ (the index + 1; 0 is free; a power of two) is made when it first is not.
  mutable std::size_t next_ = 0;
  mutable std::vector<std::uint32_t> slots_;

  // For each of applied_ its newest entry (the index + 1; 0: it has none), of the first indexed_ entries. Made when
  // details are first asked for: a run that has nothing to do never asks.
  mutable std::vector<std::uint32_t> newest_;
  mutable std::size_t indexed_ = 0;

  // What text() has made so far: a commit adds one id and one entry to what the commit before it wrote.
  mutable std::string applied_text_;
  mutable std::size_t applied_done_ = 0;
  mutable std::uint32_t applied_crc_ = 0;
  mutable std::string entries_text_;
  mutable std::size_t entries_done_ = 0;
};

/// CRC-32 (ISO-HDLC: polynomial 0xEDB88320, as in gzip) of `bytes`, continued from `crc`.
std::uint32_t crc32(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace telec
