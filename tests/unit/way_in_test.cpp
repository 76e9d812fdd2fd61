// SPDX-License-Identifier: MIT
#include "way_in.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using telec::OwnedPlace;
using telec::way_in;

namespace {

constexpr unsigned ada = 1000;
const bool directory = true;
const OwnedPlace root = {"/", 0, 0755, directory};
const OwnedPlace home = {"/ada", ada, 0755, directory};

}  // namespace

TEST_CASE("what refuses a user is given back by the owner, given by root, or its owner's to decide") {
  struct Row {
    const char* name;
    std::vector<OwnedPlace> places;
    std::string step;
  };
  const std::string back = "give yourself back what is missing with: chmod ";
  const std::string give = "give it to this user, as root, with: chown ";
  const std::string no_modes = "it is not the modes alone: see them with: ls -ld ";
  const std::vector<Row> rows = {
      {"an own directory", {{"/ada/d", ada, 0555, directory}, home, root}, back + "u+rwx '/ada/d'"},
      {"an own directory, closed", {{"/ada/d", ada, 0600, directory}, home, root}, back + "u+rwx '/ada/d'"},
      {"an own file", {{"/ada/it's", ada, 0444}, home, root}, back + "u+rw '/ada/it'\\''s'"},
      {"the directory of an own file",
       {{"/ada/d/f", ada, 0600}, {"/ada/d", ada, 0555, directory}, home, root},
       back + "u+rwx '/ada/d'"},
      {"root's file in one's own home", {{"/ada/f", 0, 0600}, home, root}, give + "-h ada '/ada/f'"},
      {"somebody's", {{"/ada/f", 1001, 0600}, home, root}, give + "-h ada '/ada/f'"},
      {"root's directory", {{"/ada/d", 0, 0700, directory}, home, root}, give + "-R ada '/ada/d'"},
      {"root's in root's, all that is not ada's",
       {{"/ada/d/e/f", 0, 0600}, {"/ada/d/e", 0, 0755, directory}, {"/ada/d", 0, 0755, directory}, home, root},
       give + "-R ada '/ada/d'"},
      {"an own file in root's directory",
       {{"/ada/d/f", ada, 0600}, {"/ada/d", 0, 0755, directory}, home, root},
       give + "-R ada '/ada/d'"},
      {"what is root's altogether",
       {{"/etc", 0, 0755, directory}, root},
       "it belongs to root: name a place of your own, or see with root about: ls -ld '/etc'"},
      {"what is another user's",
       {{"/bob", 1001, 0755, directory}, root},
       "it belongs to uid 1001: run as that user, or name a place of your own"},
      {"what the modes allow",
       {{"/ada/f", ada, 0600}, home, root},
       no_modes + "'/ada/f', and its attributes with: lsattr -d '/ada/f'"},
      {"nothing that can be seen", {}, "see who owns it and its modes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(way_in(row.places, ada, "ada") == row.step);
  }
}

TEST_CASE("root is never told to run as root, nor to change an owner") {
  for (const unsigned owner : {0U, ada}) {
    CHECK(way_in({{"/d", owner, 0500, directory}, root}, 0, "root") ==
          "it is not the modes alone: see them with: ls -ld '/d', and its attributes with: lsattr -d '/d'");
  }
}

TEST_CASE("a name that a shell would not take as it stands is quoted") {
  CHECK(way_in({{"/ada/f", 0, 0600}, home, root}, ada, "DOM\\ada").ends_with("chown -h 'DOM\\ada' '/ada/f'"));
}
