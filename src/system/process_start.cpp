// SPDX-License-Identifier: MIT
#include "process_start.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "../error.hpp"
#include "mutant.hpp"

namespace telec {
namespace {

constexpr unsigned all_of_others = 077;
unsigned umask_of_caller = all_of_others;

/// Without memory there may be none for the exception that says so: libstdc++ sets some aside when a process starts, if
/// there was any then.
[[noreturn]] void end_without_memory() {
  if (std::current_exception() == nullptr) {
    say_out_of_memory();
    ::_exit(exit_code_of(ErrorCode::io));
  }
  std::abort();  // a bug: an exception where none may pass
}

}  // namespace

void prepare_process() {
  std::set_terminate(end_without_memory);
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      // The lowest free number is taken, so this is `fd`. Read-only also for 1 and 2: what is printed there is lost,
      // and a write that fails says so.
      if (::open("/dev/null", O_RDONLY) != fd) {
        ::_exit(74);
      }
    }
  }
  if (!mutant(Mutant::umask_kept)) {
    umask_of_caller = ::umask(all_of_others) & all_of_others;
  }
  if (mutant(Mutant::signals_kept)) {
    return;
  }
  // A child's exit status is only kept for a parent that does not ignore SIGCHLD.
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &action, nullptr);
  // A closed pipe is an error of the write, not the end of a run that has more to record.
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  ::sigaction(SIGXFSZ, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

unsigned callers_umask() { return umask_of_caller; }

void say_out_of_memory() {
  constexpr std::string_view text =
      "telec: error: out of memory\nhint: what was said to be recorded is; make room, then run the same again\n";
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) {
    return;  // and there is nobody else to tell
  }
}

}  // namespace telec
