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
    : options_(std::move(options)), results_(std::move(results)), talk_(std::move(talk)) {}

void Console::planned(const std::vector<const Migration*>& pending) {
  for (const Migration* migration : pending) {
    id_width_ = std::max(id_width_, migration->id().size());
  }
}

void Console::show_live() {
  if (!options_.live || !running_ || !options_.has_room()) {
    return;
  }
  view_.silent = view_.elapsed - printed_at_;
  // A terminal wraps when the last column is written, and shows a Ctrl-C as ^C: on a line of its own that would stay.
  constexpr std::size_t free_columns = 3;
  const std::size_t columns = options_.columns();
  talk_(std::string(erase_line) + live_line(view_, columns > free_columns ? columns - free_columns : columns));
  shown_ = true;
}

void Console::clear_live() {
  if (shown_) {
    talk_(erase_line);
    shown_ = false;
  }
}

void Console::started(const Migration& migration, std::size_t position, std::size_t total) {
  view_ = LiveView{position, total, migration.id(), 0, 0, ""};
  printed_at_ = 0;
  printed_lately_ = false;
  latest_line_.clear();
  running_ = true;
  show_live();
}

void Console::ticked(double elapsed) {
  view_.elapsed = elapsed;
  if (printed_lately_) {
    printed_at_ = elapsed;
    printed_lately_ = false;
  }
  show_live();
}

/// Keeps the last line that is not blank; a line without an end counts as far as it has come.
void Console::follow(std::string_view bytes) {
  printed_lately_ = true;
  constexpr std::size_t kept = 512;
  if (bytes.size() > kept) {
    const std::size_t last = bytes.substr(0, bytes.size() - kept).rfind('\n');
    bytes = bytes.substr(last == std::string_view::npos ? bytes.size() - kept : last);
  }
  const auto keep = [&] {
    if (latest_line_.find_first_not_of(" \t") != std::string::npos) {
      view_.last_line = latest_line_;
    }
  };
  for (const char c : bytes) {
    if (c == '\n' || c == '\r') {
      keep();
      latest_line_.clear();
    } else if (latest_line_.size() < kept) {
      latest_line_.push_back(c);
    }
  }
  keep();
}

void Console::print_line(std::string_view line) {
  clear_live();
  talk_("  | " + printable(shortened(line, line_limit)) + "\n");
  show_live();
}

void Console::printed(std::string_view bytes) {
  if (options_.live) {
    follow(bytes);
  }
  if (!options_.verbose) {
    return;
  }
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    // A line without an end must not grow without an end.
    partial_line_.append(
        bytes.substr(0, std::min(end, line_limit + 1 - std::min(partial_line_.size(), line_limit + 1))));
    if (end == std::string_view::npos) {
      return;
    }
    print_line(without_return(partial_line_));
    partial_line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

bool Console::has_room() { return !options_.verbose || options_.has_room(); }

void Console::finished(const ReportEntry& entry) {
  if (!partial_line_.empty()) {
    print_line(partial_line_);
    partial_line_.clear();
  }
  clear_live();
  running_ = false;
  if (options_.results) {
    results_(entry_line(entry, id_width_, options_.result_style));
  }
}

void Console::show_tail(const std::string& id, const std::string& tail) {
  if (options_.talk && !options_.verbose) {
    clear_live();
    talk_(last_printed(id, tail));
    show_live();
  }
}

void Console::tell(const std::string& text) {
  clear_live();
  talk_(note_line(text, options_.talk_style));
  show_live();
}

void Console::note(const std::string& text) {
  if (options_.talk) {
    tell(text);
  }
}

void Console::stopping(const std::string& text) {
  if (options_.answer) {
    tell(text);
  }
}

}  // namespace telec
