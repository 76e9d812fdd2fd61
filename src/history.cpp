// SPDX-License-Identifier: MIT
#include "history.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "json_scanner.hpp"
#include "json_text.hpp"
#include "migration.hpp"
#include "text.hpp"

namespace telec {
namespace {

constexpr std::int64_t newest_schema = 1;

/// Row n: what a byte comes to when n more have gone by. With four rows, four bytes are taken at a time.
constexpr auto crc_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 32; ++bit) {
      value = (value & 1U) != 0 ? (value >> 1U) ^ 0xedb88320U : value >> 1U;
      if (bit % 8 == 7) {
        tables.at(static_cast<std::size_t>(bit) / 8).at(i) = value;
      }
    }
  }
  return tables;
}();

/// The checksum of a list of ids continues with each of them.
std::uint32_t crc_with(std::string_view id, std::uint32_t crc) { return crc32("\n", crc32(id, crc)); }

std::string checksum_text(std::uint32_t crc) {
  // Not snprintf(3), which is in pages of libc that a run with nothing pending touches for nothing else.
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "crc32:";
  for (unsigned shift = 32; shift > 0; shift -= 4) {
    text.push_back(digits[(crc >> (shift - 4)) & 0xfU]);
  }
  return text;
}

std::size_t hash_of(std::string_view id) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
  std::uint64_t hash = id.size() * factor;
  while (!id.empty()) {
    std::uint64_t bytes = 0;
    const std::size_t taken = std::min<std::size_t>(id.size(), 8);
    std::memcpy(&bytes, id.data(), taken);
    hash = (hash ^ bytes) * factor;
    hash ^= hash >> 29U;
    id.remove_prefix(taken);
  }
  return hash;
}

std::string newer_schema(std::int64_t schema) {
  return "schema " + std::to_string(schema) + " is newer than this telec understands (" +
         std::to_string(newest_schema) + ")";
}

/// Why `text` is refused, in which `fault` was found: a newer schema may have changed what stands before its number.
Refusal refusal_of(std::string_view text, const JsonFault& fault) {
  std::int64_t schema = 0;
  try {
    JsonScanner in(text, History::depth_limit);
    in.object([&](std::string_view key) {
      if (key == "schema") {
        schema = in.integer();
      } else {
        in.skip();
      }
    });
  } catch (const JsonFault&) {
    // As far as it could be read.
  }
  return schema > newest_schema ? Refusal{newer_schema(schema), true} : Refusal{fault.what()};
}

bool is_outcome(std::string_view word) { return word == "applied" || word == "already_present" || word == "marked"; }

/// Ids of one version come one after the other, so a version is looked at once.
class IdCheck {
 public:
  /// `stays`: what `id` looks into outlives this.
  void operator()(const JsonScanner& in, std::string_view id, bool stays) {
    if (!good_.empty() && id.starts_with(good_) && is_script_name(id.substr(good_.size()))) {
      return;
    }
    if (const std::string fault = Migration::fault_of(id); !fault.empty()) {
      in.fail(quoted(shortened(id, 80)) + " is not a migration's id: " + fault);
    }
    good_ = stays ? id.substr(0, id.find('/') + 1) : std::string_view{};
  }

 private:
  std::string_view good_;  // "1.2.0/"
};

/// Takes one history entry off the scanner; with `record`, keeps its details.
void read_entry(JsonScanner& in, IdCheck& check_id, std::string& id_storage, std::string_view& id, Record* record) {
  std::string storage;
  const auto text = [&](std::string Record::*field) {
    storage.clear();
    const std::string_view value =
        in.peek() == JsonScanner::Type::null ? (in.skip(), std::string_view{}) : in.string(storage);
    if (record != nullptr) {
      record->*field = std::string(value);
    }
    return value;
  };
  in.object([&](std::string_view key) {
    if (key == "id") {
      id_storage.clear();
      id = in.string(id_storage);
      check_id(in, id, id.data() != id_storage.data());
    } else if (key == "outcome") {
      if (const std::string_view outcome = text(&Record::outcome); !is_outcome(outcome)) {
        in.fail("the outcome " + quoted(shortened(outcome, 80)) + " is none of applied, already_present, marked");
      }
    } else if (key == "seconds") {
      if (in.peek() == JsonScanner::Type::null) {
        in.skip();
      } else if (const double seconds = in.number(); record != nullptr && is_duration(seconds)) {
        record->seconds = seconds;
      }
    } else if (key == "at") {
      text(&Record::at);
    } else if (key == "sha256") {
      text(&Record::sha256);
    } else if (key == "python") {
      text(&Record::python);
    } else if (key == "telec") {
      text(&Record::telec);
    } else if (key == "user") {
      text(&Record::user);
    } else if (key == "host") {
      text(&Record::host);
    } else if (key == "reason") {
      text(&Record::reason);
    } else {
      in.skip();
    }
  });
  if (id.empty()) {
    in.fail("a history entry without an id");
  }
}

