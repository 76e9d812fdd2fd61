// SPDX-License-Identifier: MIT
#include "system/tree.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "fixture.hpp"

using namespace telec;
using namespace telec_test;

namespace {

using Texts = std::vector<std::string>;

struct Place {
  TemporaryDirectory directory;

  void add(const std::string& path, const std::string& bytes = "source") {
    std::filesystem::create_directories(std::filesystem::path(directory / path).parent_path());
    write_file(directory / path, bytes);
  }
  [[nodiscard]] Texts ids() const {
    Texts ids;
    const Catalog catalog = Tree(directory.path()).read_catalog();
    for (const Migration& migration : catalog.migrations()) {
      ids.push_back(migration.id());
    }
    return ids;
  }
  [[nodiscard]] Texts problems() const {
    Texts problems;
    const Catalog catalog = Tree(directory.path()).read_catalog();
    for (const Problem& problem : catalog.problems()) {
      problems.push_back(problem.kind + " " + problem.path);
    }
    return problems;
  }
  /// The bytes of 1.1.0/001_a.py, or "refused: ..."
  [[nodiscard]] std::string script() const {
    std::string bytes;
    std::string reason;
    const Migration migration = *Migration::parse("1.1.0/001_a.py");
    const Tree tree(directory.path());
    return tree.read_script(migration, bytes, reason) ? bytes : "refused: " + reason;
  }
  [[nodiscard]] std::string refusal(const std::string& why) const {
    return "refused: cannot read the script '" + directory.path() + "/v1.1.0/001_a.py': " + why;
  }
};

}  // namespace

TEST_CASE("a tree on disk is read as a catalog") {
  Place place;
  place.add("v1.10.0/001_a.py");
  place.add("v1.2.0/002_b.py");
  place.add("v1.2.0/001_a.py");
  place.add("v1.2.0/2_x.py");
  place.add("README.md");
  place.add("1.3.0/001_a.py");
  CHECK(place.ids() == Texts{"1.2.0/001_a.py", "1.2.0/002_b.py", "1.10.0/001_a.py"});
  CHECK(place.problems() == Texts{"misnamed_directory 1.3.0", "misnamed_file v1.2.0/2_x.py"});
}

TEST_CASE("a tree can be listed twice, and sees what arrived between") {
  Place place;
  place.add("v1.2.0/001_a.py");
  const Tree tree(place.directory.path());
  CHECK(tree.read_catalog().migrations().size() == 1);
  place.add("v1.2.0/002_b.py");
  CHECK(tree.read_catalog().migrations().size() == 2);
}

TEST_CASE("what is no regular file is a problem, and never opened") {
  Place place;
  place.add("v1.1.0/001_a.py");
  place.add("target.py");
  const std::string version = place.directory / "v1.1.0/";
  REQUIRE(::symlink((place.directory / "target.py").c_str(), (version + "002_link.py").c_str()) == 0);
  REQUIRE(::symlink("nowhere", (version + "003_dangling.py").c_str()) == 0);
  REQUIRE(::mkfifo((version + "004_fifo.py").c_str(), 0600) == 0);
  REQUIRE(::mkdir((version + "005_directory.py").c_str(), 0700) == 0);
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (version + "006_socket.py").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(place.ids() == Texts{"1.1.0/001_a.py"});
  CHECK(place.problems() == Texts{"not_a_regular_file v1.1.0/002_link.py", "not_a_regular_file v1.1.0/003_dangling.py",
                                  "not_a_regular_file v1.1.0/004_fifo.py", "not_a_regular_file v1.1.0/005_directory.py",
                                  "not_a_regular_file v1.1.0/006_socket.py"});
}

TEST_CASE("a version that is a link is a problem, and is not followed") {
  Place place;
  place.add("v1.1.0/001_a.py");
  REQUIRE(::symlink("v1.1.0", (place.directory / "v1.2.0").c_str()) == 0);
  CHECK(place.ids() == Texts{"1.1.0/001_a.py"});
  CHECK(place.problems() == Texts{"not_a_directory v1.2.0"});
}

TEST_CASE("the migrations directory itself may be a link") {
  Place place;
  place.add("tree/v1.1.0/001_a.py", "bytes");
  const std::string link = place.directory / "link";
  REQUIRE(::symlink("tree", link.c_str()) == 0);
  const Tree tree(link);
  CHECK(tree.read_catalog().migrations().size() == 1);
  CHECK(tree.directory() == link);
}

TEST_CASE("a directory that does not exist or is none is an error, never an empty tree") {
  Place place;
  CHECK(fault_of([&] { Tree(place.directory / "absent"); }) ==
        "tree_untrusted: the migrations directory '" + place.directory.path() + "/absent' does not exist");
  place.add("file");
  CHECK(fault_of([&] { Tree(place.directory / "file"); }) ==
        "tree_untrusted: the migrations directory '" + place.directory.path() + "/file' is not a directory");
  CHECK(place.ids().empty());
}

