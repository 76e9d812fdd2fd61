// SPDX-License-Identifier: MIT
// A python3 that runs the shim: started with its descriptors in place, and told what to do in orders. It executes
// nothing of a migration before an order with the mode `run`.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "../judgement.hpp"
#include "file_descriptor.hpp"

namespace telec {

struct PythonOptions {
  std::string python;                    ///< the interpreter's absolute path
  std::string home;                      ///< the script's current directory
  std::vector<std::string> environment;  ///< all that it sees
  double timeout = 600;                  ///< seconds for one migration, from when its python is there
  bool only_check = false;               ///< run check() and nothing else
};

struct PythonProcess {
  pid_t pid = -1;          ///< also its process group and session
  FileDescriptor pidfd;    ///< not open where the kernel has none
  FileDescriptor output;   ///< what it prints
  FileDescriptor channel;  ///< orders to it, and what it says
  std::string nonce;       ///< in every line that it says
  std::string said;        ///< what has been read from the channel so far
  std::string unsent;      ///< what has to be written to the channel before the first order
};

/// Starts one, within `limit` seconds. It holds `lock` too, so that nobody else runs while it lives. On failure
/// `failure` has the reason and no child is left.
PythonProcess start_python(const PythonOptions& options, int lock, double limit, NotStarted& failure);

/// What an order says: see shim.py.
struct Order {
  std::string id;    ///< the migration's
  std::string path;  ///< the script's
  const char* mode;  ///< run, check; wait; ahead: compile `source` alone and wait; ping: say that it is there
  bool wants_paths;  ///< say what shaped its start
};

/// The bytes of an order, as the shim reads them.
std::string order_text(const std::string& nonce, const Order& order, std::string_view source);

}  // namespace telec