/// Takes one entry that is, to the byte, as entry_text() writes it. Nearly all are, and this takes a tenth of the time:
/// no key can stand twice, none is unknown, and nothing is escaped. `tail` is the end of the entry before, from the
/// interpreter to the host, which rarely changes. Takes nothing, and says false, where it is not. The
/// id is for the caller to check, unless it is the `expected` one.
bool read_own_entry(JsonScanner& in, std::string_view expected, std::string_view& id, std::string_view& tail,
                    Record* record) {
  const std::size_t begin = in.position();
  const auto own_id = [&] {
    if (!in.take("{\"id\": \"")) {
      return false;
    }
    const std::size_t value = in.position();
    if (!expected.empty() && in.take(expected) && in.take("\"")) {
      id = expected;
      return true;
    }
    in.rewind(value);
    const auto other = in.take_plain();
    id = other.value_or(std::string_view{});
    return other.has_value();
  };
  const auto outcome = [&] {
    if (!in.take(", \"outcome\": \"")) {
      return false;
    }
    const auto word = in.take_plain();
    if (word && record != nullptr) {
      record->outcome = std::string(*word);
    }
    return word && is_outcome(*word);
  };
  const auto seconds = [&] {
    if (!in.take(", \"seconds\": ")) {
      return false;
    }
    const auto milliseconds = in.take_milliseconds();
    if (milliseconds && record != nullptr) {
      // Both are exact, so this is the nearest number to what the text says, as strtod would find it.
      record->seconds = static_cast<double>(*milliseconds) / 1000;
    }
    return milliseconds || in.take("null");
  };
  const auto text = [&](std::string_view before, std::string Record::*field, bool may_be_null) {
    if (!in.take(before)) {
      return false;
    }
    if (may_be_null && in.take("null")) {
      return true;
    }
    const auto value = in.take("\"") ? in.take_plain() : std::nullopt;
    if (value && record != nullptr) {
      record->*field = std::string(*value);
    }
    return value.has_value();
  };
  if (!own_id() || !outcome() || !text(", \"at\": ", &Record::at, false) || !seconds() ||
      !text(", \"sha256\": ", &Record::sha256, true)) {
    in.rewind(begin);
    return false;
  }
  if (record == nullptr && !tail.empty() && in.take(tail)) {
    return true;
  }
  const std::size_t tail_begin = in.position();
  if (text(", \"python\": ", &Record::python, true) && text(", \"telec\": ", &Record::telec, true) &&
      text(", \"user\": ", &Record::user, true) && text(", \"host\": ", &Record::host, true) && in.take("}")) {
    tail = in.text_from(tail_begin);
    return true;
  }
  in.rewind(begin);
  return false;
}

std::string entry_text(const Record& record) {
  std::string out = "{\"id\": " + json_string(record.id) + ", \"outcome\": " + json_string(record.outcome) +
                    ", \"at\": " + json_string(record.at) + ", \"seconds\": " + json_seconds(record.seconds);
  const auto add = [&](const char* key, const std::string& value) {
    out.append(", \"").append(key).append("\": ").append(value.empty() ? "null" : json_string(value));
  };
  add("sha256", record.sha256);
  add("python", record.python);
  add("telec", record.telec);
  add("user", record.user);
  add("host", record.host);
  if (!record.reason.empty()) {
    add("reason", record.reason);
  }
  return out + "}";
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t crc) {
  crc = ~crc;
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    crc ^= byte(0) | byte(1) << 8U | byte(2) << 16U | byte(3) << 24U;
    crc = crc_tables[3][crc & 0xffU] ^ crc_tables[2][(crc >> 8U) & 0xffU] ^ crc_tables[1][(crc >> 16U) & 0xffU] ^
          crc_tables[0][crc >> 24U];
  }
  for (; !bytes.empty(); bytes.remove_prefix(1)) {
    crc = crc_tables[0][(crc ^ byte(0)) & 0xffU] ^ (crc >> 8U);
  }
  return ~crc;
}

