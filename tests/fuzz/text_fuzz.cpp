// SPDX-License-Identifier: MIT
// Any bytes for a terminal and for JSON: no control character gets through, what is printed is valid UTF-8, and a JSON
// string reads back as what can be read back of it.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "json_scanner.hpp"
#include "json_text.hpp"
#include "text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_harmless(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const telec::CodePoint point = telec::decode_utf8(text.substr(at));
    if (point.length == 0 || (point.value < 0x20 && point.value != '\t') ||
        (point.value >= 0x7f && point.value < 0xa0) || (point.value >= 0x202a && point.value <= 0x202e) ||
        (point.value >= 0x2066 && point.value <= 0x2069)) {
      return false;
    }
    at += point.length;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace telec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  must(is_harmless(printable(text)));
  must(is_harmless(quoted(text)));
  must(shortened(text, 80).size() <= 80 + 8);
  const std::string json = json_string(text);
  JsonScanner in(json, 4);
  const std::string back = in.string();
  in.finish();
  must(is_valid_utf8(back));
  must(!is_valid_utf8(text) || back == text);
  must(nearest(text.substr(0, 64), {"migrate", "status"}).size() <= 7);
  for (const std::string_view line : lines_of(text)) {
    must(line.find('\n') == std::string_view::npos);
  }
  must(last_lines(text, 3).size() <= 3);
  const double seconds = std::clamp(decimal_number(text).value_or(0), 0.0, 1e9);
  must(is_harmless(whole_seconds(seconds)) && seconds_text(seconds).ends_with(" s"));
  must(counted(lines_of(text).size(), "line").ends_with("line") == (lines_of(text).size() == 1));
  static_cast<void>(shell_quoted(text));
  try {
    JsonScanner any(text, 16);
    static_cast<void>(any.skip());
    any.finish();
  } catch (const JsonFault&) {
    return 0;
  }
  return 0;
}
