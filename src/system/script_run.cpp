// SPDX-License-Identifier: MIT
#include "script_run.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/process/v2/process.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "../text.hpp"
#include "calls.hpp"
#include "mutant.hpp"

namespace telec {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Process = boost::process::v2::basic_process<asio::io_context::executor_type>;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;
using Seconds = std::chrono::duration<double>;

constexpr double grace = 2;            // seconds between SIGTERM and SIGKILL
constexpr double tick_interval = 0.5;  // seconds between two looks, of a live line and into the channel

auto after(double seconds) { return std::chrono::duration_cast<std::chrono::steady_clock::duration>(Seconds(seconds)); }

int duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) {
    throw boost::system::system_error(errno, boost::system::system_category());
  }
  return copy;
}

}  // namespace

class ScriptRun::Watched {
 public:
  Watched(PythonProcess child, AttemptLog& log, StopSignals& stop, Progress& progress, const std::string& id,
          double timeout, double began, std::function<void(std::string_view)> on_hello)
      : pid_(child.pid),
        output_(io_, child.output.release()),
        channel_(io_, child.channel.release()),
        exit_(io_),
        signals_(io_, duplicate(stop.descriptor())),
        deadline_(io_),
        grace_(io_),
        poll_(io_),
        room_(io_),
        tick_(io_),
        log_(log),
        stop_(stop),
        progress_(progress),
        id_(id),
        timeout_(timeout),
        began_(began),
        on_hello_(std::move(on_hello)),
        said_(std::move(child.said)) {
    if (child.pidfd.is_open()) {
      // The handle waits and reaps; a second descriptor watches, because between the exit and the reaping the whole
      // group is killed, while its number cannot be anybody else's.
      exit_.assign(duplicate(child.pidfd.get()));
      process_.emplace(io_.get_executor(), pid_, child.pidfd.release());
    }
  }

  void run(const std::string& first, const std::string& order, const std::function<void()>& on_exit) {
    order_ = order.empty() ? nullptr : &order;
    write(first);
    read_output();
    read_channel();
    watch_exit();
    watch_signals();
    watch_time();
    greet();
    tick();
    while (!exited_ && io_.run_one() > 0) {
    }
    on_exit();
    ::kill(-pid_, SIGKILL);
    ending_ = reap();
    output_.cancel();
    channel_.is_open() ? channel_.cancel() : void();
    exit_.is_open() ? exit_.cancel() : void();
    signals_.cancel();
    deadline_.cancel();
    grace_.cancel();
    poll_.cancel();
    room_.cancel();
    tick_.cancel();
    io_.restart();
    io_.poll();
  }

  void drain() {
    output_.non_blocking(true);
    error_code error;
    std::size_t budget = std::size_t{4} * 1024 * 1024;  // more than any pipe holds, in case a survivor writes on
    while (budget > 0) {
      const std::size_t got = output_.read_some(asio::buffer(buffer_), error);
      if (error || got == 0) {
        break;
      }
      take_output({buffer_.data(), got});
      budget -= std::min(budget, got);
    }
    take_what_is_said(left_channel_.is_open() ? left_channel_.get() : channel_.native_handle());
  }

  void report(ChildResult& result) {
    result.ending = forced_.value_or(ending_);
    result.said = std::move(said_);
    result.said_too_much = said_too_much_;
    result.seconds = monotonic_seconds() - began_;
  }

 private:
  void take_output(std::string_view bytes) {
    log_.append(bytes);
    progress_.printed(bytes);
  }

  void take_said(std::string_view bytes) {
    const std::size_t room = ChildResult::said_limit - said_.size();
    said_.append(bytes.substr(0, room));
    said_too_much_ = said_too_much_ || bytes.size() > room;
  }

