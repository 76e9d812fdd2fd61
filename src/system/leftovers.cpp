// SPDX-License-Identifier: MIT
#include "leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "../text.hpp"
#include "calls.hpp"
#include "process_stat.hpp"

namespace telec {
namespace {

constexpr std::size_t most_named = 10;
constexpr double time_limit = 10;  // seconds; what is killed is gone at once, but for a machine that is very busy

pid_t number_in(std::string_view text) {
  pid_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

/// "4711 (sleep)". A zombie has ended already and is not worth a word.
std::string name_of_process(pid_t pid) {
  std::string name = proc_text("/proc/" + std::to_string(pid) + "/comm");
  if (name.ends_with('\n')) {
    name.pop_back();
  }
  return std::to_string(pid) + " (" + (name.empty() ? "?" : printable(name)) + ")";
}

std::vector<pid_t> children_by_scan() {
  std::vector<pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir("/proc"), &::closedir);
  if (!listing) {
    return children;
  }
  const pid_t self = ::getpid();
  while (const dirent* entry = ::readdir(listing.get())) {  // NOLINT(concurrency-mt-unsafe): one thread, own stream
    const pid_t pid = number_in(entry->d_name);
    if (pid > 0 && process_stat(pid).parent == self) {
      children.push_back(pid);
    }
  }
  return children;
}

bool has_any_child() {
  siginfo_t info = {};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/// Names those that were not named before.
void add_names(const std::vector<pid_t>& left, Leftovers::Ended& result) {
  for (const pid_t pid : left) {
    if (std::ranges::find(result.named, pid) == result.named.end() && process_stat(pid).state != 'Z') {
      result.named.push_back(pid);
      if (result.named.size() <= most_named) {
        result.ended += (result.ended.empty() ? "" : ", ") + name_of_process(pid);
      } else if (result.named.size() == most_named + 1) {
        result.ended += ", ...";
      }
    }
  }
}

}  // namespace

std::vector<pid_t> children_of_this_process() {
  if (!has_any_child()) {
    return {};
  }
  // Only where the kernel is built with CONFIG_PROC_CHILDREN; the whole list when nothing forks meanwhile, which is
  // why end() asks again until there is nothing left.
  const std::string self = std::to_string(::getpid());
  const FileDescriptor file = open_at(AT_FDCWD, ("/proc/" + self + "/task/" + self + "/children").c_str(), O_RDONLY);
  std::string text;
  if (!file.is_open() || !read_all(file.get(), text, std::size_t{1024} * 1024)) {
    return children_by_scan();
  }
  std::vector<pid_t> children;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find(' ');
    if (const pid_t pid = number_in(rest.substr(0, end)); pid > 0) {
      children.push_back(pid);
    }
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return children;
}

Leftovers::Leftovers() : spared_(children_of_this_process()) { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::string Leftovers::trouble() {
  return process_stat(::getpid()).state != '?'
             ? std::string()
             : "/proc is not mounted here: what a migration leaves running is neither found nor ended";
}

std::vector<pid_t> Leftovers::left(pid_t waiting) const {
  std::vector<pid_t> left = children_of_this_process();
  std::erase_if(left, [&](pid_t pid) { return pid == waiting || std::ranges::find(spared_, pid) != spared_.end(); });
  return left;
}

Leftovers::Ended Leftovers::find(pid_t waiting) const {
  Ended result;
  add_names(left(waiting), result);
  return result;
}

Leftovers::Ended Leftovers::end(pid_t waiting, Ended found) const {
  Ended result = std::move(found);
  const double deadline = monotonic_seconds() + time_limit;
  while (true) {
    const std::vector<pid_t> left = this->left(waiting);
    if (left.empty()) {
      return result;
    }
    // All of them are named before any is killed: a group ends at once.
    add_names(left, result);
    for (const pid_t pid : left) {
      // Its children become ours when it ends, and are found in the next round. A whole group goes at once, so that
      // something that forks as fast as it is killed loses the race.
      const pid_t group = ::getpgid(pid);
      if (group > 1 && group != ::getpgrp()) {
        ::kill(-group, SIGKILL);
      }
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, WNOHANG);
    }
    if (monotonic_seconds() > deadline) {
      for (const pid_t pid : left) {
        result.survivors += (result.survivors.empty() ? "" : ", ") + name_of_process(pid);
      }
      return result;
    }
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace telec