std::size_t History::slot_of(std::string_view id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of(id) & mask;
  while (slots_[slot] != 0 && applied_[slots_[slot] - 1] != id) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void History::make_slots() const {
  slots_.assign(std::bit_ceil(std::max<std::size_t>(applied_.size(), 8) * 2), 0);
  for (std::size_t i = 0; i < applied_.size(); ++i) {
    slots_[slot_of(applied_[i])] = static_cast<std::uint32_t>(i + 1);
  }
}

std::optional<std::size_t> History::find(std::string_view id) const {
  if (applied_.empty()) {
    return std::nullopt;
  }
  if (applied_[next_] != id) {
    if (slots_.empty()) {
      make_slots();
    }
    // cppcheck-suppress containerOutOfBounds ; make_slots() has filled it
    const std::uint32_t found = slots_[slot_of(id)];
    if (found == 0) {
      return std::nullopt;
    }
    next_ = found - 1;
  }
  const std::size_t index = next_;
  next_ = index + 1 == applied_.size() ? 0 : index + 1;
  return index;
}

void History::insert(std::string_view id) {
  ascending_ = ascending_ && (applied_.empty() || compare_ids(applied_.back(), id) < 0);
  if (!ascending_ && find(id)) {
    return;
  }
  applied_.push_back(id);
  if (slots_.size() >= applied_.size() * 2) {
    slots_[slot_of(id)] = static_cast<std::uint32_t>(applied_.size());
  } else if (!slots_.empty()) {
    make_slots();
  }
}

void History::read(std::string_view text) {
  JsonScanner in(text, depth_limit);
  bool has_applied = false;
  std::optional<std::string> checksum;
  std::uint32_t crc = 0;
  IdCheck check_id;
  std::string_view tail;
  std::string storage;
  if (text.starts_with("\xef\xbb\xbf")) {
    in.fail("it begins with a byte order mark, which JSON must not have");
  }
  if (in.peek() != JsonScanner::Type::object) {
    in.fail("expected an object, as in {\"applied\": []}");
  }
  in.object([&](std::string_view key) {
    if (key == "schema") {
      const std::int64_t schema = in.integer();
      if (schema > newest_schema) {
        throw JsonFault(newer_schema(schema));
      }
      if (schema < 1) {
        in.fail("there is no schema " + std::to_string(schema));
      }
    } else if (key == "applied") {
      has_applied = true;
      in.array([&] {
        auto id = in.plain_string();
        if (!id) {
          storage.clear();
          id = in.string(storage);
          id = id->data() == storage.data() ? keep(storage) : *id;
        }
        check_id(in, *id, true);
        crc = crc_with(*id, crc);
        insert(*id);
      });
    } else if (key == "checksum") {
      checksum = in.string();
    } else if (key == "history") {
      entries_.reserve(applied_.size() + 1);
      in.array([&] {
        in.blanks();
        const std::size_t begin = in.position();
        // Where the history goes along with the ids, as it does, they have been checked.
        const std::string_view expected =
            entries_.size() < applied_.size() ? applied_[entries_.size()] : std::string_view{};
        std::string_view id;
        if (!read_own_entry(in, expected, id, tail, nullptr)) {
          in.peek();
          read_entry(in, check_id, storage, id, nullptr);
        } else if (id.data() != expected.data()) {
          check_id(in, id, true);
        }
        const std::string_view raw = text.substr(begin, in.position() - begin);
        if (id.data() == storage.data()) {
          id = keep(storage);
        }
        entries_.push_back({id, raw});
      });
    } else {
      others_.push_back({keep(json_string(key)), in.skip()});
    }
  });
  in.finish();
  constexpr std::size_t own_keys = 4;
  if (others_.size() > JsonScanner::keys_per_object - own_keys) {
    throw JsonFault("more keys than this telec could write back with its own");
  }
  if (!has_applied) {
    throw JsonFault("the key 'applied' is missing");
  }
  if (checksum && *checksum != checksum_text(crc)) {
    throw JsonFault(
        "the checksum does not match the ids in 'applied': a byte was damaged, or the list was edited by hand and the "
        "key 'checksum' left in");
  }
}

Parsed<History> History::parse(std::string text) {
  if (text.size() > size_limit) {
    return Refusal{"larger than " + std::to_string(size_limit) + " bytes"};
  }
  if (text.empty()) {
    return Refusal{"the file is empty"};
  }
  History history;
  try {
    history.read(history.keep(std::move(text)));
  } catch (const JsonFault& fault) {
    return refusal_of(history.texts_.front(), fault);
  }
  return history;
}

const History::Entry* History::newest_entry(std::string_view id) const {
  const auto index = find(id);
  if (!index) {
    const auto entry = std::ranges::find(entries_.rbegin(), entries_.rend(), id, &Entry::id);
    return entry == entries_.rend() ? nullptr : &*entry;
  }
  newest_.resize(applied_.size());
  for (; indexed_ < entries_.size(); ++indexed_) {
    if (const auto place = find(entries_[indexed_].id)) {
      newest_[*place] = static_cast<std::uint32_t>(indexed_ + 1);
    }
  }
  return newest_[*index] == 0 ? nullptr : &entries_[newest_[*index] - 1];
}

std::optional<Record> History::details(std::string_view id) const {
  const Entry* entry = newest_entry(id);
  if (entry == nullptr) {
    return std::nullopt;
  }
  Record record;
  JsonScanner in(entry->raw, depth_limit);
  std::string storage;
  std::string_view same_id;
  std::string_view tail;
  if (!read_own_entry(in, entry->id, same_id, tail, &record)) {
    IdCheck check_id;
    read_entry(in, check_id, storage, same_id, &record);
  }
  record.id = std::string(id);
  return record;
}

void History::add(const Record& record) {
  const std::string_view id = keep(record.id);
  insert(id);
  entries_.push_back({id, keep(entry_text(record))});
}

bool History::remove(std::string_view id) {
  if (!contains(id)) {
    return false;
  }
  // A copy: what `id` looks into may be what is removed.
  const std::string gone(id);
  std::erase(applied_, gone);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.id == gone; });
  next_ = 0;
  slots_.clear();
  newest_.clear();
  indexed_ = 0;
  applied_text_.clear();
  applied_done_ = 0;
  applied_crc_ = 0;
  entries_text_.clear();
  entries_done_ = 0;
  return true;
}

