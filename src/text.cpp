// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace telec {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_previous(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    previous[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_previous[j - 2] + 1);
      }
    }
    std::swap(before_previous, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

bool is_steering(char32_t c) {
  return (c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
}

/// Nothing that a shell or a reader could take for anything else.
bool is_plain_word(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./~+:@%=-";
  return !text.empty() && text.find_first_not_of(plain) == std::string_view::npos;
}

template <class... Arguments>
void append_format(std::string& out, const char* format, Arguments... arguments) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, arguments...);
  out.append(buffer.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), buffer.size() - 1));
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return {first, 1};
  }
  std::size_t length = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2, value = first & 0x1fU, least = 0x80;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3, value = first & 0x0fU, least = 0x800;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4, value = first & 0x07U, least = 0x10000;
  } else {
    return {};
  }
  if (text.size() < length) {
    return {};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return {};
    }
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
    return {};
  }
  return {value, length};
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = decode_utf8(text);
    if (c.length == 0) {
      return false;
    }
    text.remove_prefix(c.length);
  }
  return true;
}

bool is_plain_ascii(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    // A top bit is set where a byte is not ASCII, is below a space, or is DEL.
    if (((bytes | (bytes - ones * ' ') | (bytes + ones)) & tops) != 0) {
      return false;
    }
  }
  return std::ranges::all_of(text.substr(at), [](char c) { return c >= ' ' && c <= '~'; });
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6U)), put(0x80 | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12U)), put(0x80 | ((c >> 6U) & 0x3fU)), put(0x80 | (c & 0x3fU));
  } else {
    put(0xf0 | (c >> 18U)), put(0x80 | ((c >> 12U) & 0x3fU)), put(0x80 | ((c >> 6U) & 0x3fU)), put(0x80 | (c & 0x3fU));
  }
}

std::string printable(std::string_view text) {
  if (is_plain_ascii(text)) {
    return std::string(text);
  }
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = decode_utf8(text);
    if (c.length == 0) {
      append_format(out, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(text.front())));
      text.remove_prefix(1);
      continue;
    }
    if (!is_steering(c.value)) {
      out.append(text.substr(0, c.length));
    } else if (c.value < 0x80) {
      append_format(out, "\\x%02x", static_cast<unsigned>(c.value));
    } else {
      append_format(out, "\\u%04x", static_cast<unsigned>(c.value));
    }
    text.remove_prefix(c.length);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out(1, '\'');
  out.append(printable(text)).push_back('\'');
  return out;
}

std::string shown_path(std::string_view path) { return is_plain_word(path) ? std::string(path) : quoted(path); }

std::string shell_quoted(std::string_view text) {
  std::string out(1, '\'');
  for (const char c : text) {
    c == '\'' ? out.append("'\\''") : out.append(1, c);
  }
  out.push_back('\'');
  return out;
}

std::string shell_word(std::string_view text) { return is_plain_word(text) ? std::string(text) : shell_quoted(text); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    lines.push_back(without_return(line));
  }
  return lines;
}

std::string_view without_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::vector<std::string_view> last_lines(std::string_view text, std::size_t count) {
  std::vector<std::string_view> lines = lines_of(text);
  if (lines.size() > count) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  }
  return lines;
}

std::string shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return std::string(text);
  }
  std::size_t end = bytes > 3 ? bytes - 3 : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end)).append("...", std::min<std::size_t>(bytes, 3));
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  return nearest(word, candidates, std::max<std::size_t>(1, word.size() / 3));
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates, std::size_t most) {
  std::string_view best;
  std::size_t best_distance = most + 1;
  for (const std::string_view candidate : candidates) {
    if (word.size() > candidate.size() + best_distance || candidate.size() > word.size() + best_distance) {
      continue;
    }
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  const auto take_the_only_one = [&](const auto& fits) {
    const auto first = std::ranges::find_if(candidates, fits);
    if (best.empty() && first != candidates.end() &&
        std::find_if(first + 1, candidates.end(), fits) == candidates.end()) {
      best = *first;
    }
  };
  if (word.size() > 1) {
    take_the_only_one([&](std::string_view candidate) { return candidate.starts_with(word); });
  }
  if (word.size() > 2) {
    take_the_only_one([&](std::string_view candidate) { return candidate.find(word) != std::string_view::npos; });
  }
  return best;
}

std::optional<double> decimal_number(std::string_view text) {
  constexpr std::size_t longest = 400;
  // strtod also takes blanks, "inf", "nan" and hexadecimal; and the program never sets a locale, so a point is a point.
  if (text.empty() || text.size() > longest || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string whole_seconds(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  std::string out;
  if (whole < 60) {
    append_format(out, "%lld s", whole);
  } else if (whole < 3600) {
    append_format(out, whole % 60 == 0 ? "%lld min" : "%lld min %lld s", whole / 60, whole % 60);
  } else {
    append_format(out, whole / 60 % 60 == 0 ? "%lld h" : "%lld h %lld min", whole / 3600, whole / 60 % 60);
  }
  return out;
}

bool is_duration(double seconds) { return seconds >= 0 && seconds < 1e9; }

std::string seconds_text(double seconds) {
  if (is_duration(seconds)) {
    // What was recorded has whole milliseconds, and then the division gives it back exactly: printf would find the
    // same digits, in ten times the time.
    // Not llround(3): it needs libm, whose loading is a tenth of a start.
    const auto milliseconds = static_cast<std::int64_t>(seconds * 1000 + 0.5);  // NOLINT(bugprone-incorrect-roundings)
    if (static_cast<double>(milliseconds) / 1000 == seconds) {
      std::string out = std::to_string(milliseconds / 1000);
      const std::string fraction = std::to_string(1000 + milliseconds % 1000);
      out.append(1, '.').append(fraction, 1, 3).append(" s");
      return out;
    }
  }
  std::string out;
  append_format(out, "%.3f s", seconds);
  return out;
}

}  // namespace telec
