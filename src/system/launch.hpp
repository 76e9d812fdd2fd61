// SPDX-License-Identifier: MIT
// Starts a child process that has nothing of ours but what it is given: a session of its own, default signal
// dispositions, an empty mask, exactly the descriptors of the specification, and SIGKILL when this thread dies.
//
// Boost.Process' own launchers are not used: in 1.81 they leak descriptors into the child, leave a zombie when exec
// fails and run exit handlers in it. Its process handle is; see python.cpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "file_descriptor.hpp"

namespace telec {

struct LaunchSpec {
  std::string file;                      ///< what is executed; no search on PATH
  std::vector<std::string> arguments;    ///< without argv[0], which is `file`
  std::vector<std::string> environment;  ///< all of it, NAME=VALUE
  std::string directory;                 ///< the child's current directory
  std::vector<int> descriptors;          ///< what the child has as 0, 1, 2, ..., at most 8; all others are closed
  double limit = 10;                     ///< seconds until `file` must have been executed
};

struct Launched {
  pid_t pid = -1;           ///< also its process group and session
  FileDescriptor pidfd;     ///< not open where the kernel has none (before 5.3, or filtered)
  std::string failed_step;  ///< "execute": what failed; empty: nothing
  std::string reason;       ///< why: "No such file or directory"
  int error = 0;            ///< its errno; 0 where there is none, as for a child that was never executed
};

/// Call from the main thread only, where there is no other: the death signal is bound to the thread that forked
/// (prctl(2)), and until its exec the child shares this process' memory, errno included. When it returns
/// without a failed step, the program has been executed, or somebody killed the child before. With one, no child is
/// left. Somebody may also stop the child before its exec, or the exec may hang in a file system that does not answer:
/// past the limit it is killed, and that is a failed step like any other.
Launched launch(const LaunchSpec& spec);

}  // namespace telec
