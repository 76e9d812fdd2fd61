// SPDX-License-Identifier: MIT
#include "standby.hpp"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <utility>

#include "calls.hpp"

namespace telec {
namespace {

constexpr double launch_limit = 1;  // seconds until it is executed: the migration under way waits meanwhile
constexpr double ready_limit = 2;   // seconds for a python that is still on its way when its turn comes
constexpr double here_limit = 1;    // seconds for one that has been waiting
// More than this is not compiled ahead: with the shim it must fit into the socket's buffer, since nobody waits for it
// to be read.
constexpr std::size_t compiled_ahead = std::size_t{64} * 1024;

/// All or nothing: never waits.
bool send_now(int channel, const std::string& bytes) {
  return ::send(channel, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

/// False: it has gone, or talks without end.
bool receive(PythonProcess& process) {
  std::array<char, 16384> buffer;
  const ssize_t got =
      repeated([&] { return ::recv(process.channel.get(), buffer.data(), buffer.size(), MSG_DONTWAIT); });
  if (got < 0) {
    return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  process.said.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0 && process.said.size() < ChildResult::said_limit;
}

void end(const PythonProcess& process) {
  // SIGKILL also ends what is stopped. It is not reaped yet, so the number of its group is nobody else's.
  ::kill(-process.pid, SIGKILL);
  ::kill(process.pid, SIGKILL);
  repeated([&] { return ::waitpid(process.pid, nullptr, 0); });
}

}  // namespace

Standby::Standby(const PythonOptions& options, int lock, int stop)
    : options_(options), lock_(lock), stop_(stop), taker_(options) {}

bool Standby::is_worthwhile() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  // Fails where there are more than a cpu_set_t holds: more than one, then.
  return ::sched_getaffinity(0, sizeof processors, &processors) != 0 || CPU_COUNT(&processors) > 1;
}

void Standby::learn(std::string_view said, const std::string& nonce) {
  paths_ = read_start_facts(said, nonce).paths;
  says_paths_ = !paths_.empty();
  if (!is_unproven()) {
    return;
  }
  Waiting& waiting = waiting_.front();
  waiting.paths = paths_;
  waiting.before = taker_.take(paths_, waiting.started);
  if (!says_paths_ || !waiting.before.is_settled()) {
    drop();
  }
}

void Standby::start(const Migration& migration, const std::string& path, const std::string& source,
                    const std::string& sha256) {
  if (!says_paths_ || !in_time_ || source.size() > compiled_ahead) {
    return;
  }
  Waiting waiting;
  waiting.id = migration.id();
  waiting.sha256 = sha256;
  waiting.paths = paths_;
  waiting.before = taker_.take(paths_, now());
  if (!waiting.before.is_settled()) {
    return;
  }
  waiting.started = now();
  try {
    NotStarted failure;
    waiting.process = start_python(options_, lock_, launch_limit, failure);
    if (!failure.reason.empty()) {
      return;
    }
  } catch (const Error&) {
    return;
  }
  PythonProcess& process = waiting.process;
  const std::string order = order_text(process.nonce, {waiting.id, path, "ahead", true}, source);
  if (send_now(process.channel.get(), std::exchange(process.unsent, "") + order)) {
    waiting_.push_back(std::move(waiting));
  } else {
    end(process);
  }
}

bool Standby::hear(PythonProcess& process, double seconds, const std::function<bool(const StartFacts&)>& enough) const {
  const double deadline = monotonic_seconds() + seconds;
  while (!enough(read_start_facts(process.said, process.nonce))) {
    const double left = deadline - monotonic_seconds();
    if (left <= 0) {
      return false;
    }
    std::array<pollfd, 2> wake = {pollfd{process.channel.get(), POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    ::poll(wake.data(), wake.size(), static_cast<int>(left * 1000) + 1);
    if (wake[1].revents != 0 || (wake[0].revents != 0 && !receive(process))) {
      return false;
    }
  }
  return true;
}

std::optional<Standby::Waiting> Standby::take(const Migration& migration, const std::string& sha256) {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  Waiting& waiting = waiting_.front();
  const bool same_start = !is_unproven() && taker_.take(waiting.paths, now()) == waiting.before;
  if (waiting.id != migration.id() || waiting.sha256 != sha256 || !same_start) {
    drop();
    if (!same_start) {
      paths_.clear();  // a new .pth brings new ones
    }
    return std::nullopt;
  }
  std::optional<Waiting> taken = std::move(waiting);
  waiting_.pop_front();
  return taken;
}

bool Standby::proves_ready(Waiting& waiting) {
  PythonProcess& process = waiting.process;
  if (!receive(process)) {
    return false;
  }
  // Proof of life, made now: one that was stopped after it had said that it is ready must not be given the order.
  if (read_start_facts(process.said, process.nonce).ready) {
    if (!send_now(process.channel.get(), order_text(process.nonce, {waiting.id, "", "ping", false}, "")) ||
        !hear(process, here_limit, [](const StartFacts& facts) { return facts.here > 0; })) {
      return false;
    }
  } else {
    const double deadline = monotonic_seconds() + ready_limit;
    if (!hear(process, ready_limit, [](const StartFacts& facts) { return facts.ready; })) {
      in_time_ = monotonic_seconds() < deadline;
      return false;
    }
  }
  // What it says itself must be what the fingerprint was made from, and what it imported must be as it was then.
  const StartFacts facts = read_start_facts(process.said, process.nonce);
  return facts.paths == waiting.paths && unchanged_since(facts.files, waiting.started);
}

bool Standby::is_ready(Waiting& waiting) {
  if (proves_ready(waiting)) {
    return true;
  }
  end(waiting.process);
  return false;
}

std::vector<pid_t> Standby::pids() const {
  std::vector<pid_t> pids;
  for (const Waiting& waiting : waiting_) {
    pids.push_back(waiting.process.pid);
  }
  return pids;
}

void Standby::drop() {
  for (const Waiting& waiting : waiting_) {
    end(waiting.process);
  }
  waiting_.clear();
}

}  // namespace telec
