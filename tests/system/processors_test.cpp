// SPDX-License-Identifier: MIT
#include "system/processors.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/process_stat.hpp"

using namespace telec;
using namespace telec_test;

namespace {

/// The processors this process may use: "0 1".
std::string processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return "?";
  }
  std::string text;
  for (int number = 0; number < CPU_SETSIZE; ++number) {
    if (CPU_ISSET(number, &set)) {
      text += (text.empty() ? "" : " ") + std::to_string(number);
    }
  }
  return text;
}

/// Of those that this process may use, the first and the second; fewer where there are fewer.
std::vector<int> two_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<int> numbers;
  for (int number = 0; number < CPU_SETSIZE && numbers.size() < 2; ++number) {
    if (CPU_ISSET(number, &set)) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

/// Then there is no other to go to.
bool one_processor() { return two_processors().size() < 2; }

void allow_only(const std::vector<int>& numbers) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int number : numbers) {
    CPU_SET(number, &set);
  }
  ::sched_setaffinity(0, sizeof set, &set);
}

/// A child that does nothing but work on one processor, or sleep; it has begun when this exists, and ends with it.
class Child {
 public:
  Child(int processor, bool works) {
    const pid_t parent = ::getpid();
    pid = ::fork();
    if (pid == 0) {
      allow_only({processor});
      while (::getppid() == parent) {
        if (!works) {
          ::poll(nullptr, 0, 60'000);
        }
      }
      ::_exit(0);
    }
    eventually([&] {
      const ProcessStat stat = process_stat(pid);
      return stat.state == (works ? 'R' : 'S') && stat.processor == processor;
    });
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  pid_t pid = -1;
};

}  // namespace

TEST_CASE("the runner stays off the processor of a process that works, and may use it again afterwards" *
          doctest::skip(one_processor())) {
  const std::vector<int> two = two_processors();
  CHECK(in_fork([&] {
          allow_only(two);
          const Child child(two[0], true);
          std::string said;
          {
            const KeepOff aside({child.pid});
            said = processors();
          }
          return said + "; " + processors();
        }) == std::to_string(two[1]) + "; " + std::to_string(two[0]) + " " + std::to_string(two[1]));
}

TEST_CASE("where a process works on each of them, it stays off that of the last" * doctest::skip(one_processor())) {
  const std::vector<int> two = two_processors();
  CHECK(in_fork([&] {
          allow_only(two);
          const Child first(two[0], true);
          const Child second(two[1], true);
          const KeepOff aside({first.pid, second.pid});
          return processors();
        }) == std::to_string(two[0]));
}

TEST_CASE("nothing changes for one that sleeps, for one that is gone, for none, and where there is one processor") {
  const std::vector<int> two = two_processors();
  const std::string all = processors();
  CHECK(in_fork([&] {
          const Child child(two[0], false);
          const KeepOff aside({child.pid});
          return processors();
        }) == all);
  CHECK(in_fork([&] {
          const pid_t gone = ::fork();
          if (gone == 0) {
            ::_exit(0);
          }
          ::waitpid(gone, nullptr, 0);
          const KeepOff aside({gone});
          return processors();
        }) == all);
  CHECK(in_fork([&] {
          const KeepOff aside({});
          return processors();
        }) == all);
  CHECK(in_fork([&] {
          allow_only({two[0]});
          const Child child(two[0], true);
          const KeepOff aside({child.pid});
          return processors();
        }) == std::to_string(two[0]));
}

TEST_CASE("what the kernel tells of a process: its state, its parent and its processor") {
  const int processor = two_processors()[0];
  const Child child(processor, false);
  const ProcessStat stat = process_stat(child.pid);
  CHECK(stat.state == 'S');
  CHECK(stat.parent == ::getpid());
  CHECK(stat.processor == processor);
  const ProcessStat none = process_stat(-1);
  CHECK(none.state == '?');
  CHECK(none.parent == 0);
  CHECK(none.processor == -1);
}
