// SPDX-License-Identifier: MIT
// Every truncation and every change of one byte of a state file with twenty ids: each is refused, or it reads as the
// same ids. Both for a file with all its details and for one that holds nothing but the ids and their checksum. Nothing
// is left to chance. `--report FILE` writes the figures there, as the other suites do.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "history.hpp"

namespace {

struct Count {
  long refused = 0;
  long same = 0;
  long wrong = 0;
};

void look(const std::string& text, const std::vector<std::string>& ids, Count& count) {
  const auto parsed = telec::History::parse(text);
  if (!parsed) {
    ++count.refused;
    return;
  }
  const auto& applied = parsed.value().applied();
  bool same = applied.size() == ids.size();
  for (std::size_t i = 0; same && i < ids.size(); ++i) {
    same = parsed.value().contains(ids[i]);
  }
  ++(same ? count.same : count.wrong);
  if (!same && count.wrong <= 5) {
    std::printf("reads as other ids:\n%s\n", text.c_str());
  }
}

Count damage(const std::string& text, const std::vector<std::string>& ids) {
  Count count;
  for (std::size_t length = 0; length < text.size(); ++length) {
    look(text.substr(0, length), ids, count);
  }
  std::string changed = text;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int step = 1; step < 256; ++step) {
      changed[at] = static_cast<char>(static_cast<unsigned char>(text[at]) + step);
      look(changed, ids, count);
    }
    changed[at] = text[at];
  }
  return count;
}

}  // namespace

int main(int arguments, char** words) {
  telec::History history;
  std::vector<std::string> ids;
  for (int i = 1; i <= 20; ++i) {
    telec::Record record;
    record.id = "1." + std::to_string(i / 4) + ".0/0" + (i < 10 ? "0" : "") + std::to_string(i) + "_change_it.py";
    record.outcome = i % 3 == 0 ? "already_present" : "applied";
    record.at = "2026-11-22T07:30:00Z";
    record.seconds = 0.021;
    record.sha256 = std::string(64, 'a');
    record.python = "3.11.2";
    record.telec = "0.1.0";
    record.user = "ada";
    record.host = "box";
    history.add(record);
    ids.push_back(record.id);
  }
  const std::string full = history.text();
  const std::size_t details = full.find("\"history\"");
  const std::string bare = full.substr(0, full.rfind(',', details)) + "\n}\n";
  Count total;
  int failed = 0;
  std::string parts;
  for (const std::string& text : {full, bare}) {
    const Count count = damage(text, ids);
    std::printf("state_flips: %zu bytes: %ld refused, %ld the same ids, %ld other ids\n", text.size(), count.refused,
                count.same, count.wrong);
    parts += (parts.empty() ? "" : ", ") + ("\"" + std::to_string(text.size()) + " bytes\": {\"tried\": ") +
             std::to_string(count.refused + count.same + count.wrong) +
             ", \"fired\": " + std::to_string(count.refused + count.same + count.wrong) +
             ", \"broken\": " + std::to_string(count.wrong) + ", \"refused\": " + std::to_string(count.refused) +
             ", \"the same ids\": " + std::to_string(count.same) + "}";
    total.refused += count.refused;
    total.same += count.same;
    total.wrong += count.wrong;
    failed += telec::History::parse(text) ? 0 : 1;
  }
  for (int i = 1; i + 1 < arguments; ++i) {
    if (std::string_view(words[i]) == "--report") {
      std::FILE* report = std::fopen(words[i + 1], "w");
      if (report == nullptr) {
        std::perror(words[i + 1]);
        return 1;
      }
      std::fprintf(report,
                   "{\"suite\": \"state_flips\", \"seed\": null, \"sample\": 0, \"parts\": {%s}, \"skipped\": []}\n",
                   parts.c_str());
      failed += std::fclose(report) == 0 ? 0 : 1;
    }
  }
  std::printf("state_flips: %ld passed, %ld failed\n", total.refused + total.same, total.wrong + failed);
  return total.wrong + failed == 0 ? 0 : 1;
}