TEST_CASE("a directory that cannot be read is an error") {
  const std::string said = as_nobody([]() -> std::string {
    Place place;
    place.add("v1.1.0/001_a.py");
    ::chmod((place.directory / "v1.1.0").c_str(), 0000);
    const std::string version = fault_of([&] { static_cast<void>(place.ids()); });
    ::chmod((place.directory / "v1.1.0").c_str(), 0700);
    ::chmod(place.directory.path().c_str(), 0300);
    const std::string top = fault_of([&] { static_cast<void>(place.ids()); });
    ::chmod(place.directory.path().c_str(), 0700);
    const auto without_path = [](const std::string& fault) {
      return fault.substr(0, fault.find('\'')) + fault.substr(fault.rfind('\'') + 1);
    };
    return without_path(version) + "|" + without_path(top);
  });
  CHECK(said ==
        "io: cannot open the version directory : Permission denied|io: cannot open the migrations directory : "
        "Permission denied");
}

TEST_CASE("a script's bytes are read exactly") {
  Place place;
  std::string bytes;
  for (int i = 0; i < 100000; ++i) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(i * 7)));
  }
  place.add("v1.1.0/001_a.py", bytes);
  CHECK((place.script() == bytes));
  place.add("v1.1.0/001_a.py", "");
  CHECK(place.script().empty());
}

TEST_CASE("a script that is gone or was replaced since the listing is refused with the reason") {
  Place place;
  CHECK(place.script() == place.refusal("No such file or directory"));
  place.add("v1.1.0/002_b.py");
  CHECK(place.script() == place.refusal("No such file or directory"));
  const std::string path = place.directory / "v1.1.0/001_a.py";
  REQUIRE(::symlink("002_b.py", path.c_str()) == 0);
  CHECK(place.script() == place.refusal("it is a symbolic link"));
  ::unlink(path.c_str());
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(place.script() == place.refusal("it is not a regular file"));
  ::unlink(path.c_str());
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  CHECK(place.script() == place.refusal("it is not a regular file"));
}

TEST_CASE("a script whose version was replaced by a link is refused") {
  Place place;
  place.add("elsewhere/001_a.py");
  REQUIRE(::symlink("elsewhere", (place.directory / "v1.1.0").c_str()) == 0);
  CHECK(place.script().starts_with(place.refusal("")));
}

TEST_CASE("a script may have 16 MiB and no more") {
  Place place;
  place.add("v1.1.0/001_a.py");
  const std::string path = place.directory / "v1.1.0/001_a.py";
  constexpr off_t limit = off_t{16} * 1024 * 1024;
  REQUIRE(::truncate(path.c_str(), limit) == 0);
  CHECK(place.script().size() == static_cast<std::size_t>(limit));
  REQUIRE(::truncate(path.c_str(), limit + 1) == 0);
  CHECK(place.script() == place.refusal("it is larger than 16 MiB"));
}

TEST_CASE("a script that cannot be read is refused with the reason") {
  const std::string said = as_nobody([]() -> std::string {
    Place place;
    place.add("v1.1.0/001_a.py");
    ::chmod((place.directory / "v1.1.0/001_a.py").c_str(), 0000);
    return place.script() == place.refusal("Permission denied") ? "refused" : place.script();
  });
  CHECK(said == "refused");
}

TEST_CASE("a script's path is below the directory as it was named") {
  const Place place;
  CHECK(Tree(place.directory.path()).path_of(*Migration::parse("1.1.0/001_a.py")) ==
        place.directory.path() + "/v1.1.0/001_a.py");
}

TEST_CASE("a new script is written with its version directory, and never over what is there") {
  const Place place;
  const Tree tree(place.directory.path());
  const Migration migration = *Migration::parse("1.0.0/001_a.py");
  const std::string path = tree.create_script(migration, "new", 077);
  CHECK(path == place.directory / "v1.0.0/001_a.py");
  CHECK(read_file(path) == "new");
  CHECK_THROWS_AS(static_cast<void>(tree.create_script(migration, "newer", 077)), Error);
  CHECK(read_file(path) == "new");
  std::filesystem::create_symlink(place.directory / "elsewhere", place.directory / "v1.0.0/002_b.py");
  CHECK_THROWS_AS(static_cast<void>(tree.create_script(*Migration::parse("1.0.0/002_b.py"), "new", 077)), Error);
  CHECK_FALSE(std::filesystem::exists(place.directory / "elsewhere"));
}

TEST_CASE("a new script and its version directory are for others as far as the umask lets them, and never to write") {
  const auto mode_of = [](const std::string& path) {
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
  };
  const Place place;
  const Tree tree(place.directory.path());
  const mode_t before = ::umask(0123);
  const std::string open = tree.create_script(*Migration::parse("1.0.0/001_a.py"), "new", 0);
  const std::string usual = tree.create_script(*Migration::parse("1.1.0/001_a.py"), "new", 022);
  const std::string hidden = tree.create_script(*Migration::parse("1.2.0/001_a.py"), "new", 077);
  CHECK(::umask(before) == 0123);
  CHECK(mode_of(open) == 0664);
  CHECK(mode_of(place.directory / "v1.0.0") == 0775);
  CHECK(mode_of(usual) == 0644);
  CHECK(mode_of(place.directory / "v1.1.0") == 0755);
  CHECK(mode_of(hidden) == 0600);
  CHECK(mode_of(place.directory / "v1.2.0") == 0700);
}
