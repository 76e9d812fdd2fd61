// SPDX-License-Identifier: MIT
#include "system/owners.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "doctest_main.hpp"
#include "fixture.hpp"
#include "system/surroundings.hpp"

using namespace telec;
using namespace telec_test;

TEST_CASE("the nearest place that is there is what refuses") {
  const std::string said = as_nobody([]() -> std::string {
    const TemporaryDirectory directory;
    const std::string closed = directory / "it's";
    ::mkdir(closed.c_str(), 0500);
    std::string text = way_into(closed + "/absent/below");
    ::chmod(closed.c_str(), 0000);
    text += way_into(closed + "/absent") == text ? "" : " changed";
    ::chmod(closed.c_str(), 0700);
    const std::string expected =
        "give yourself back what is missing with: chmod u+rwx '" + directory.path() + "/it'\\''s'";
    return text == expected ? "well" : text;
  });
  CHECK(said == "well");
}

TEST_CASE("nothing is given to a user by way of a link of theirs") {
  const std::string said = as_nobody([]() -> std::string {
    const TemporaryDirectory directory;
    const std::string link = directory / "link";
    return ::symlink("/etc", link.c_str()) == 0 ? way_into(link + "/absent") : "no link";
  });
  CHECK(said == "it belongs to root: name a place of your own, or see with root about: ls -ld '/etc'");
}

TEST_CASE("what is root's in a user's own directory is given to that user by name") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const TemporaryDirectory directory;
  REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
  const std::string own = directory / "own";
  REQUIRE(::mkdir(own.c_str(), 0755) == 0);
  write_file(own + "/file", "", 0600);
  REQUIRE(::chown(own.c_str(), 65534, 65534) == 0);
  CHECK(as_nobody([&] { return way_into(own + "/file") + ", " + user_name(); }) ==
        "give it to this user, as root, with: chown -h " + as_nobody([] { return user_name(); }) + " '" + own +
            "/file', " + as_nobody([] { return user_name(); }));
}
