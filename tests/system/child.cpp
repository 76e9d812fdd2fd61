// SPDX-License-Identifier: MIT
// The child of the system tests: does the one thing that its first argument names.
//
//   exit N              exits with N
//   kill N              kills itself with signal N
//   sleep FILE          creates FILE, then sleeps
//   daemonise FILE      leaves a process in a session of its own behind, writes its pid to FILE, exits
//   orphans FILE N      leaves N processes of its own group behind, writes their pids to FILE, exits
//   zombies             leaves a process behind that has ended, unless somebody waits for it
//   report FILE         writes to FILE what it was started with: one NAME=VALUE per line
//   prepared FILE       the same, after telec::prepare_process()
//   read                copies stdin to stdout
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "system/process_start.hpp"

namespace {

constexpr unsigned long_enough = 120;  // seconds: nothing of a test may stay for ever, also when the test is broken

void write_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::close(fd) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    ::_exit(99);
  }
}

std::string link_text(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return length < 0 ? "?" : std::string(target.data(), static_cast<std::size_t>(length));
}

/// The open descriptors and where they lead, looked at before anything else is opened.
std::map<int, std::string> descriptors() {
  std::map<int, std::string> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir("/proc/self/fd"), &::closedir);
  if (!listing) {
    ::_exit(98);
  }
  while (const dirent* entry = ::readdir(listing.get())) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(listing.get())) {
      result[fd] = link_text("/proc/self/fd/" + std::to_string(fd));
    }
  }
  return result;
}

void report(const std::string& path, int count, char** words) {
  std::string text;
  const auto say = [&](const std::string& name, const std::string& value) {
    text.append(name).append("=").append(value).append("\n");
  };
  std::string numbers;
  for (const auto& [fd, target] : descriptors()) {
    numbers += (numbers.empty() ? "" : " ") + std::to_string(fd);
    say("fd" + std::to_string(fd), target);
    const int flags = ::fcntl(fd, F_GETFL);
    const int mode = flags & O_ACCMODE;
    say("mode" + std::to_string(fd), mode == O_RDONLY ? "read" : mode == O_WRONLY ? "write" : "both");
  }
  say("fds", numbers);
  say("pid", std::to_string(::getpid()));
  say("ppid", std::to_string(::getppid()));
  say("session", std::to_string(::getsid(0)));
  say("group", std::to_string(::getpgrp()));
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  say("terminal", terminal < 0 ? "no" : "yes");
  if (terminal >= 0) {
    ::close(terminal);
  }
  std::array<char, PATH_MAX> directory{};
  say("directory", ::getcwd(directory.data(), directory.size()) != nullptr ? directory.data() : "?");
  std::string ignored;
  std::string blocked;
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
      ignored += (ignored.empty() ? "" : " ") + std::to_string(signal);
    }
    if (::sigismember(&mask, signal) == 1) {
      blocked += (blocked.empty() ? "" : " ") + std::to_string(signal);
    }
  }
  say("ignored", ignored);
  say("blocked", blocked);
  int death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &death_signal);
  say("death signal", std::to_string(death_signal));
  const mode_t mask_of_files = ::umask(0);
  ::umask(mask_of_files);
  say("umask", std::to_string(mask_of_files));
  say("callers umask", std::to_string(telec::callers_umask()));
  for (int i = 0; i < count; ++i) {
    say("argument" + std::to_string(i), words[i]);
  }
  int variables = 0;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    say("variable" + std::to_string(variables++), *variable);
  }
  write_file(path, text);
}

[[noreturn]] void sleep_long() {
  for (unsigned i = 0; i < long_enough; ++i) {
    ::sleep(1);
  }
  ::_exit(97);
}

}  // namespace

int main(int count, char** words) {
  const std::string mode = count > 1 ? words[1] : "";
  const std::string first = count > 2 ? words[2] : "";
  const std::string second = count > 3 ? words[3] : "";
  if (mode == "exit") {
    ::_exit(std::atoi(first.c_str()));
  }
  if (mode == "kill") {
    ::kill(::getpid(), std::atoi(first.c_str()));
    sleep_long();
  }
  if (mode == "sleep") {
    write_file(first, std::to_string(::getpid()));
    sleep_long();
  }
  if (mode == "daemonise") {
    if (::fork() == 0) {
      ::setsid();
      const pid_t daemon = ::fork();
      if (daemon == 0) {
        sleep_long();
      }
      write_file(first, std::to_string(daemon));
      ::_exit(0);
    }
    ::wait(nullptr);
    ::_exit(0);
  }
  if (mode == "orphans") {
    std::string pids;
    for (int i = 0; i < std::atoi(second.c_str()); ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        sleep_long();
      }
      pids += std::to_string(pid) + " ";
    }
    write_file(first, pids);
    ::_exit(0);
  }
  if (mode == "zombies") {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::_exit(0);
    }
    siginfo_t info = {};
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    ::_exit(0);
  }
  if (mode == "prepared") {
    telec::prepare_process();
  }
  if (mode == "report" || mode == "prepared") {
    report(first, count, words);
    ::_exit(0);
  }
  if (mode == "read") {
    std::array<char, 4096> buffer{};
    for (ssize_t got = ::read(0, buffer.data(), buffer.size()); got > 0;
         got = ::read(0, buffer.data(), buffer.size())) {
      if (::write(1, buffer.data(), static_cast<std::size_t>(got)) != got) {
        ::_exit(96);
      }
    }
    ::_exit(0);
  }
  ::_exit(95);
}
