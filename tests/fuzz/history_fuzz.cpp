// SPDX-License-Identifier: MIT
// Any bytes as a state file: refused, or read; and what is written again reads as the same.
#include <cstdlib>

#include "history.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using telec::History;
  auto parsed = History::parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!parsed) {
    if (parsed.reason().empty()) {
      std::abort();
    }
    return 0;
  }
  History history = std::move(parsed).value();
  telec::Record record;
  record.id = "9.9.9/999_added.py";
  record.outcome = "applied";
  record.at = "2026-11-22T07:30:00Z";
  history.add(record);
  auto again = History::parse(history.text());
  if (!again || again.value().applied() != history.applied() || again.value().text() != history.text() ||
      !again.value().contains(record.id)) {
    std::abort();
  }
  for (const auto id : history.applied()) {
    static_cast<void>(history.details(id));
  }
  return 0;
}
