// SPDX-License-Identifier: MIT
// What the names of a tree alone tell an author: near misses, duplicate numbers, and what another tree makes late.
// Pure; what a script says inside is lint.py's business.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog.hpp"
#include "report.hpp"

namespace telec {

/// The problems of a tree as findings, each with the way to mend it.
std::vector<Finding> name_findings(const Catalog& catalog);

/// `catalog` against `base`, the tree that it will be merged into (or that users have): numbers that are taken there,
/// scripts that come before one that is there already, and those that were changed or removed.
/// `is_same(id)`: do both trees have the same script, but for line ends?
std::vector<Finding> findings_against(const Catalog& catalog, const Catalog& base,
                                      const std::function<bool(const Migration&)>& is_same);

}  // namespace telec
