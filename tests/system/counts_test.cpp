// SPDX-License-Identifier: MIT
// System calls of the real telec, counted with strace: how often it syncs, starts processes, and looks at files.
// Only the runner is traced, not its children.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "doctest_main.hpp"
#include "fixture.hpp"
#include "text.hpp"

using namespace telec;
using namespace telec_test;

namespace {

using Texts = std::vector<std::string>;

const std::string quiet_script = R"(import os
EFFECT = os.path.join(os.environ["HOME"], os.environ["TELEC_MIGRATION_ID"].replace("/", "_"))
def check():
    return os.path.exists(EFFECT)
def migrate():
    open(EFFECT, "w").close()
    return True
)";

const std::string strace_program = "/usr/bin/strace";

/// A home, a tree, and telec under strace on both.
class Traced {
 public:
  Traced() {
    REQUIRE(::mkdir(home().c_str(), 0700) == 0);
    REQUIRE(::mkdir(tree().c_str(), 0700) == 0);
  }

  void add(int number) {
    const std::string version = tree() + "/v1." + std::to_string(number / 10) + ".0";
    std::filesystem::create_directories(version);
    const std::string digits = std::to_string(1000 + number).substr(1);
    write_file(version + "/" + digits + "_step.py", quiet_script);
  }
  void create_state_directory() { REQUIRE(::mkdir((home() + "/.teleclaude").c_str(), 0700) == 0); }

  /// The lines that strace wrote about `calls`; the exit status in `status`.
  Texts run(const Texts& arguments, const std::string& calls) {
    const std::string log = directory_ / "strace.log";
    LaunchSpec spec =
        child_spec({"-o", log, "-s", "4096", "-e", "signal=none", "-e", "trace=" + calls, telec_program(), "migrate"});
    spec.file = strace_program;
    spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
    // Under ptrace the leak check of a sanitizer cannot work, and it would count as a process of ours.
    std::string asan = "ASAN_OPTIONS=detect_leaks=0";
    for (const std::string& variable : spec.environment) {
      asan += variable.starts_with("ASAN_OPTIONS=") ? ":" + variable.substr(13) + ":detect_leaks=0" : "";
    }
    std::erase_if(spec.environment, [](const std::string& variable) { return variable.starts_with("ASAN_OPTIONS="); });
    spec.environment.insert(spec.environment.end(),
                            {asan, "HOME=" + home(), "TELEC_MIGRATIONS_DIR=" + tree(), "PATH=/usr/bin:/bin"});
    status_ = telec_test::run(spec);
    const std::string text = read_file(log);
    Texts lines;
    for (const std::string_view line : lines_of(text)) {
      // The launch asks whether there is a clone3(2), in a way that starts nothing.
      if (!line.starts_with("+++") && !line.starts_with("---") && !line.starts_with("clone3(NULL")) {
        lines.emplace_back(line);
      }
    }
    return lines;
  }
  [[nodiscard]] int exit_code() const { return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1; }

  [[nodiscard]] std::string home() const { return directory_ / "home"; }
  [[nodiscard]] std::string tree() const { return directory_ / "tree"; }

 private:
  TemporaryDirectory directory_;
  int status_ = -1;
};

/// Empty where strace can be used; else why not.
std::string why_no_strace() {
  if (::access(strace_program.c_str(), X_OK) != 0) {
    return "strace is not installed";
  }
  static const bool works = [] {
    const TemporaryDirectory directory;
    LaunchSpec spec = child_spec({"-o", directory / "log", "/bin/true"});
    spec.file = strace_program;
    return run(spec) == 0;
  }();
  return works ? "" : "strace cannot trace here";
}

const std::string syncs = "?fsync,?fdatasync,?sync,?syncfs,?sync_file_range";
const std::string starts = "?clone,?clone3,?fork,?vfork";
const std::string opens = "?open,?openat,?openat2,?creat";
const std::string looks =
    "?stat,?lstat,?newfstatat,?statx,?stat64,?lstat64,?fstatat64,?access,?faccessat,?faccessat2,?readlink,?readlinkat";

bool names_a_script(const std::string& line) { return line.find("_step.py") != std::string::npos; }

bool opens_for_writing(const std::string& line) {
  return line.find("O_WRONLY") != std::string::npos || line.find("O_RDWR") != std::string::npos ||
         line.find("O_CREAT") != std::string::npos;
}

std::ptrdiff_t count_if_any(const Texts& lines, bool (*condition)(const std::string&)) {
  return std::ranges::count_if(lines, condition);
}

}  // namespace

