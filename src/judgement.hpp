// SPDX-License-Identifier: MIT
// How a child ended and what it said, and what that means for its migration. judge() is total: whatever a script
// did is a value here, and only a verdict together with a clean exit is success.
//
// The shim writes one JSON object per line on a descriptor of its own, each with the run's nonce:
//   {"nonce": N, "event": "hello", "python": "3.11.2", "supported": true}
//   {"nonce": N, "event": "stage", "stage": "load" | "check" | "migrate" | "recheck"}
//   {"nonce": N, "event": "verdict", "verdict": "applied" | "already_present" | "not_present" | "failed",
//    "message": ..., "traceback": ...}     (failed: in the stage that was entered last, unless a "stage" names another)
// ("not_present": check() alone was asked for, and it was False.)
// A line without the nonce is a script's scribble and says nothing.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace telec {

// --- how the child ended

struct Exited {
  int code = 0;
};
struct Killed {
  int signal = 0;
  bool core_dumped = false;
};
/// The runner ended it, because its time was up.
struct TimedOut {
  double seconds = 0;  ///< the limit
};
/// The runner ended it, because a person asked to stop now.
struct Stopped {
  int signal = 0;  ///< the signal that asked
};
/// There was no child, or no python in it: which step failed and why.
struct NotStarted {
  std::string reason;
  std::string hint = {};  ///< where it is not the interpreter that is at fault: what to do instead
};
/// The kernel would not say how it ended.
struct StatusUnknown {
  std::string reason;
};
using Ending = std::variant<Exited, Killed, TimedOut, Stopped, NotStarted, StatusUnknown>;

/// What one run of one migration's script came to, as seen from outside.
struct ChildResult {
  Ending ending = Exited{};
  std::string nonce;           ///< of this run
  std::string said;            ///< all that came on the verdict's descriptor, cut at said_limit
  bool said_too_much = false;  ///< there was more
  std::string survivors;       ///< processes of the script that could not be ended; empty: none
  std::string refused;         ///< why the script was not even given to python (unreadable, too large); empty: it was
  // Facts for the record and the report; judge() does not look at them.
  std::string script;       ///< its absolute path
  std::string sha256;       ///< of the bytes that ran
  std::string log;          ///< path of the log file; empty: nothing was written
  std::string output_tail;  ///< the end of what the script printed
  std::string note;         ///< something a person should know that does not change the outcome
  std::string finished_at;  ///< UTC, RFC 3339
  double seconds = 0;

  static constexpr std::size_t said_limit = std::size_t{1024} * 1024;
};

// --- what it means

enum class Stage { start, load, check, migrate, recheck, verdict, commit };
const char* word_of(Stage stage);

/// `not_present`: check() alone was run, and it was False.
enum class Outcome { applied, already_present, not_present, failed, interrupted, no_python };

struct Judgement {
  Outcome outcome = Outcome::failed;
  bool timed_out = false;      ///< failed, because of the time limit
  Stage stage = Stage::start;  ///< where it failed
  std::string message;         ///< why it failed: "ValueError: bad value (v1.2.0/003_x.py:12)"
  std::string traceback;
  std::string hint;    ///< for no_python: where the machine is at fault, what to do
  std::string python;  ///< the version that ran: 3.11.2; empty where it never said
  int signal = 0;      ///< for interrupted
};

/// Total: every way to end and everything that was said has exactly one meaning. In order:
/// refused script, not started, stopped by a person, no hello or an unsupported python, time limit, left-over
/// processes, then the verdict, which counts only when it came once, last, and with exit status 0.
Judgement judge(const ChildResult& child);

/// The next step where it is the interpreter that is at fault.
constexpr const char* name_another_python = "name a working interpreter with --python FILE or TELEC_PYTHON";

/// The stage that the child had reached, for the live view; start before its first word.
Stage stage_reached(std::string_view said, std::string_view nonce);

/// "SIGKILL" for 9; "signal 77" for what has no name.
std::string signal_name(int signal);

}  // namespace telec
