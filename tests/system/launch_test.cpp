// SPDX-License-Identifier: MIT
#include "system/launch.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/calls.hpp"

using namespace telec;
using namespace telec_test;

namespace {

FileDescriptor create(const std::string& path) { return open_at(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600); }

/// The child's report when it is launched with these descriptors.
std::map<std::string, std::string> report_with(const std::string& path, const std::vector<int>& descriptors) {
  LaunchSpec spec = child_spec({"report", path});
  spec.descriptors = descriptors;
  if (run(spec) != 0) {
    return {};
  }
  return read_report(path);
}

std::string text_of(const std::map<std::string, std::string>& report, const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) {
    const auto found = report.find(key);
    text += (found == report.end() ? "(absent)" : found->second) + "|";
  }
  return text.substr(0, text.size() - 1);
}

/// Launches a program whose exec cannot come to an end within `limit` seconds, and says how that failed, or
/// "launched"; then what it left behind. Another open of a file with a write lease has to wait until the lease is
/// given up or the kernel takes it away, after 45 seconds (fcntl(2)).
std::string launch_held_up(
    double limit, const std::function<void()>& before = [] {}) {
  const TemporaryDirectory directory;
  return in_fork([&]() -> std::string {
    ::signal(SIGIO, SIG_IGN);  // tells the holder that somebody waits
    LaunchSpec spec = child_spec({"exit", "0"});
    spec.file = directory / "program";
    spec.limit = limit;
    std::filesystem::copy_file(child_program(), spec.file);
    const FileDescriptor lease = open_at(AT_FDCWD, spec.file.c_str(), O_RDONLY);
    if (::fcntl(lease.get(), F_SETLEASE, F_WRLCK) != 0) {
      return "no lease: " + errno_text(errno);
    }
    before();
    const Launched child = launch(spec);
    const std::string end = child.failed_step.empty() ? "launched" : child.failed_step + ": " + child.reason;
    return end + (::waitpid(-1, nullptr, WNOHANG) == -1 ? "" : ", and a child is left");
  });
}

/// Stops the next child that this process has, from a process that is no child of it.
void stop_next_child() {
  const pid_t parent = ::getpid();
  // Forked twice: a child of this process would be taken for one that the launch left.
  const pid_t between = ::fork();
  if (between != 0) {
    ::waitpid(between, nullptr, 0);
    return;
  }
  const pid_t not_this = ::getpid();
  if (::fork() == 0) {
    const std::string children = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children";
    eventually([&] {
      const std::string pids = read_file(children);
      const pid_t pid = std::atoi(pids.c_str());
      return pids == "(absent)" || (pid > 0 && pid != not_this && ::kill(pid, SIGSTOP) == 0);
    });
  }
  ::_exit(0);
}

}  // namespace

TEST_CASE("a child's exit status and its signal reach the parent") {
  CHECK(WEXITSTATUS(run(child_spec({"exit", "7"}))) == 7);
  CHECK(WIFEXITED(run(child_spec({"exit", "0"}))));
  const int killed = run(child_spec({"kill", "15"}));
  CHECK(WIFSIGNALED(killed));
  CHECK(WTERMSIG(killed) == 15);
}

TEST_CASE("a child has exactly the descriptors that it was given") {
  const TemporaryDirectory directory;
  // Inheritable on purpose: whatever a careless parent left open must not reach the child.
  const FileDescriptor inheritable(::open((directory / "inherited").c_str(), O_RDWR | O_CREAT, 0600));
  const FileDescriptor high(::fcntl(inheritable.get(), F_DUPFD, 300));
  REQUIRE(high.is_open());
  const FileDescriptor a = create(directory / "a");
  const FileDescriptor b = create(directory / "b");
  const auto report = report_with(directory / "report", {a.get(), b.get(), b.get(), a.get(), high.get()});
  CHECK(text_of(report, {"fds", "fd0", "fd1", "fd2", "fd3", "fd4"}) ==
        "0 1 2 3 4|" + directory.path() + "/a|" + directory.path() + "/b|" + directory.path() + "/b|" +
            directory.path() + "/a|" + directory.path() + "/inherited");
}

