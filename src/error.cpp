// SPDX-License-Identifier: MIT
#include "error.hpp"

namespace telec {

const char* word_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return "usage";
    case ErrorCode::migration_failed: return "migration_failed";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::interrupted: return "interrupted";
    case ErrorCode::unrecorded: return "unrecorded";
    case ErrorCode::state_untrusted: return "state_untrusted";
    case ErrorCode::tree_untrusted: return "tree_untrusted";
    case ErrorCode::no_python: return "no_python";
    case ErrorCode::io: return "io";
    case ErrorCode::locked: return "locked";
    case ErrorCode::deferred: return "deferred";
    case ErrorCode::unsafe: return "unsafe";
  }
  return "io";
}

int exit_code_of(ErrorCode code, int signal) {
  switch (code) {
    case ErrorCode::usage: return 2;
    case ErrorCode::migration_failed:
    case ErrorCode::timeout: return 1;
    case ErrorCode::interrupted: return 128 + signal;
    case ErrorCode::unrecorded: return 5;
    case ErrorCode::state_untrusted:
    case ErrorCode::tree_untrusted: return 65;
    case ErrorCode::no_python: return 69;
    case ErrorCode::io: return 74;
    case ErrorCode::locked:
    case ErrorCode::deferred: return 75;
    case ErrorCode::unsafe: return 77;
  }
  return 74;
}

}  // namespace telec
