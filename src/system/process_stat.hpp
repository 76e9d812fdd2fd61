// SPDX-License-Identifier: MIT
// What the kernel tells of one process in /proc/PID/stat (proc(5)).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace telec {

struct ProcessStat {
  char state = '?';  ///< R: it runs, or waits only for a processor; Z: it has ended. '?': it cannot be read, or is gone
  pid_t parent = 0;  ///< 0: not known
  int processor = -1;  ///< the one it ran on last, from 0; -1: not known
};
ProcessStat process_stat(pid_t pid);

/// Does this process descend from `ancestor`? Nothing where the kernel does not say.
std::optional<bool> descends_from(pid_t ancestor);

/// The text of a small file under /proc; empty where it cannot be read.
std::string proc_text(const std::string& path);

}  // namespace telec
