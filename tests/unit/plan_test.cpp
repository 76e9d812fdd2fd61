// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using telec::Catalog;
using telec::FileType;
using telec::History;
using telec::make_plan;
using telec::Migration;
using telec::Plan;
using telec::Range;
using telec::Record;
using telec::Version;

namespace {

using Texts = std::vector<std::string>;

Catalog tree(const Texts& ids) {
  Catalog catalog;
  for (const std::string& id : ids) {
    const std::size_t slash = id.find('/');
    catalog.add_script("v" + id.substr(0, slash), id.substr(slash + 1), FileType::regular);
  }
  catalog.finish();
  return catalog;
}

History recorded(const Texts& ids) {
  History history;
  for (const std::string& id : ids) {
    Record record;
    record.id = id;
    record.outcome = "applied";
    history.add(record);
  }
  return history;
}

Range between(const std::string& from, const std::string& to) {
  return *Range::between(*Version::parse(from), *Version::parse(to));
}

/// "id", "id recorded" or "id late", in order.
Texts steps_of(const Plan& plan) {
  Texts steps;
  for (const Plan::Step& step : plan.steps) {
    steps.push_back(step.migration->id() + (step.recorded ? " recorded" : "") + (step.late ? " late" : ""));
  }
  return steps;
}

Texts pending_of(const Plan& plan) {
  Texts ids;
  for (const Migration* migration : plan.pending()) {
    ids.push_back(migration->id());
  }
  return ids;
}

Texts problems_of(const Plan& plan) {
  Texts problems;
  for (const telec::Problem& problem : plan.problems) {
    problems.push_back(problem.kind + " " + problem.path);
  }
  return problems;
}

const std::string A = "1.0.0/001_a.py";
const std::string B = "1.1.0/001_b.py";
const std::string C = "1.1.0/002_c.py";
const std::string D = "2.0.0/001_d.py";

}  // namespace

TEST_CASE("an empty tree and an empty history make an empty plan") {
  const Catalog catalog = tree({});
  const Plan plan = make_plan(catalog, {}, {});
  CHECK(plan.steps.empty());
  CHECK(plan.gone.empty());
  CHECK(plan.problems.empty());
  CHECK(plan.pending().empty());
}

TEST_CASE("in range: what is not recorded is pending, what is recorded is not") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({A, B}), {});
  CHECK(steps_of(plan) == Texts{A + " recorded", B + " recorded", C, D});
  CHECK(pending_of(plan) == Texts{C, D});
  CHECK(plan.problems.empty());
}

TEST_CASE("out of range: nothing is in the plan, recorded or not") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({A, B}), between("1.0.0", "1.1.0"));
  CHECK(steps_of(plan) == Texts{B + " recorded", C});
  CHECK(make_plan(catalog, recorded({A, B}), between("3.0.0", "4.0.0")).steps.empty());
}

TEST_CASE("everything recorded leaves nothing pending") {
  const Catalog catalog = tree({A, B});
  CHECK(make_plan(catalog, recorded({B, A}), {}).pending().empty());
}

TEST_CASE("a script that comes before a recorded one is pending, late, and reported") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({A, C}), {});
  CHECK(steps_of(plan) == Texts{A + " recorded", B + " late", C + " recorded", D});
  CHECK(problems_of(plan) == Texts{"out_of_order v" + B});
  CHECK(plan.problems[0].message.find("'" + C + "'") != std::string::npos);
}

TEST_CASE("late is said of every pending script before the last recorded one") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({D}), {});
  CHECK(steps_of(plan) == Texts{A + " late", B + " late", C + " late", D + " recorded"});
  CHECK(problems_of(plan) == Texts{"out_of_order v" + A, "out_of_order v" + B, "out_of_order v" + C});
}

TEST_CASE("a script is late also against a recorded one out of range") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({D}), between("1.0.0", "1.1.0"));
  CHECK(steps_of(plan) == Texts{B + " late", C + " late"});
}

TEST_CASE("a script is late also against a recorded one that is gone") {
  const Catalog catalog = tree({A, B});
  const Plan plan = make_plan(catalog, recorded({A, D}), {});
  CHECK(steps_of(plan) == Texts{A + " recorded", B + " late"});
  CHECK(plan.gone == Texts{D});
  CHECK(problems_of(plan) == Texts{"out_of_order v" + B});
  CHECK(plan.problems[0].message.find("'" + D + "'") != std::string::npos);
}

TEST_CASE("a recorded one that is gone and came earlier makes nothing late") {
  const Catalog catalog = tree({B, D});
  const Plan plan = make_plan(catalog, recorded({A, B}), {});
  CHECK(steps_of(plan) == Texts{B + " recorded", D});
  CHECK(plan.gone == Texts{A});
  CHECK(plan.problems.empty());
}

