// SPDX-License-Identifier: MIT
// The tool itself cannot go on. Thrown next to what failed, with the action and the path in the message; caught in
// one place, which turns it into words and an exit code. What a script did is never an Error: that is a Judgement.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace telec {

enum class ErrorCode {
  usage,
  migration_failed,
  timeout,
  interrupted,
  unrecorded,
  state_untrusted,
  tree_untrusted,
  no_python,
  io,
  locked,
  deferred,  ///< with --all-users: nobody failed, and somebody's turn comes later
  unsafe,
};

/// The stable word for machines: `state_untrusted`.
const char* word_of(ErrorCode code);

/// The exit code, by product contract (sysexits.h where it has one). `signal` for ErrorCode::interrupted.
int exit_code_of(ErrorCode code, int signal = 0);

class Error : public std::exception {
 public:
  Error(ErrorCode error_code, std::string what_failed, std::string next_step = {})
      : code(error_code), message(std::move(what_failed)), hint(std::move(next_step)) {}

  [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }

  ErrorCode code;
  std::string message;  ///< lower case, no full stop, names the action and the path
  std::string hint;     ///< the next step; empty where there is none. hint_in_full() completes the commands in it
  int signal = 0;       ///< for ErrorCode::interrupted
};

}  // namespace telec