  void write(const std::string& bytes) {
    writing_ = true;
    asio::async_write(channel_, asio::buffer(bytes), [this](error_code error, std::size_t) {
      writing_ = false;
      // A python that ended before it took all of it says so by how it ended.
      if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
        give_up("cannot hand it the script", error);
      }
      go_on();
    });
  }

  void read_output() {
    if (!progress_.has_room()) {
      room_.expires_after(std::chrono::milliseconds(5));
      room_.async_wait([this](error_code error) {
        if (!error) {
          read_output();
        }
      });
      return;
    }
    output_.async_read_some(asio::buffer(buffer_), [this](error_code error, std::size_t got) {
      if (!error) {
        take_output({buffer_.data(), got});
        read_output();
      } else {
        exited_ = exited_ || mutant(Mutant::wait_for_end_of_file);
        give_up("cannot read what it prints", error);
      }
    });
  }

  void read_channel() {
    channel_.async_read_some(asio::buffer(said_buffer_), [this](error_code error, std::size_t got) {
      if (!error) {
        take_said({said_buffer_.data(), got});
        greet();
        if (channel_.is_open()) {
          read_channel();
        }
      } else if (error != asio::error::connection_reset) {  // that is a python that ended before it read its order
        give_up("cannot read its verdict", error);
      }
    });
  }

  /// What is next when it is there, and has been handed what it was to have by now: its order; after that, nothing that
  /// it says is waited for, only looked at now and then. To be woken for every stage that it tells of costs more than
  /// many a script. One that says more than a shim has to say is listened to again, or it would be held up.
  void go_on() {
    if (!greeted_at_ || writing_) {
      return;
    }
    if (order_ != nullptr) {
      write(*std::exchange(order_, nullptr));
    } else if (!talks_ && channel_.is_open()) {
      left_channel_ = FileDescriptor(channel_.release());
    }
  }

  void look_into_left_channel() {
    if (left_channel_.is_open()) {
      talks_ = take_what_is_said(left_channel_.get()) > said_buffer_.size();
      if (talks_) {
        channel_.assign(left_channel_.release());
        read_channel();
      }
    }
  }

  /// Without waiting for more; how much it was.
  std::size_t take_what_is_said(int channel) {
    std::array<char, 16384> buffer;  // the others may hold what their handlers are still to be told of
    std::size_t taken = 0;
    while (taken <= ChildResult::said_limit) {  // no more is kept, in case it never stops
      const ssize_t got = repeated([&] { return ::recv(channel, buffer.data(), buffer.size(), MSG_DONTWAIT); });
      if (got <= 0) {
        break;
      }
      take_said({buffer.data(), static_cast<std::size_t>(got)});
      taken += static_cast<std::size_t>(got);
    }
    return taken;
  }

  /// Nobody would empty the pipe any more, and the script would wait for that until its time is up.
  void give_up(const std::string& what, error_code error) {
    if (error != asio::error::eof && error != asio::error::operation_aborted) {
      end(StatusUnknown{what + ": " + error.message()});
    }
  }

  /// Its first line is its hello.
  [[nodiscard]] bool has_started() const { return said_.find('\n') != std::string::npos; }

  void greet() {
    if (!greeted_at_ && has_started()) {
      greeted_at_ = monotonic_seconds();
      watch_time();
      on_hello_(said_);
      go_on();
    }
  }

  void watch_exit() {
    if (mutant(Mutant::wait_for_end_of_file)) {
      return;
    }
    if (exit_.is_open()) {
      // A pidfd becomes readable when the process ends (pidfd_open(2)). Never the end of a pipe: a daemon may hold
      // that open for ever.
      exit_.async_wait(Descriptor::wait_read, [this](error_code error) {
        exited_ = exited_ || !error;
        if (error && error != asio::error::operation_aborted) {
          exit_.close(error);
          watch_exit();  // by asking again and again
        }
      });
      return;
    }
    poll_.expires_after(std::chrono::milliseconds(5));
    poll_.async_wait([this](error_code error) {
      if (!error && !has_ended(pid_, true)) {
        watch_exit();
      } else {
        exited_ = exited_ || !error;
      }
    });
  }

  void watch_signals() {
    signals_.async_wait(Descriptor::wait_read, [this](error_code error) {
      if (error) {
        give_up("cannot watch for signals", error);
        return;
      }
      const int count = stop_.count();
      if (count == 1 && !std::exchange(told_of_stop_, true)) {
        progress_.stopping(signal_name(stop_.signal()) + ": finishing " + id_ + " (for " +
                           whole_seconds(monotonic_seconds() - greeted_at_.value_or(began_)) + " now, " +
                           whole_seconds(timeout_) + " at the most), then stopping; once more to stop it now");
      } else if (count > 1) {
        if (!forced_ && !has_ended(pid_, false)) {
          progress_.stopping(signal_name(stop_.signal()) + " again: ending " + id_ + " now");
        }
        end(Stopped{stop_.signal()});
      }
      watch_signals();
    });
  }

  void watch_time() {
    // Until its hello there is a python to wait for, and not yet a script: that a busy machine is slow to start one is
    // nothing that the script could be ended for.
    const double limit = greeted_at_ ? timeout_ : start_limit;
    const double elapsed = monotonic_seconds() - greeted_at_.value_or(began_);
    if (elapsed >= limit) {
      end(TimedOut{limit});
      return;
    }
    deadline_.expires_after(after(limit - elapsed + 0.001));
    deadline_.async_wait([this](error_code error) {
      if (!error) {
        watch_time();
      }
    });
  }

  void tick() {
    tick_.expires_after(after(tick_interval));
    tick_.async_wait([this](error_code error) {
      if (!error) {
        look_into_left_channel();
        progress_.ticked(monotonic_seconds() - began_);
        tick();
      }
    });
  }

  /// SIGTERM to the whole group, and SIGKILL when it has not helped.
  void end(const Ending& why) {
    // What has ended already was in time, whatever this was busy with meanwhile: and once it is reaped, its number is
    // another's.
    if (forced_ || exited_ || has_ended(pid_, false)) {
      return;
    }
    forced_ = why;
    ::kill(-pid_, SIGTERM);
    ::kill(-pid_, SIGCONT);
    grace_.expires_after(after(grace));
    grace_.async_wait([this](error_code error) {
      if (!error && !exited_) {
        ::kill(-pid_, SIGKILL);
      }
    });
  }

  Ending reap() {
    int status = 0;
    if (process_) {
      error_code error;
      process_->wait(error);
      status = process_->native_exit_code();
      if (error) {
        return StatusUnknown{error.message()};
      }
    } else if (repeated([&] { return ::waitpid(pid_, &status, 0); }) != pid_) {
      return StatusUnknown{errno_text(errno)};
    }
    if (WIFEXITED(status)) {
      return Exited{WEXITSTATUS(status)};
    }
    if (WIFSIGNALED(status)) {
      return Killed{WTERMSIG(status), WCOREDUMP(status) != 0};
    }
    return StatusUnknown{"wait status " + std::to_string(status)};
  }

  // Of this attempt alone: a context that has run dry keeps what it was told about descriptors that are gone by now.
  asio::io_context io_{1};
  pid_t pid_;
  std::optional<Process> process_;
  Descriptor output_;
  Descriptor channel_;
  FileDescriptor left_channel_;  // the same, once it is no longer watched
  Descriptor exit_;
  Descriptor signals_;
  Timer deadline_;
  Timer grace_;
  Timer poll_;
  Timer room_;
  Timer tick_;
  AttemptLog& log_;
  StopSignals& stop_;
  Progress& progress_;
  const std::string& id_;
  double timeout_;
  double began_;
  std::function<void(std::string_view)> on_hello_;
  const std::string* order_ = nullptr;  // what it gets after its hello
  bool writing_ = false;
  bool talks_ = false;
  std::optional<double> greeted_at_;
  bool exited_ = false;
  bool told_of_stop_ = false;
  std::optional<Ending> forced_;
  Ending ending_;
  std::string said_;
  bool said_too_much_ = false;
  std::array<char, 65536> buffer_;
  std::array<char, 4096> said_buffer_;
};

ScriptRun::ScriptRun(PythonProcess child, AttemptLog& log, StopSignals& stop, Progress& progress, const std::string& id,
                     double timeout, double began, std::function<void(std::string_view)> on_hello)
    : watched_(
          std::make_unique<Watched>(std::move(child), log, stop, progress, id, timeout, began, std::move(on_hello))) {}

ScriptRun::~ScriptRun() = default;

void ScriptRun::run(const std::string& first, const std::string& order, const std::function<void()>& on_exit) {
  watched_->run(first, order, on_exit);
}

void ScriptRun::drain() { watched_->drain(); }

void ScriptRun::report(ChildResult& result) { watched_->report(result); }

}  // namespace telec
