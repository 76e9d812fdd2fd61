// SPDX-License-Identifier: MIT
#include "system/leftovers.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "fixture.hpp"

using namespace telec;
using namespace telec_test;

namespace {

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

}  // namespace

TEST_CASE("where nothing is left, nothing is ended") {
  CHECK(in_fork([] {
          const Leftovers leftovers;
          run(child_spec({"exit", "0"}));
          const Leftovers::Ended left = leftovers.end();
          return left.ended + "|" + left.survivors;
        }) == "|");
}

TEST_CASE("a daemon with a session of its own is found, named and ended") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const Leftovers leftovers;
    run(child_spec({"daemonise", directory / "pid"}));
    const pid_t daemon = std::stoi(read_file(directory / "pid"));
    const bool was_alive = is_alive(daemon);
    const Leftovers::Ended left = leftovers.end();
    return yes_or_no(was_alive) + " " + yes_or_no(is_alive(daemon)) + " " +
           yes_or_no(left.ended == std::to_string(daemon) + " (system_child)") + " " + left.survivors;
  });
  CHECK(said == "yes no yes ");
}

TEST_CASE("everything that was left is ended, and the first ten are named") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const Leftovers leftovers;
    run(child_spec({"orphans", directory / "pids", "15"}));
    const Leftovers::Ended left = leftovers.end();
    std::istringstream pids(read_file(directory / "pids"));
    int alive = 0;
    int all = 0;
    for (pid_t pid = 0; pids >> pid; ++all) {
      alive += is_alive(pid) ? 1 : 0;
    }
    std::size_t named = 0;
    for (std::size_t at = left.ended.find('('); at != std::string::npos; at = left.ended.find('(', at + 1)) {
      ++named;
    }
    return std::to_string(all) + " " + std::to_string(alive) + " " + std::to_string(named) + " " +
           yes_or_no(left.ended.ends_with(", ...")) + " " + left.survivors;
  });
  CHECK(said == "15 0 10 yes ");
}

TEST_CASE("children that were there before are spared") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const Launched before = launch(child_spec({"sleep", directory / "started"}));
    eventually([&] { return exists(directory / "started"); });
    const Leftovers leftovers;
    run(child_spec({"daemonise", directory / "pid"}));
    const Leftovers::Ended left = leftovers.end();
    const bool spared = is_alive(before.pid);
    ::kill(before.pid, SIGKILL);
    ::waitpid(before.pid, nullptr, 0);
    return yes_or_no(spared) + " " + yes_or_no(is_alive(std::stoi(read_file(directory / "pid")))) + " " +
           left.survivors;
  });
  CHECK(said == "yes no ");
}

TEST_CASE("what has ended by itself is waited for, and is not worth a word") {
  const std::string said = in_fork([] {
    const Leftovers leftovers;
    run(child_spec({"zombies"}));
    const Leftovers::Ended left = leftovers.end();
    const bool none_left = ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
    return left.ended + "|" + left.survivors + "|" + yes_or_no(none_left);
  });
  CHECK(said == "||yes");
}

TEST_CASE("what its group's end took along before it was looked for is named all the same") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const Leftovers leftovers;
    const Launched left_behind = launch(child_spec({"sleep", directory / "started"}));
    eventually([&] { return exists(directory / "started"); });
    ::kill(left_behind.pid, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(left_behind.pid), &info, WEXITED | WNOWAIT);  // a zombie by now
    const Leftovers::Ended left = leftovers.end();
    return yes_or_no(left.ended.starts_with(std::to_string(left_behind.pid) + " (")) + left.survivors;
  });
  CHECK(said == "yes");
}

TEST_CASE("no zombie stays after leftovers were ended") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const Leftovers leftovers;
    run(child_spec({"orphans", directory / "pids", "5"}));
    run(child_spec({"daemonise", directory / "pid"}));
    static_cast<void>(leftovers.end());
    return yes_or_no(::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD);
  });
  CHECK(said == "yes");
}

TEST_CASE("the children of this process are listed, and only they") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&] {
    const bool none = children_of_this_process().empty();
    const Launched child = launch(child_spec({"sleep", directory / "started"}));
    const bool one = children_of_this_process() == std::vector<pid_t>{child.pid};
    ::kill(child.pid, SIGKILL);
    siginfo_t info = {};
    ::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOWAIT);
    const bool zombie_too = children_of_this_process() == std::vector<pid_t>{child.pid};
    ::waitpid(child.pid, nullptr, 0);
    return yes_or_no(none) + " " + yes_or_no(one) + " " + yes_or_no(zombie_too) + " " +
           yes_or_no(children_of_this_process().empty());
  });
  CHECK(said == "yes yes yes yes");
}
