// SPDX-License-Identifier: MIT
#include "system/surroundings.hpp"

#include <doctest/doctest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "build_config.hpp"
#include "doctest_main.hpp"
#include "fixture.hpp"

using namespace telec;
using namespace telec_test;

namespace {

using Texts = std::vector<std::string>;

std::string joined(const Texts& texts) {
  std::string result;
  for (const std::string& text : texts) {
    result += text + "\n";
  }
  return result;
}

}  // namespace

TEST_CASE("a script sees the allow-list of the caller's environment and nothing else") {
  const std::string said = in_fork([] {
    ::clearenv();
    for (const char* name : {"PYTHONPATH",
                             "PYTHONSTARTUP",
                             "PYTHONHOME",
                             "LD_PRELOAD",
                             "LD_LIBRARY_PATH",
                             "BASH_ENV",
                             "ENV",
                             "TELEC_STATE_FILE",
                             "TELEC_MIGRATION_ID",
                             "SECRET",
                             "XDG_CONFIG_HOME",
                             "TERM",
                             "HOME",
                             "USER",
                             "LOGNAME",
                             "PATH",
                             "TMPDIR",
                             "MALLOC_CHECK_",
                             "LCX",
                             "LANGX",
                             "TZX"}) {
      ::setenv(name, "evil", 1);
    }
    ::setenv("LANG", "C.UTF-8", 1);
    ::setenv("LANGUAGE", "de", 1);
    ::setenv("LC_ALL", "C", 1);
    ::setenv("LC_TIME", "", 1);
    ::setenv("TZ", "Europe/Berlin", 1);
    Texts environment = script_environment("/home/ada");
    std::ranges::sort(environment);
    return joined(environment);
  });
  const std::string user = user_name();
  Texts expected = {"HOME=/home/ada",
                    "USER=" + user,
                    "LOGNAME=" + user,
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    std::string("TELEC_VERSION=") + telec_version,
                    "LANG=C.UTF-8",
                    "LANGUAGE=de",
                    "LC_ALL=C",
                    "LC_TIME=",
                    "TZ=Europe/Berlin"};
  std::ranges::sort(expected);
  CHECK(said == joined(expected));
}

TEST_CASE("HOME is the home, and must be an absolute path") {
  const TemporaryDirectory directory;
  const auto home_with = [](const char* value) {
    return in_fork([&]() -> std::string {
      ::setenv("HOME", value, 1);
      std::string home;
      const std::string fault = fault_of([&] { home = home_directory(); });
      return fault == "no error" ? home : fault;
    });
  };
  CHECK(home_with(directory.path().c_str()) == directory.path());
  CHECK(home_with("") == "usage: HOME is '', which is not an absolute path");
  CHECK(home_with("relative") == "usage: HOME is 'relative', which is not an absolute path");
}

TEST_CASE("without HOME the account's home is the home") {
  const passwd* account = ::getpwuid(::geteuid());
  if (account == nullptr) {
    return skip("this user has no account");
  }
  const std::string expected = account->pw_dir;
  CHECK(in_fork([] {
          ::unsetenv("HOME");
          return home_directory();
        }) == expected);
}

TEST_CASE("root refuses the home of somebody else") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  const TemporaryDirectory directory;
  REQUIRE(::chown(directory.path().c_str(), 65534, 65534) == 0);
  CHECK(in_fork([&] {
          ::setenv("HOME", directory.path().c_str(), 1);
          return fault_of([] { home_directory(); });
        }) == "unsafe: this runs as root, and the home '" + directory.path() + "' belongs to uid 65534");
}

TEST_CASE("root in a place of an account is told its name, and in its own home the command") {
  const passwd* found = ::getpwuid(1);  // daemon, on Debian and its relatives
  if (found == nullptr) {
    return skip("uid 1 has no account");
  }
  const std::string name = found->pw_name;
  const std::string home = found->pw_dir;
  const std::string command = "run as that user, with 'telec migrate --user " + name + "'";
  CHECK(run_as_owner(1, home) == command);
  CHECK(run_as_owner(1, home + "/.teleclaude") == command);
  CHECK(run_as_owner(1, home + "/.teleclaude/migration_state.json") == command);
  CHECK(run_as_owner(1, home + "/.teleclaude/other.json") == "run as that user, " + name);
  CHECK(run_as_owner(1, "/elsewhere") == "run as that user, " + name);
  constexpr unsigned nobodys = 4200000000;
  CHECK(run_as_owner(nobodys, "/elsewhere") == "run as that user");
}

TEST_CASE("a home that is no directory to enter is an error before any script runs") {
  const TemporaryDirectory directory;
  write_file(directory / "file", "");
  CHECK(fault_of([&] { confirm_directory(directory.path()); }) == "no error");
  CHECK(fault_of([&] { confirm_directory(directory / "absent"); }) ==
        "io: cannot enter the home directory '" + directory.path() + "/absent': No such file or directory");
  CHECK(fault_of([&] { confirm_directory(directory / "file"); }) ==
        "io: cannot enter the home directory '" + directory.path() + "/file': Not a directory");
}

TEST_CASE("a home that only others may enter is an error too") {
  const std::string said = as_nobody([]() -> std::string {
    const TemporaryDirectory directory;
    ::chmod(directory.path().c_str(), 0600);
    return fault_of([&] { confirm_directory(directory.path()); });
  });
  CHECK(said.ends_with("': Permission denied"));
}

TEST_CASE("user and host are always something") {
  CHECK_FALSE(user_name().empty());
  CHECK_FALSE(host_name().empty());
}

TEST_CASE("a user without an account is named by number") {
  if (::geteuid() != 0) {
    return skip("not root");
  }
  CHECK(in_fork([]() -> std::string {
          if (::setresuid(54321, 54321, 54321) != 0) {
            return "cannot become 54321";
          }
          return user_name();
        }) == "54321");
}

TEST_CASE("a variable that is unset or empty is nothing") {
  CHECK(in_fork([]() -> std::string {
          ::setenv("TELEC_TEST_A", "value", 1);
          ::setenv("TELEC_TEST_B", "", 1);
          ::unsetenv("TELEC_TEST_C");
          return environment("TELEC_TEST_A").value_or("none") + environment("TELEC_TEST_B").value_or(" none") +
                 environment("TELEC_TEST_C").value_or(" none");
        }) == "value none none");
}