TEST_CASE("one migration on an existing state costs exactly two fsyncs: the file's and the directory's") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  traced.add(1);
  traced.run({}, "none");
  REQUIRE(traced.exit_code() == 0);
  traced.add(2);
  const Texts lines = traced.run({}, syncs);
  CHECK(traced.exit_code() == 0);
  CHECK(lines.size() == 2);
}

TEST_CASE(
    "two fsyncs also for the first migration in a directory that is there, and three where it has to be created") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced there;
  there.create_state_directory();
  there.add(1);
  CHECK(there.run({}, syncs).size() == 2);
  CHECK(there.exit_code() == 0);
  Traced created;
  created.add(1);
  // The third is the parent's, so that the directory is not lost with what is in it.
  CHECK(created.run({}, syncs).size() == 3);
  CHECK(created.exit_code() == 0);
}

TEST_CASE("five migrations cost two fsyncs and one process each") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  traced.create_state_directory();
  for (int i = 1; i <= 5; ++i) {
    traced.add(i);
  }
  const Texts lines = traced.run({}, syncs + "," + starts);
  CHECK(traced.exit_code() == 0);
  CHECK(count_if_any(lines, [](const std::string& line) { return line.find("sync(") != std::string::npos; }) == 10);
  CHECK(count_if_any(lines, [](const std::string& line) { return line.find("sync(") == std::string::npos; }) == 5);
}

TEST_CASE("the directory is synced after the rename, and the rename comes after the file's fsync") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  traced.add(1);
  traced.run({}, "none");
  traced.add(2);
  std::string order;
  for (const std::string& line : traced.run({}, syncs + ",?rename,?renameat,?renameat2,?link,?linkat,write")) {
    if (line.find("fsync(") == 0) {
      order += "sync ";
    } else if (line.find("rename") == 0) {
      order += "rename ";
    } else if (line.find("link") == 0) {
      order += "link ";
    } else if (line.find("applied          1.0.0/002_step.py") != std::string::npos) {
      order += "said ";
    }
  }
  CHECK(order == "sync link rename rename sync said ");  // of the generation before, and of the new one
}

TEST_CASE("with nothing pending nothing is synced, nothing started and nothing opened for writing") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  traced.add(1);
  traced.run({}, "none");
  REQUIRE(traced.exit_code() == 0);
  for (const Texts& arguments : std::vector<Texts>{{}, {"--dry-run"}, {"status"}, {"--json"}}) {
    const Texts lines =
        traced.run(arguments, syncs + "," + starts + "," + opens +
                                  ",?flock,?rename,?renameat,?renameat2,?unlink,?unlinkat,?mkdir,?mkdirat");
    CHECK(traced.exit_code() == 0);
    CHECK_FALSE(lines.empty());
    for (const std::string& line : lines) {
      CAPTURE(line);
      CHECK(line.starts_with("open"));
      CHECK_FALSE(opens_for_writing(line));
    }
  }
}

TEST_CASE("a dry run with something pending writes and starts nothing either") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  traced.add(1);
  const Texts lines = traced.run({"--dry-run"}, syncs + "," + starts + "," + opens + ",?flock,?mkdir,?mkdirat");
  CHECK(traced.exit_code() == 0);
  CHECK(count_if_any(lines, opens_for_writing) == 0);
  CHECK(count_if_any(lines, [](const std::string& line) { return !line.starts_with("open"); }) == 0);
  CHECK_FALSE(exists(traced.home() + "/.teleclaude"));
}

TEST_CASE("listing looks at no script: no stat, no open") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  for (int i = 1; i <= 60; ++i) {
    traced.add(i);
  }
  for (const Texts& arguments : std::vector<Texts>{{"--dry-run"}, {"status"}}) {
    const Texts lines = traced.run(arguments, looks + "," + opens);
    CHECK(traced.exit_code() == 0);
    CHECK_FALSE(lines.empty());
    CHECK(count_if_any(lines, names_a_script) == 0);
  }
}

TEST_CASE("the network is never touched") {
  if (const std::string why = why_no_strace(); !why.empty()) {
    return skip(why);
  }
  Traced traced;
  traced.add(1);
  const Texts lines = traced.run({}, "?socket,?socketpair,?connect,?bind");
  CHECK(traced.exit_code() == 0);
  CHECK_FALSE(lines.empty());  // the channel to python
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(line.find("AF_UNIX") != std::string::npos);
  }
}