TEST_CASE("sources may be each other's targets") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    for (int fd = 0; fd < 5; ++fd) {
      FileDescriptor file = create(directory / ("file" + std::to_string(fd)));
      ::dup2(file.get(), fd);
      if (file.get() == fd) {
        file.release();
      }
    }
    return text_of(report_with(directory / "report", {1, 2, 0, 4, 3}), {"fds", "fd0", "fd1", "fd2", "fd3", "fd4"});
  });
  const std::string file = directory.path() + "/file";
  CHECK(said == "0 1 2 3 4|" + file + "1|" + file + "2|" + file + "0|" + file + "4|" + file + "3");
}

TEST_CASE("descriptors 0 to 2 of the parent may be closed, each and all") {
  for (unsigned closed = 0; closed < 8; ++closed) {
    CAPTURE(closed);
    const TemporaryDirectory directory;
    const std::string said = in_fork([&] {
      for (int fd = 0; fd < 3; ++fd) {
        if ((closed >> static_cast<unsigned>(fd) & 1U) != 0) {
          ::close(fd);
        }
      }
      // These take the free numbers, and so does the launcher's own pipe.
      const FileDescriptor a = create(directory / "a");
      const FileDescriptor b = create(directory / "b");
      return text_of(report_with(directory / "report", {a.get(), b.get(), a.get()}), {"fds", "fd0", "fd1", "fd2"});
    });
    CHECK(said == "0 1 2|" + directory.path() + "/a|" + directory.path() + "/b|" + directory.path() + "/a");
  }
}

TEST_CASE("all sources on the lowest numbers, with no room below them, still arrive") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    for (int fd = 0; fd < 3; ++fd) {
      ::close(fd);
    }
    return text_of(report_with(directory / "report", {}), {"fds"});
  });
  CHECK(said.empty());
}

TEST_CASE("a child leads a session and a group of its own, without a terminal") {
  const TemporaryDirectory directory;
  REQUIRE(run(child_spec({"report", directory / "report"})) == 0);
  auto report = read_report(directory / "report");
  CHECK(report["session"] == report["pid"]);
  CHECK(report["group"] == report["pid"]);
  CHECK(report["terminal"] == "no");
  CHECK(report["ppid"] == std::to_string(::getpid()));
}

TEST_CASE("a child has default dispositions and an empty mask, whatever the parent has") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&]() -> std::string {
    for (int signal = 1; signal < NSIG; ++signal) {
      ::signal(signal, signal == SIGCHLD ? SIG_DFL : SIG_IGN);
    }
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    const auto report = report_with(directory / "report", {});
    sigset_t after;
    ::sigprocmask(SIG_SETMASK, nullptr, &after);
    return text_of(report, {"ignored", "blocked"}) +
           (::sigismember(&after, SIGTERM) == 1 ? "|still blocked here" : "|lost");
  });
  CHECK(said == "||still blocked here");
}

TEST_CASE("a child gets SIGKILL when its parent dies") {
  const TemporaryDirectory directory;
  REQUIRE(run(child_spec({"report", directory / "report"})) == 0);
  CHECK(read_report(directory / "report")["death signal"] == "9");
}

TEST_CASE("the child of a process that is killed dies with it") {
  const TemporaryDirectory directory;
  const std::string pid_file = directory / "pid";
  const pid_t between = ::fork();
  if (between == 0) {
    const Launched child = launch(child_spec({"sleep", pid_file}));
    static_cast<void>(child);
    ::pause();
    ::_exit(0);
  }
  REQUIRE(eventually([&] { return exists(pid_file); }));
  const pid_t child = std::stoi(read_file(pid_file));
  CHECK(is_alive(child));
  ::kill(between, SIGKILL);
  ::waitpid(between, nullptr, 0);
  CHECK(eventually([&] { return !is_alive(child); }));
}

TEST_CASE("a child has the arguments, the environment and the directory that it was given, and nothing else") {
  const TemporaryDirectory directory;
  LaunchSpec spec = child_spec({"report", directory / "report", "two words", "", "\xff*$HOME"});
  spec.directory = directory.path();
  spec.environment.insert(spec.environment.begin(), {"A=1", "B=", "C=x y"});
  REQUIRE(run(spec) == 0);
  auto report = read_report(directory / "report");
  CHECK(report["directory"] == directory.path());
  CHECK(text_of(report, {"argument0", "argument3", "argument4", "argument5", "argument6"}) ==
        child_program() + "|two words||\xff*$HOME|(absent)");
  CHECK(text_of(report, {"variable0", "variable1", "variable2"}) == "A=1|B=|C=x y");
  CHECK(report.count("variable" + std::to_string(spec.environment.size())) == 0);
}

