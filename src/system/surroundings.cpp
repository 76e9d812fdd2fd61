// SPDX-License-Identifier: MIT
#include "surroundings.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "../text.hpp"
#include "build_config.hpp"
#include "calls.hpp"
#include "mutant.hpp"

namespace telec {
namespace {

struct Account {
  std::string name;
  std::string home;
};

std::optional<Account> account(unsigned uid = ::geteuid()) {
  constexpr std::size_t enough = std::size_t{1024} * 1024;
  for (std::vector<char> buffer(4096); buffer.size() <= enough; buffer.resize(buffer.size() * 4)) {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) {
      continue;
    }
    if (error != 0 || found == nullptr) {
      return std::nullopt;
    }
    return Account{entry.pw_name, entry.pw_dir};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  if (value == nullptr || *value == '\0') {
    return std::nullopt;
  }
  return std::string(value);
}

void set_environment(const char* name, const std::string& value) {
  ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
}

std::string home_directory() {
  std::string home;
  if (const char* set = std::getenv("HOME"); set != nullptr) {  // NOLINT(concurrency-mt-unsafe): one thread
    home = set;
    if ((home.empty() || home.front() != '/') && !mutant(Mutant::home_unchecked)) {
      throw Error(ErrorCode::usage, "HOME is " + quoted(home) + ", which is not an absolute path",
                  "set HOME to the home directory, or unset it to use the account's");
    }
  } else if (const auto who = account(); who && who->home.starts_with('/')) {
    home = who->home;
  } else {
    throw Error(ErrorCode::usage,
                "HOME is not set, and the account of uid " + std::to_string(::geteuid()) + " has no home",
                "set HOME to the home directory");
  }
  struct stat status = {};
  if (::geteuid() == 0 && ::stat(home.c_str(), &status) == 0 && status.st_uid != 0) {
    throw Error(ErrorCode::unsafe,
                "this runs as root, and the home " + quoted(home) + " belongs to uid " + std::to_string(status.st_uid),
                run_as_owner(status.st_uid, home) + ": files of root in a user's home lock the user out");
  }
  return home;
}

bool is_root_without_data() {
  if (::geteuid() != 0) {
    return false;
  }
  auto home = environment("HOME");
  if (!home) {
    if (const auto who = account()) {
      home = who->home;
    }
  }
  struct stat status = {};
  if (home && ::stat(home->c_str(), &status) == 0 && status.st_uid != 0) {
    return false;  // somebody else's home: that is refused, and said
  }
  return !home || ::lstat((*home + "/.teleclaude").c_str(), &status) != 0;
}

void confirm_directory(const std::string& home) {
  const FileDescriptor directory = open_at(AT_FDCWD, home.c_str(), O_PATH | O_DIRECTORY);
  if (!directory.is_open() || ::faccessat(directory.get(), ".", X_OK, 0) != 0) {
    throw io_error("enter the home directory", home, errno, "scripts run there: set HOME to a directory that exists");
  }
}

std::string run_as_owner(unsigned uid, const std::string& path) {
  const auto who = account(uid);
  if (!who) {
    return "run as that user";
  }
  const std::string data = who->home + "/.teleclaude";
  const bool is_their_own = path == who->home || path == data || path == data + "/migration_state.json";
  return "run as that user, " + (is_their_own ? "with 'telec migrate --user " + who->name + "'" : who->name);
}

std::string user_name() {
  const auto who = account();
  return who ? who->name : std::to_string(::geteuid());
}

std::string host_name() {
  std::array<char, 256> buffer{};
  return ::gethostname(buffer.data(), buffer.size() - 1) == 0 && buffer[0] != '\0' ? buffer.data() : "?";
}

std::vector<std::string> script_environment(const std::string& home) {
  const std::string user = user_name();
  std::vector<std::string> result = {
      "HOME=" + home,
      "USER=" + user,
      "LOGNAME=" + user,
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      std::string("TELEC_VERSION=") + telec_version,
  };
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (mutant(Mutant::environment_unfiltered) || name == "TZ" || name == "LANG" || name == "LANGUAGE" ||
        name.starts_with("LC_")) {
      result.emplace_back(text);
    }
  }
  return result;
}

}  // namespace telec
