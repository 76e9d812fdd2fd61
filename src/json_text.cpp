// SPDX-License-Identifier: MIT
#include "json_text.hpp"

#include <array>
#include <cstdio>

#include "text.hpp"

namespace telec {

std::string json_string(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  while (!text.empty()) {
    const CodePoint c = decode_utf8(text);
    if (c.length == 0) {
      append_utf8(out, 0xfffd);
      text.remove_prefix(1);
      continue;
    }
    if (c.value == '"' || c.value == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c.value));
    } else if (c.value < 0x20 || c.value == 0x7f) {
      out.append("\\u00");
      out.push_back(digits[c.value >> 4U]);
      out.push_back(digits[c.value & 0xfU]);
    } else {
      out.append(text.substr(0, c.length));
    }
    text.remove_prefix(c.length);
  }
  out.push_back('"');
  return out;
}

std::string json_seconds(std::optional<double> seconds) {
  if (!seconds || !is_duration(*seconds)) {
    return "null";
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", *seconds);
  return text.data();
}

}  // namespace telec