TEST_CASE("each step before the program that fails is named, and leaves no zombie") {
  struct Row {
    FailingCall call;
    std::string failure;
  };
  for (const Row& row : std::vector<Row>{
           {{SYS_pipe2, EMFILE}, "cannot make a pipe for: Too many open files"},
           {{SYS_clone, EAGAIN}, "cannot fork for: Resource temporarily unavailable"},
           {{SYS_setsid, EPERM}, "cannot start a session for: Operation not permitted"},
           {{SYS_prctl, EINVAL, 0, PR_SET_PDEATHSIG}, "cannot set the death signal of: Invalid argument"},
           {{SYS_fcntl, EMFILE, 1, F_DUPFD_CLOEXEC}, "cannot set up the descriptors of: Too many open files"},
#ifdef SYS_dup2
           {{SYS_dup2, EBUSY, 1, 1}, "cannot set up the descriptors of: Device or resource busy"},
#endif
           {{SYS_chdir, EIO}, "cannot enter the directory '/' for: Input/output error"}}) {
    CAPTURE(row.failure);
    const std::string said = in_fork([&] {
      const LaunchSpec spec = child_spec({"exit", "0"});
      let_calls_fail({row.call});
      std::string failure;
      run(spec, &failure);
      return failure + (::waitpid(-1, nullptr, WNOHANG) == -1 ? "" : ", and a child is left");
    });
    CHECK(said == row.failure);
  }
}

TEST_CASE("a child whose parent died before it could ask for a death signal ends before it runs anything") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const LaunchSpec spec = child_spec({"report", directory / "report"});
    let_calls_fail({{SYS_getppid, 0}});  // 0 is nobody's parent
    return std::to_string(run(spec) >> 8U);
  });
  CHECK(said == "127");
  CHECK_FALSE(exists(directory / "report"));
}

TEST_CASE("a kernel without clone3(2) is served by fork(2)") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const FileDescriptor file = create(directory / "file");
    let_calls_fail({{SYS_clone3, ENOSYS}});
    return text_of(report_with(directory / "report", {file.get()}), {"fds", "fd0"});
  });
  CHECK(said == "0|" + directory.path() + "/file");
}

TEST_CASE("a kernel without close_range(2) leaves the child nothing else open, whatever the limit") {
  for (const rlim_t most : {rlim_t{512}, rlim_t{70000}}) {
    CAPTURE(most);
    const TemporaryDirectory directory;
    const std::string said = in_fork([&]() -> std::string {
      rlimit limit = {};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      limit.rlim_cur = std::min(most, limit.rlim_max);
      ::setrlimit(RLIMIT_NOFILE, &limit);
      const FileDescriptor inheritable(::open("/dev/null", O_RDONLY));
      const FileDescriptor high(::fcntl(inheritable.get(), F_DUPFD, 300));
      const FileDescriptor null = create("/dev/null");
      let_calls_fail({{SYS_close_range, ENOSYS}});
      return high.is_open() ? text_of(report_with(directory / "report", {null.get(), null.get()}), {"fds"}) : "too few";
    });
    CHECK(said == "0 1");
  }
}

TEST_CASE("what cannot be executed is named with its reason, and leaves no zombie") {
  const TemporaryDirectory directory;
  write_file(directory / "text", "no program\n", 0700);
  write_file(directory / "locked", "#!/bin/sh\n", 0600);
  write_file(directory / "orphan", "#!/nonexistent/sh\n", 0700);
  struct Row {
    std::string file;
    std::string reason;
  };
  for (const Row& row : std::vector<Row>{{directory / "absent", "No such file or directory"},
                                         {directory / "text", "Exec format error"},
                                         {directory / "orphan",
                                          "No such file or directory (it is there: the interpreter that it names is "
                                          "missing)"},
                                         {directory / "locked", "Permission denied"},
                                         {directory.path(), "Permission denied"},
                                         {directory / "text/x", "Not a directory"}}) {
    CAPTURE(row.file);
    LaunchSpec spec = child_spec({});
    spec.file = row.file;
    std::string failure;
    CHECK(run(spec, &failure) == -1);
    CHECK(failure == "cannot execute: " + row.reason);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
  }
}

