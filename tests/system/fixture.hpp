// SPDX-License-Identifier: MIT
// What the system tests share: a directory per test, the fixture child, and code run in a forked copy of the test.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "system/file_descriptor.hpp"
#include "system/launch.hpp"
#include "system/stop_signals.hpp"

namespace telec_test {

/// A directory of its own, mode 0700, gone with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// The names in it, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& bytes, unsigned mode = 0600);
/// The bytes; "(absent)" where there is no such file.
std::string read_file(const std::string& path);
bool exists(const std::string& path);
/// Permission bits, as in 0600.
unsigned mode_of(const std::string& path);
ino_t inode_of(const std::string& path);
telec::FileDescriptor open_directory(const std::string& path);

/// The fixture child, and the telec under test (TELEC_BINARY, else the one of the same build).
std::string child_program();
std::string telec_program();

/// Is there a process `pid` that has not ended?
bool is_alive(pid_t pid);
/// Asks until the condition holds, at most a minute; does it?
bool eventually(const std::function<bool()>& condition);

/// The child with `arguments`, stdin and the rest on /dev/null.
telec::LaunchSpec child_spec(std::vector<std::string> arguments);
/// Launches and waits: the wait status. A failed step is "cannot STEP: ERRNO" in `failure`.
int run(const telec::LaunchSpec& spec, std::string* failure = nullptr);
/// What the child's `report` mode wrote.
std::map<std::string, std::string> read_report(const std::string& path);

/// Runs `body` in a forked copy of this process and gives the text that it returned; "killed by N" or "exited with N"
/// where it never did. For what changes the whole process: descriptors, signals, subreaping, the user.
std::string in_fork(const std::function<std::string()>& body);

/// A system call that is not made, but fails.
struct FailingCall {
  long call = 0;       ///< its number: SYS_openat
  int error = 0;       ///< EIO
  int argument = -1;   ///< only where this one of its arguments, from 0 ...
  unsigned value = 0;  ///< ... has this value
};
/// From here on, in this process and its children, also after an exec, and for good (seccomp(2)): for in_fork().
void let_calls_fail(const std::vector<FailingCall>& calls);
/// fstat(2), which some C libraries make of newfstatat(2).
std::vector<FailingCall> failing_fstat(int error);

/// The Error that `body` throws; nothing where it throws none.
std::optional<telec::Error> error_of(const std::function<void()>& body);
/// "WORD: MESSAGE" of the Error that `body` throws; "no error".
std::string fault_of(const std::function<void()>& body);
/// As in_fork(), and where this is root, to whom nothing is unreadable, as the user nobody.
std::string as_nobody(const std::function<std::string()>& body);

/// The signal mask as it is now, put back at the end.
class KeptSignalMask {
 public:
  KeptSignalMask();
  KeptSignalMask(const KeptSignalMask&) = delete;
  KeptSignalMask& operator=(const KeptSignalMask&) = delete;
  ~KeptSignalMask();

 private:
  sigset_t mask_;
};

/// StopSignals whose blocking ends with it.
struct Stops {
  KeptSignalMask kept;
  telec::StopSignals signals;
};

}  // namespace telec_test
