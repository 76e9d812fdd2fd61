// SPDX-License-Identifier: MIT
#include "system/state_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "doctest_main.hpp"
#include "fixture.hpp"
#include "system/calls.hpp"

using namespace telec;
using namespace telec_test;

namespace {

using Texts = std::vector<std::string>;

const std::string A = "1.1.0/001_a.py";
const std::string B = "1.1.0/002_b.py";
const std::string C = "1.1.0/003_c.py";

void add(History& history, const std::string& id) {
  Record record;
  record.id = id;
  record.outcome = "applied";
  history.add(record);
}

/// A state directory in a temporary one, and what a run has on it.
struct Place {
  TemporaryDirectory top;
  std::string data = top / "data";
  std::string path = data + "/state.json";
  Stops stops;

  explicit Place(bool create = true) {
    if (create) {
      REQUIRE(::mkdir(data.c_str(), 0700) == 0);
    }
  }
  [[nodiscard]] Texts names() const {
    Texts names;
    for (const char* name :
         {"state.json", "state.json.lock", "state.json.old", "state.json.old.tmp", "state.json.tmp"}) {
      if (exists(data + "/" + name)) {
        names.emplace_back(name);
      }
    }
    return names;
  }
};

/// A run that holds the lock and has loaded the history.
struct Run {
  StateDirectory directory;
  LockFile lock;
  StateFile state;
  History history;

  explicit Run(Place& place)
      : directory(created(place.path)),
        lock(directory.descriptor(), directory.name() + ".lock", place.path + ".lock", 0, place.stops.signals,
             [](const std::string&) {}),
        state(directory) {
    state.may_commit(lock);
    history = state.load();
  }
  static StateDirectory created(const std::string& path) {
    StateDirectory directory(path);
    directory.create();
    return directory;
  }
  void commit(const std::string& id) {
    add(history, id);
    state.commit(history);
  }
  std::string fault_of_commit(const std::string& id) {
    return fault_of([&] { commit(id); });
  }
};

std::string load_fault(const std::string& path) {
  return fault_of([&] {
    const StateDirectory directory(path);
    StateFile(directory).load();
  });
}

}  // namespace

TEST_CASE("absent state is empty history, and looking at it creates nothing") {
  const Place place(false);
  const StateDirectory directory(place.path);
  CHECK_FALSE(directory.exists());
  CHECK(StateFile(directory).load().applied().empty());
  CHECK(place.top.names().empty());
}

TEST_CASE("the directory is created with mode 0700 whatever the umask, its parent is not") {
  Place place(false);
  const mode_t before = ::umask(0);
  StateDirectory directory(place.path);
  directory.create();
  ::umask(before);
  CHECK(directory.exists());
  CHECK(mode_of(place.data) == 0700);
  CHECK(fault_of([&] {
          StateDirectory(place.top / "no/such/state.json").create();
        }).starts_with("io: cannot create the state directory"));
}

TEST_CASE("the first commit leaves the state alone, mode 0600, no temporary and no older generation") {
  Place place(false);
  const mode_t before = ::umask(0);
  Run run(place);
  run.commit(A);
  ::umask(before);
  CHECK(place.names() == Texts{"state.json", "state.json.lock"});
  CHECK(mode_of(place.path) == 0600);
  CHECK(read_file(place.path) == run.history.text());
}

TEST_CASE("each commit keeps exactly the generation before it as .old") {
  Place place;
  Run run(place);
  run.commit(A);
  const std::string first = read_file(place.path);
  run.commit(B);
  const std::string second = read_file(place.path);
  CHECK(read_file(place.path + ".old") == first);
  run.commit(C);
  CHECK(read_file(place.path + ".old") == second);
  CHECK(History::parse(read_file(place.path))->applied().size() == 3);
  CHECK(place.names() == Texts{"state.json", "state.json.lock", "state.json.old"});
  CHECK(mode_of(place.path + ".old") == 0600);
}

TEST_CASE("a commit replaces the file and never writes into the one before") {
  Place place;
  Run run(place);
  run.commit(A);
  const ino_t inode = inode_of(place.path);
  const std::string other = place.top / "another name";
  REQUIRE(::link(place.path.c_str(), other.c_str()) == 0);
  const std::string before = read_file(other);
  run.commit(B);
  CHECK(read_file(other) == before);
  CHECK(inode_of(place.path) != inode);
  CHECK(inode_of(place.path + ".old") == inode);
}

