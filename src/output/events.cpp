// SPDX-License-Identifier: MIT
#include "events.hpp"

#include <algorithm>

#include "../json_text.hpp"
#include "../text.hpp"

namespace telec {
namespace {

constexpr std::size_t line_limit = 4096;

std::string member(const char* key, const std::string& text) {
  return std::string(", \"") + key + "\": " + (text.empty() ? "null" : json_string(text));
}

}  // namespace

void Events::write(const char* event, const std::string& members) {
  sink_(std::string("{\"event\": \"") + event + "\", \"at\": " + json_string(now_()) + members + "}\n");
}

void Events::planned(const std::vector<const Migration*>& pending) {
  std::string ids;
  for (const Migration* migration : pending) {
    ids += (ids.empty() ? "" : ", ") + json_string(migration->id());
  }
  write("planned", ", \"ids\": [" + ids + "]");
}

void Events::started(const Migration& migration, std::size_t position, std::size_t total) {
  id_ = migration.id();
  write("started",
        member("id", id_) + ", \"position\": " + std::to_string(position) + ", \"total\": " + std::to_string(total));
}

void Events::write_line(std::string_view line) {
  write("output", member("id", id_) + ", \"text\": " + json_string(line));
}

void Events::printed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = line_limit - partial_line_.size();
    const std::size_t taken = std::min({end, room, bytes.size()});
    partial_line_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    const bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) {
      bytes.remove_prefix(1);
    }
    if (ended || partial_line_.size() == line_limit) {
      write_line(ended ? without_return(partial_line_) : partial_line_);
      partial_line_.clear();
    }
  }
}

void Events::finished(const ReportEntry& entry) {
  if (!partial_line_.empty()) {
    write_line(partial_line_);
    partial_line_.clear();
  }
  write("finished", member("id", entry.id) + ", \"state\": \"" + word_of(entry.state) +
                        "\", \"seconds\": " + json_seconds(entry.seconds) + member("stage", entry.stage) +
                        member("message", entry.message) + member("log", entry.log));
  if (entry.state == State::applied || entry.state == State::already_present) {
    write("committed", member("id", entry.id));
  }
}

void Events::note(const std::string& text) { write("note", member("text", text)); }

void Events::ended(const Report& report, int exit_code) {
  write("ended", std::string(", \"ok\": ") + (report.error ? "false" : "true") + ", \"exit\": " +
                     std::to_string(exit_code) + member("error", report.error ? word_of(report.error->code) : ""));
}

}  // namespace telec
