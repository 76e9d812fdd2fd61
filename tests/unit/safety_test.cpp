// SPDX-License-Identifier: MIT
#include "safety.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using telec::fault_of;
using telec::PlaceFacts;

TEST_CASE("what only root could change is safe, everything else has its fault") {
  struct Row {
    const char* name;
    PlaceFacts place;
    std::string fault;
  };
  const bool directory = true;
  const std::vector<Row> rows = {
      {"root's file", {"/x", 0, 0, 0644, false, false, false}, ""},
      {"root's private file", {"/x", 0, 0, 0600, false, false, false}, ""},
      {"root's directory", {"/x", 0, 0, 0755, directory, false, false}, ""},
      {"somebody's file", {"/x", 1000, 0, 0600, false, false, false}, "belongs to uid 1000"},
      {"somebody's directory on the way", {"/x", 1000, 0, 0755, directory, false, true}, "belongs to uid 1000"},
      {"somebody's link", {"/x", 1000, 0, 0777, false, true, false}, "belongs to uid 1000"},
      {"root's link", {"/x", 0, 0, 0777, false, true, false}, ""},
      {"for all", {"/x", 0, 0, 0666, false, false, false}, "can be written by every user"},
      {"for all and the group", {"/x", 0, 50, 0666, false, false, false}, "can be written by every user"},
      {"for its group", {"/x", 0, 50, 0664, false, false, false}, "can be written by its group (gid 50)"},
      {"a directory for its group",
       {"/x", 0, 50, 0775, directory, false, true},
       "can be written by its group (gid 50)"},
      {"/tmp on the way", {"/tmp", 0, 0, 01777, directory, false, true}, ""},
      {"/tmp itself", {"/tmp", 0, 0, 01777, directory, false, false}, "can be written by every user"},
      {"somebody's /tmp on the way", {"/tmp", 1000, 0, 01777, directory, false, true}, "belongs to uid 1000"},
      {"no sticky bit on the way", {"/x", 0, 0, 0777, directory, false, true}, "can be written by every user"},
      {"a sticky file", {"/x", 0, 0, 01777, false, false, true}, "can be written by every user"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(fault_of(row.place) == row.fault);
  }
}

TEST_CASE("a refusal names what it is about, the place, the fault and the way out") {
  const PlaceFacts place = {"/srv/x", 0, 0, 0777, true, false, true};
  const telec::Error error = telec::unsafe_place("the migrations directory '/srv/x/tree'", place, fault_of(place));
  CHECK(error.code == telec::ErrorCode::unsafe);
  CHECK(error.message ==
        "this runs as root, and the migrations directory '/srv/x/tree' is not safe: '/srv/x' can be written by every "
        "user");
  CHECK(error.hint.find("chmod go-w '/srv/x'") != std::string::npos);
  PlaceFacts other = {"/srv/it's", 1000, 0, 0755, true};
  CHECK(telec::unsafe_place("x", other, fault_of(other)).hint.ends_with(": chown -h root '/srv/it'\\''s'"));
  other.is_on_the_way = true;
  CHECK(telec::unsafe_place("x", other, fault_of(other)).hint ==
        "put a copy of root's in a place of root's, or run as the user whose it is");
}

TEST_CASE("what others can write to is closed by whoever may, and a directory for everybody is left as it is") {
  struct Row {
    const char* name;
    const char* what;
    PlaceFacts place;
    unsigned user;
    std::string step;
  };
  const std::string close = "take that away with: chmod o-w '/it'\\''s'";
  const std::string other_state = "name a state file in a directory of your own, with --state-file FILE";
  const std::string other_tree = "name a migrations directory of your own, with --migrations-dir DIR";
  const bool directory = true;
  const std::vector<Row> rows = {
      {"root's", "the state directory", {"/it's", 0, 0, 0777, directory}, 0, close},
      {"/tmp, as root", "the state directory '/tmp'", {"/tmp", 0, 0, 01777, directory}, 0, other_state},
      {"/tmp, as a user", "the state directory", {"/tmp", 0, 0, 01777, directory}, 1000, other_state},
      {"/tmp as a tree", "the migrations directory '/tmp'", {"/tmp", 0, 0, 01777, directory}, 0, other_tree},
      {"a user's own", "the state directory", {"/it's", 1000, 1000, 0777, directory}, 1000, close},
      {"a user's own, sticky", "the state directory", {"/it's", 1000, 1000, 01777, directory}, 1000, close},
      {"somebody else's", "the migrations directory", {"/x", 0, 0, 0777, directory}, 1000, other_tree},
      {"a file", "the state file", {"/it's", 0, 0, 01666}, 0, close},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(telec::way_to_close(row.what, row.place, row.user, "o-w") == row.step);
  }
}
