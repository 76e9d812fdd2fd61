// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include <algorithm>

#include "text.hpp"

namespace telec {
namespace {

bool names(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

std::vector<const Migration*> Plan::pending() const {
  std::vector<const Migration*> result;
  for (const Step& step : steps) {
    if (!step.recorded) {
      result.push_back(step.migration);
    }
  }
  return result;
}

Plan make_plan(const Catalog& catalog, const History& history, const Range& range, const Selection& selection) {
  Plan plan;
  plan.problems = catalog.problems();
  std::vector<bool> in_tree(history.applied().size());
  std::string_view last;  // the recorded id that comes last, whether or not the tree still has it
  std::string_view version;
  bool version_in_range = false;
  const bool is_narrowed = !selection.only.empty() || !selection.rerun.empty();
  plan.steps.reserve(catalog.migrations().size());
  for (const Migration& migration : catalog.migrations()) {
    const auto place = history.find(migration.id());
    const bool recorded = place.has_value();
    if (recorded) {
      in_tree[*place] = true;
      last = migration.id();
    }
    if (migration.version() != version) {
      version = migration.version();
      version_in_range = range.contains(version);
    }
    const bool again = names(selection.rerun, migration.id());
    if (!version_in_range || (is_narrowed && !again && !names(selection.only, migration.id()))) {
      continue;
    }
    plan.steps.push_back({&migration, recorded && !again, false});
  }
  for (std::size_t i = 0; i < in_tree.size(); ++i) {
    const std::string_view id = history.applied()[i];
    if (in_tree[i]) {
      continue;
    }
    if (range.contains(id.substr(0, id.find('/')))) {
      plan.gone.emplace_back(id);
    }
    if (last.empty() || compare_ids(last, id) < 0) {
      last = id;
    }
  }
  for (Plan::Step& step : plan.steps) {
    if (step.recorded) {
      continue;
    }
    if (last.empty() || compare_ids(step.migration->id(), last) > 0) {
      break;  // and so do all that follow
    }
    if (!history.contains(step.migration->id())) {
      step.late = true;
      plan.problems.push_back(
          {"out_of_order", step.migration->path(),
           "arrived late: it comes before " + quoted(last) + ", which is recorded already; it is run all the same"});
    }
  }
  return plan;
}

}  // namespace telec
