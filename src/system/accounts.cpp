// SPDX-License-Identifier: MIT
#include "accounts.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "../text.hpp"
#include "calls.hpp"
#include "leftovers.hpp"

namespace telec {
namespace {

constexpr double home_limit = 20;  // seconds for a home to answer at all; one on a dead file server never does
constexpr double grace = 5;        // seconds for a run to end its script and say so
constexpr double last_grace = 1;   // seconds after SIGKILL; then it hangs in the kernel, on a dead file server say

Account account_of(const passwd& entry) { return {entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir}; }

/// A lookup that failed says nothing of whether there is such an account: these do (getpwnam(3)).
bool says_there_is_none(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/// What an enumeration may end with that did not come to its end (getpwent(3)). A directory service that is not there
/// leaves other numbers behind, and lists nobody on many a machine.
bool breaks_off(int error) {
  return error == EINTR || error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM;
}

constexpr const char* look_at_the_sources = "see whether the sources that /etc/nsswitch.conf names for 'passwd' answer";

// --- in the child

[[noreturn]] void say_and_exit(int channel, char what, const std::string& reason, int status) {
  write_all(channel, what + reason);
  ::_exit(status);
}

[[noreturn]] void cannot(int channel, const std::string& what) {
  say_and_exit(channel, says_failed, "cannot " + what + ": " + errno_text(errno), 74);
}

struct Ids {
  unsigned real = 0;
  unsigned effective = 0;
  unsigned saved = 0;

  friend bool operator==(const Ids&, const Ids&) = default;
};

/// All three of each: a saved uid of 0 would be a way back.
void become(const Account& account, int channel) {
  if (::initgroups(account.name.c_str(), account.gid) != 0) {
    cannot(channel, "take the groups of " + quoted(account.name));
  }
  if (::setresgid(account.gid, account.gid, account.gid) != 0) {
    cannot(channel, "take the group " + std::to_string(account.gid));
  }
  if (::setresuid(account.uid, account.uid, account.uid) != 0) {
    cannot(channel, "become uid " + std::to_string(account.uid));
  }
  Ids user;
  Ids group;
  if (::getresuid(&user.real, &user.effective, &user.saved) != 0 ||
      ::getresgid(&group.real, &group.effective, &group.saved) != 0 ||
      user != Ids{account.uid, account.uid, account.uid} || group != Ids{account.gid, account.gid, account.gid} ||
      ::setuid(0) == 0) {
    say_and_exit(channel, says_failed, "did not become uid " + std::to_string(account.uid) + " for good", 77);
  }
}

void set_environment(const Account& account) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const char* name : {"TZ", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME"}) {
    if (const char* value = std::getenv(name); value != nullptr) {  // NOLINT(concurrency-mt-unsafe): one thread
      kept.emplace_back(name, value);
    }
  }
  kept.emplace_back("HOME", account.home);
  kept.emplace_back("USER", account.name);
  kept.emplace_back("LOGNAME", account.name);
  kept.emplace_back("PATH", "/usr/local/bin:/usr/bin:/bin");
  ::clearenv();  // NOLINT(concurrency-mt-unsafe): one thread
  for (const auto& [name, value] : kept) {
    ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  }
}

void close_others() {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, 3, ~0U, 0) == 0) {
    return;
  }
#endif
  for (int fd = 3; fd < 65536; ++fd) {
    ::close(fd);
  }
}

/// The first that this user's process says: says_document, or why there will be none. Looked at as the user, with the
/// home as "." from here on.
std::string answer_of(const Account& account) {
  const auto skipped = [](const std::string& why) { return says_skipped + why; };
  if (!account.home.starts_with('/')) {
    return skipped("has no home");
  }
  if (::chdir(account.home.c_str()) != 0) {
    switch (errno) {
      case ENOENT: return skipped("home " + quoted(account.home) + " does not exist");
      case ENOTDIR: return skipped("home " + quoted(account.home) + " is not a directory");
      default: return skipped("home " + quoted(account.home) + " is not reachable: " + errno_text(errno));
    }
  }
  struct stat data = {};
  if (::fstatat(AT_FDCWD, ".teleclaude", &data, AT_SYMLINK_NOFOLLOW) != 0) {
    return skipped(errno == ENOENT ? "has no data" : "its data is not reachable: " + errno_text(errno));
  }
  if (!S_ISDIR(data.st_mode)) {
    return skipped("its .teleclaude is not a directory");
  }
  if (data.st_uid != account.uid) {
    return says_unsafe + ("its .teleclaude belongs to uid " + std::to_string(data.st_uid));
  }
  return {says_document};
}

