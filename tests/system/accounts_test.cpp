// SPDX-License-Identifier: MIT
#include "system/accounts.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "doctest_main.hpp"
#include "fixture.hpp"
#include "system/calls.hpp"

using namespace telec;
using namespace telec_test;

namespace {

constexpr unsigned nobody = 65534;

/// A home of the user nobody, with data.
struct Theirs {
  TemporaryDirectory home;
  Account account{"nobody", nobody, nobody, home.path()};

  Theirs() {
    for (const std::string& path : {home / ".teleclaude", home.path()}) {
      ::mkdir(path.c_str(), 0700);
      REQUIRE(::chown(path.c_str(), nobody, nobody) == 0);
    }
  }
};

const char* word_of(UserRun::Ending ending) {
  switch (ending) {
    case UserRun::Ending::exited: return "exited";
    case UserRun::Ending::killed: return "killed";
    case UserRun::Ending::no_answer: return "no answer";
    case UserRun::Ending::timed_out: return "timed out";
    case UserRun::Ending::not_started: return "not started";
    case UserRun::Ending::interrupted: return "interrupted";
  }
  return "?";
}

/// A run as nobody, whose talk nobody hears.
UserRun run_as_them(const Theirs& theirs, double limit, Stops& stops, const std::function<int()>& work) {
  return run_as(theirs.account, limit, stops.signals, work, [](std::string_view) {});
}

/// How a run as nobody ends, and what it says: "exited 0: dIt ran." The work leaves the file `ran` in the home.
std::string outcome(const Theirs& theirs, const std::vector<FailingCall>& calls) {
  Stops stops;  // taken apart out here: a sanitizer looks at what it is with some of the calls that fail in there
  return in_fork([&]() -> std::string {
    let_calls_fail(calls);
    const UserRun run = run_as_them(theirs, 30, stops, [] {
      const FileDescriptor mark = open_at(AT_FDCWD, "ran", O_WRONLY | O_CREAT, 0600);
      return write_all(1, "It ran.") ? 0 : 1;
    });
    return word_of(run.ending) + (" " + std::to_string(run.number)) + ": " + run.said + run.trouble;
  });
}

}  // namespace

TEST_CASE("a run as a user says that it is one, and what it did") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const Theirs theirs;
  CHECK(outcome(theirs, {}) == "exited 0: dIt ran.");
  CHECK(exists(theirs.home / "ran"));
}

TEST_CASE("where one step of becoming a user fails, or only seems to work, nothing is run") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  struct Row {
    const char* name;
    FailingCall call;  // with the error 0 it seems to work, and does nothing
    std::string outcome;
  };
  const std::string not_for_good = "exited 77: fdid not become uid 65534 for good";
  const std::string no_descriptors = "exited 74: fcannot set up the descriptors: ";
  const std::vector<Row> rows = {
      {"session", {SYS_setsid, EPERM}, "exited 74: fcannot start a session: Operation not permitted"},
      {"groups", {SYS_setgroups, EPERM}, "exited 74: fcannot take the groups of 'nobody': Operation not permitted"},
      {"group", {SYS_setresgid, EPERM}, "exited 74: fcannot take the group 65534: Operation not permitted"},
      {"user", {SYS_setresuid, EAGAIN}, "exited 74: fcannot become uid 65534: Resource temporarily unavailable"},
      {"group, not taken", {SYS_setresgid, 0}, not_for_good},
      {"user, not taken", {SYS_setresuid, 0}, not_for_good},
      {"root again", {SYS_setuid, 0}, not_for_good},
      {"user unknown", {SYS_getresuid, ENOSYS}, not_for_good},
      {"group unknown", {SYS_getresgid, ENOSYS}, not_for_good},
      {"death signal", {SYS_prctl, EINVAL, 0, PR_SET_PDEATHSIG}, "exited 74: "},
      {"another parent", {SYS_getppid, 1}, "exited 74: "},
      {"null device", {SYS_openat, EMFILE}, no_descriptors + "Too many open files"},
#ifdef SYS_dup2
      {"stdin", {SYS_dup2, EBUSY, 1, 0}, no_descriptors + "Device or resource busy"},
      {"stdout", {SYS_dup2, EBUSY, 1, 1}, no_descriptors + "Device or resource busy"},
      {"stderr", {SYS_dup2, EBUSY, 1, 2}, no_descriptors + "Device or resource busy"},
#endif
      {"home", {SYS_chdir, EIO}, "is not reachable: Input/output error"},
      {"home", {SYS_chdir, ENOTDIR}, "is not a directory"},
      {"data",
       {SYS_newfstatat, EIO, 3, AT_SYMLINK_NOFOLLOW},
       "exited 0: sits data is not reachable: Input/output error"},
      {"answer", {SYS_write, EIO, 0, 1}, "exited 74: "},
      {"pipe", {SYS_pipe2, EMFILE}, "not started 0: cannot make a pipe: Too many open files"},
      {"fork", {SYS_clone, EAGAIN}, "not started 0: cannot fork: Resource temporarily unavailable"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Theirs theirs;
    // A test has to say what came of it through a pipe of its own.
    const std::string said = outcome(theirs, {row.call});
    CAPTURE(said);
    CHECK(said.ends_with(row.outcome));
    CHECK_FALSE(exists(theirs.home / "ran"));
  }
}

