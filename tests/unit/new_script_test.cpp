// SPDX-License-Identifier: MIT
#include "new_script.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace telec;

TEST_CASE("a description has letters, digits and single underscores") {
  CHECK(*description_of("Rename config key") == "rename_config_key");
  CHECK(*description_of("  a -- b!  ") == "a_b");
  CHECK(*description_of("2 fast") == "2_fast");
  CHECK(*description_of("caf\u00e9 x") == "caf_x");
  for (const char* name : {"Rename config key", "a b", "x"}) {
    CHECK(is_script_name("001_" + *description_of(name) + ".py"));
  }
}

TEST_CASE("a name of which nothing is left is refused, and so is one without an end") {
  CHECK_FALSE(description_of("").ok());
  CHECK_FALSE(description_of("\u00e4\u00f6 !").ok());
  CHECK_FALSE(description_of(std::string(101, 'x')).ok());
  CHECK(description_of(std::string(100, 'x')).ok());
}

TEST_CASE("the next number follows the highest of its version, and the newest version is the default") {
  Catalog catalog;
  for (const char* directory : {"v1.2.0", "v1.10.0"}) {
    catalog.add_top(directory, FileType::directory);
  }
  catalog.add_script("v1.2.0", "001_a.py", FileType::regular);
  catalog.add_script("v1.2.0", "007_b.py", FileType::regular);
  catalog.add_script("v1.10.0", "999_c.py", FileType::regular);
  catalog.finish();
  CHECK(*next_number(catalog, "1.2.0") == 8);
  CHECK(*next_number(catalog, "3.0.0") == 1);
  CHECK_FALSE(next_number(catalog, "1.10.0").ok());
  CHECK(newest_version(catalog) == "1.10.0");
  CHECK(newest_version(Catalog()).empty());
}

TEST_CASE("nothing in a name can leave the docstring of the script") {
  const std::string text = script_text("odd \"\"\" \\ name.", "1.0.0/001_odd_name.py");
  CHECK(text.starts_with("\"\"\"Odd   name.\n"));
  CHECK(text.find('\\') == std::string::npos);
}

TEST_CASE("a docstring is the name as a sentence begins, and may be empty") {
  CHECK(script_text("already big", "1.0.0/001_x.py").starts_with("\"\"\"Already big.\n"));
  CHECK(script_text("Big", "1.0.0/001_x.py").starts_with("\"\"\"Big.\n"));
  CHECK(script_text("3 things", "1.0.0/001_x.py").starts_with("\"\"\"3 things.\n"));
  CHECK(script_text("{x}", "1.0.0/001_x.py").starts_with("\"\"\"{x}.\n"));
  CHECK(script_text("\"\\ ", "1.0.0/001_x.py").starts_with("\"\"\"."));
}
