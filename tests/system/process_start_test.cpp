// SPDX-License-Identifier: MIT
// prepare_process() is called by the fixture child, which is executed here with what a careless parent may leave it.
#include "system/process_start.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fixture.hpp"

using namespace telec_test;

namespace {

/// Executes the child in `mode` after `careless` has run in the new process, and reads its report.
std::map<std::string, std::string> start(const std::string& mode, const std::function<void()>& careless) {
  const TemporaryDirectory directory;
  const std::string program = child_program();
  const std::string path = directory / "report";
  const pid_t pid = ::fork();
  if (pid == 0) {
    careless();
    ::execl(program.c_str(), program.c_str(), mode.c_str(), path.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(status == 0);
  return read_report(path);
}

}  // namespace

TEST_CASE("closed descriptors 0 to 2 are opened on /dev/null for reading, each and all") {
  for (unsigned closed = 0; closed < 8; ++closed) {
    CAPTURE(closed);
    auto report = start("prepared", [&] {
      for (int fd = 0; fd < 3; ++fd) {
        const int file = ::open("/dev/zero", O_RDWR | O_CLOEXEC);
        ::dup2(file, fd);
        if (file != fd) {
          ::close(file);
        }
      }
      for (int fd = 0; fd < 3; ++fd) {
        if ((closed >> static_cast<unsigned>(fd) & 1U) != 0) {
          ::close(fd);
        }
      }
    });
    for (int fd = 0; fd < 3; ++fd) {
      CAPTURE(fd);
      const bool was_closed = (closed >> static_cast<unsigned>(fd) & 1U) != 0;
      CHECK(report["fd" + std::to_string(fd)] == (was_closed ? "/dev/null" : "/dev/zero"));
      CHECK(report["mode" + std::to_string(fd)] == (was_closed ? "read" : "both"));
    }
  }
}

TEST_CASE("signals that a parent blocked or ignored do not stay so, but for those that are ours to ignore") {
  const auto careless = [] {
    ::signal(SIGCHLD, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
  };
  CHECK_FALSE(start("report", careless)["blocked"].empty());
  auto report = start("prepared", careless);
  CHECK(report["blocked"].empty());
  CHECK(report["ignored"] == std::to_string(SIGPIPE) + " " + std::to_string(SIGXFSZ));
}

TEST_CASE("stop signals that a parent ignores stay ignored, as nohup wants") {
  auto report = start("prepared", [] {
    ::signal(SIGHUP, SIG_IGN);
    ::signal(SIGINT, SIG_IGN);
  });
  CHECK(report["ignored"] == "1 2 13 25");
}

TEST_CASE("whatever the umask was, files are private afterwards") {
  for (const mode_t mask : {mode_t{0}, mode_t{0777}, mode_t{022}}) {
    auto report = start("prepared", [&] { ::umask(mask); });
    CHECK(report["umask"] == std::to_string(077));
    CHECK(report["callers umask"] == std::to_string(mask & 077U));
  }
}