TEST_CASE("a file with looser modes is 0600 after the next commit") {
  Place place;
  write_file(place.path, R"({"applied": []})", 0644);
  Run run(place);
  run.commit(A);
  CHECK(mode_of(place.path) == 0600);
}

TEST_CASE("a temporary file that a killed run left is replaced, also where it is a link") {
  Place place;
  write_file(place.path + ".tmp", "half");
  Run run(place);
  run.commit(A);
  CHECK(place.names() == Texts{"state.json", "state.json.lock"});
  write_file(place.top / "target", "mine");
  REQUIRE(::symlink((place.top / "target").c_str(), (place.path + ".tmp").c_str()) == 0);
  run.commit(B);
  CHECK(read_file(place.top / "target") == "mine");
  CHECK(place.names() == Texts{"state.json", "state.json.lock", "state.json.old"});
}

TEST_CASE("an older generation that is a link is replaced, and nothing is followed") {
  Place place;
  Run run(place);
  run.commit(A);
  write_file(place.top / "target", "mine");
  REQUIRE(::symlink((place.top / "target").c_str(), (place.path + ".old").c_str()) == 0);
  run.commit(B);
  CHECK(read_file(place.top / "target") == "mine");
  CHECK(read_file(place.path + ".old") != "mine");
}

TEST_CASE("what a run left that was killed while it kept the generation before is replaced") {
  Place place;
  Run run(place);
  run.commit(A);
  run.commit(B);
  // Before the link got its name.
  write_file(place.path + ".old.tmp", "half");
  run.commit(C);
  CHECK(place.names() == Texts{"state.json", "state.json.lock", "state.json.old"});
  // After that, and before the state was replaced: two names of one file.
  REQUIRE(::unlink((place.path + ".old").c_str()) == 0);
  REQUIRE(::link(place.path.c_str(), (place.path + ".old").c_str()) == 0);
  const std::string before = read_file(place.path);
  run.commit("1.1.0/004_d.py");
  CHECK(read_file(place.path + ".old") == before);
  CHECK(place.names() == Texts{"state.json", "state.json.lock", "state.json.old"});
}

TEST_CASE("a state that would be too large to be read is not written") {
  Place place;
  const std::string entry = R"({"applied": [], "filler": ")";
  write_file(place.path, entry + std::string(History::size_limit - entry.size() - 10, 'x') + "\"}");
  Run run(place);
  const std::string before = read_file(place.path);
  const std::string fault =
      "io: the state file '" + place.path + "' would grow beyond the 67108864 bytes that telec reads";
  CHECK(fault_of([&] { run.state.probe(run.history, 1); }) == fault);
  CHECK(run.fault_of_commit(A) == fault);
  CHECK(read_file(place.path) == before);
  CHECK(place.names() == Texts{"state.json", "state.json.lock"});
}

TEST_CASE("a directory in the place of a file of the commit is noticed before a script runs") {
  for (const std::string ending : {".old", ".tmp", ".old.tmp"}) {
    CAPTURE(ending);
    Place place;
    Run run(place);
    run.commit(A);
    REQUIRE(::mkdir((place.path + ending).c_str(), 0700) == 0);
    const Texts names = place.names();
    const std::string fault = "io: cannot replace '" + place.path + ending + "': Is a directory";
    CHECK(fault_of([&] { run.state.refuse_what_cannot_be_replaced(); }) == fault);
    CHECK(fault_of([&] { run.state.probe(run.history, 1); }) == fault);
    CHECK(place.names() == names);
  }
}

TEST_CASE("what is immutable or append-only is noticed before a script runs") {
  Place place;
  Run run(place);
  run.commit(A);
  run.commit(B);
  CHECK(fault_of([&] { run.state.refuse_what_cannot_be_replaced(); }) == "no error");
  for (const std::string& path : {place.path, place.path + ".old", place.data}) {
    const std::string action = path == place.data ? "write to the state directory" : "replace";
    for (const int flag : {FS_IMMUTABLE_FL, FS_APPEND_FL}) {
      CAPTURE(path);
      CAPTURE(flag);
      const FileDescriptor file = open_at(AT_FDCWD, path.c_str(), O_RDONLY);
      int before = 0;
      if (::ioctl(file.get(), FS_IOC_GETFLAGS, &before) != 0) {
        return skip("this file system has no such attributes");
      }
      const int with = before | flag;
      if (::ioctl(file.get(), FS_IOC_SETFLAGS, &with) != 0) {
        return skip("not permitted to make a file immutable");
      }
      const auto look = error_of([&] { run.state.refuse_what_cannot_be_replaced(); });
      const auto probe = error_of([&] { run.state.probe(run.history, 1); });
      REQUIRE(::ioctl(file.get(), FS_IOC_SETFLAGS, &before) == 0);
      REQUIRE(look.has_value());
      CHECK(look->message == "cannot " + action + " '" + path + "': Operation not permitted");
      CHECK(look->hint.ends_with("as root, with: chattr -ia '" + path + "'"));
      REQUIRE(probe.has_value());
      CHECK(probe->message == look->message);
    }
  }
}

