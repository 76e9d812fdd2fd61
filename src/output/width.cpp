// SPDX-License-Identifier: MIT
#include "width.hpp"

#include <algorithm>
#include <array>

#include "../text.hpp"

namespace telec {
namespace {

struct Span {
  char32_t first;
  char32_t last;
};

// Combining marks, joiners and variation selectors (general categories Mn, Me and Cf, by block).
constexpr std::array<Span, 34> invisible = {{
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},   {0x05bf, 0x05bf},   {0x05c1, 0x05c2}, {0x05c4, 0x05c5},
    {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670},   {0x06d6, 0x06dc},   {0x06df, 0x06e4}, {0x06e7, 0x06e8},
    {0x06ea, 0x06ed}, {0x0900, 0x0902}, {0x093a, 0x093a},   {0x093c, 0x093c},   {0x0941, 0x0948}, {0x094d, 0x094d},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},   {0x1160, 0x11ff},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064},   {0x20d0, 0x20f0},   {0x302a, 0x302d}, {0x3099, 0x309a},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef},
}};

// East_Asian_Width W and F, and emoji that are shown as pictures.
constexpr std::array<Span, 36> wide = {{
    {0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0},   {0x23f3, 0x23f3},
    {0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4},   {0x26ea, 0x26ea},
    {0x26f2, 0x26f5}, {0x26fa, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728},   {0x274c, 0x274e},
    {0x2753, 0x2757}, {0x2795, 0x2797}, {0x2b1b, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
}};

template <std::size_t Count>
bool has(const std::array<Span, Count>& spans, char32_t code_point) {
  const auto span = std::ranges::lower_bound(spans, code_point, {}, &Span::last);
  return span != spans.end() && span->first <= code_point;
}

/// The character at the front: its bytes, at least one.
std::string_view front_of(std::string_view text) {
  return text.substr(0, std::max<std::size_t>(decode_utf8(text).length, 1));
}

unsigned front_columns(std::string_view text) {
  const CodePoint c = decode_utf8(text);
  return c.length == 0 ? 1 : columns_of(c.value);
}

/// As much of the beginning as fits.
std::string_view beginning(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size() && front_columns(text.substr(end)) <= columns) {
    columns -= front_columns(text.substr(end));
    end += front_of(text.substr(end)).size();
  }
  return text.substr(0, end);
}

/// As much of the end as fits.
std::string_view ending(std::string_view text, std::size_t columns) {
  std::size_t all = columns_of(text);
  while (all > columns) {
    all -= front_columns(text);
    text.remove_prefix(front_of(text).size());
  }
  return text;
}

constexpr std::string_view dots = "...";

/// How much of the front of a sentence must not be broken.
std::string_view front_piece(std::string_view text) {
  std::size_t end = std::min(text.find(' '), text.size());
  const std::size_t quote = text.find('\'');
  // An apostrophe within a word is none.
  if (quote > 1 || (quote == 1 && text.front() != '(')) {
    return text.substr(0, end);
  }
  for (std::size_t close = text.find('\'', quote + 1); close != std::string_view::npos;
       close = text.find('\'', close + 1)) {
    if (text[close - 1] == ' ' && close - 1 > quote) {
      // A command has words in quotes of their own: this opens one.
      const std::size_t inner = text.find('\'', close + 1);
      if (inner != std::string_view::npos && text.find('\'', inner + 1) != std::string_view::npos) {
        close = inner;
        continue;
      }
    }
    const std::size_t after = text.find_first_not_of("):;,.?", close + 1);
    if (after == std::string_view::npos || text[after] == ' ') {
      end = std::max(end, std::min(after, text.size()));
      break;
    }
  }
  return text.substr(0, end);
}

}  // namespace

unsigned columns_of(char32_t code_point) {
  if (code_point < 0x300) {
    return 1;
  }
  if (has(invisible, code_point)) {
    return 0;
  }
  return has(wide, code_point) ? 2 : 1;
}

std::size_t columns_of(std::string_view text) {
  if (is_plain_ascii(text)) {
    return text.size();
  }
  std::size_t columns = 0;
  while (!text.empty()) {
    columns += front_columns(text);
    text.remove_prefix(front_of(text).size());
  }
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) {
    return std::string(text);
  }
  if (columns <= dots.size()) {
    return std::string(dots.substr(0, columns));
  }
  return std::string(beginning(text, columns - dots.size())).append(dots);
}

std::string fitted_middle(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns || columns <= dots.size() + 2) {
    return fitted(text, columns);
  }
  const std::size_t room = columns - dots.size();
  return std::string(beginning(text, room - room / 2)).append(dots).append(ending(text, room / 2));
}

std::string padded(std::string text, std::size_t columns) {
  if (const std::size_t taken = columns_of(text); taken < columns) {
    text.append(columns - taken, ' ');
  }
  return text;
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t taken, std::size_t indent) {
  if (columns == 0) {
    return std::string(text);
  }
  // How far a tab goes depends on where it stands.
  std::string without_tabs(text);
  std::ranges::replace(without_tabs, '\t', ' ');
  std::string_view sentence = without_tabs;
  std::string out;
  bool after_colon = false;
  for (bool first = true; !sentence.empty(); first = false) {
    const std::string_view piece = after_colon && sentence.starts_with("telec ") ? sentence : front_piece(sentence);
    after_colon = piece.ends_with(':');
    const std::size_t width = columns_of(piece);
    // Nothing is gained where the line below has no room either.
    const bool begins_below = first && taken > indent && taken + width > columns && indent + width <= columns;
    if (begins_below || (!first && taken + 1 + width > columns)) {
      out.append("\n").append(indent, ' ');
      taken = indent;
    } else if (!first) {
      out.append(" ");
      ++taken;
    }
    out.append(piece);
    taken += width;
    sentence.remove_prefix(std::min(piece.size() + 1, sentence.size()));
  }
  return out;
}

}  // namespace telec
