// SPDX-License-Identifier: MIT
#include "system/paths.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/listing.hpp"

using namespace telec;
using namespace telec_test;

TEST_CASE("a path is made absolute and plain") {
  const TemporaryDirectory directory;
  CHECK(absolute_path("/a/b") == "/a/b");
  CHECK(absolute_path("/a/../b/./c") == "/b/c");
  CHECK(absolute_path("/a/b/..") == "/a");
  CHECK(absolute_path("/a/..") == "/");
  CHECK(absolute_path("/a/b/") == "/a/b/");
  CHECK(in_fork([&] {
          return ::chdir(directory.path().c_str()) == 0 ? absolute_path("x/../y.json") : "cannot enter the directory";
        }) == directory.path() + "/y.json");
}

TEST_CASE("where the current directory is gone, a path stays as it is") {
  const TemporaryDirectory directory;
  CHECK(in_fork([&] {
          const std::string gone = directory / "gone";
          return ::mkdir(gone.c_str(), 0700) == 0 && ::chdir(gone.c_str()) == 0 && ::rmdir(gone.c_str()) == 0
                     ? absolute_path("x")
                     : "cannot enter the directory";
        }) == "x");
}

TEST_CASE("a path has a directory and a name") {
  CHECK(directory_of("/a/b") == "/a");
  CHECK(directory_of("/a") == "/");
  CHECK(directory_of("/") == "/");
  CHECK(directory_of("a") == ".");
  CHECK(name_of("/a/b") == "b");
  CHECK(name_of("a") == "a");
  CHECK(name_of("/a/") == "");
}

TEST_CASE("everything below a directory is named, and no link is followed") {
  const TemporaryDirectory directory;
  const std::string top = directory / "top";
  for (const char* const name : {"", "/a", "/a/b", "/empty"}) {
    REQUIRE(::mkdir((top + name).c_str(), 0700) == 0);
  }
  write_file(top + "/one", "");
  write_file(top + "/a/b/two", "");
  REQUIRE(::symlink("..", (top + "/a/up").c_str()) == 0);
  std::vector<std::string> found = everything_below(top);
  std::ranges::sort(found);
  CHECK(found == std::vector<std::string>{top + "/a", top + "/a/b", top + "/a/b/two", top + "/a/up", top + "/empty",
                                          top + "/one"});
}

TEST_CASE("a directory that cannot be listed is an error that names it") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH_AS(
      everything_below(directory / "absent"),
      ("cannot list the directory '" + (directory / "absent") + "': No such file or directory").c_str(), Error);
  REQUIRE(::symlink(".", (directory / "link").c_str()) == 0);
  CHECK_THROWS_AS(everything_below(directory / "link"), Error);
}