std::vector<std::string_view> History::order() const {
  std::vector<std::string_view> ids;
  std::vector<bool> seen(applied_.size());
  for (const Entry& entry : entries_) {
    if (const auto index = find(entry.id); index && !seen[*index]) {
      seen[*index] = true;
      ids.push_back(entry.id);
    }
  }
  return ids;
}

std::string History::text() const {
  for (; applied_done_ < applied_.size(); ++applied_done_) {
    const std::string_view id = applied_[applied_done_];
    // An id needs no escapes: its grammar has nothing that JSON would escape.
    applied_text_.append(applied_done_ == 0 ? "\n    \"" : ",\n    \"").append(id).append("\"");
    applied_crc_ = crc_with(id, applied_crc_);
  }
  for (; entries_done_ < entries_.size(); ++entries_done_) {
    entries_text_.append(entries_done_ == 0 ? "\n    " : ",\n    ").append(entries_[entries_done_].raw);
  }
  std::size_t size = applied_text_.size() + entries_text_.size() + 256;
  for (const Member& member : others_) {
    size += member.raw_key.size() + member.raw_value.size() + 6;
  }
  std::string out;
  out.reserve(size);
  const auto list = [&](const std::string& elements) {
    out.append("[").append(elements).append(elements.empty() ? "]" : "\n  ]");
  };
  out.append("{\n  \"schema\": 1,\n  \"applied\": ");
  list(applied_text_);
  out.append(",\n  \"checksum\": \"").append(checksum_text(applied_crc_)).append("\",\n  \"history\": ");
  list(entries_text_);
  for (const Member& member : others_) {
    out.append(",\n  ").append(member.raw_key).append(": ").append(member.raw_value);
  }
  out.append("\n}\n");
  return out;
}

}  // namespace telec
