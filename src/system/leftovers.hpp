// SPDX-License-Identifier: MIT
// Processes that a script left running. The runner is their subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): whatever
// loses its parent becomes a child of the runner, also a daemon with a session of its own, and is found and ended.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace telec {

/// The processes whose parent is this one, zombies too.
std::vector<pid_t> children_of_this_process();

class Leftovers {
 public:
  /// Makes this process a subreaper. Children that it has by now are not a script's, and are left alone.
  Leftovers();

  /// Why nothing can be found here; empty: it can. Only /proc says which children a process has.
  [[nodiscard]] static std::string trouble();

  struct Ended {
    std::string ended;         ///< "4711 (sleep), 4712 (sh)"; empty: there were none
    std::string survivors;     ///< those that were still there after ten seconds of trying
    std::vector<pid_t> named;  ///< those that `ended` tells of, or has no more room for
  };
  /// What is left now, but for `waiting`, the python of the next migration (-1: there is none). Zombies are not, so
  /// that it can be called between the end of the script's python and its reaping: what is killed then has no name any
  /// more.
  [[nodiscard]] Ended find(pid_t waiting = -1) const;
  /// Kills what is left and waits for it, but for `waiting`, and adds it to what was `found`. Call after the script's
  /// python has been waited for.
  [[nodiscard]] Ended end(pid_t waiting = -1, Ended found = {}) const;

 private:
  [[nodiscard]] std::vector<pid_t> left(pid_t waiting) const;

  std::vector<pid_t> spared_;
};

}  // namespace telec
