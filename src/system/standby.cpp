// SPDX-License-Identifier: MIT
#include "standby.hpp"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>

#include "calls.hpp"

namespace telec {
namespace {

constexpr double launch_limit = 1;  // seconds until it is executed: the migration under way waits meanwhile
constexpr double ready_limit = 2;   // seconds for a python that is still on its way when its turn comes
constexpr double here_limit = 1;    // seconds for one that has been waiting
// More than this is not compiled ahead: it must fit into the socket's buffer, since nobody waits for it to be read.
constexpr std::size_t compiled_ahead = std::size_t{64} * 1024;

/// All or nothing: never waits.
bool send_now(int channel, const std::string& bytes) {
  return ::send(channel, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Standby::Standby(const PythonOptions& options, int lock, int stop)
    : options_(options), lock_(lock), stop_(stop), taker_(options.python, options.home) {}

bool Standby::is_worthwhile() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  // Fails where there are more than a cpu_set_t holds: more than one, then.
  return ::sched_getaffinity(0, sizeof processors, &processors) != 0 || CPU_COUNT(&processors) > 1;
}

void Standby::learn(std::string_view said, const std::string& nonce) { paths_ = read_start_facts(said, nonce).paths; }

void Standby::start(const Migration& migration, const std::string& path, const std::string& source,
                    const std::string& sha256) {
  drop();
  if (paths_.empty() || source.size() > compiled_ahead) {
    return;
  }
  before_ = taker_.take(paths_);
  if (!before_.is_settled()) {
    return;
  }
  before_paths_ = paths_;
  ::clock_gettime(CLOCK_REALTIME, &started_);
  try {
    NotStarted failure;
    PythonProcess process = start_python(options_, lock_, launch_limit, failure);
    if (!failure.reason.empty()) {
      return;
    }
    process_ = std::move(process);
  } catch (const Error&) {
    return;
  }
  id_ = migration.id();
  sha256_ = sha256;
  if (!send_now(process_->channel.get(), order_text(process_->nonce, {id_, path, "ahead", true}, source))) {
    drop();
  }
}

bool Standby::receive() {
  std::array<char, 16384> buffer;
  const ssize_t got =
      repeated([&] { return ::recv(process_->channel.get(), buffer.data(), buffer.size(), MSG_DONTWAIT); });
  if (got < 0) {
    return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  process_->said.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0 && process_->said.size() < ChildResult::said_limit;
}

bool Standby::hear(double seconds, const std::function<bool(const StartFacts&)>& enough) {
  const double deadline = monotonic_seconds() + seconds;
  while (!enough(read_start_facts(process_->said, process_->nonce))) {
    const double left = deadline - monotonic_seconds();
    if (left <= 0) {
      return false;
    }
    std::array<pollfd, 2> wake = {pollfd{process_->channel.get(), POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    ::poll(wake.data(), wake.size(), static_cast<int>(left * 1000) + 1);
    if (wake[1].revents != 0 || (wake[0].revents != 0 && !receive())) {
      return false;
    }
  }
  return true;
}

bool Standby::is_usable() {
  if (!(taker_.take(before_paths_) == before_) || !receive()) {
    return false;
  }
  // Proof of life, made now: one that was stopped after it had said that it is ready must not be given the order.
  if (read_start_facts(process_->said, process_->nonce).ready) {
    if (!send_now(process_->channel.get(), order_text(process_->nonce, {id_, "", "ping", false}, "")) ||
        !hear(here_limit, [](const StartFacts& facts) { return facts.here > 0; })) {
      return false;
    }
  } else if (!hear(ready_limit, [](const StartFacts& facts) { return facts.ready; })) {
    return false;
  }
  // What it says itself must be what the fingerprint was made from, and what it imported must be as it was then.
  const StartFacts facts = read_start_facts(process_->said, process_->nonce);
  return facts.paths == before_paths_ && unchanged_since(facts.files, started_);
}

std::optional<PythonProcess> Standby::take(const Migration& migration, const std::string& sha256) {
  if (!process_) {
    return std::nullopt;
  }
  if (id_ != migration.id() || sha256_ != sha256 || !is_usable()) {
    drop();
    return std::nullopt;
  }
  std::optional<PythonProcess> taken = std::move(process_);
  process_.reset();
  return taken;
}

void Standby::drop() {
  if (!process_) {
    return;
  }
  const pid_t pid = process_->pid;
  // SIGKILL also ends what is stopped. It is not reaped yet, so the number of its group is nobody else's.
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
  repeated([&] { return ::waitpid(pid, nullptr, 0); });
  process_.reset();
}

}  // namespace telec