TEST_CASE("a kernel without close_range(2) closes what is root's all the same") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const Theirs theirs;
  const std::string said = in_fork([&]() -> std::string {
    Stops stops;
    const FileDescriptor secret = open_at(AT_FDCWD, "/dev/null", O_RDONLY);
    ::fcntl(secret.get(), F_SETFD, 0);
    let_calls_fail({{SYS_close_range, ENOSYS}});
    const UserRun run =
        run_as_them(theirs, 30, stops, [&] { return ::fcntl(secret.get(), F_GETFD) == -1 && errno == EBADF ? 0 : 1; });
    return word_of(run.ending) + (" " + std::to_string(run.number));
  });
  CHECK(said == "exited 0");
}

TEST_CASE("more than is read from a user's run is cut, and a writer that outlives it holds nobody up") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const Theirs theirs;
  const std::string said = in_fork([&]() -> std::string {
    Stops stops;
    const UserRun run = run_as_them(theirs, 60, stops, [] {
      const std::string piece(std::size_t{1024} * 1024, 'x');
      if (::fork() == 0) {
        while (write_all(1, piece)) {
        }
        ::_exit(0);
      }
      for (std::size_t i = 0; i < 2 * UserRun::said_limit / piece.size(); ++i) {
        write_all(1, piece);
      }
      return 0;
    });
    return word_of(run.ending) + (" " + std::to_string(run.number)) + (run.said_too_much ? " too much " : " ") +
           std::to_string(run.said.size());
  });
  CHECK(said == "exited 0 too much " + std::to_string(UserRun::said_limit));
}

TEST_CASE("what a user's run says on stderr is heard to its end, and a writer that outlives it holds nobody up") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const Theirs theirs;
  const std::string said = in_fork([&]() -> std::string {
    Stops stops;
    std::string heard;
    const auto work = [](bool leaves_a_writer) {
      const std::string piece(std::size_t{1024} * 1024, 'x');
      write_all(2, piece + "end.");
      if (leaves_a_writer && ::fork() == 0) {
        while (write_all(2, piece)) {
        }
        ::_exit(0);
      }
      return 0;
    };
    const auto run = [&](bool leaves_a_writer) {
      const UserRun ended = run_as(
          theirs.account, 60, stops.signals, [&] { return work(leaves_a_writer); },
          [&](std::string_view talk) { heard.append(talk); });
      return word_of(ended.ending) + (" " + ended.said);
    };
    std::string result = run(false);
    result +=
        " " + std::to_string(heard.size()) + " " + heard.substr(heard.size() - std::min<std::size_t>(heard.size(), 4));
    return result + ", " + run(true);
  });
  CHECK(said == "exited d " + std::to_string(1024 * 1024 + 4) + " end., exited d");
}

TEST_CASE("only root can become others") {
  CHECK(as_nobody([] { return fault_of(require_root); }).starts_with("unsafe: --all-users and --user need root"));
}