TEST_CASE("a late pre-release is late by the order of versions, not of texts") {
  const Catalog catalog = tree({"1.0.0-rc.1/001_a.py", "1.0.0/001_a.py", "1.10.0/001_a.py", "1.9.0/001_a.py"});
  const Plan plan = make_plan(catalog, recorded({"1.0.0/001_a.py", "1.9.0/001_a.py"}), {});
  CHECK(steps_of(plan) ==
        Texts{"1.0.0-rc.1/001_a.py late", "1.0.0/001_a.py recorded", "1.9.0/001_a.py recorded", "1.10.0/001_a.py"});
}

TEST_CASE("what is gone is listed in range only, in the order of the history") {
  const Catalog catalog = tree({B});
  CHECK(make_plan(catalog, recorded({D, B, A, C}), {}).gone == Texts{D, A, C});
  CHECK(make_plan(catalog, recorded({D, B, A, C}), between("1.0.0", "1.1.0")).gone == Texts{C});
}

TEST_CASE("only narrows the plan to the named ids") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({A}), {}, {{D, B}, {}});
  CHECK(steps_of(plan) == Texts{B, D});
  CHECK(pending_of(make_plan(catalog, recorded({A, B}), {}, {{B}, {}})).empty());
}

TEST_CASE("only of what is out of range selects nothing") {
  const Catalog catalog = tree({A, B, C, D});
  CHECK(make_plan(catalog, {}, between("1.0.0", "1.1.0"), {{A}, {}}).steps.empty());
}

TEST_CASE("rerun makes a recorded one pending again, and names all that is run") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({A, B}), {}, {{}, {B}});
  CHECK(pending_of(plan) == Texts{B});
  CHECK(plan.problems.empty());
}

TEST_CASE("rerun of what is not recorded is pending as it was") {
  const Catalog catalog = tree({A, B, C, D});
  CHECK(pending_of(make_plan(catalog, recorded({A}), {}, {{}, {C}})) == Texts{C});
}

TEST_CASE("a migration that is run again is never late") {
  const Catalog catalog = tree({A, B, C, D});
  const Plan plan = make_plan(catalog, recorded({A, D}), {}, {{}, {A, B}});
  CHECK(steps_of(plan) == Texts{A, B + " late"});
}

TEST_CASE("only and rerun together: what either names is run") {
  const Catalog catalog = tree({A, B, C, D});
  CHECK(pending_of(make_plan(catalog, recorded({A, B}), {}, {{A, C}, {A}})) == Texts{A, C});
  CHECK(pending_of(make_plan(catalog, recorded({A, B}), {}, {{C}, {A}})) == Texts{A, C});
  CHECK(pending_of(make_plan(catalog, recorded({A, B}), {}, {{B}, {A}})) == Texts{A});
}

TEST_CASE("rerun of what is out of range selects nothing") {
  const Catalog catalog = tree({A, B, C, D});
  CHECK(make_plan(catalog, recorded({A}), between("1.0.0", "1.1.0"), {{}, {A}}).pending().empty());
}

TEST_CASE("the problems of the tree come first, then what is out of order") {
  Catalog catalog;
  catalog.add_top("1.2", FileType::directory);
  for (const char* name : {"001_a.py", "001_b.py", "2_x.py"}) {
    catalog.add_script("v1.0.0", name, FileType::regular);
  }
  catalog.finish();
  const Plan plan = make_plan(catalog, recorded({"1.0.0/001_b.py"}), {});
  CHECK(problems_of(plan) == Texts{"misnamed_directory 1.2", "misnamed_file v1.0.0/2_x.py",
                                   "duplicate_number v1.0.0/001_b.py", "out_of_order v1.0.0/001_a.py"});
}

TEST_CASE("every mix of recorded, in range, named and run again agrees with the rule") {
  // The rule, said once more and differently: over all subsets of four scripts.
  const Texts ids = {A, B, C, D};
  const Catalog catalog = tree(ids);
  const Range range = between("1.0.0", "2.0.0");
  const auto subset = [&](unsigned bits) {
    Texts result;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if ((bits >> i & 1U) != 0) {
        result.push_back(ids[i]);
      }
    }
    return result;
  };
  const auto has = [](const Texts& texts, const std::string& text) {
    return std::ranges::find(texts, text) != texts.end();
  };
  for (unsigned history_bits = 0; history_bits < 16; ++history_bits) {
    const Texts done = subset(history_bits);
    const History history = recorded(done);
    for (unsigned only_bits = 0; only_bits < 16; ++only_bits) {
      const Texts only = subset(only_bits);
      for (unsigned rerun_bits = 0; rerun_bits < 16; ++rerun_bits) {
        const Texts rerun = subset(rerun_bits);
        Texts expected;
        for (const std::string& id : ids) {
          const bool named = (only.empty() && rerun.empty()) || has(only, id) || has(rerun, id);
          if (id != A && named && (!has(done, id) || has(rerun, id))) {
            expected.push_back(id);
          }
        }
        CAPTURE(history_bits);
        CAPTURE(only_bits);
        CAPTURE(rerun_bits);
        REQUIRE(pending_of(make_plan(catalog, history, range, {only, rerun})) == expected);
      }
    }
  }
}
