// SPDX-License-Identifier: MIT
#include "status_table.hpp"

#include <algorithm>

#include "../text.hpp"
#include "width.hpp"

namespace telec {
namespace {

/// What a row says besides its id. Made twice, once for the widths and once to be written: that takes less than keeping
/// a row for every migration.
struct Row {
  std::string word;
  std::string when;
  std::string took;
  std::string differs;
};

/// Recorded ones by how they were recorded: the table has room for one word.
std::string word_for(const ReportEntry& entry) {
  const bool is_ours = entry.state != State::recorded || entry.outcome.empty();
  std::string word = is_ours ? word_of(entry.state) : printable(entry.outcome);
  std::ranges::replace(word, '_', ' ');
  return word;
}

Row row_of(const ReportEntry& entry) {
  Row row;
  row.word = word_for(entry);
  if (!entry.at.empty()) {
    row.when = printable(entry.at);
    std::ranges::replace(row.when, 'T', ' ');
  }
  row.took = entry.seconds && entry.outcome != "marked" ? seconds_text(*entry.seconds) : "";
  row.differs = differences_text(entry);
  return row;
}

constexpr std::size_t gap = 2;
constexpr std::size_t day_columns = 10;
constexpr std::size_t least_id = 8;

/// Below a row that has no room for it.
std::string differs_line(const std::string& differs, std::size_t columns) {
  return "  " + fitted(differs, columns > 2 ? columns - 2 : 0) + "\n";
}

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

Widths natural_widths(const Report& report) {
  Widths widths;
  for (const ReportEntry& entry : report.entries) {
    const Row row = row_of(entry);
    widths.id = std::max(widths.id, columns_of(entry.id));
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

/// `taken`: the columns of the cell.
void add_padded(std::string& text, std::string_view cell, std::size_t columns, std::size_t taken) {
  text.append(cell).append(columns - std::min(columns, taken), ' ');
}

void add_padded(std::string& text, std::string_view cell, std::size_t columns) {
  add_padded(text, cell, columns, columns_of(cell));
}

/// Adds a line with its newline. `colored`: the state that gives its word a colour; null: none.
void add_cells(std::string& text, const Widths& widths, const std::string& id, const Row& row, const Style& style,
               const State* colored) {
  if (const std::size_t taken = columns_of(id); taken > widths.id) {
    add_padded(text, fitted_middle(id, widths.id), widths.id);
  } else {
    add_padded(text, id, widths.id, taken);
  }
  text.append(gap, ' ');
  if (style.color && colored != nullptr) {
    text.append(style.state(*colored, padded(row.word, widths.state)));
  } else {
    add_padded(text, row.word, widths.state);
  }
  if (widths.when > 0) {
    text.append(gap, ' ');
    add_padded(text, std::string_view(row.when).substr(0, widths.when), widths.when);
  }
  if (widths.took > 0) {
    text.append(gap, ' ');
    add_padded(text, row.took, widths.took);
  }
  if (widths.differs > 0 && !row.differs.empty()) {
    text.append(gap, ' ').append(row.differs);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  text.append(1, '\n');
}

}  // namespace

std::string differences_text(const ReportEntry& entry) {
  if (!entry.changed && !entry.gone && !entry.late && !entry.out_of_order) {
    return {};
  }
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
  Widths widths = natural_widths(report);
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
      widths.id = std::max(least_id, columns - std::min(columns, gap + widths.state));
    }
  }
  std::string heading;
  add_cells(heading, widths, "ID", {"STATE", "WHEN", "TOOK", widths.differs > 0 ? "DIFFERS" : ""}, style, nullptr);
  heading.pop_back();
  std::string text = style.strong(heading) + "\n";
  text.reserve(text.size() + report.entries.size() * (widths.sum() + 1));
  for (const ReportEntry& entry : report.entries) {
    const Row row = row_of(entry);
    add_cells(text, widths, entry.id, row, style, &entry.state);
    if (differs_below && !row.differs.empty()) {
      text += differs_line(row.differs, columns);
    }
  }
  return text;
}

std::string status_sums(const Report& report, const Style& style) {
  const auto count = [&](auto member) {
    return static_cast<std::size_t>(
        std::ranges::count_if(report.entries, [&](const ReportEntry& entry) { return entry.*member; }));
  };
  std::string text = counted(report.recorded + report.pending, "migration") + ": " + std::to_string(report.recorded) +
                     " recorded, " + std::to_string(report.pending) + " pending";
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
  std::size_t differs_width = 0;
  for (const ReportEntry& entry : report.entries) {
    if (needs_attention(entry)) {
      const std::size_t differs = columns_of(differences_text(entry));
      id_width = std::max(id_width, columns_of(entry.id));
      word_width = std::max(word_width, columns_of(word_for(entry)));
      differs_width = std::max(differs_width, differs > 0 ? gap + differs : 0);
    }
  }
  const bool fits = style.columns == 0 || id_width + gap + word_width + differs_width <= style.columns;
  if (!fits) {
    id_width = std::max(least_id, std::min(id_width, style.columns - std::min(style.columns, gap + word_width)));
  }
  std::string text;
  for (const ReportEntry& entry : report.entries) {
    if (!needs_attention(entry)) {
      continue;
    }
    const std::string differs = differences_text(entry);
    const std::string word = word_for(entry);
    text += padded(fitted_middle(entry.id, id_width), id_width) + std::string(gap, ' ');
    if (differs.empty()) {
      text += style.state(entry.state, word) + "\n";
    } else if (fits) {
      text += style.state(entry.state, padded(word, word_width)) + std::string(gap, ' ') + differs + "\n";
    } else {
      text += style.state(entry.state, word) + "\n" + differs_line(differs, style.columns);
    }
  }
  return text;
}

}  // namespace telec
