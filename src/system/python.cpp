// SPDX-License-Identifier: MIT
#include "python.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "../sha256.hpp"
#include "../text.hpp"
#include "calls.hpp"
#include "mutant.hpp"
#include "paths.hpp"
#include "script_run.hpp"
#include "surroundings.hpp"
#include "time_slice.hpp"
#include "trusted_place.hpp"

namespace telec {
namespace {

std::string look_up(const std::optional<std::string>& chosen) {
  const auto usable = [](const std::string& path) {
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
  };
  const auto on_path = [&](const std::string& name) {
    // An empty or relative element would mean the current directory, which is nobody's choice of an interpreter.
    const std::string path = environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find(':', begin), path.size());
      const std::string directory = path.substr(begin, end - begin);
      const std::string candidate = (directory.empty() ? "." : directory) + "/" + name;
      if ((directory.starts_with('/') || mutant(Mutant::current_directory_searched)) && usable(candidate)) {
        return absolute_path(candidate);
      }
      begin = end + 1;
    }
    return std::string();
  };
  const char* origin = chosen ? "--python" : "TELEC_PYTHON";
  if (const auto named = chosen ? chosen : environment("TELEC_PYTHON")) {
    std::string path = named->find('/') == std::string::npos ? on_path(*named) : absolute_path(*named);
    if (path.empty()) {
      throw Error(
          ErrorCode::no_python,
          std::string(origin) + " names " + telec::quoted(*named) + ", and there is no " + telec::quoted(*named) +
              " on PATH",
          usable(*named) ? "the file here is " + telec::quoted("./" + *named) : "name a python3 of 3.8 or newer");
    }
    if (!usable(path)) {
      throw Error(ErrorCode::no_python,
                  std::string(origin) + " names " + telec::quoted(*named) + ", which is not an executable file",
                  "name a python3 of 3.8 or newer");
    }
    return path;
  }
  const std::string system_python = "/usr/bin/python3";
  std::string path = usable(system_python) ? system_python : on_path("python3");
  if (path.empty()) {
    throw Error(ErrorCode::no_python, "there is no python3: not at '/usr/bin/python3' and not on PATH",
                "install python3 (3.8 or newer), or name one with --python FILE or TELEC_PYTHON");
  }
  return path;
}

}  // namespace

std::string find_python(const std::optional<std::string>& chosen) {
  std::string path = look_up(chosen);
  refuse_unsafe_path("the interpreter", path);
  return path;
}

Python::Python(PythonOptions options, const Tree& tree, const LogDirectory& logs, LockFile& lock, StopSignals& stop,
               Progress& progress)
    : options_(std::move(options)),
      tree_(tree),
      logs_(logs),
      lock_(lock),
      stop_(stop),
      progress_(progress),
      standby_(options_, lock.descriptor(), stop.descriptor()) {}

void Python::expect(std::vector<const Migration*> order) {
  if (Standby::is_worthwhile()) {
    expected_ = std::move(order);
    ask_for_short_time_slices();
  }
}

/// The python of the one that comes so many steps after `migration`. Never throws: between a script's end and its
/// record nothing may stand in the way, and what cannot be started now is started in its turn.
void Python::start_ahead(const Migration& migration, std::ptrdiff_t steps) noexcept {
  const auto here = std::ranges::find(expected_, &migration);
  if (expected_.end() - here <= steps) {
    return;
  }
  const Migration& next = **(here + steps);
  try {
    std::string source;
    std::string refused;
    // Read again, and compared, when its turn comes: the one that runs now may change it.
    if (tree_.read_script(next, source, refused)) {
      standby_.start(next, tree_.path_of(next), source, sha256(source));
    }
  } catch (const std::exception&) {
    // No memory, or no descriptor: it may be back by then.
  }
}

