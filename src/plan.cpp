// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include <algorithm>
#include <optional>

#include "text.hpp"

namespace telec {
namespace {

bool names(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

/// The recorded id that comes last in the order of migrations, whether or not the tree still has it.
std::optional<Migration> last_recorded(const Catalog& catalog, const History& history, std::size_t in_tree) {
  std::optional<Migration> last;
  const auto& migrations = catalog.migrations();
  for (auto migration = migrations.rbegin(); migration != migrations.rend() && in_tree > 0; ++migration) {
    if (history.contains(migration->id())) {
      last = *migration;
      break;
    }
  }
  if (in_tree < history.applied().size()) {
    for (const std::string_view id : history.applied()) {
      auto recorded = Migration::parse(id);
      if (recorded && (!last || *last < *recorded)) {
        last = std::move(recorded).value();
      }
    }
  }
  return last;
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
  std::size_t in_tree = 0;
  std::size_t pending = 0;
  std::string_view version;
  bool version_in_range = false;
  plan.steps.reserve(catalog.migrations().size());
  for (const Migration& migration : catalog.migrations()) {
    const bool recorded = history.contains(migration.id());
    in_tree += recorded ? 1 : 0;
    if (migration.version() != version) {
      version = migration.version();
      version_in_range = range.contains(version);
    }
    if (!version_in_range || (!selection.only.empty() && !names(selection.only, migration.id()))) {
      continue;
    }
    const bool again = recorded && names(selection.rerun, migration.id());
    const bool chosen = selection.rerun.empty() || !selection.only.empty() || names(selection.rerun, migration.id());
    if (!chosen) {
      continue;
    }
    plan.steps.push_back({&migration, recorded && !again, false});
    pending += recorded ? 0 : 1;
  }
  if (in_tree < history.applied().size()) {
    for (const std::string_view id : history.applied()) {
      if (catalog.find(id) == nullptr && range.contains(id.substr(0, id.find('/')))) {
        plan.gone.emplace_back(id);
      }
    }
  }
  if (pending == 0) {
    return plan;
  }
  const std::optional<Migration> last = last_recorded(catalog, history, in_tree);
  for (Plan::Step& step : plan.steps) {
    if (!step.recorded && last && *step.migration < *last && !history.contains(step.migration->id())) {
      step.late = true;
      plan.problems.push_back({"out_of_order", step.migration->path(),
                               "arrived late: it comes before " + quoted(last->id()) +
                                   ", which is recorded already; it is run all the same"});
    }
  }
  return plan;
}

}  // namespace telec
