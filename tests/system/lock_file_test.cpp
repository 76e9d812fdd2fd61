// SPDX-License-Identifier: MIT
#include "system/lock_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/calls.hpp"
#include "text.hpp"

using namespace telec;
using namespace telec_test;

namespace {

const std::string name = "state.lock";

/// A directory to lock in.
struct Place {
  TemporaryDirectory directory;
  FileDescriptor fd = open_directory(directory.path());
  Stops stops;
  std::vector<std::string> told;
  std::function<void()> when_told = [] {};

  [[nodiscard]] std::string path() const { return directory / name; }
  LockFile lock(double timeout = 0) {
    return {fd.get(), name, path(), timeout, stops.signals, [this](const std::string& text) {
              told.push_back(text);
              when_told();
            }};
  }
  /// "free", or the Error of trying.
  std::string attempt(double timeout = 0) {
    return fault_of([&] { lock(timeout); });
  }
};

/// A process that holds the lock until it is killed.
class Holder {
 public:
  explicit Holder(Place& place) {
    pid_ = ::fork();
    if (pid_ == 0) {
      LockFile lock = place.lock(5);
      lock.announce("1.1.0/001_a.py");
      write_file(place.directory / "held", "");
      while (true) {
        ::pause();
      }
    }
    REQUIRE(eventually([&] { return exists(place.directory / "held"); }));
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }
  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("the lock file is created with mode 0600 and kept") {
  Place place;
  { const LockFile lock = place.lock(); }
  CHECK(mode_of(place.path()) == 0600);
  CHECK(place.attempt() == "no error");
}

TEST_CASE("a lock that another process holds is not had, and its holder is named") {
  Place place;
  Holder holder(place);
  const auto error = error_of([&] { place.lock(0); });
  REQUIRE(error.has_value());
  CHECK(error->code == ErrorCode::locked);
  CHECK(error->message.starts_with("the lock '" + place.path() + "' is held by process " +
                                   std::to_string(holder.pid()) + ", started 20"));
  CHECK(error->message.ends_with("Z, running 1.1.0/001_a.py"));
  CHECK(error->hint.find("there is nothing to delete") != std::string::npos);
}

TEST_CASE("what the holder runs is refused at once, however long it would wait") {
  Place place;
  LockFile lock = place.lock();
  lock.announce("1.1.0/001_a.py");
  const auto in_grandchild = [&](double timeout) {
    return in_fork([&] { return in_fork([&] { return place.attempt(timeout); }); });
  };
  const std::string refused = in_grandchild(3600);
  CHECK(
      refused.starts_with("locked: the lock '" + place.path() + "' is held by process " + std::to_string(::getpid())));
  CHECK(refused.ends_with(", running 1.1.0/001_a.py, which is what runs this"));
  CHECK(in_grandchild(0) == refused);
}

TEST_CASE("where a process of that number runs something else, the holder is in another container") {
  Place place;
  Holder holder(place);
  // Above every process there is the first one, as in the container where it is telec itself.
  write_file(place.path(), "1\n2026-01-01T00:00:00Z\n1.1.0/001_a.py\n");
  CHECK(place.attempt().find("which is what runs this") == std::string::npos);
}

TEST_CASE("where the kernel does not say who runs what, the environment does") {
  Place place;
  Holder holder(place);
  const auto attempt_as = [&](const char* id) {
    return in_fork([&] {
      ::setenv("TELEC_MIGRATION_ID", id, 1);
      let_calls_fail({{SYS_openat, ENOENT, 2, O_RDONLY | O_CLOEXEC | O_NOCTTY}});
      return place.attempt(0.05);
    });
  };
  CHECK(attempt_as("1.1.0/001_a.py").ends_with(", which is what runs this"));
  CHECK(attempt_as("1.1.0/002_b.py").ends_with(", running 1.1.0/001_a.py"));
}

TEST_CASE("the longest wait that can be asked for looks again, too") {
  Place place;
  Holder holder(place);
  CHECK(in_fork([&] {
          ::alarm(60);  // for one that waits for ever
          place.when_told = [&] { ::kill(holder.pid(), SIGKILL); };
          constexpr double thirty_days = 30.0 * 24 * 3600;
          return place.attempt(thirty_days);
        }) == "no error");
}

TEST_CASE("a lock is free as soon as its holder is killed, and nothing has to be deleted") {
  Place place;
  Holder holder(place);
  CHECK(place.attempt() != "no error");
  holder.kill();
  CHECK(place.attempt() == "no error");
}

TEST_CASE("a process that inherited the lock holds it after the holder is gone, and the message says so") {
  Place place;
  const std::string pid_file = place.directory / "inheritor";
  const pid_t holder = ::fork();
  if (holder == 0) {
    const LockFile lock = place.lock(5);
    if (::fork() == 0) {
      write_file(pid_file + ".tmp", std::to_string(::getpid()));
      ::rename((pid_file + ".tmp").c_str(), pid_file.c_str());
      ::sleep(120);
      ::_exit(0);
    }
    ::_exit(0);
  }
  ::waitpid(holder, nullptr, 0);
  REQUIRE(eventually([&] { return exists(pid_file); }));
  const pid_t inheritor = std::stoi(read_file(pid_file));
  CHECK(place.attempt().find("(it is gone; a process that it started still holds the lock)") != std::string::npos);
  ::kill(inheritor, SIGKILL);
  CHECK(eventually([&] { return place.attempt() == "no error"; }));
}

TEST_CASE("waiting ends when the time is up, and not before") {
  Place place;
  const Holder holder(place);
  const double began = monotonic_seconds();
  CHECK(place.attempt(0.3).starts_with("locked: "));
  CHECK(monotonic_seconds() - began >= 0.29);
}

TEST_CASE("whoever waits longer than a second is told once who is waited for") {
  Place place;
  Holder holder(place);
  const std::string holder_pid = std::to_string(holder.pid());
  CHECK(place.attempt(0.2).starts_with("locked: "));
  CHECK(place.told.empty());
  place.when_told = [&] { holder.kill(); };
  CHECK(place.attempt(60) == "no error");
  REQUIRE(place.told.size() == 1);
  CHECK(place.told[0].starts_with("waiting for the lock, held by process " + holder_pid));
}

TEST_CASE("a lock that was let go of names nobody any more") {
  Place place;
  { const LockFile lock = place.lock(); }
  CHECK(read_file(place.path()).empty());
}

TEST_CASE("a lock that becomes free while somebody waits is had") {
  Place place;
  Holder holder(place);
  const std::string said = in_fork([&]() -> std::string {
    ::alarm(60);
    if (::fork() == 0) {
      ::usleep(100000);
      ::kill(holder.pid(), SIGKILL);
      ::_exit(0);
    }
    return place.attempt(50);
  });
  CHECK(said == "no error");
}

TEST_CASE("a stop signal ends the wait at once") {
  Place place;
  const Holder holder(place);
  const std::string said = in_fork([&]() -> std::string {
    const pid_t self = ::getpid();
    if (::fork() == 0) {
      ::usleep(50000);
      ::kill(self, SIGTERM);
      ::_exit(0);
    }
    const auto error = error_of([&] { place.lock(50); });
    return error ? std::string(word_of(error->code)) + " " + std::to_string(error->signal) + " " + error->message
                 : "no error";
  });
  CHECK(said.starts_with("interrupted 15 stopped by SIGTERM while waiting for the lock"));
  CHECK(said.find("held by process " + std::to_string(holder.pid())) != std::string::npos);
}

TEST_CASE("what is written inside is the pid, when it started and what runs, and nothing of a longer text before") {
  Place place;
  write_file(place.path(), std::string(3000, 'x'));
  LockFile lock = place.lock();
  auto text = read_file(place.path());
  CHECK(lines_of(text).size() == 3);
  CHECK(std::string(lines_of(text)[0]) == std::to_string(::getpid()));
  CHECK(lines_of(text)[2].empty());
  lock.announce("1.1.0/001_a_long_name.py");
  lock.announce("1.1.0/002_b.py");
  text = read_file(place.path());
  CHECK(std::string(lines_of(text)[2]) == "1.1.0/002_b.py");
  CHECK(lines_of(text).size() == 3);
}

TEST_CASE("what somebody else wrote into the file cannot steer a terminal") {
  Place place;
  const FileDescriptor other = open_at(place.fd.get(), name.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(in_fork([&]() -> std::string {
            const LockFile lock = place.lock();
            const std::string evil = "1\n\x1b[2J\n\x1b[31m\n";
            if (::ftruncate(other.get(), 0) != 0 || ::pwrite(other.get(), evil.data(), evil.size(), 0) < 0) {
              return "\x1b: the lock could not be written";
            }
            return place.attempt();
          }).find('\x1b') == std::string::npos);
  const std::string rubbish = in_fork([&]() -> std::string {
    const LockFile lock = place.lock();
    return ::ftruncate(other.get(), 0) == 0 ? place.attempt() : "the lock could not be emptied";
  });
  CHECK(rubbish == "locked: the lock '" + place.path() + "' is held by another run");
}

TEST_CASE("a lock that was removed or replaced under its holder is noticed") {
  Place place;
  const LockFile lock = place.lock();
  CHECK(fault_of([&] { lock.confirm(); }) == "no error");
  REQUIRE(::unlink(place.path().c_str()) == 0);
  CHECK(fault_of([&] { lock.confirm(); }) ==
        "io: the lock '" + place.path() + "' was removed or replaced while the migration ran");
  write_file(place.path(), "");
  CHECK(fault_of([&] { lock.confirm(); }).starts_with("io: "));
}

TEST_CASE("a lock file that is replaced while somebody waits is opened anew") {
  Place place;
  Holder holder(place);
  const std::string said = in_fork([&]() -> std::string {
    if (::fork() == 0) {
      ::usleep(100000);
      ::unlink(place.path().c_str());
      write_file(place.path(), "");
      ::usleep(100000);
      ::kill(holder.pid(), SIGKILL);
      ::_exit(0);
    }
    const LockFile lock = place.lock(50);
    lock.confirm();
    return "the one that is there";
  });
  CHECK(said == "the one that is there");
}

TEST_CASE("a symbolic link, a FIFO and a directory in the lock's place are refused, and nothing is followed") {
  Place place;
  REQUIRE(::symlink((place.directory / "target").c_str(), place.path().c_str()) == 0);
  CHECK(place.attempt() == "unsafe: the lock '" + place.path() + "' is a symbolic link");
  CHECK_FALSE(exists(place.directory / "target"));
  ::unlink(place.path().c_str());
  REQUIRE(::mkfifo(place.path().c_str(), 0600) == 0);
  CHECK(place.attempt() == "unsafe: the lock '" + place.path() + "' is not a regular file");
  ::unlink(place.path().c_str());
  REQUIRE(::mkdir(place.path().c_str(), 0700) == 0);
  CHECK(place.attempt() == "unsafe: the lock '" + place.path() + "' is a directory");
}

TEST_CASE("a lock that cannot be opened is an error with its path") {
  Place place;
  // A directory that is gone while it is open: nothing can be created in it, not even by root.
  const std::string inside = place.directory / "inside";
  REQUIRE(::mkdir(inside.c_str(), 0700) == 0);
  const FileDescriptor gone = open_directory(inside);
  REQUIRE(::rmdir(inside.c_str()) == 0);
  CHECK(fault_of([&] {
          const LockFile lock(gone.get(), name, inside + "/" + name, 0, place.stops.signals, [](const std::string&) {});
        }) == "io: cannot open the lock '" + inside + "/" + name + "': No such file or directory");
}
