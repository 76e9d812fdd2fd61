// SPDX-License-Identifier: MIT
// Any bytes as a state file: refused, or read; what is written again reads as the same, and without a record that was
// taken back as the same but for that one.
#include <cstdlib>

#include "history.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using telec::History;
  auto parsed = History::parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!parsed) {
    must(!parsed.reason().empty());
    return 0;
  }
  History history = std::move(parsed).value();
  telec::Record record;
  record.id = "9.9.9/999_added.py";
  record.outcome = "applied";
  record.at = "2026-11-22T07:30:00Z";
  history.add(record);
  const auto again = History::parse(history.text());
  must(again && again->applied() == history.applied() && again->text() == history.text());
  must(again->contains(record.id) && again->order() == history.order());
  for (const auto id : history.applied()) {
    const auto details = history.details(id);
    must(!details || details->id == id);
  }
  const std::string first(history.applied().front());
  const std::size_t count = history.applied().size();
  must(history.remove(first) && !history.remove(first));
  must(!history.contains(first) && !history.details(first) && history.applied().size() == count - 1);
  const auto without = History::parse(history.text());
  must(without && without->applied() == history.applied() && without->text() == history.text());
  return 0;
}
