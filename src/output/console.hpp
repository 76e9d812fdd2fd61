// SPDX-License-Identifier: MIT
// The voice for people while a run goes on: a line per migration as it ends, notes, and with -v what the scripts
// print. Results go to one sink, talk to the other; where those lead is others' business.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../runner.hpp"
#include "live_line.hpp"
#include "text.hpp"

namespace telec {

struct ConsoleOptions {
  bool results = true;   ///< false with --json and with -q: no lines for migrations
  bool talk = true;      ///< false with -q: no notes
  bool answer = true;    ///< false with -q where nobody is at a terminal: no answer to who asks to stop
  bool verbose = false;  ///< what the scripts print, as it comes
  bool live = false;     ///< stderr is a terminal: one line says what is running now
  /// How wide that is, asked anew for every drawing of the line: it may be resized.
  std::function<std::size_t()> columns = [] { return std::size_t{80}; };
  /// May more be said without waiting for whoever reads it? Asked where what is said can wait, or be left out.
  std::function<bool()> has_room = [] { return true; };
  Style result_style;
  Style talk_style;
};

class Console : public Progress {
 public:
  using Sink = std::function<void(std::string_view)>;

  Console(ConsoleOptions options, Sink results, Sink talk);

  void planned(const std::vector<const Migration*>& pending) override;
  void started(const Migration& migration, std::size_t position, std::size_t total) override;
  void printed(std::string_view bytes) override;
  bool has_room() override;
  void finished(const ReportEntry& entry) override;
  void note(const std::string& text) override;
  void stopping(const std::string& text) override;
  void ticked(double elapsed) override;
  /// The last that the script of `id` printed, for where it failed and no error will show it. Nothing with -v: it was
  /// shown as it came.
  void show_tail(const std::string& id, const std::string& tail);

 private:
  void show_live();
  void clear_live();
  void print_line(std::string_view line);
  void tell(const std::string& text);

  ConsoleOptions options_;
  Sink results_;
  Sink talk_;
  std::size_t id_width_ = 0;
  void follow(std::string_view bytes);

  LiveView view_;
  bool running_ = false;
  bool shown_ = false;     // the live line stands on the terminal
  double printed_at_ = 0;  // as `elapsed`, to the nearest tick
  bool printed_lately_ = false;
  std::string latest_line_;   // of the script's output, not ended yet
  std::string partial_line_;  // of a script, not ended yet
};

}  // namespace telec
