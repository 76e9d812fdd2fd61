// SPDX-License-Identifier: MIT
#include "migration.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using telec::is_script_name;
using telec::Migration;
using telec::nearest_id;

TEST_CASE("an id gives version, number, description and path") {
  const auto migration = Migration::parse("1.2.0-rc.1/003_rename_keys.py");
  REQUIRE(migration.ok());
  CHECK(migration->id() == "1.2.0-rc.1/003_rename_keys.py");
  CHECK(std::string(migration->version()) == "1.2.0-rc.1");
  CHECK(std::string(migration->file_name()) == "003_rename_keys.py");
  CHECK(migration->number() == 3);
  CHECK(std::string(migration->description()) == "rename_keys");
  CHECK(migration->path() == "v1.2.0-rc.1/003_rename_keys.py");
}

TEST_CASE("a migration made from a directory and a file name is the one with that id") {
  const Migration migration("1.2.0", "999_a.py");
  CHECK(migration.id() == "1.2.0/999_a.py");
  CHECK(migration.number() == 999);
  CHECK(std::string(migration.description()) == "a");
  CHECK(migration == *Migration::parse("1.2.0/999_a.py"));
}

TEST_CASE("script names are three digits, an underscore, a description and .py") {
  for (const std::string name : {"001_a.py", "000_Z.py", "999_9.py", "123__.py", "001_a_b_C9.py", "001___init__.py"}) {
    CAPTURE(name);
    CHECK(is_script_name(name));
  }
  CHECK(is_script_name("001_" + std::string(248, 'a') + ".py"));
  for (const std::string name :
       {"",          ".py",        "001.py",          "001_.py",    "01_a.py",    "1_a.py",
        "0001_a.py", "001-a.py",   "001a.py",         "a01_a.py",   "001_a.PY",   "001_a.pyc",
        "001_a.py~", "001_a.py\n", "001_a b.py",      "001_a-b.py", "001_a.b.py", "001_\xc3\xa9.py",
        " 001_a.py", "001_a/b.py", "00\xd9\xa1_a.py", "+01_a.py",   "-01_a.py"}) {
    CAPTURE(name);
    CHECK_FALSE(is_script_name(name));
  }
  CHECK_FALSE(is_script_name("001_" + std::string(249, 'a') + ".py"));
  CHECK_FALSE(is_script_name(std::string("001_a\0.py", 9)));
}

TEST_CASE("what is not an id is refused with the part that is wrong") {
  CHECK(Migration::parse("").reason().starts_with("expected VERSION/"));
  CHECK(Migration::parse("001_a.py").reason().starts_with("expected VERSION/"));
  CHECK(Migration::parse("v1.2.0/001_a.py").reason().starts_with("expected MAJOR.MINOR.PATCH"));
  CHECK(Migration::parse("1.2/001_a.py").reason().starts_with("expected MAJOR.MINOR.PATCH"));
  CHECK(Migration::parse("1.02.0/001_a.py").reason() == "leading zero in '02'");
  CHECK(Migration::parse("1.2.0+1/001_a.py").reason().starts_with("build metadata"));
  for (const std::string id : {"1.2.0/", "1.2.0/1_a.py", "1.2.0//001_a.py", "1.2.0/001_a.py/", "1.2.0/x/001_a.py",
                               "1.2.0/../001_a.py", "1.2.0/001_a.py\n", "1.2.0/ 001_a.py"}) {
    CAPTURE(id);
    CHECK(Migration::parse(id).reason().starts_with("expected NNN_description.py"));
  }
}

TEST_CASE("a mistyped id means the one with the same version and number, or the same description") {
  const std::vector<std::string_view> ids = {"1.0.0/001_rename_key.py", "1.0.0/002_move_logs.py",
                                             "1.1.0/001_move_keys.py"};
  const auto near = [&](std::string_view word) { return std::string(nearest_id(word, ids)); };
  CHECK(near("1.0.0/002_mvoe_log.py") == "1.0.0/002_move_logs.py");
  CHECK(near("1.0.0/002_anything.py") == "1.0.0/002_move_logs.py");
  CHECK(near("1.0.0/002_move_logs") == "1.0.0/002_move_logs.py");
  CHECK(near("1.0.0/005_move_logs.py") == "1.0.0/002_move_logs.py");
  CHECK(near("3.2.1/005_move_logs.py") == "1.0.0/002_move_logs.py");
  CHECK(near("1.0.0/2_move_logs.py") == "1.0.0/002_move_logs.py");
}

TEST_CASE("an id that differs in its number and its description means no other, however short it is") {
  const std::vector<std::string_view> ids = {"1.0.0/001_a.py", "1.0.0/002_b.py", "1.0.0/003_c.py"};
  for (const std::string_view word :
       {"1.0.0/009_z.py", "9.0.0/001_z.py", "1.0.1/001_b1.py", "1.0.0/009_z", "1.0.0/9_z.py"}) {
    CAPTURE(word);
    CHECK(nearest_id(word, ids).empty());
  }
  CHECK(nearest_id("1.0.0/001_a.py", {}).empty());
}

TEST_CASE("where an id may mean two, none is suggested, and the same one twice is one") {
  CHECK(nearest_id("1.0.0/002_a.py", {"1.0.0/001_a.py", "1.0.0/002_b.py"}).empty());
  CHECK(nearest_id("1.2.0/001_a.py", {"1.0.0/001_a.py", "1.1.0/001_a.py"}).empty());
  CHECK(nearest_id("1.0.0/001_x.py", {"1.0.0/001_a.py", "1.0.0/001_a.py"}) == "1.0.0/001_a.py");
}

TEST_CASE("a word that is no id means the one that it is a part of, or at most two letters from") {
  const std::vector<std::string_view> ids = {"1.1.0/001_rename_key.py", "1.2.0/001_move_logs.py",
                                             "1.2.0/002_move_keys.py"};
  const auto near = [&](std::string_view word) { return std::string(nearest_id(word, ids)); };
  CHECK(near("001_rename_key") == "1.1.0/001_rename_key.py");
  CHECK(near("1.2.0/002") == "1.2.0/002_move_keys.py");
  CHECK(near("logs") == "1.2.0/001_move_logs.py");
  CHECK(near("1.2.0/002-move_keys.py") == "1.2.0/002_move_keys.py");
  CHECK(near("1.2.0-002-move-keys.py").empty());
  CHECK(near("move").empty());
  CHECK(near("nonsense").empty());
  CHECK(near("").empty());
}

TEST_CASE("migrations run in the order of version, number, name") {
  const std::vector<std::string> ascending = {"1.0.0-rc.1/900_z.py", "1.0.0/001_b.py", "1.0.0/002_a.py",
                                              "1.0.0/002_b.py",      "1.0.0/010_a.py", "1.2.0/001_a.py",
                                              "1.10.0/001_a.py"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      CAPTURE(ascending[i]);
      CAPTURE(ascending[j]);
      const auto a = Migration::parse(ascending[i]);
      const auto b = Migration::parse(ascending[j]);
      CHECK((*a < *b) == (i < j));
      CHECK((*a == *b) == (i == j));
    }
  }
}
