// SPDX-License-Identifier: MIT
#include "context.hpp"

#include <algorithm>
#include <csignal>

#include "../command_again.hpp"
#include "../output/json.hpp"
#include "../output/text.hpp"
#include "../output/users.hpp"
#include "../system/calls.hpp"
#include "../system/paths.hpp"
#include "../system/stop_signals.hpp"
#include "../system/surroundings.hpp"
#include "build_config.hpp"

namespace telec {
namespace {

std::size_t columns_of_terminal(const OutputStream& stream) {
  constexpr unsigned usual = 80;  // a terminal that does not say
  const unsigned columns = stream.columns();
  return columns > 0 ? columns : usual;
}

Style style_of(const Invocation& invocation, const OutputStream& stream) {
  const bool is_terminal = stream.is_terminal();
  Style style;
  style.columns = is_terminal ? columns_of_terminal(stream) : 0;
  switch (invocation.color.value_or(Color::automatic)) {
    case Color::always: style.color = true; break;
    case Color::never: break;
    case Color::automatic:
      style.color = is_terminal && !environment("NO_COLOR") && environment("TERM").value_or("dumb") != "dumb";
      break;
  }
  return style;
}

/// "y" or "yes", in whatever case, with whatever blanks around it.
bool is_yes(std::string_view answer) {
  std::string word;
  for (const char c : answer) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    word.push_back(is_upper ? static_cast<char>(c - 'A' + 'a') : c);
  }
  constexpr std::string_view blanks = " \t\r";
  word.erase(0, std::min(word.find_first_not_of(blanks), word.size()));
  word.erase(word.find_last_not_of(blanks) + 1);
  return word == "y" || word == "yes";
}

}  // namespace

std::string migrations_directory(const Invocation& invocation) {
  if (invocation.migrations_dir) {
    return absolute_path(*invocation.migrations_dir);
  }
  return absolute_path(environment("TELEC_MIGRATIONS_DIR").value_or(installed_migrations_dir));
}

std::string state_path(const Invocation& invocation) {
  std::string path;
  if (invocation.state_file) {
    path = absolute_path(*invocation.state_file);
  } else if (const auto named = environment("TELEC_STATE_FILE")) {
    path = absolute_path(*named);
  } else {
    return home_directory() + "/.teleclaude/migration_state.json";
  }
  if (const std::string name = name_of(path); name.empty() || name == "." || name == "..") {
    throw Error(ErrorCode::usage, "the state file '" + path + "' has no file name",
                "as in --state-file ~/.teleclaude/migration_state.json");
  }
  return path;
}

Voice::Voice(const Invocation& invocation)
    : invocation_(invocation),
      json_(invocation.json),
      quiet_(invocation.quiet || invocation.hook != Hook::none),
      verbose_(invocation.verbose && invocation.hook == Hook::none),
      hook_(invocation.hook) {
  if (in_hook() && environment("TELEC_HOOK_STRICT") == "1") {
    hook_ = Hook::strict;
  }
  if (in_hook()) {
    return;
  }
  result_style_ = style_of(invocation, out_);
  talk_style_ = style_of(invocation, err_);
}

Console Voice::console() { return make_console(!json_ && !quiet_); }

Console Voice::silent_console() { return make_console(false); }

Console Voice::make_console(bool results) {
  ConsoleOptions options;
  options.results = results;
  options.talk = !quiet_;
  options.answer = !quiet_ || (!in_hook() && err_.is_terminal());
  options.verbose = verbose_;
  options.live = !quiet_ && err_.is_terminal() && environment("TERM").value_or("dumb") != "dumb";
  options.columns = [this] { return columns_of_terminal(err_); };
  constexpr std::size_t room = std::size_t{64} * 1024;
  options.has_room = [this] {
    err_.offer({});
    return err_.waiting() < room;
  };
  options.result_style = result_style_;
  options.talk_style = talk_style_;
  return {options,
          [this](std::string_view text) {
            err_.flush();  // on one terminal, in this order
            out_.write(text);
            out_.flush();
          },
          [this](std::string_view text) {
            out_.flush();
            err_.offer(text);  // a script runs meanwhile, and somebody may ask to stop it
          }};
}

void Voice::say(std::string_view text) {
  if (!json_ && !quiet_) {
    out_.write(text);
  }
}

void Voice::insist(std::string_view text) {
  if (!json_) {
    out_.write(text);
  }
}

bool Voice::can_ask() const { return !json_ && err_.is_terminal() && is_terminal(0); }

int Voice::ask(const std::string& question) {
  StopSignals stop;
  out_.flush();
  err_.write(question + " [y/N] ");
  err_.flush();
  if (!stop.wait_for_input(0)) {
    err_.write("\n");  // below the ^C
    return stop.signal();
  }
  const auto answer = read_line(0);
  if (!answer) {
    err_.write("\n");  // Ctrl-D leaves the line as it is
  }
  return answer && is_yes(*answer) ? 0 : SIGINT;
}

void Voice::problems(const Report& report) {
  if (in_hook()) {
    return;  // one line in all
  }
  out_.flush();  // on one terminal, in this order
  err_.write(problem_lines(report.problems, talk_style_));
  err_.flush();
}

void Voice::note(const std::string& text) {
  if (!quiet_) {
    out_.flush();
    err_.write(note_line(text, talk_style_));
    err_.flush();
  }
}

int Voice::finish_hook(const Report& report, int exit_code) {
  const auto again = [this](const std::string& name) {
    Invocation one = invocation_;
    one.all_users = false;
    one.users = name.empty() ? std::vector<std::string>() : std::vector{name};
    return run_again(one);
  };
  out_.write(json_ ? json_document(report) : hook_text(report, again));
  out_.flush();
  return hook_exit_code(hook_ == Hook::strict, exit_code);
}

int Voice::finish(Report& report, int exit_code) {
  if (report.error) {
    report.error->hint = hint_in_full(report.error->hint, invocation_);
  }
  if (in_hook()) {
    return finish_hook(report, exit_code);
  }
  if (json_) {
    out_.write(json_document(report));
  }
  out_.flush();
  if (report.error) {
    err_.write(error_text(*report.error, talk_style_));
  }
  if (out_.failure() != 0) {
    // A failure of the run itself is what the exit code is needed for; the lost output is said all the same.
    exit_code = exit_code == 0 ? exit_code_of(ErrorCode::io) : exit_code;
    err_.write(error_text(report_error(Error(ErrorCode::io, "cannot write to stdout: " + errno_text(out_.failure()),
                                             report.entries.empty() || report.command != "migrate" || report.dry_run
                                                 ? "only what should be on stdout is missing"
                                                 : "what ran is recorded all the same: see '" +
                                                       command_again(invocation_, Verb::status) + "'")),
                          talk_style_));
  }
  err_.flush();
  return exit_code;
}

}  // namespace telec
