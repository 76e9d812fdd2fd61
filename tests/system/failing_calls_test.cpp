// SPDX-License-Identifier: MIT
// What becomes of the state and of the lock when one system call fails, for ever, where a sweep that lets the n-th call
// fail does not come: a second fault behind the first, and calls that only another file system refuses.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/calls.hpp"
#include "system/lock_file.hpp"
#include "system/state_file.hpp"

using namespace telec;
using namespace telec_test;

namespace {

const std::string A = "1.1.0/001_a.py";
const std::string B = "1.1.0/002_b.py";

/// A run that holds the lock, has loaded the history, and recorded A, unless it is `fresh`.
struct Run {
  TemporaryDirectory top;
  std::string data = top / "data";
  std::string path = data + "/state.json";
  Stops stops;
  StateDirectory directory = created(path);
  LockFile lock{directory.descriptor(), "state.json.lock", path + ".lock", 0, stops.signals, [](const std::string&) {}};
  StateFile state{directory};
  History history;

  explicit Run(bool fresh = false) {
    state.may_commit(lock);
    history = state.load();
    if (!fresh) {
      commit(A);
    }
  }
  static StateDirectory created(const std::string& path) {
    StateDirectory directory(path);
    directory.create();
    return directory;
  }
  void commit(const std::string& id) {
    Record record;
    record.id = id;
    record.outcome = "applied";
    history.add(record);
    state.commit(history);
  }
  std::string fault_of_commit() {
    return fault_of([&] { commit(B); });
  }
  [[nodiscard]] bool has_temporary() const { return exists(path + ".tmp") || exists(path + ".old.tmp"); }
};

/// What `body` says where these calls fail.
template <class Body>
std::string while_failing(const std::vector<FailingCall>& calls, Body body) {
  return in_fork([&]() -> std::string {
    let_calls_fail(calls);
    return body();
  });
}

/// The low half of a pointer, as the value of a failing call's argument.
unsigned low_half(const char* pointer) {
  return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(pointer) & 0xffffffffU);
}

const std::vector<FailingCall> no_links = {{SYS_linkat, EPERM}};

}  // namespace

TEST_CASE("a file system without hard links gets a copy of the generation before") {
  for (const int number : {EPERM, EOPNOTSUPP, EMLINK, ENOSYS}) {
    CAPTURE(number);
    Run run;
    const std::string first = read_file(run.path);
    CHECK(while_failing({{SYS_linkat, number}}, [&] { return run.fault_of_commit(); }) == "no error");
    CHECK(read_file(run.path + ".old") == first);
    CHECK(mode_of(run.path + ".old") == 0600);
    CHECK(read_file(run.path) != first);
  }
}

TEST_CASE("a generation before that can be neither linked nor copied ends the commit before it replaces anything") {
  Run run;
  const std::string first = read_file(run.path);
  write_file(run.path + ".old", "older");
  CHECK(while_failing({{SYS_linkat, EIO}}, [&] { return run.fault_of_commit(); }) ==
        "io: cannot link the generation before to '" + run.path + ".old.tmp': Input/output error");
  CHECK_FALSE(run.has_temporary());
  // What a killed run left seems to be gone, and is there when the copy is created.
  write_file(run.path + ".old.tmp", "half");
  CHECK(while_failing({{SYS_linkat, EPERM}, {SYS_unlinkat, ENOENT}}, [&] { return run.fault_of_commit(); }) ==
        "io: cannot copy the generation before to '" + run.path + ".old.tmp': File exists");
  REQUIRE(::unlink((run.path + ".tmp").c_str()) == 0);  // what was refused there is to remove it as well
  CHECK(read_file(run.path + ".old") == "older");
  CHECK(read_file(run.path) == first);
}

TEST_CASE("a copy that finds no room ends the commit before it replaces anything") {
  Run run;
  const std::string first = read_file(run.path);
  write_file(run.path + ".old", "older");
  const std::string said = in_fork([&]() -> std::string {
    // What replaces the state is shorter than the state, and only that has room.
    const History empty;
    ::signal(SIGXFSZ, SIG_IGN);
    const rlim_t room = empty.text().size();
    const rlimit limit = {room, room};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    let_calls_fail(no_links);
    return fault_of([&] { run.state.commit(empty); });
  });
  CHECK(said == "io: cannot copy the generation before to '" + run.path + ".old.tmp': File too large");
  CHECK(read_file(run.path) == first);
  CHECK(read_file(run.path + ".old") == "older");
  CHECK_FALSE(run.has_temporary());
}

