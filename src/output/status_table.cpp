// SPDX-License-Identifier: MIT
#include "status_table.hpp"

#include <algorithm>
#include <vector>

#include "../text.hpp"
#include "width.hpp"

namespace telec {
namespace {

struct Row {
  std::string id;
  State state;
  std::string word;
  std::string when;
  std::string took;
  std::string differs;
};

/// Recorded ones by how they were recorded: the table has room for one word.
std::string word_for(const ReportEntry& entry) {
  std::string word = entry.state == State::recorded && !entry.outcome.empty() ? entry.outcome : word_of(entry.state);
  std::ranges::replace(word, '_', ' ');
  return printable(word);
}

Row row_of(const ReportEntry& entry) {
  Row row;
  row.id = entry.id;
  row.state = entry.state;
  row.word = word_for(entry);
  row.when = printable(entry.at);
  std::ranges::replace(row.when, 'T', ' ');
  row.took = entry.seconds && entry.outcome != "marked" ? seconds_text(*entry.seconds) : "";
  row.differs = differences_text(entry);
  return row;
}

constexpr std::size_t gap = 2;
constexpr std::size_t day_columns = 10;

struct Widths {
  std::size_t id = 2;
  std::size_t state = 5;
  std::size_t when = 0;
  std::size_t took = 0;
  std::size_t differs = 0;

  [[nodiscard]] std::size_t sum() const {
    std::size_t columns = id + gap + state;
    for (const std::size_t optional : {when, took, differs}) {
      columns += optional > 0 ? gap + optional : 0;
    }
    return columns;
  }
};

Widths natural_widths(const std::vector<Row>& rows) {
  Widths widths;
  for (const Row& row : rows) {
    widths.id = std::max(widths.id, columns_of(row.id));
    widths.state = std::max(widths.state, columns_of(row.word));
    widths.when = std::max(widths.when, columns_of(row.when));
    widths.took = std::max(widths.took, columns_of(row.took));
    widths.differs = std::max(widths.differs, columns_of(row.differs));
  }
  // A heading has to fit, too.
  const auto at_least = [](std::size_t& width, std::size_t heading) {
    width = width > 0 ? std::max(width, heading) : 0;
  };
  at_least(widths.when, 4);
  at_least(widths.took, 4);
  at_least(widths.differs, 7);
  return widths;
}

std::string cells(const Widths& widths, const std::string& id, const std::string& state, const std::string& when,
                  const std::string& took, const std::string& differs, const Style& style, const State* colored) {
  std::string line = padded(fitted_middle(id, widths.id), widths.id) + std::string(gap, ' ');
  const std::string word = padded(state, widths.state);
  line += colored != nullptr ? style.state(*colored, word) : word;
  if (widths.when > 0) {
    line += std::string(gap, ' ') + padded(when.substr(0, widths.when), widths.when);
  }
  if (widths.took > 0) {
    line += std::string(gap, ' ') + padded(took, widths.took);
  }
  if (widths.differs > 0 && !differs.empty()) {
    line += std::string(gap, ' ') + differs;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string differences_text(const ReportEntry& entry) {
  std::string text;
  const auto add = [&](bool so, const char* words) {
    if (so) {
      text += (text.empty() ? "" : ", ") + std::string(words);
    }
  };
  add(entry.changed, "script changed");
  add(entry.gone, "script gone");
  add(entry.late, "late");
  add(entry.out_of_order, "ran out of order");
  return text;
}

bool needs_attention(const ReportEntry& entry) {
  return entry.state == State::pending || entry.changed || entry.gone || entry.late;
}

std::string status_table(const Report& report, const Style& style) {
  if (report.entries.empty()) {
    return {};
  }
  const std::size_t columns = style.columns;
  std::vector<Row> rows;
  rows.reserve(report.entries.size());
  for (const ReportEntry& entry : report.entries) {
    rows.push_back(row_of(entry));
  }
  Widths widths = natural_widths(rows);
  bool differs_below = false;
  if (columns > 0) {
    const auto too_wide = [&] { return widths.sum() > columns; };
    if (too_wide()) {
      widths.took = 0;
    }
    if (too_wide() && widths.when > day_columns) {
      widths.when = day_columns;
    }
    if (too_wide()) {
      widths.when = 0;
    }
    if (too_wide() && widths.differs > 0) {
      widths.differs = 0;
      differs_below = true;
    }
    if (too_wide()) {
      constexpr std::size_t least_id = 8;
      widths.id = std::max(least_id, columns - std::min(columns, gap + widths.state));
    }
  }
  std::string heading =
      cells(widths, "ID", "STATE", "WHEN", "TOOK", widths.differs > 0 ? "DIFFERS" : "", style, nullptr);
  heading.pop_back();
  std::string text = style.strong(heading) + "\n";
  for (const Row& row : rows) {
    text += cells(widths, row.id, row.word, row.when, row.took, row.differs, style, &row.state);
    if (differs_below && !row.differs.empty()) {
      text += "  " + fitted(row.differs, columns > 2 ? columns - 2 : 0) + "\n";
    }
  }
  return text;
}

std::string status_sums(const Report& report, const Style& style) {
  const auto count = [&](auto member) {
    return static_cast<std::size_t>(
        std::ranges::count_if(report.entries, [&](const ReportEntry& entry) { return entry.*member; }));
  };
  std::string text = counted(report.entries.size(), "migration") + ": " +
                     std::to_string(report.count(State::recorded)) + " recorded, " +
                     std::to_string(report.count(State::pending)) + " pending";
  const auto add = [&](std::size_t number, const std::string& words) {
    text += number > 0 ? ", " + std::to_string(number) + " " + words : "";
  };
  add(count(&ReportEntry::changed), "changed since");
  add(count(&ReportEntry::gone), "without a script");
  add(count(&ReportEntry::late), "late");
  add(report.problems.size(), report.problems.size() == 1 ? "problem" : "problems");
  return sum_line(text, style);
}

std::string attention_text(const Report& report, const Style& style) {
  std::size_t id_width = 0;
  std::size_t word_width = 0;
  for (const ReportEntry& entry : report.entries) {
    if (needs_attention(entry)) {
      id_width = std::max(id_width, columns_of(entry.id));
      word_width = std::max(word_width, columns_of(word_for(entry)));
    }
  }
  std::string text;
  for (const ReportEntry& entry : report.entries) {
    if (needs_attention(entry)) {
      const std::string differs = differences_text(entry);
      const std::string word = word_for(entry);
      text += padded(entry.id, id_width) + std::string(gap, ' ') +
              style.state(entry.state, differs.empty() ? word : padded(word, word_width)) +
              (differs.empty() ? "" : std::string(gap, ' ') + differs) + "\n";
    }
  }
  return text;
}

}  // namespace telec
