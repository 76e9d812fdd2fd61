// SPDX-License-Identifier: MIT
#include "catalog.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using telec::Catalog;
using telec::FileType;
using telec::Migration;
using telec::Problem;

namespace {

std::vector<std::string> ids_of(const Catalog& catalog) {
  std::vector<std::string> ids;
  for (const Migration& migration : catalog.migrations()) {
    ids.push_back(migration.id());
  }
  return ids;
}

/// "kind path" of each problem, in order.
std::vector<std::string> problems_of(const Catalog& catalog) {
  std::vector<std::string> problems;
  for (const Problem& problem : catalog.problems()) {
    problems.push_back(problem.kind + " " + problem.path);
    CHECK_FALSE(problem.message.empty());
  }
  return problems;
}

struct Seen {
  bool is_version;
  std::vector<std::string> problems;
  std::string message;
};

Seen top(const std::string& name, FileType type = FileType::directory) {
  Catalog catalog;
  Seen seen;
  seen.is_version = catalog.add_top(name, type);
  catalog.finish();
  seen.problems = problems_of(catalog);
  seen.message = catalog.problems().empty() ? "" : catalog.problems().front().message;
  return seen;
}

Seen script(const std::string& name, FileType type = FileType::regular) {
  Catalog catalog;
  catalog.add_script("v1.2.0", name, type);
  catalog.finish();
  return {!catalog.migrations().empty(), problems_of(catalog),
          catalog.problems().empty() ? "" : catalog.problems().front().message};
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a version directory is listed in turn and is no problem") {
  for (const std::string name : {"v1.2.0", "v0.0.0", "v1.0.0-rc.1", "v1.0.0--"}) {
    CAPTURE(name);
    CHECK(top(name).is_version);
    CHECK(top(name).problems.empty());
  }
}

TEST_CASE("a directory that nearly is a version is a problem and is not listed") {
  for (const std::string name : {"1.2.0", "v1.2", "v1", "V1.2.0", "v01.2.0", "v1.2.0+5", "v1.2.0-", "v1.2.0-01",
                                 "v1.2.0.0", "v1.2.0_old", "1.2", "v1.2.0 ", "v\xd9\xa1.2.0"}) {
    CAPTURE(name);
    const Seen seen = top(name);
    CHECK_FALSE(seen.is_version);
    CHECK(seen.problems == Texts{"misnamed_directory " + name});
    CHECK(seen.message.ends_with("; its scripts are not run"));
  }
}

TEST_CASE("a misnamed directory's message says what would be right") {
  CHECK(top("V1.2.0").message.find("expected 'v1.2.0'") != std::string::npos);
  CHECK(top("1.2").message.find("expected 'v' and a version") != std::string::npos);
  CHECK(top("1.2.0").message.find("expected 'v1.2.0'") != std::string::npos);
  CHECK(top("v01.2.0").message.find("leading zero in '01'") != std::string::npos);
  CHECK(top("v1.2.0+5").message.find("build metadata") != std::string::npos);
}

TEST_CASE("a version that is a file or a link is a problem and is not listed") {
  for (const FileType type : {FileType::regular, FileType::other}) {
    const Seen seen = top("v1.2.0", type);
    CHECK_FALSE(seen.is_version);
    CHECK(seen.problems == Texts{"not_a_directory v1.2.0"});
  }
  CHECK(top("v1.2.0", FileType::regular).message.find("this is a file") != std::string::npos);
  CHECK(top("v1.2.0", FileType::other).message.find("symbolic link") != std::string::npos);
}

TEST_CASE("a misnamed version that is a link is a misnamed directory") {
  CHECK(top("1.2.0", FileType::other).problems == Texts{"misnamed_directory 1.2.0"});
}

TEST_CASE("a script outside of a version directory is a problem") {
  for (const std::string name : {"001_a.py", "1_a.py", "2a.PY"}) {
    CAPTURE(name);
    CHECK(top(name, FileType::regular).problems == Texts{"misnamed_file " + name});
    CHECK_FALSE(top(name, FileType::regular).is_version);
  }
}

TEST_CASE("what is nobody's business at the top is not mentioned") {
  for (const FileType type : {FileType::regular, FileType::directory, FileType::other}) {
    for (const std::string name : {".git", ".v1.2.0", "README.md", "README", "__pycache__", "__init__.py", "helpers",
                                   "vendor", "v", "version", "conftest.py", "_v1.2.0"}) {
      CAPTURE(name);
      CHECK_FALSE(top(name, type).is_version);
      CHECK(top(name, type).problems.empty());
    }
  }
  CHECK(top("1.2.0.txt", FileType::regular).problems.empty());
}

TEST_CASE("every near miss of a script name is a problem and is not run") {
  for (const std::string name :
       {"1_x.py", "01_x.py", "0001_x.py", "001-x.py", "001x.py", "001.py", "001_.py", "001_a b.py", "001_a-b.py",
        "001_a.b.py", "001_x.PY", "001_x.Py", "001_x.pY", "001_\xc3\xa9.py", "\xd9\xa0\xd9\xa0\xd9\xa1_x.py",
        "001_x.py\n", "9.py", "001 x.py"}) {
    CAPTURE(name);
    const Seen seen = script(name);
    CHECK_FALSE(seen.is_version);
    CHECK(seen.problems == Texts{"misnamed_file v1.2.0/" + name});
    CHECK(seen.message.ends_with("it is not run"));
  }
}

TEST_CASE("what is nobody's business in a version is not mentioned") {
  for (const std::string name :
       {"README.md", "README", "__init__.py", "__pycache__", ".hidden.py", ".001_x.py", "helper.py", "_helper.py",
        "001_x.pz", "001_x.qy", "001_x-py", "001_x.pyc", "001_x.py.orig", "001_x.py~", "001_x.txt", "data.json", "x"}) {
    CAPTURE(name);
    CHECK(script(name).problems.empty());
    CHECK_FALSE(script(name).is_version);
  }
}

TEST_CASE("a well-named script that is no regular file is a problem and is not run") {
  for (const FileType type : {FileType::directory, FileType::other}) {
    const Seen seen = script("001_x.py", type);
    CHECK_FALSE(seen.is_version);
    CHECK(seen.problems == Texts{"not_a_regular_file v1.2.0/001_x.py"});
  }
}

TEST_CASE("directories that arrive in any order come out in the order of their versions") {
  Texts versions = {"1.0.0-alpha", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "2.0.0"};
  std::ranges::sort(versions);
  int orders = 0;
  do {
    Catalog catalog;
    for (const std::string& version : versions) {
      CHECK(catalog.add_top("v" + version, FileType::directory));
    }
    for (const std::string& version : versions) {
      catalog.add_script("v" + version, "010_a.py", FileType::regular);
      catalog.add_script("v" + version, "002_b.py", FileType::regular);
    }
    catalog.finish();
    const Texts expected = {"1.0.0-alpha/002_b.py", "1.0.0-alpha/010_a.py", "1.0.0-rc.1/002_b.py",
                            "1.0.0-rc.1/010_a.py",  "1.0.0/002_b.py",       "1.0.0/010_a.py",
                            "1.2.0/002_b.py",       "1.2.0/010_a.py",       "1.10.0/002_b.py",
                            "1.10.0/010_a.py",      "2.0.0/002_b.py",       "2.0.0/010_a.py"};
    REQUIRE(ids_of(catalog) == expected);
    REQUIRE(catalog.problems().empty());
    ++orders;
  } while (std::ranges::next_permutation(versions).found);
  CHECK(orders == 720);
}

TEST_CASE("two scripts with one number are a problem, and stay in the order of their names") {
  Catalog catalog;
  for (const char* name : {"001_c.py", "002_z.py", "001_a.py", "001_b.py"}) {
    catalog.add_script("v1.2.0", name, FileType::regular);
  }
  catalog.add_script("v1.3.0", "001_a.py", FileType::regular);
  catalog.finish();
  CHECK(ids_of(catalog) ==
        Texts{"1.2.0/001_a.py", "1.2.0/001_b.py", "1.2.0/001_c.py", "1.2.0/002_z.py", "1.3.0/001_a.py"});
  CHECK(problems_of(catalog) == Texts{"duplicate_number v1.2.0/001_b.py", "duplicate_number v1.2.0/001_c.py"});
  CHECK(catalog.problems()[0].message.find("'v1.2.0/001_a.py'") != std::string::npos);
}

TEST_CASE("problems are listed by path, whatever the order of the listing") {
  Catalog catalog;
  catalog.add_top("v2", FileType::directory);
  catalog.add_top("1.0.0", FileType::directory);
  catalog.add_script("v1.2.0", "2_x.py", FileType::regular);
  catalog.add_script("v1.2.0", "1_x.py", FileType::regular);
  catalog.finish();
  CHECK(problems_of(catalog) == Texts{"misnamed_directory 1.0.0", "misnamed_file v1.2.0/1_x.py",
                                      "misnamed_file v1.2.0/2_x.py", "misnamed_directory v2"});
}

TEST_CASE("a migration is found by its id, and nothing else is") {
  Catalog catalog;
  for (const char* version : {"v1.10.0", "v1.2.0"}) {
    catalog.add_script(version, "002_b.py", FileType::regular);
    catalog.add_script(version, "001_a.py", FileType::regular);
  }
  catalog.finish();
  for (const Migration& migration : catalog.migrations()) {
    CHECK(catalog.find(migration.id()) == &migration);
  }
  for (const char* id :
       {"1.2.0/001_b.py", "1.3.0/001_a.py", "0.0.0/001_a.py", "9.0.0/001_a.py", "v1.2.0/001_a.py", "", "x"}) {
    CAPTURE(id);
    CHECK(catalog.find(id) == nullptr);
  }
  CHECK(Catalog().find("1.2.0/001_a.py") == nullptr);
}

TEST_CASE("an empty listing is an empty catalog") {
  Catalog catalog;
  catalog.finish();
  CHECK(catalog.migrations().empty());
  CHECK(catalog.problems().empty());
}