TEST_CASE("each step of a commit that fails is named, leaves the state before it, and no temporary") {
  struct Row {
    std::vector<FailingCall> calls;
    std::string fault;
  };
  Run run;
  const std::string first = read_file(run.path);
  const std::string temporary = "'" + run.path + ".tmp'";
  const std::vector<Row> rows = {
      {failing_fstat(EIO), "io: cannot look at the state directory '" + run.data + "': Input/output error"},
      {{{SYS_fsync, EIO}}, "io: cannot sync " + temporary + ": Input/output error"},
      {{{SYS_close, EDQUOT}}, "io: cannot close " + temporary + ": Disk quota exceeded"},
      {{{SYS_renameat, EROFS}, {SYS_renameat2, EROFS}},
       "io: cannot replace '" + run.path + ".old': Read-only file system"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    CHECK(while_failing(row.calls, [&] { return run.fault_of_commit(); }) == row.fault);
    CHECK(read_file(run.path) == first);
    CHECK_FALSE(run.has_temporary());
  }
}

TEST_CASE("a state that cannot be renamed into place leaves no state, and no temporary") {
  Run run(true);
  CHECK(while_failing({{SYS_renameat, EROFS}, {SYS_renameat2, EROFS}}, [&] { return run.fault_of_commit(); }) ==
        "io: cannot rename '" + run.path + ".tmp' to '" + run.path + "': Read-only file system");
  CHECK_FALSE(exists(run.path));
  CHECK_FALSE(run.has_temporary());
}

TEST_CASE("a directory that cannot be synced after the rename is said, and the record is there") {
  Run run;
  const auto directory = static_cast<unsigned>(run.directory.descriptor());
  const std::string said = while_failing({{SYS_fsync, EIO, 0, directory}}, [&] { return run.fault_of_commit(); });
  CHECK(said == "io: cannot sync the state directory '" + run.data +
                    "': Input/output error; the record is in the state file, but a power cut may still take it back");
  CHECK(History::parse(read_file(run.path))->contains(B));
}

TEST_CASE("a state directory that leads elsewhere by now ends the commit") {
  const std::string fault = "' was moved or replaced while the migration ran";
  Run other_device;
  REQUIRE(::rename(other_device.data.c_str(), (other_device.top / "moved").c_str()) == 0);
  REQUIRE(::symlink("/proc", other_device.data.c_str()) == 0);
  CHECK(other_device.fault_of_commit() == "io: the state directory '" + other_device.data + fault);

  // One of the directories above is a file now.
  const TemporaryDirectory top;
  REQUIRE(::mkdir((top / "above").c_str(), 0700) == 0);
  REQUIRE(::mkdir((top / "above/data").c_str(), 0700) == 0);
  const StateDirectory directory(top / "above/data/state.json");
  REQUIRE(::rename((top / "above").c_str(), (top / "moved").c_str()) == 0);
  write_file(top / "above", "");
  CHECK(fault_of([&] { directory.confirm(); }) == "io: the state directory '" + (top / "above/data") + fault);
}

TEST_CASE("a state directory that is gone again right after it was made is an error") {
  const TemporaryDirectory top;
  StateDirectory directory(top / "data/state.json");
  const unsigned path = low_half(directory.directory().c_str());
  CHECK(while_failing({{SYS_openat, ENOENT, 1, path}, {SYS_newfstatat, ENOENT, 1, path}}, [&] {
          return fault_of([&] { directory.create(); });
        }) == "io: cannot open the state directory '" + (top / "data") + "': No such file or directory");
}

TEST_CASE("a state file that the kernel does not describe is an error, never an empty history") {
  Run run;
  CHECK(while_failing(failing_fstat(EIO), [&] { return fault_of([&] { run.state.load(); }); }) ==
        "io: cannot look at the state file '" + run.path + "': Input/output error");
  CHECK(while_failing(failing_fstat(EIO), [&] { return fault_of([&] { run.state.keep_aside(); }); }) ==
        "io: cannot look at the state file '" + run.path + "': Input/output error");
}

TEST_CASE("a refused state that can be neither linked nor renamed stays what it is") {
  Run run;
  const std::string first = read_file(run.path);
  const std::string said = while_failing({{SYS_linkat, EPERM}, {SYS_renameat, EROFS}, {SYS_renameat2, EROFS}},
                                         [&] { return fault_of([&] { run.state.keep_aside(); }); });
  CHECK(said.starts_with("io: cannot rename the old state file to '" + run.path + ".refused-"));
  CHECK(said.ends_with("': Read-only file system"));
  CHECK(read_file(run.path) == first);
}

TEST_CASE("a lock that the kernel does not give or describe is an error with its path") {
  Run run;
  const auto again = [&] {
    return fault_of([&] {
      const LockFile lock(run.directory.descriptor(), "another.lock", "another.lock", 0, run.stops.signals,
                          [](const std::string&) {});
    });
  };
  CHECK(while_failing({{SYS_flock, ENOLCK}}, again) == "io: cannot lock 'another.lock': No locks available");
  CHECK(while_failing(failing_fstat(EIO), again) == "io: cannot look at the lock 'another.lock': Input/output error");
  // The name leads nowhere, each time that it is looked at after the lock was had.
  CHECK(while_failing({{SYS_newfstatat, ENOENT, 3, AT_SYMLINK_NOFOLLOW}}, again) ==
        "locked: the lock 'another.lock' is held by another run");
  CHECK(while_failing({{SYS_newfstatat, EIO, 3, AT_SYMLINK_NOFOLLOW}}, [&] {
          return fault_of([&] { run.lock.confirm(); });
        }) == "io: cannot look at the lock '" + run.path + ".lock': Input/output error");
  CHECK(while_failing(failing_fstat(EIO), [&] { return fault_of([&] { run.lock.confirm(); }); }) ==
        "io: cannot look at the lock '" + run.path + ".lock': Input/output error");
}

TEST_CASE("who holds a lock is told as far as the file tells it") {
  struct Row {
    std::string text;
    std::string holder;
  };
  Run run;
  const auto at = run.directory.descriptor();
  const FileDescriptor file = open_at(at, "state.json.lock", O_RDWR | O_TRUNC);
  const std::string self = std::to_string(::getpid());
  const std::vector<Row> rows = {
      {"", "another run"},
      {"0\n", "another run"},
      {"-1\nx\n", "another run"},
      {"pid\n", "another run"},
      {"99999999999999999999\n", "another run"},
      {self, "process " + self},
      {self + "\n\n\n", "process " + self},
      {self + "\nnoon\n\n", "process " + self + ", started noon"},
      {self + "\n\n" + A + "\n", "process " + self + ", running " + A},
      {"2147483647\n", "process 2147483647 (it is gone; a process that it started still holds the lock)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    REQUIRE(::ftruncate(file.get(), 0) == 0);
    REQUIRE(::pwrite(file.get(), row.text.data(), row.text.size(), 0) >= 0);
    CHECK(lock_holder(at, "state.json.lock", run.path + ".lock") == row.holder);
  }
  // A process of another user is there, although it may not be signalled.
  REQUIRE(::ftruncate(file.get(), 0) == 0);
  REQUIRE(::pwrite(file.get(), "1\n", 2, 0) == 2);
  CHECK(while_failing({{SYS_kill, EPERM}}, [&] { return lock_holder(at, "state.json.lock", run.path + ".lock"); }) ==
        "process 1");
}

TEST_CASE("a lock that nobody holds names nobody, and one that a run could not take is an error") {
  const TemporaryDirectory top;
  const FileDescriptor directory = open_directory(top.path());
  const auto look = [&](const std::string& name) {
    std::string holder;
    const std::string fault = fault_of([&] { holder = lock_holder(directory.get(), name, top / name); });
    return fault == "no error" ? "held by '" + holder + "'" : fault;
  };
  CHECK(look("none") == "held by ''");
  write_file(top / "free", "1\n");
  CHECK(look("free") == "held by ''");
  CHECK(top.names() == std::vector<std::string>{"free"});
  CHECK(while_failing({{SYS_flock, EIO}}, [&] { return look("free"); }) ==
        "io: cannot lock '" + top.path() + "/free': Input/output error");
  REQUIRE(::mkdir((top / "directory").c_str(), 0700) == 0);
  CHECK(look("directory") == "unsafe: the lock '" + top.path() + "/directory' is a directory");
  REQUIRE(::symlink("free", (top / "link").c_str()) == 0);
  CHECK(look("link") == "unsafe: the lock '" + top.path() + "/link' is a symbolic link");
  REQUIRE(::mkfifo((top / "pipe").c_str(), 0600) == 0);
  CHECK(look("pipe") == "unsafe: the lock '" + top.path() + "/pipe' is not a regular file");
  const std::string unreadable = as_nobody([]() -> std::string {
    const TemporaryDirectory own;
    write_file(own / "closed", "", 0000);
    return fault_of([&] { lock_holder(open_directory(own.path()).get(), "closed", "x"); });
  });
  CHECK(unreadable == "io: cannot open the lock 'x': Permission denied");
}

TEST_CASE("what cannot be written or closed is told by the first of the two") {
  const TemporaryDirectory top;
  const FileDescriptor directory = open_directory(top.path());
  const auto attempt = [&](std::string_view bytes) {
    return while_failing({{SYS_close, EIO}}, [&]() -> std::string {
      FileDescriptor file = open_at(directory.get(), "file", O_RDWR | O_CREAT | O_TRUNC, 0600);
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit = {4, 4};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      return write_and_close(file, bytes) ? "written" : errno_text(errno);
    });
  };
  CHECK(attempt("four") == "Input/output error");
  CHECK(attempt("and more") == "File too large");
}
