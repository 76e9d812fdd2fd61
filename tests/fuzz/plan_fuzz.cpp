// SPDX-License-Identifier: MIT
// Any listing of directories, one entry a line, after its type (`f`, `d` or `o`); a line that begins with `r` is a
// recorded id, with `>` or `<` the range's beginning or end, with `=` or `*` an id of --only or --rerun. The catalog is
// sorted, what is planned is in it and in range, what is pending is not recorded, and nothing is listed twice.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog.hpp"
#include "json_text.hpp"
#include "plan.hpp"
#include "text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

struct Listing {
  std::string name;
  std::vector<std::pair<std::string, telec::FileType>> entries;
};

telec::FileType type_of(char letter) {
  return letter == 'f' ? telec::FileType::regular : letter == 'd' ? telec::FileType::directory : telec::FileType::other;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace telec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Catalog catalog;
  std::vector<Listing> versions;
  std::vector<std::string> seen;
  std::string recorded;
  std::optional<Version> from;
  std::optional<Version> to;
  Selection selection;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() < 2 || line.find('\0') != std::string_view::npos) {
      continue;
    }
    const std::string name(line.substr(1));
    if (line[0] == 'r') {
      if (Migration::fault_of(name).empty()) {
        recorded += (recorded.empty() ? "" : ", ") + json_string(name);
      }
    } else if (line[0] == '>' || line[0] == '<') {
      if (auto version = Version::parse(name)) {
        (line[0] == '>' ? from : to) = std::move(version).value();
      }
    } else if (line[0] == '=' || line[0] == '*') {
      (line[0] == '=' ? selection.only : selection.rerun).push_back(name);
    } else if (line[0] == ' ' && !versions.empty() && name.size() > 1) {
      versions.back().entries.emplace_back(name.substr(1), type_of(name[0]));
    } else if (name.find('/') == std::string::npos && std::ranges::find(seen, name) == seen.end()) {
      seen.push_back(name);
      if (catalog.add_top(name, type_of(line[0]))) {
        versions.push_back({name, {}});
      }
    }
  }
  for (Listing& version : versions) {
    std::ranges::sort(version.entries);
    std::string last;
    for (const auto& [name, type] : version.entries) {
      if (name.find('/') == std::string::npos && name != last) {
        catalog.add_script(version.name, name, type);
      }
      last = name;
    }
  }
  catalog.finish();
  must(std::ranges::is_sorted(catalog.migrations()));
  must(std::ranges::adjacent_find(catalog.migrations()) == catalog.migrations().end());
  auto history = History::parse("{\"applied\": [" + recorded + "]}");
  must(static_cast<bool>(history));
  const History known = std::move(history).value();
  const auto between = Range::between(from, to);
  const Range range = between ? *between : Range{};
  const Plan plan = make_plan(catalog, known, range, selection);
  const auto is_in = [](const std::vector<std::string>& ids, const std::string& id) {
    return std::ranges::find(ids, id) != ids.end();
  };
  const bool is_narrowed = !selection.only.empty() || !selection.rerun.empty();
  if (!from && !to && !is_narrowed) {
    must(plan.steps.size() == catalog.migrations().size());
  }
  for (const Plan::Step& step : plan.steps) {
    const std::string& id = step.migration->id();
    must(range.contains(step.migration->version()) && catalog.find(id) == step.migration);
    must(!step.recorded || (known.contains(id) && !is_in(selection.rerun, id)));
    must(!is_narrowed || is_in(selection.only, id) || is_in(selection.rerun, id));
  }
  for (const Migration* migration : plan.pending()) {
    must(!known.contains(migration->id()) || is_in(selection.rerun, migration->id()));
  }
  for (const std::string& id : plan.gone) {
    must(known.contains(id) && catalog.find(id) == nullptr);
  }
  for (const Problem& problem : plan.problems) {
    must(!problem.message.empty());
  }
  return 0;
}
