// SPDX-License-Identifier: MIT
// Any words on the command line, one a line: understood, or refused as usage with a reason.
#include <cstdlib>
#include <string_view>
#include <vector>

#include "command_line.hpp"
#include "error.hpp"
#include "text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace telec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  static_cast<void>(asks_for_json(words));
  static_cast<void>(command_word(words));
  try {
    const Invocation invocation = parse_command_line(words);
    if (!(invocation.timeout > 0) || !(invocation.lock_timeout >= 0)) {
      std::abort();
    }
  } catch (const Error& error) {
    if (error.code != ErrorCode::usage || error.message.empty()) {
      std::abort();
    }
  }
  return 0;
}