TEST_CASE("a directory that cannot be entered is named with its reason, and leaves no zombie") {
  const TemporaryDirectory directory;
  write_file(directory / "file", "");
  LaunchSpec spec = child_spec({"exit", "0"});
  std::string failure;
  spec.directory = directory / "absent";
  run(spec, &failure);
  CHECK(failure == "cannot enter the directory '" + directory.path() + "/absent' for: No such file or directory");
  spec.directory = directory / "file";
  run(spec, &failure);
  CHECK(failure == "cannot enter the directory '" + directory.path() + "/file' for: Not a directory");
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("an exec that hangs is ended when its time is up, and leaves no process") {
  const double began = monotonic_seconds();
  CHECK(launch_held_up(0.1) == "execute: not done after 0.100 s");
  CHECK(monotonic_seconds() - began < 20);
}

TEST_CASE("a child that is stopped before its exec is ended when its time is up, and the reason says so") {
  std::string said;
  // The longer limits are for a machine on which the child is not seen soon enough.
  for (const double limit : {0.2, 0.8, 3.2, 12.8}) {
    said = launch_held_up(limit, stop_next_child);
    if (said.find("stopped") != std::string::npos) {
      break;
    }
  }
  CHECK(said.starts_with("execute: not done after "));
  CHECK(said.ends_with(" s, the new process was stopped (SIGSTOP)"));
}

TEST_CASE("a descriptor that is not open is a failed step") {
  LaunchSpec spec = child_spec({"exit", "0"});
  spec.descriptors = {999};
  std::string failure;
  run(spec, &failure);
  CHECK(failure == "cannot set up the descriptors of: Bad file descriptor");
}

TEST_CASE("a failed launch runs no exit handler and prints nothing twice") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&]() -> std::string {
    static std::string path;
    path = directory / "handler";
    std::atexit([] { write_file(path + "." + std::to_string(::getpid()), "ran"); });
    LaunchSpec spec = child_spec({});
    spec.file = "/nowhere";
    run(spec);
    return std::to_string(directory.names().size());
  });
  CHECK(said == "0");
}

TEST_CASE("a launched child has a handle that becomes readable when it ends") {
  Launched child = launch(child_spec({"exit", "3"}));
  REQUIRE(child.failed_step.empty());
  if (child.pidfd.is_open()) {
    CHECK((::fcntl(child.pidfd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    siginfo_t info = {};
    CHECK(::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_status == 3);
  }
  CHECK(::waitpid(child.pid, nullptr, 0) == child.pid);
}

TEST_CASE("a launch leaves no descriptor behind in the parent") {
  const auto count = [] {
    int open = 0;
    for (int fd = 0; fd < 256; ++fd) {
      open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return open;
  };
  run(child_spec({"exit", "0"}));
  const int before = count();
  for (int i = 0; i < 5; ++i) {
    run(child_spec({"exit", "0"}));
    LaunchSpec spec = child_spec({});
    spec.file = "/nowhere";
    run(spec);
  }
  CHECK(count() == before);
}

TEST_CASE("a pipe between parent and child carries bytes and ends with the child") {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
  LaunchSpec spec = child_spec({"read"});
  spec.descriptors = {in[0], out[1], out[1]};
  const Launched child = launch(spec);
  REQUIRE(child.failed_step.empty());
  ::close(in[0]);
  ::close(out[1]);
  CHECK(write_all(in[1], "hello"));
  ::close(in[1]);
  std::string text;
  CHECK(read_all(out[0], text, 100));
  CHECK(text == "hello");
  ::close(out[0]);
  ::waitpid(child.pid, nullptr, 0);
}

TEST_CASE("a small limit of open files does not stop a launch") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const rlimit limit = {32, 32};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::string failure;
    run(child_spec({"exit", "0"}), &failure);
    return failure;
  });
  CHECK(said.empty());
}
