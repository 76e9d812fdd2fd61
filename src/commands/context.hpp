// SPDX-License-Identifier: MIT
// What every command needs: where things are (flags, then environment, then defaults), and the two streams with the
// voice that was asked for.
#pragma once

#include <string>

#include "../command_line.hpp"
#include "../output/console.hpp"
#include "../report.hpp"
#include "../system/output_stream.hpp"

namespace telec {

/// --migrations-dir, TELEC_MIGRATIONS_DIR, the installed tree; absolute.
std::string migrations_directory(const Invocation& invocation);

/// --state-file, TELEC_STATE_FILE, ~/.teleclaude/migration_state.json; absolute.
std::string state_path(const Invocation& invocation);

class Voice {
 public:
  explicit Voice(const Invocation& invocation);

  [[nodiscard]] const Style& result_style() const { return result_style_; }
  [[nodiscard]] const Style& talk_style() const { return talk_style_; }
  /// For the loop: lines as they come.
  [[nodiscard]] Console console();
  /// The same without a line for each migration: its results are not what was asked for.
  [[nodiscard]] Console silent_console();

  /// A hook speaks once, at the end, and in no colour.
  [[nodiscard]] bool in_hook() const { return hook_ != Hook::none; }
  /// Text for people on stdout; nothing with --json or -q.
  void say(std::string_view text);
  /// The same, with -q too: what is asked for with it.
  void insist(std::string_view text);
  /// Asks yes or no on the terminal. 0: yes. Else the signal to end with: the one that came instead of an answer, or
  /// SIGINT where the answer is another one.
  [[nodiscard]] int ask(const std::string& question);
  /// Is there a person at a terminal to ask?
  [[nodiscard]] bool can_ask() const;

  /// Problems, on stderr, also with -q: what is passed over is never passed over in silence.
  void problems(const Report& report);
  /// A sentence on stderr that a person should read; nothing with -q.
  void note(const std::string& text);
  /// Completes the error's hint, then the document (with --json) or the error's words, then both streams out. Gives the
  /// exit code: the report's, or 74 where stdout could not be written and all else went well; in a hook 0, unless it is
  /// strict.
  int finish(Report& report, int exit_code);

 private:
  Console make_console(bool results);
  int finish_hook(const Report& report, int exit_code);

  Invocation invocation_;
  bool json_;
  bool quiet_;
  bool verbose_;
  Hook hook_;
  OutputStream out_{1};
  OutputStream err_{2};
  Style result_style_;
  Style talk_style_;
};

}  // namespace telec
