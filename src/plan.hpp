// SPDX-License-Identifier: MIT
// What is to be done: the tree and the history, held against each other. `migrate`, `--dry-run` and `status` are
// three looks at one Plan.
#pragma once

#include <string>
#include <vector>

#include "catalog.hpp"
#include "history.hpp"
#include "problem.hpp"
#include "range.hpp"

namespace telec {

/// Narrows a plan to the ids that a person named, in either list.
struct Selection {
  std::vector<std::string> only;   ///< as far as they are pending
  std::vector<std::string> rerun;  ///< pending again although recorded
};

struct Plan {
  struct Step {
    const Migration* migration;  ///< into the catalog, which outlives the plan
    bool recorded;
    bool late;  ///< pending, while something that comes after it is recorded already
  };
  /// Everything in range, in the order of the catalog.
  std::vector<Step> steps;
  /// Recorded in range, and not in the tree; in the order of the history.
  std::vector<std::string> gone;
  /// Those of the tree, then what is out of order.
  std::vector<Problem> problems;

  /// What `migrate` would run, in order.
  [[nodiscard]] std::vector<const Migration*> pending() const;
};

/// Pending is what is in range and not recorded, as a set: a script that arrives late with a lower number is pending
/// and reported as out of order. `only` and `rerun` name ids of the catalog.
Plan make_plan(const Catalog& catalog, const History& history, const Range& range, const Selection& selection = {});

}  // namespace telec
