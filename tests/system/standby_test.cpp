// SPDX-License-Identifier: MIT
#include "system/standby.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <string>
#include <vector>

#include "doctest_main.hpp"
#include "fixture.hpp"
#include "system/fingerprint.hpp"

using namespace telec;
using namespace telec_test;

namespace {

const std::string python = "/usr/bin/python3";
const std::string nonce = "0123456789abcdef";
const std::string source = "def check():\n    return True\n";

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

/// Its modification is still to come: nothing that changes it could be told by its time stamp.
void modify_in_the_future(const std::string& path) {
  timespec time = now();
  time.tv_sec += 3600;
  const timespec both[] = {time, time};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), both, 0) == 0);
}

void modify_long_ago(const std::string& path) {
  const timespec both[] = {{1'000'000'000, 1}, {1'000'000'000, 1}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), both, 0) == 0);
  ::usleep(100'000);  // the change itself was just now: as long as it takes to be told from the next, and more
}

/// A home and a directory of a python's path in it.
struct Place {
  TemporaryDirectory directory;
  TemporaryDirectory home;
  Stops stops;
  FileDescriptor lock{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  PythonOptions options{python, home.path(), {"HOME=" + home.path()}, 600, false};
  Migration migration{"1.0.0", "001_a.py"};
  Standby standby{options, lock.get(), stops.signals.descriptor()};

  void learn(const std::string& path) {
    standby.learn(R"({"nonce": ")" + nonce + R"(", "event": "hello", "paths": [")" + path + "\"]}\n", nonce);
  }
  bool start() {
    standby.start(migration, directory / "001_a.py", source, "digest");
    return standby.pid() > 0;
  }
};

Fingerprint::Facts changed_at(std::time_t seconds, long nanoseconds) {
  Fingerprint::Facts facts;
  facts.exists = true;
  facts.changed = {seconds, nanoseconds};
  facts.modified = {seconds - 10, 0};
  return facts;
}

}  // namespace

TEST_CASE("what changed a while before cannot be mistaken for a later change") {
  CHECK(Fingerprint::stood_still(changed_at(1000, 500'000'000), {1000, 600'000'000}));
  CHECK_FALSE(Fingerprint::stood_still(changed_at(1000, 500'000'000), {1000, 540'000'000}));
  CHECK_FALSE(Fingerprint::stood_still(changed_at(1000, 500'000'000), {1000, 400'000'000}));
  CHECK_FALSE(Fingerprint::stood_still(changed_at(1000, 990'000'000), {1001, 30'000'000}));
}

TEST_CASE("a time stamp of whole seconds may be of a file system that has no others") {
  CHECK_FALSE(Fingerprint::stood_still(changed_at(1000, 0), {1001, 900'000'000}));
  CHECK_FALSE(Fingerprint::stood_still(changed_at(1000, 0), {1002, 40'000'000}));
  CHECK(Fingerprint::stood_still(changed_at(1000, 0), {1002, 60'000'000}));
}

TEST_CASE("where a change could not be told, nothing is started ahead") {
  Place place;
  modify_in_the_future(place.directory.path());
  place.learn(place.directory.path());
  CHECK_FALSE(place.start());
  modify_long_ago(place.directory.path());
  CHECK(place.start());
}

TEST_CASE("one that was started before its paths were known is kept only where they can be compared") {
  for (const bool settled : {true, false}) {
    CAPTURE(settled);
    Place place;
    if (settled) {
      modify_long_ago(place.directory.path());
    } else {
      modify_in_the_future(place.directory.path());
    }
    REQUIRE(place.start());
    CHECK(place.standby.is_unproven());
    place.learn(place.directory.path());
    CHECK((place.standby.pid() > 0) == settled);
  }
}

TEST_CASE(
    "where a python does not say what shaped its start, the one that waits is dropped, and none is started again") {
  Place place;
  REQUIRE(place.start());
  place.standby.learn("", nonce);
  CHECK(place.standby.pid() == -1);
  CHECK_FALSE(place.start());
}

TEST_CASE("what changes after a python was started ahead has it dropped") {
  Place place;
  modify_long_ago(place.directory.path());
  place.learn(place.directory.path());
  REQUIRE(place.start());
  const pid_t pid = place.standby.pid();
  write_file(place.directory / "left.pth", "");
  CHECK_FALSE(place.standby.take(place.migration, "digest").has_value());
  CHECK_FALSE(is_alive(pid));
}

TEST_CASE("one for another script, or other bytes of it, is dropped") {
  for (const bool other_bytes : {true, false}) {
    CAPTURE(other_bytes);
    Place place;
    modify_long_ago(place.directory.path());
    place.learn(place.directory.path());
    REQUIRE(place.start());
    const Migration other("1.0.0", "002_b.py");
    const auto taken = other_bytes ? place.standby.take(place.migration, "other") : place.standby.take(other, "digest");
    CHECK_FALSE(taken.has_value());
    CHECK(place.standby.pid() == -1);
  }
}

TEST_CASE("a start maps the locales, so they are compared") {
  if (::geteuid() != 0 || !exists("/usr/lib/locale")) {
    return skip("needs root, and /usr/lib/locale");
  }
  const std::string said = in_fork([]() -> std::string {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      return "no namespace";
    }
    const PythonOptions options{python, "/", {}, 600, false};
    FingerprintTaker taker(options);
    const Fingerprint before = taker.take({}, now());
    const bool stays = before == taker.take({}, now());
    if (::mount("none", "/usr/lib/locale", "tmpfs", 0, nullptr) != 0) {
      return "no mount";
    }
    return std::string(stays ? "stays, " : "differs, ") + (before == taker.take({}, now()) ? "stays" : "differs");
  });
  if (said.starts_with("no ")) {
    return skip(said);
  }
  CHECK(said == "stays, differs");
}