TEST_CASE("a state that was changed underneath is not overwritten: bytes") {
  Place place;
  Run run(place);
  run.commit(A);
  const ino_t inode = inode_of(place.path);
  write_file(place.path, R"({"applied": []})");
  REQUIRE(inode_of(place.path) == inode);
  CHECK(run.fault_of_commit(B) ==
        "io: the state file '" + place.path + "' was changed by something else while the migration ran");
  CHECK(read_file(place.path) == R"({"applied": []})");
  CHECK(place.names() == Texts{"state.json", "state.json.lock"});
}

TEST_CASE("a state that was changed underneath is not overwritten: another file with the same bytes") {
  Place place;
  Run run(place);
  run.commit(A);
  const std::string text = read_file(place.path);
  const ino_t inode = inode_of(place.path);
  write_file(place.top / "same", text);
  REQUIRE(::rename((place.top / "same").c_str(), place.path.c_str()) == 0);
  REQUIRE(inode_of(place.path) != inode);
  CHECK(run.fault_of_commit(B).starts_with("io: the state file"));
  CHECK(read_file(place.path) == text);
}

TEST_CASE("a state that was removed underneath is not written anew") {
  Place place;
  Run run(place);
  run.commit(A);
  REQUIRE(::unlink(place.path.c_str()) == 0);
  CHECK(run.fault_of_commit(B).starts_with("io: the state file"));
  CHECK(place.names() == Texts{"state.json.lock"});
}

TEST_CASE("a state that appeared underneath is not overwritten") {
  Place place;
  Run run(place);
  write_file(place.path, "{\"applied\": []}");
  CHECK(run.fault_of_commit(A).starts_with("io: the state file"));
  CHECK(read_file(place.path) == "{\"applied\": []}");
}

TEST_CASE("a state that became a link underneath is refused, and its target left alone") {
  Place place;
  Run run(place);
  run.commit(A);
  const std::string text = read_file(place.path);
  REQUIRE(::rename(place.path.c_str(), (place.top / "target").c_str()) == 0);
  REQUIRE(::symlink((place.top / "target").c_str(), place.path.c_str()) == 0);
  CHECK(run.fault_of_commit(B).starts_with("state_untrusted: "));
  CHECK(read_file(place.top / "target") == text);
}

TEST_CASE("a directory that was replaced, moved or removed underneath ends the commit, and nothing is written") {
  const std::string fault = "' was moved or replaced while the migration ran";
  Place replaced;
  Run run(replaced);
  run.commit(A);
  const std::string text = read_file(replaced.path);
  REQUIRE(::rename(replaced.data.c_str(), (replaced.top / "moved").c_str()) == 0);
  CHECK(run.fault_of_commit(B) == "io: the state directory '" + replaced.data + fault);
  REQUIRE(::mkdir(replaced.data.c_str(), 0700) == 0);
  CHECK(run.fault_of_commit(C) == "io: the state directory '" + replaced.data + fault);
  CHECK(replaced.names().empty());
  CHECK(read_file(replaced.top / "moved/state.json") == text);
  CHECK_FALSE(exists(replaced.top / "moved/state.json.old"));
}

TEST_CASE("a lock that was removed underneath ends the commit, and nothing is written") {
  Place place;
  Run run(place);
  run.commit(A);
  const std::string text = read_file(place.path);
  REQUIRE(::unlink((place.path + ".lock").c_str()) == 0);
  CHECK(run.fault_of_commit(B).starts_with("io: the lock"));
  CHECK(read_file(place.path) == text);
}

