// SPDX-License-Identifier: MIT
#include "launch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "../judgement.hpp"
#include "../text.hpp"
#include "calls.hpp"
#include "mutant.hpp"

namespace telec {
namespace {

enum class Step : int { session, death_signal, descriptors, directory, execute };

struct Failure {
  Step step;
  int error;
};

constexpr int most_descriptors = 8;

/// From here to exec only async-signal-safe calls (signal-safety(7)).
[[noreturn]] void fail(int report, Step step) {
  const Failure failure = {step, errno};
  [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);  // nobody is left to be told
  ::_exit(127);
}

void close_from(int first) {
#ifdef SYS_close_range
  constexpr unsigned set_cloexec = 4;  // CLOSE_RANGE_CLOEXEC, since Linux 5.11
  if (::syscall(SYS_close_range, first, ~0U, set_cloexec) == 0) {
    return;
  }
#endif
  // Everything of ours is close-on-exec already; this is for what was inherited.
  const long open_limit = ::sysconf(_SC_OPEN_MAX);
  const int last = open_limit > 0 && open_limit < 65536 ? static_cast<int>(open_limit) : 65536;
  for (int fd = first; fd < last; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

/// What the child needs until its exec.
struct Birth {
  const LaunchSpec& spec;
  char* const* arguments;
  char* const* environment;
  pid_t parent;
  int report;
};

[[noreturn]] void become(const Birth& birth) {
  const auto& [spec, arguments, environment, parent, report] = birth;
  if (!mutant(Mutant::no_session) && ::setsid() < 0) {
    fail(report, Step::session);
  }
  // What a terminal sent until here was for the runner. All is blocked, and what is pending goes when it is ignored
  // (POSIX, sigaction()).
  struct sigaction action = {};
  action.sa_handler = SIG_IGN;
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP}) {
    ::sigaction(signal, &action, nullptr);
  }
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    ::sigaction(signal, &action, nullptr);  // fails for SIGKILL, SIGSTOP and what libc keeps to itself
  }
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    fail(report, Step::death_signal);
  }
  if (::getppid() != parent) {
    ::_exit(127);  // the runner died before the death signal was set
  }
  // Away from the numbers that are wanted first: the sources may be any numbers, also each other's targets.
  const int count = static_cast<int>(spec.descriptors.size());
  std::array<int, most_descriptors> sources{};
  for (int i = 0; i < count; ++i) {
    sources[static_cast<std::size_t>(i)] =
        ::fcntl(spec.descriptors[static_cast<std::size_t>(i)], F_DUPFD_CLOEXEC, most_descriptors);
    if (sources[static_cast<std::size_t>(i)] < 0) {
      fail(report, Step::descriptors);
    }
  }
  const int kept_report = ::fcntl(report, F_DUPFD_CLOEXEC, most_descriptors);
  if (kept_report < 0) {
    fail(report, Step::descriptors);
  }
  for (int i = 0; i < count; ++i) {
    if (::dup2(sources[static_cast<std::size_t>(i)], i) < 0) {
      fail(kept_report, Step::descriptors);
    }
  }
  close_from(count);
  if (::chdir(spec.directory.c_str()) != 0) {
    fail(kept_report, Step::directory);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  fail(kept_report, Step::execute);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TELEC_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TELEC_SANITIZED
#endif

/// Not where the accounts of a process are kept in its memory: by a sanitizer, or by valgrind, which would end this
/// process for such a clone(2), and which says that it has no clone3(2). (An old kernel does too, and is well served.)
bool may_share_memory() {
#if defined(TELEC_SANITIZED) || !defined(SYS_clone3)
  return false;
#else
  return ::syscall(SYS_clone3, nullptr, 0) == -1 && errno != ENOSYS;
#endif
}

/// A child in this process' memory until its exec, on a stack of its own: a copy of the page tables, and of every page
/// that either of the two then writes to, costs more than all else here. Unlike after vfork(2), this process goes on,
/// so that a child which somebody stops before its exec can be ended. -1 with errno: there is none.
pid_t give_birth(Birth& birth) {
  if (may_share_memory()) {
    alignas(16) static std::array<char, std::size_t{64} * 1024> stack;
    const auto child = [](void* given) -> int { become(*static_cast<const Birth*>(given)); };
    return ::clone(child, stack.data() + stack.size(), CLONE_VM | SIGCHLD, &birth);
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(birth);
  }
  return pid;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    result.push_back(
        const_cast<char*>(text.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast): execve(2) does not write
  }
  result.push_back(nullptr);
  return result;
}

std::string words_of(Step step, const LaunchSpec& spec) {
  switch (step) {
    case Step::session: return "start a session for";
    case Step::death_signal: return "set the death signal of";
    case Step::descriptors: return "set up the descriptors of";
    case Step::directory: return "enter the directory " + quoted(spec.directory) + " for";
    case Step::execute: return "execute";
  }
  return "start";
}

Launched failed(std::string step, std::string reason, int error = 0) {
  Launched result;
  result.failed_step = std::move(step);
  result.reason = std::move(reason);
  result.error = error;
  return result;
}

Launched failed(std::string step, int error) { return failed(std::move(step), errno_text(error), error); }

/// Does the child fail or execute within `limit` seconds? Either makes its pipe readable.
bool hears_in_time(int report, double limit) {
  const double deadline = monotonic_seconds() + limit;
  while (true) {
    const double left = std::max(deadline - monotonic_seconds(), 0.0);
    pollfd ready = {report, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(left * 1000) + 1);
    if (count > 0 || left <= 0) {
      return count > 0;
    }
  }
}

/// Why a child has not been heard of for so long, as far as the kernel says.
std::string reason_of_silence(pid_t pid, double limit) {
  siginfo_t info = {};
  const bool stopped =
      ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
  return "not done after " + seconds_text(limit) +
         (stopped ? ", the new process was stopped (" + signal_name(info.si_status) + ")" : "");
}

void kill_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  repeated([&] { return ::waitpid(pid, nullptr, 0); });
}

}  // namespace

Launched launch(const LaunchSpec& spec) {
  std::vector<std::string> words = {spec.file};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> environment = pointers(spec.environment);
  Pipe report;
  if (!make_pipe(report)) {
    return failed("make a pipe for", errno);
  }
  Birth birth = {spec, arguments.data(), environment.data(), ::getpid(), report.writing.get()};
  // No signal may reach the child before its dispositions are its own.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = give_birth(birth);
  const int fork_errno = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return failed("fork for", fork_errno);
  }
  report.writing.reset();
  // Until it is heard of, what `birth` names has to stay, and errno may be the child's.
  if (!hears_in_time(report.reading.get(), spec.limit)) {
    std::string reason = reason_of_silence(pid, spec.limit);
    kill_and_reap(pid);
    return failed(words_of(Step::execute, spec), std::move(reason));
  }
  Failure failure = {};
  const ssize_t got = repeated([&] { return ::read(report.reading.get(), &failure, sizeof failure); });
  if (got != 0) {
    const int read_errno = errno;
    kill_and_reap(pid);
    Launched result = got < 0 ? failed("hear from", read_errno) : failed(words_of(failure.step, spec), failure.error);
    if (got >= 0 && failure.step == Step::execute && failure.error == ENOENT &&
        ::access(spec.file.c_str(), F_OK) == 0) {
      result.reason += " (it is there: the interpreter that it names is missing)";
    }
    return result;
  }
  Launched result;
  result.pid = pid;
#ifdef SYS_pidfd_open
  result.pidfd = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
#endif
  return result;
}

}  // namespace telec
