// SPDX-License-Identifier: MIT
#include "lint_tree.hpp"

#include <algorithm>

#include "text.hpp"

namespace telec {
namespace {

std::string mend_for(const std::string& kind) {
  if (kind == "misnamed_file") {
    return "rename it: a script that is not run is found by nobody";
  }
  if (kind == "misnamed_directory") {
    return "rename it as in v1.2.0, or move it out of the tree";
  }
  if (kind == "not_a_directory") {
    return "put a directory in its place, or move it out of the tree";
  }
  if (kind == "duplicate_number") {
    return "give one of the two the next free number";
  }
  return "put a regular file in its place";
}

}  // namespace

std::vector<Finding> name_findings(const Catalog& catalog) {
  std::vector<Finding> findings;
  for (const Problem& problem : catalog.problems()) {
    findings.push_back({problem.kind, problem.path, 0, problem.message, mend_for(problem.kind)});
  }
  return findings;
}

std::vector<Finding> findings_against(const Catalog& catalog, const Catalog& base,
                                      const std::function<bool(const Migration&)>& is_same) {
  std::vector<Finding> findings;
  for (const Migration& migration : catalog.migrations()) {
    if (base.find(migration.id()) != nullptr) {
      if (!is_same(migration)) {
        findings.push_back(
            {"changed_against", migration.path(), 0,
             "the other tree has this migration with another content: where it ran, it does not run again",
             "leave the old one as it is, and write a new migration for what is to be different"});
      }
      continue;
    }
    const auto taken = std::ranges::find_if(base.migrations(), [&](const Migration& other) {
      return other.version() == migration.version() && other.number() == migration.number();
    });
    if (taken != base.migrations().end()) {
      findings.push_back({"number_taken", migration.path(), 0,
                          "the other tree has this number already: " + quoted(taken->path()),
                          "give it the next number that is free in both"});
    } else if (!base.migrations().empty() && migration < base.migrations().back()) {
      findings.push_back({"arrives_late", migration.path(), 0,
                          "the other tree has " + quoted(base.migrations().back().path()) +
                              " already, which comes later: where that ran, this one runs out of order",
                          "give it a number after that, or see to it that the order does not matter"});
    }
  }
  for (const Migration& other : base.migrations()) {
    if (catalog.find(other.id()) == nullptr) {
      findings.push_back({"removed_against", other.path(), 0,
                          "the other tree has this migration, and this one does not",
                          "leave released migrations in the tree: somebody still upgrades across them"});
    }
  }
  return findings;
}

}  // namespace telec