TEST_CASE("a commit that cannot write leaves the state before it, and no temporary") {
  Place place;
  Run run(place);
  run.commit(A);
  const std::string text = read_file(place.path);
  const std::string said = in_fork([&]() -> std::string {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {64, 64};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return run.fault_of_commit(B);
  });
  CHECK(said == "io: cannot write '" + place.path + ".tmp': File too large");
  CHECK(read_file(place.path) == text);
  CHECK(place.names() == Texts{"state.json", "state.json.lock"});
}

TEST_CASE("a probe notices that there is no room, and leaves nothing either way") {
  Place place;
  Run run(place);
  run.commit(A);
  const Texts names = place.names();
  CHECK(fault_of([&] { run.state.probe(run.history, 1); }) == "no error");
  CHECK(place.names() == names);
  const std::string said = in_fork([&]() -> std::string {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {64, 64};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return fault_of([&] { run.state.probe(run.history, 1); });
  });
  CHECK(said == "io: cannot write a probe to '" + place.path + ".tmp': File too large");
  CHECK(place.names() == names);
}

TEST_CASE("a directory that cannot be written is noticed by the probe") {
  const std::string said = as_nobody([]() -> std::string {
    Place place;
    Run run(place);
    ::chmod(place.data.c_str(), 0500);
    const std::string fault = fault_of([&] { run.state.probe(run.history, 1); });
    ::chmod(place.data.c_str(), 0700);
    return fault;
  });
  CHECK(said.starts_with("io: cannot write a probe to '"));
  CHECK(said.ends_with("': Permission denied"));
}

TEST_CASE("what is no regular file is refused as a state file, and left as it was") {
  const Place place;
  const std::string untrusted = "state_untrusted: cannot trust the state file '" + place.path + "': ";
  write_file(place.top / "target", R"({"applied": []})");
  REQUIRE(::symlink((place.top / "target").c_str(), place.path.c_str()) == 0);
  CHECK(load_fault(place.path) == untrusted + "it is a symbolic link, and a commit would replace the link");
  REQUIRE(::unlink(place.path.c_str()) == 0);
  REQUIRE(::symlink("/nowhere", place.path.c_str()) == 0);
  CHECK(load_fault(place.path).starts_with(untrusted));
  REQUIRE(::unlink(place.path.c_str()) == 0);
  REQUIRE(::mkfifo(place.path.c_str(), 0600) == 0);
  CHECK(load_fault(place.path) == untrusted + "it is not a regular file");
  REQUIRE(::unlink(place.path.c_str()) == 0);
  REQUIRE(::mkdir(place.path.c_str(), 0700) == 0);
  CHECK(load_fault(place.path) == untrusted + "it is a directory");
  CHECK(exists(place.path));
}

TEST_CASE("the way back from what is no regular file never copies onto it") {
  const Place place;
  const auto hint = [&] {
    const auto error = error_of([&] {
      const StateDirectory directory(place.path);
      StateFile(directory).load();
    });
    REQUIRE(error.has_value());
    return error->hint;
  };
  const std::string old = "; the generation before it is '" + place.path + ".old'";
  const std::string moved = old + ": move this one away, then copy that one to its place; or 'telec migrate rebuild'";
  REQUIRE(::symlink("x", place.path.c_str()) == 0);
  CHECK(hint().starts_with("it is left as it is; what it leads to can be named with --state-file FILE; or 'telec"));
  write_file(place.path + ".old", R"({"applied": []})");
  CHECK(hint().find("--state-file FILE" + moved) != std::string::npos);
  REQUIRE(::unlink(place.path.c_str()) == 0);
  REQUIRE(::mkfifo(place.path.c_str(), 0600) == 0);
  CHECK(hint().find("it is left as it is" + moved) == 0);
  REQUIRE(::unlink(place.path.c_str()) == 0);
  REQUIRE(::mkdir(place.path.c_str(), 0700) == 0);
  CHECK(hint().find("it is left as it is" + moved) == 0);
  REQUIRE(::rmdir(place.path.c_str()) == 0);
  write_file(place.path, "{");
  CHECK(hint().find(old + ": compare the two, and copy that one back; or") != std::string::npos);
  REQUIRE(::unlink((place.path + ".old").c_str()) == 0);
  REQUIRE(::mkdir((place.path + ".old").c_str(), 0700) == 0);
  CHECK(hint().find("generation") == std::string::npos);
}

