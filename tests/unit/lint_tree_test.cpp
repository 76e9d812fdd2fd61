// SPDX-License-Identifier: MIT
#include "lint_tree.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace telec;

namespace {

Catalog catalog_of(const std::vector<std::string>& ids) {
  Catalog catalog;
  for (const std::string& id : ids) {
    const std::string directory = "v" + id.substr(0, id.find('/'));
    catalog.add_top(directory, FileType::directory);
    catalog.add_script(directory, id.substr(id.find('/') + 1), FileType::regular);
  }
  catalog.finish();
  return catalog;
}

std::vector<std::string> against(const std::vector<std::string>& ids, const std::vector<std::string>& base,
                                 bool same = true) {
  std::vector<std::string> result;
  for (const Finding& finding :
       findings_against(catalog_of(ids), catalog_of(base), [&](const Migration&) { return same; })) {
    CHECK_FALSE(finding.hint.empty());
    result.push_back(finding.rule + " " + finding.path);
  }
  return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what has the right name is not to be renamed") {
  Catalog catalog;
  catalog.add_top("v1.1", FileType::directory);
  catalog.add_top("v1.2.0", FileType::regular);
  catalog.add_top("v1.3.0", FileType::other);
  catalog.finish();
  const std::vector<Finding> findings = name_findings(catalog);
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].hint == "rename it as in v1.2.0, or move it out of the tree");
  CHECK(findings[1].hint == "put a directory in its place, or move it out of the tree");
  CHECK(findings[2].hint == findings[1].hint);
}

TEST_CASE("what comes after everything in the other tree is no finding") {
  CHECK(against({"1.0.0/001_a.py", "1.0.0/002_b.py"}, {"1.0.0/001_a.py"}).empty());
  CHECK(against({"1.0.0/001_a.py"}, {}).empty());
  CHECK(against({}, {}).empty());
}

TEST_CASE("a number that comes before the other tree's last one arrives late") {
  CHECK(against({"1.0.0/001_a.py", "1.0.0/002_b.py", "1.1.0/001_c.py"}, {"1.0.0/001_a.py", "1.1.0/001_c.py"}) ==
        Texts{"arrives_late v1.0.0/002_b.py"});
}

TEST_CASE("a number that the other tree has under another name is taken") {
  CHECK(against({"1.0.0/001_mine.py"}, {"1.0.0/001_theirs.py"}) ==
        Texts{"number_taken v1.0.0/001_mine.py", "removed_against v1.0.0/001_theirs.py"});
}

TEST_CASE("what was rewritten or removed is noticed") {
  CHECK(against({"1.0.0/001_a.py"}, {"1.0.0/001_a.py"}, false) == Texts{"changed_against v1.0.0/001_a.py"});
  CHECK(against({}, {"1.0.0/001_a.py"}) == Texts{"removed_against v1.0.0/001_a.py"});
}

TEST_CASE("each problem of the names becomes a finding with a way to mend it") {
  Catalog catalog = catalog_of({"1.0.0/001_a.py", "1.0.0/001_b.py"});
  const auto findings = name_findings(catalog);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().rule == "duplicate_number");
  CHECK_FALSE(findings.front().hint.empty());
}
