// SPDX-License-Identifier: MIT
#include <exception>
#include <new>
#include <string_view>
#include <vector>

#include "build_config.hpp"
#include "command_line.hpp"
#include "commands/commands.hpp"
#include "output/help.hpp"
#include "system/process_start.hpp"

namespace telec {
namespace {

int dispatch(const Invocation& invocation, Voice& voice, Report& report) {
  switch (invocation.verb) {
    case Verb::migrate:
      if (invocation.hook != Hook::none && hook_is_idle(invocation, voice, report)) {
        break;
      }
      return names_users(invocation) ? migrate_users(invocation, voice, report) : migrate(invocation, voice, report);
    case Verb::status: return status(invocation, voice, report);
    case Verb::log: return show_log(invocation, voice, report);
    case Verb::verify: return verify(invocation, voice, report);
    case Verb::lint: return lint(invocation, voice, report);
    case Verb::create: return create(invocation, voice, report);
    case Verb::mark: return mark(invocation, voice, report);
    case Verb::forget: return forget(invocation, voice, report);
    case Verb::rebuild: return rebuild(invocation, voice, report);
    case Verb::doctor: return doctor(invocation, voice, report);
    case Verb::help: voice.say(help_text(invocation.help_topic, voice.result_style().columns)); break;
    case Verb::version: voice.say(std::string("telec ") + telec_version + "\n"); break;
  }
  return voice.finish(report, 0);
}

int show_error(const Invocation& invocation, Voice& voice, Report& report, const Error& error) {
  report.range = invocation.range;
  report.error = report_error(error);
  return voice.finish(report, report.exit_code());
}

int run(const std::vector<std::string_view>& arguments) {
  Invocation invocation;
  Report report;
  try {
    invocation = parse_command_line(arguments);
  } catch (const Error& error) {
    invocation.json = asks_for_json(arguments);
    report.command = command_word(arguments);
    Voice voice(invocation);
    return show_error(invocation, voice, report, error);
  }
  Voice voice(invocation);
  report.range = invocation.range;
  report.command = command_word(invocation.verb);
  try {
    return dispatch(invocation, voice, report);
  } catch (const Error& error) {
    return show_error(invocation, voice, report, error);
  } catch (const std::bad_alloc&) {
    return show_error(
        invocation, voice, report,
        Error(ErrorCode::io, "out of memory", "what was said to be recorded is; make room, then run the same again"));
  } catch (const std::exception& error) {
    return show_error(
        invocation, voice, report,
        Error(ErrorCode::io, std::string("unexpected: ") + error.what(), "this is a bug of telec: please report it"));
  }
}

}  // namespace
}  // namespace telec

int main(int count, char** words) {
  telec::prepare_process();
  try {
    return telec::run({words + (count > 0 ? 1 : 0), words + count});
  } catch (const std::bad_alloc&) {
    telec::say_out_of_memory();
    return telec::exit_code_of(telec::ErrorCode::io);
  }
}
