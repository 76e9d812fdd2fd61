// SPDX-License-Identifier: MIT
#include "history.hpp"

#include <array>
#include <cstdio>

#include "json_scanner.hpp"
#include "json_text.hpp"
#include "migration.hpp"
#include "text.hpp"

namespace telec {
namespace {

constexpr std::int64_t newest_schema = 1;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? (value >> 1U) ^ 0xedb88320U : value >> 1U;
    }
    table.at(i) = value;
  }
  return table;
}
constexpr auto crc_table = make_crc_table();

std::string checksum_of(const std::vector<std::string_view>& ids) {
  std::uint32_t crc = 0;
  for (const std::string_view id : ids) {
    crc = crc32("\n", crc32(id, crc));
  }
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "crc32:%08x", static_cast<unsigned>(crc));
  return buffer.data();
}

bool is_outcome(std::string_view word) {
  return word == "applied" || word == "already_present" || word == "marked";
}

void check_id(const JsonScanner& in, std::string_view id) {
  if (const std::string fault = Migration::fault_of(id); !fault.empty()) {
    in.fail(quoted(shortened(id, 80)) + " is not a migration's id: " + fault);
  }
}

/// Takes one history entry off the scanner; with `record`, keeps its details.
void read_entry(JsonScanner& in, std::string& id_storage, std::string_view& id, Record* record) {
  std::string storage;
  const auto text = [&](std::string Record::*field) {
    storage.clear();
    const std::string_view value = in.peek() == JsonScanner::Type::null ? (in.skip(), std::string_view{}) : in.string(storage);
    if (record != nullptr) {
      record->*field = std::string(value);
    }
    return value;
  };
  in.object([&](std::string_view key) {
    if (key == "id") {
      id_storage.clear();
      id = in.string(id_storage);
      check_id(in, id);
    } else if (key == "outcome") {
      if (const std::string_view outcome = text(&Record::outcome); !is_outcome(outcome)) {
        in.fail("the outcome " + quoted(shortened(outcome, 80)) + " is none of applied, already_present, marked");
      }
    } else if (key == "seconds") {
      const double seconds = in.peek() == JsonScanner::Type::null ? (in.skip(), 0.0) : in.number();
      if (record != nullptr) {
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
    } else {
      in.skip();
    }
  });
  if (id.empty()) {
    in.fail("a history entry without an id");
  }
}

std::string entry_text(const Record& record) {
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.3f", record.seconds);
  std::string out = "{\"id\": " + json_string(record.id) + ", \"outcome\": " + json_string(record.outcome) +
                    ", \"at\": " + json_string(record.at) + ", \"seconds\": " + seconds.data();
  const auto add = [&](const char* key, const std::string& value) {
    out.append(", \"").append(key).append("\": ").append(value.empty() ? "null" : json_string(value));
  };
  add("sha256", record.sha256);
  add("python", record.python);
  add("telec", record.telec);
  add("user", record.user);
  add("host", record.host);
  return out + "}";
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const char c : bytes) {
    crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xffU] ^ (crc >> 8U);
  }
  return ~crc;
}

void History::insert(std::string_view id) {
  if (ids_.insert(id).second) {
    applied_.push_back(id);
  }
}

void History::read(std::string_view text) {
  JsonScanner in(text, depth_limit);
  bool has_applied = false;
  std::optional<std::string> checksum;
  std::vector<std::string_view> as_written;
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
        in.fail("schema " + std::to_string(schema) + " is newer than this telec understands (" +
                std::to_string(newest_schema) + ")");
      }
      if (schema < 1) {
        in.fail("there is no schema " + std::to_string(schema));
      }
    } else if (key == "applied") {
      has_applied = true;
      in.array([&] {
        storage.clear();
        std::string_view id = in.string(storage);
        check_id(in, id);
        if (id.data() == storage.data()) {
          id = keep(storage);
        }
        as_written.push_back(id);
      });
    } else if (key == "checksum") {
      checksum = in.string();
    } else if (key == "history") {
      in.array([&] {
        in.peek();  // past the white space, to where the entry begins
        const std::size_t begin = in.position();
        std::string_view id;
        read_entry(in, storage, id, nullptr);
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
  if (!has_applied) {
    throw JsonFault("the key 'applied' is missing");
  }
  if (checksum && *checksum != checksum_of(as_written)) {
    throw JsonFault("the checksum does not match the ids in 'applied': a byte was damaged, or the list was edited by hand");
  }
  applied_.reserve(as_written.size());
  ids_.reserve(as_written.size());
  for (const std::string_view id : as_written) {
    insert(id);
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
    return Refusal{fault.what()};
  }
  return history;
}

std::optional<Record> History::details(std::string_view id) const {
  if (indexed_ != entries_.size()) {
    for (std::size_t i = indexed_; i < entries_.size(); ++i) {
      newest_[entries_[i].id] = i;
    }
    indexed_ = entries_.size();
  }
  const auto found = newest_.find(id);
  if (found == newest_.end()) {
    return std::nullopt;
  }
  Record record;
  JsonScanner in(entries_[found->second].raw, depth_limit);
  std::string storage;
  std::string_view same_id;
  read_entry(in, storage, same_id, &record);
  record.id = std::string(id);
  return record;
}

void History::add(const Record& record) {
  const std::string_view id = keep(record.id);
  insert(id);
  entries_.push_back({id, keep(entry_text(record))});
}

std::string History::text() const {
  std::size_t size = 256;
  for (const std::string_view id : applied_) {
    size += id.size() + 8;
  }
  for (const Entry& entry : entries_) {
    size += entry.raw.size() + 6;
  }
  for (const Member& member : others_) {
    size += member.raw_key.size() + member.raw_value.size() + 6;
  }
  std::string out;
  out.reserve(size);
  const auto list = [&](const auto& elements, const auto& append) {
    out.append("[");
    bool first = true;
    for (const auto& element : elements) {
      out.append(first ? "\n    " : ",\n    ");
      append(element);
      first = false;
    }
    out.append(first ? "]" : "\n  ]");
  };
  out.append("{\n  \"schema\": 1,\n  \"applied\": ");
  // An id needs no escapes: its grammar has nothing that JSON would escape.
  list(applied_, [&](std::string_view id) { out.append("\"").append(id).append("\""); });
  out.append(",\n  \"checksum\": \"").append(checksum_of(applied_)).append("\",\n  \"history\": ");
  list(entries_, [&](const Entry& entry) { out.append(entry.raw); });
  for (const Member& member : others_) {
    out.append(",\n  ").append(member.raw_key).append(": ").append(member.raw_value);
  }
  out.append("\n}\n");
  return out;
}

}  // namespace telec
