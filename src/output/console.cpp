// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <algorithm>
#include <utility>

#include "../text.hpp"

namespace telec {
namespace {

constexpr std::size_t line_limit = 4096;
constexpr std::string_view erase_line = "\r\033[K";

}  // namespace

Console::Console(ConsoleOptions options, Sink results, Sink talk)
    : options_(options), results_(std::move(results)), talk_(std::move(talk)) {}

void Console::planned(const std::vector<const Migration*>& pending) {
  for (const Migration* migration : pending) {
    id_width_ = std::max(id_width_, migration->id().size());
  }
}

void Console::show_live() {
  if (options_.live && !live_.empty()) {
    talk_(live_);
  }
}

void Console::clear_live() {
  if (options_.live && !live_.empty()) {
    talk_(erase_line);
  }
}

void Console::started(const Migration& migration, std::size_t position, std::size_t total) {
  live_ = "running " + migration.id() + " (" + std::to_string(position) + " of " + std::to_string(total) + ")";
  show_live();
}

void Console::print_line(std::string_view line) {
  clear_live();
  talk_("  | " + printable(shortened(line, line_limit)) + "\n");
  show_live();
}

void Console::printed(std::string_view bytes) {
  if (!options_.verbose) {
    return;
  }
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    // A line without an end must not grow without an end.
    partial_line_.append(bytes.substr(0, std::min(end, line_limit + 1 - std::min(partial_line_.size(), line_limit + 1))));
    if (end == std::string_view::npos) {
      return;
    }
    print_line(partial_line_);
    partial_line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void Console::finished(const ReportEntry& entry) {
  if (!partial_line_.empty()) {
    print_line(partial_line_);
    partial_line_.clear();
  }
  clear_live();
  live_.clear();
  if (options_.results) {
    results_(entry_line(entry, id_width_, options_.result_style));
  }
}

void Console::note(const std::string& text) {
  if (!options_.talk) {
    return;
  }
  clear_live();
  talk_(note_line(text, options_.talk_style));
  show_live();
}

}  // namespace telec