[[noreturn]] void live_as(const Account& account, int channel, int talk, pid_t parent,
                          const std::function<int()>& work) {
  if (::setsid() < 0) {
    cannot(channel, "start a session");
  }
  // With these this run is told to end; the caller may ignore one of them, as a job in a shell's background does.
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (const int number : {SIGTERM, SIGINT}) {
    ::sigaction(number, &action, nullptr);
  }
  become(account, channel);
  // After the change of uid, which takes a death signal away.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
    ::_exit(74);
  }
  ::umask(077);
  set_environment(account);
  const FileDescriptor null = open_at(AT_FDCWD, "/dev/null", O_RDWR);
  if (!null.is_open() || ::dup2(channel, 1) < 0 || ::dup2(null.get(), 0) < 0 || ::dup2(talk, 2) < 0) {
    cannot(channel, "set up the descriptors");
  }
  close_others();
  const std::string answer = answer_of(account);
  if (!write_all(1, answer)) {
    ::_exit(74);
  }
  switch (answer.front()) {
    case says_document: ::_exit(work());
    case says_unsafe: ::_exit(exit_code_of(ErrorCode::unsafe));
    default: ::_exit(0);
  }
}

// --- in the parent

/// A process that became a user: waited for with a limit, and read from meanwhile.
class Child {
 public:
  Child(pid_t pid, FileDescriptor channel, FileDescriptor talk, StopSignals& stop,
        const std::function<void(std::string_view)>& on_talk)
      : pid_(pid), channel_(std::move(channel)), talk_(std::move(talk)), stop_(stop), on_talk_(on_talk) {
    ::fcntl(channel_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(talk_.get(), F_SETFL, O_NONBLOCK);
  }

  UserRun wait(double limit) {
    UserRun run;
    const double begin = monotonic_seconds();
    const double answer_limit = std::min(limit, home_limit);
    if (!watch(run, begin + answer_limit, Until::answer)) {
      // It has begun nothing that could be ended well.
      ::kill(pid_, SIGKILL);
      watch(run, monotonic_seconds() + last_grace, Until::end);
      run.ending = stop_.count() > 0 ? UserRun::Ending::interrupted : UserRun::Ending::no_answer;
      run.limit = answer_limit;
    } else if (!watch(run, begin + limit, Until::end)) {
      // Two different signals, since two alike could count as one: the second one is "now".
      ::kill(pid_, SIGTERM);
      ::poll(nullptr, 0, 50);
      ::kill(pid_, SIGINT);
      if (!watch(run, monotonic_seconds() + grace, Until::end)) {
        ::kill(pid_, SIGKILL);
        watch(run, monotonic_seconds() + last_grace, Until::end);
      }
      run.ending = UserRun::Ending::timed_out;
      run.limit = limit;
    } else if (WIFEXITED(status_)) {
      run.number = WEXITSTATUS(status_);
    } else {
      run.ending = UserRun::Ending::killed;
      run.number = WTERMSIG(status_);
    }
    read(run);
    return run;
  }

 private:
  /// The first byte comes when the home has been looked at.
  enum class Until { answer, end };

  bool watch(UserRun& run, double deadline, Until until) {
    while (!ended() && (until == Until::end || run.said.empty())) {
      const double left = deadline - monotonic_seconds();
      if (left <= 0) {
        return false;
      }
      std::array<pollfd, 3> wake = {
          {{channel_.get(), POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}, {talk_.get(), POLLIN, 0}}};
      // The end of the process shows as the end of the pipe; where something holds that open, by asking.
      ::poll(wake.data(), channel_.is_open() ? wake.size() : 0,
             std::clamp(static_cast<int>(left * 1000) + 1, 1, channel_.is_open() ? 100 : 2));
      for (const int count = stop_.count(); forwarded_ < count; ++forwarded_) {
        ::kill(pid_, forwarded_ == 0 ? SIGTERM : SIGINT);
        // Who has not answered by now has nothing under way that is worth waiting for.
        deadline = until == Until::answer ? std::min(deadline, monotonic_seconds() + last_grace) : deadline;
      }
      read(run);
    }
    return true;
  }

  bool ended() {
    if (!reaped_) {
      reaped_ = repeated([&] { return ::waitpid(pid_, &status_, WNOHANG); }) == pid_;
    }
    return reaped_;
  }

  void read(UserRun& run) {
    hear();
    std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    while (channel_.is_open()) {
      const ssize_t got = repeated([&] { return ::read(channel_.get(), buffer.data(), buffer.size()); });
      if (got < 0) {
        return;
      }
      if (got == 0) {
        channel_.reset();
        return;
      }
      // Read on also where it is too much: a full pipe would hold the run up.
      const std::size_t room = UserRun::said_limit - run.said.size();
      run.said.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
      run.said_too_much = run.said_too_much || static_cast<std::size_t>(got) > room;
      if (reaped_ && run.said_too_much) {
        return;  // somebody else writes, and might for ever
      }
    }
  }

  /// Once, and as much as a pipe holds: a writer that outlives the run might write for ever.
  void hear() {
    if (!talk_.is_open()) {
      return;
    }
    std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    const ssize_t got = repeated([&] { return ::read(talk_.get(), buffer.data(), buffer.size()); });
    if (got > 0) {
      on_talk_({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0) {
      talk_.reset();
    }
  }

  pid_t pid_;
  FileDescriptor channel_;
  FileDescriptor talk_;
  StopSignals& stop_;
  const std::function<void(std::string_view)>& on_talk_;
  int forwarded_ = 0;
  int status_ = 0;
  bool reaped_ = false;
};

UserRun not_started(const std::string& what) {
  UserRun run;
  run.ending = UserRun::Ending::not_started;
  run.trouble = "cannot " + what + ": " + errno_text(errno);
  return run;
}

}  // namespace

std::vector<Account> all_accounts() {
  std::vector<Account> accounts;
  const auto next = [] {
    errno = 0;
    return ::getpwent();  // NOLINT(concurrency-mt-unsafe): one thread
  };
  errno = 0;
  ::setpwent();       // NOLINT(concurrency-mt-unsafe): one thread
  int error = errno;  // of the first source: the enumeration goes on with the next, and ends with what the last left
  while (const passwd* entry = next()) {
    accounts.push_back(account_of(*entry));
  }
  error = breaks_off(error) ? error : errno;
  ::endpwent();  // NOLINT(concurrency-mt-unsafe): one thread
  if (breaks_off(error)) {
    throw Error(ErrorCode::io, "cannot list the accounts of this machine: " + errno_text(error), look_at_the_sources);
  }
  return accounts;
}

std::optional<Account> account_named(const std::string& name) {
  constexpr std::size_t enough = std::size_t{1024} * 1024;
  passwd entry{};
  passwd* found = nullptr;
  int error = ERANGE;
  std::vector<char> buffer(4096);
  for (; error == ERANGE && buffer.size() <= enough; buffer.resize(buffer.size() * 4)) {
    error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found != nullptr) {
      return account_of(entry);
    }
  }
  if (!says_there_is_none(error)) {
    throw Error(ErrorCode::io, "cannot look up the user " + quoted(name) + ": " + errno_text(error),
                look_at_the_sources);
  }
  return std::nullopt;
}

UidLimits uid_limits() {
  std::string text;
  const FileDescriptor file = open_at(AT_FDCWD, "/etc/login.defs", O_RDONLY | O_NONBLOCK);
  if (!file.is_open() || !read_all(file.get(), text, std::size_t{1024} * 1024)) {
    text.clear();
  }
  return uid_limits_in(text);
}

void require_root() {
  if (::geteuid() != 0) {
    throw Error(ErrorCode::unsafe, "--all-users and --user need root, who alone can become other users",
                "for your own home, leave them out");
  }
}

UserRun run_as(const Account& account, double limit, StopSignals& stop, const std::function<int()>& work,
               const std::function<void(std::string_view)>& on_talk) {
  Pipe channel;
  Pipe talk;
  if (!make_pipe(channel) || !make_pipe(talk)) {
    return not_started("make a pipe");
  }
  // What the user's run leaves behind when it is killed becomes ours, and is ended. Made anew each time: a run that
  // was given up on is left alone.
  const Leftovers leftovers;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      live_as(account, channel.writing.get(), talk.writing.get(), parent, work);
    } catch (...) {
      ::_exit(74);
    }
  }
  if (pid < 0) {
    return not_started("fork");
  }
  channel.writing.reset();
  talk.writing.reset();
  UserRun run = Child(pid, std::move(channel.reading), std::move(talk.reading), stop, on_talk).wait(limit);
  static_cast<void>(leftovers.end());
  return run;
}

}  // namespace telec