std::optional<PythonProcess> Python::take_waiting(const Migration& migration, const std::string& sha256) {
  std::optional<Standby::Waiting> waiting = standby_.take(migration, sha256);
  if (!waiting) {
    return std::nullopt;
  }
  if (standby_.pid() < 0) {
    start_ahead(migration, 1);
  }
  return standby_.is_ready(*waiting) ? std::optional(std::move(waiting->process)) : std::nullopt;
}

ChildResult Python::run(const Migration& migration) {
  ChildResult result;
  commit_aside_.reset();
  lock_.announce(migration.id());
  result.script = tree_.path_of(migration);
  std::string source;
  if (!tree_.read_script(migration, source, result.refused)) {
    return result;
  }
  result.sha256 = sha256(source);
  const double began = monotonic_seconds();
  std::optional<PythonProcess> child = take_waiting(migration, result.sha256);
  const bool cold = !child;
  if (cold) {
    NotStarted failure;
    child = start_python(options_, lock_.descriptor(), ScriptRun::start_limit, failure);
    if (!failure.reason.empty()) {
      result.ending = failure;
      return result;
    }
    if (standby_.pid() < 0) {
      start_ahead(migration, 1);
    }
  }
  result.nonce = child->nonce;
  const pid_t pid = child->pid;
  std::string first = std::move(child->unsent);
  AttemptLog log(logs_, migration.id());
  try {
    const auto on_hello = [&](std::string_view said) {
      if (cold) {
        standby_.learn(said, result.nonce);
        if (standby_.pid() < 0) {
          start_ahead(migration, 1);
        }
      }
    };
    ScriptRun script(std::move(*child), log, stop_, progress_, migration.id(), options_.timeout, began, on_hello);
    const Order to_run = {migration.id(), tree_.path_of(migration), options_.only_check ? "check" : "run",
                          !expected_.empty()};
    Order to_wait = to_run;
    to_wait.mode = "wait";
    std::string order = order_text(result.nonce, to_run, source);
    // Beside one whose start has no fingerprint yet, nothing may run that could change what it started from.
    first += standby_.is_unproven() ? order_text(result.nonce, to_wait, "") : std::exchange(order, "");
    Leftovers::Ended left;
    script.run(first, order, [&] { left = leftovers_.find(standby_.pid()); });
    left = leftovers_.end(standby_.pid(), std::move(left));
    script.drain();
    script.report(result);
    result.survivors = left.survivors;
    result.finished_at = utc_now();
    if (!left.ended.empty()) {
      result.note = "it left processes running, they were ended: " + left.ended;
    }
  } catch (const boost::system::system_error& error) {
    ::kill(-pid, SIGKILL);
    static_cast<void>(leftovers_.end(standby_.pid()));
    result.ending = StatusUnknown{"it cannot be watched: " + error.code().message()};
    result.seconds = monotonic_seconds() - began;
    result.finished_at = utc_now();
  } catch (...) {
    ::kill(-pid, SIGKILL);
    static_cast<void>(leftovers_.end(standby_.pid()));
    throw;
  }
  if (mutant(Mutant::verdict_from_stdout)) {
    result.output_tail = log.tail();
    believe_output(result);
  }
  const Judgement judgement = judge(result);
  const bool good = judgement.outcome == Outcome::applied || judgement.outcome == Outcome::already_present;
  if (!good || stop_.count() > 0) {
    standby_.drop();
  } else {
    start_ahead(migration, standby_.pid() < 0 ? 1 : 2);
    commit_aside_.emplace(standby_.pids());
  }
  log.finish(good ? ""
                  : std::string("failed at ") + word_of(judgement.stage) + ": " + printable(judgement.message) +
                        (judgement.traceback.empty() ? "" : "\n" + judgement.traceback));
  result.output_tail = log.tail();
  result.log = log.path();
  if (!log.trouble().empty()) {
    result.note += (result.note.empty() ? "" : "; ") + log.trouble();
  }
  return result;
}

}  // namespace telec