TEST_CASE("a state file or a directory that everybody can write is refused") {
  const Place place;
  write_file(place.path, R"({"applied": []})", 0666);
  CHECK(load_fault(place.path) == "unsafe: the state file '" + place.path + "' can be written by every user");
  REQUIRE(::chmod(place.path.c_str(), 0600) == 0);
  REQUIRE(::chmod(place.data.c_str(), 0777) == 0);
  CHECK(load_fault(place.path) == "unsafe: the state directory '" + place.data + "' can be written by every user");
  REQUIRE(::chmod(place.data.c_str(), 01777) == 0);
  const auto error = error_of([&] { const StateDirectory directory(place.path); });
  REQUIRE(error.has_value());
  CHECK(error->code == ErrorCode::unsafe);
  // Root cannot tell its own from the likes of /tmp.
  CHECK(error->hint == (::geteuid() == 0 ? "name a state file in a directory of your own, with --state-file FILE"
                                         : "take that away with: chmod o-w '" + place.data + "'"));
  REQUIRE(::chmod(place.data.c_str(), 0755) == 0);
  CHECK(load_fault(place.path) == "no error");
}

TEST_CASE("root refuses a state of somebody else") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const Place place;
  write_file(place.path, R"({"applied": []})");
  REQUIRE(::chown(place.path.c_str(), 65534, 65534) == 0);
  CHECK(load_fault(place.path) ==
        "unsafe: this runs as root, and the state file '" + place.path + "' belongs to uid 65534");
  REQUIRE(::chown(place.path.c_str(), 0, 0) == 0);
  REQUIRE(::chown(place.data.c_str(), 65534, 65534) == 0);
  CHECK(load_fault(place.path).starts_with("unsafe: this runs as root, and the state directory"));
}

TEST_CASE("text that is no history is refused with its place and the way back, and left as it was") {
  const Place place;
  write_file(place.path, "{\"applied\": [\n");
  const auto load = [&] {
    const StateDirectory directory(place.path);
    StateFile(directory).load();
  };
  auto error = error_of(load);
  REQUIRE(error.has_value());
  CHECK(error->code == ErrorCode::state_untrusted);
  CHECK(error->message.find("line 2, column 1: ") != std::string::npos);
  CHECK(error->hint.find("telec migrate rebuild") != std::string::npos);
  CHECK(error->hint.find(".old") == std::string::npos);
  write_file(place.path + ".old", R"({"applied": []})");
  error = error_of(load);
  CHECK(error->hint.find("'" + place.path + ".old'") != std::string::npos);
  CHECK(read_file(place.path) == "{\"applied\": [\n");
}

TEST_CASE("a state file beyond the size limit is refused without being read") {
  const Place place;
  write_file(place.path, "");
  REQUIRE(::truncate(place.path.c_str(), static_cast<off_t>(History::size_limit) + 1) == 0);
  CHECK(load_fault(place.path).ends_with("larger than 67108864 bytes"));
  REQUIRE(::truncate(place.path.c_str(), off_t{1} << 40U) == 0);
  CHECK(load_fault(place.path).ends_with("larger than 67108864 bytes"));
}

TEST_CASE("a state file that cannot be read is an error, never an empty history") {
  const std::string said = as_nobody([]() -> std::string {
    const Place place;
    write_file(place.path, R"({"applied": []})", 0000);
    return load_fault(place.path);
  });
  CHECK(said.starts_with("io: cannot read the state file"));
  CHECK(said.ends_with("': Permission denied"));
}

TEST_CASE("a directory that cannot be entered or is none is an error, never an empty history") {
  const std::string said = as_nobody([]() -> std::string {
    Place place;
    write_file(place.path, R"({"applied": []})");
    ::chmod(place.data.c_str(), 0000);
    const std::string fault = load_fault(place.path);
    ::chmod(place.data.c_str(), 0700);
    return fault;
  });
  CHECK(said.starts_with("io: cannot open the state directory"));
  const Place place(false);
  write_file(place.data, "a file");
  CHECK(load_fault(place.path) == "io: cannot open the state directory '" + place.data + "': Not a directory");
}

TEST_CASE("a state directory reached through a link is used where it is") {
  Place place;
  const std::string link = place.top / "link";
  REQUIRE(::symlink(place.data.c_str(), link.c_str()) == 0);
  place.path = link + "/state.json";
  Run run(place);
  run.commit(A);
  CHECK(exists(place.data + "/state.json"));
}
