// SPDX-License-Identifier: MIT
#include "system/trusted_place.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "doctest_main.hpp"
#include "fixture.hpp"
#include "system/python.hpp"

using namespace telec;
using namespace telec_test;

namespace {

std::string fault_at(const std::string& path) {
  return fault_of([&] { refuse_unsafe_path("the tree", path); });
}

}  // namespace

TEST_CASE("for a user that is not root every place will do") {
  const std::string said = as_nobody([]() -> std::string {
    const TemporaryDirectory directory;
    ::chmod(directory.path().c_str(), 0777);
    return fault_at(directory.path());
  });
  CHECK(said == "no error");
}

TEST_CASE("root gets no interpreter that somebody else could change, whatever it is wanted for") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const TemporaryDirectory directory;
  const std::string python = directory / "python3";
  write_file(python, "", 0755);
  const auto found = [&] { return fault_of([&] { static_cast<void>(find_python(python)); }); };
  CHECK(found() == "no error");
  REQUIRE(::chown(python.c_str(), 4242, 0) == 0);
  CHECK(found() == "unsafe: this runs as root, and the interpreter '" + python + "' is not safe: '" + python +
                       "' belongs to uid 4242");
}

TEST_CASE("a tree, a version or a script that every user may write to is refused for every user") {
  const std::string said = as_nobody([]() -> std::string {
    const TemporaryDirectory directory;
    const std::string version = directory / "v1.0.0";
    std::filesystem::create_directories(version);
    write_file(version + "/001_a.py", "");
    const Migration migration("1.0.0", "001_a.py");
    const auto fault = [&] {
      std::string text = fault_of([&] {
        refuse_unsafe_tree(directory.path());
        refuse_unsafe_scripts(directory.path(), {&migration});
      });
      const std::size_t quote = text.find('\'');
      return quote == std::string::npos ? text : text.substr(0, quote) + text.substr(text.rfind('\'') + 2);
    };
    std::string text = fault();
    for (const std::string& path : {directory.path(), version, version + "/001_a.py"}) {
      ::chmod(path.c_str(), 0777);
      text += "|" + fault();
      ::chmod(path.c_str(), 0755);
    }
    return text;
  });
  CHECK(said ==
        "no error|unsafe: the migrations directory can be written by every user|unsafe: the version directory can be "
        "written by "
        "every user|unsafe: the script can be written by every user");
}

TEST_CASE("as root a path is safe where nobody else can change it or what is on the way to it") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "a/b");
  const std::string path = directory / "a/b";
  CHECK(fault_at(path) == "no error");
  CHECK(fault_at(path + "/absent/below") == "no error");
  REQUIRE(::chmod((directory / "a").c_str(), 0777) == 0);
  CHECK(fault_at(path) == "unsafe: this runs as root, and the tree '" + path + "' is not safe: '" + directory.path() +
                              "/a' can be written by every user");
  REQUIRE(::chmod((directory / "a").c_str(), 0755) == 0);
  REQUIRE(::chown((directory / "a").c_str(), 65534, 0) == 0);
  CHECK(fault_at(path).ends_with("'" + directory.path() + "/a' belongs to uid 65534"));
}

TEST_CASE("as root a link is followed to what it leads to, and judged with all on the way") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "open/inside");
  std::filesystem::create_directories(directory / "closed");
  REQUIRE(::chmod((directory / "open").c_str(), 0777) == 0);
  const std::string link = directory / "link";
  REQUIRE(::symlink("closed", link.c_str()) == 0);
  CHECK(fault_at(link) == "no error");
  for (const std::string target : {"open/inside", "closed/../open/inside", "./open/inside/../inside"}) {
    CAPTURE(target);
    ::unlink(link.c_str());
    REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
    CHECK(fault_at(link).ends_with("'" + directory.path() + "/open' can be written by every user"));
  }
  ::unlink(link.c_str());
  REQUIRE(::symlink((directory / "open/inside").c_str(), link.c_str()) == 0);
  CHECK(fault_at(link).ends_with("'" + directory.path() + "/open' can be written by every user"));
}

TEST_CASE("as root a loop of links leads nowhere, and is no hang") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const TemporaryDirectory directory;
  REQUIRE(::symlink("b", (directory / "a").c_str()) == 0);
  REQUIRE(::symlink("a", (directory / "b").c_str()) == 0);
  CHECK(fault_at(directory / "a") == "no error");
}
