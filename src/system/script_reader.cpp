// SPDX-License-Identifier: MIT
#include "script_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "../text.hpp"
#include "calls.hpp"
#include "file_descriptor.hpp"
#include "launch.hpp"
#include "lint_program.hpp"

namespace telec {
namespace {

constexpr double start_limit = 10;  // seconds for its first word, as for a migration
constexpr double time_limit = 60;
constexpr std::size_t errors_kept = 1000;                            // bytes, the last ones
constexpr std::size_t output_limit = std::size_t{64} * 1024 * 1024;  // what calls itself python may print anything

struct Ended {
  std::string output;
  std::string errors;
  bool in_time = true;
  bool too_much = false;
  int status = 0;
};

/// Feeds `input`, collects both streams until it has ended, and ends what it left.
Ended run(const LaunchSpec& base, const std::string& input) {
  Pipe in;
  Pipe out;
  Pipe err;
  for (Pipe* pipe : {&in, &out, &err}) {
    if (!make_pipe(*pipe)) {
      throw io_error("make pipes for", base.file, errno);
    }
  }
  LaunchSpec spec = base;
  spec.descriptors = {in.reading.get(), out.writing.get(), err.writing.get()};
  const Launched child = launch(spec);
  FileDescriptor feed = std::move(in.writing);
  FileDescriptor output = std::move(out.reading);
  FileDescriptor errors = std::move(err.reading);
  // Theirs: as long as one of these is open here, there is no end.
  in.reading.reset();
  out.writing.reset();
  err.writing.reset();
  if (!child.failed_step.empty()) {
    throw Error(ErrorCode::no_python, "cannot " + child.failed_step + " " + quoted(base.file) + ": " + child.reason,
                "name a working interpreter with --python FILE or TELEC_PYTHON");
  }
  ::fcntl(feed.get(), F_SETFL, O_NONBLOCK);
  Ended ended;
  std::string_view left = input;
  const double began = monotonic_seconds();
  std::array<char, 65536> buffer{};
  const auto take = [&](FileDescriptor& stream, std::string& text, std::size_t kept) {
    const ssize_t got = repeated([&] { return ::read(stream.get(), buffer.data(), buffer.size()); });
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
      text.erase(0, text.size() - std::min(text.size(), kept));
    } else if (got == 0 || errno != EAGAIN) {
      stream.reset();
    }
    return got > 0;
  };
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(errors.get(), F_SETFL, O_NONBLOCK);
  // The end of both streams is not its end, and its end not theirs: something that it started may hold them open.
  while (!has_ended(child.pid, true)) {
    if (left.empty()) {
      feed.reset();
    }
    std::array<pollfd, 4> ready = {{{feed.is_open() ? feed.get() : -1, POLLOUT, 0},
                                    {output.is_open() ? output.get() : -1, POLLIN, 0},
                                    {errors.is_open() ? errors.get() : -1, POLLIN, 0},
                                    {child.pidfd.get(), POLLIN, 0}}};
    const double limit = ended.output.empty() ? start_limit : time_limit;
    const double seconds_left = began + limit - monotonic_seconds();
    // Without a pidfd (before Linux 5.3) its end has to be asked for.
    constexpr double asking = 0.01;
    const double wait = child.pidfd.is_open() ? seconds_left : std::min(seconds_left, asking);
    ended.in_time = seconds_left > 0;
    ended.too_much = ended.output.size() > output_limit;
    if (!ended.in_time || ended.too_much) {
      break;
    }
    ::poll(ready.data(), ready.size(), static_cast<int>(wait * 1000) + 1);
    if (ready[0].revents != 0) {
      const ssize_t wrote = ::write(feed.get(), left.data(), left.size());
      if (wrote > 0) {
        left.remove_prefix(static_cast<std::size_t>(wrote));
      } else if (errno != EAGAIN && errno != EINTR) {
        left = {};
      }
    }
    if (ready[1].revents != 0) {
      take(output, ended.output, output_limit + 1);
    }
    if (ready[2].revents != 0) {
      take(errors, ended.errors, errors_kept);
    }
  }
  ::kill(-child.pid, SIGKILL);
  while (output.is_open() && ended.output.size() <= output_limit && take(output, ended.output, output_limit + 1)) {
  }
  while (errors.is_open() && take(errors, ended.errors, errors_kept)) {
  }
  ended.too_much = ended.too_much || ended.output.size() > output_limit;
  repeated([&] { return ::waitpid(child.pid, &ended.status, 0); });
  return ended;
}

/// Takes what comes before the separator, and the separator, off the front.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string order_of(ReadFor purpose, const ScriptText& script) {
  std::string fields = purpose == ReadFor::lint ? "lint" : "load";
  fields.append(1, '\0').append(script.shown).append(1, '\0').append(script.path);
  std::array<char, 32> head{};
  std::snprintf(head.data(), head.size(), "%08zu%08zu", fields.size(), script.source.size());
  return head.data() + fields + script.source;
}

std::string why_unsound(const Ended& ended) {
  if (!ended.in_time) {
    return ended.output.empty() ? "did not start within " + whole_seconds(start_limit)
                                : "did not read the scripts within " + whole_seconds(time_limit);
  }
  if (ended.too_much) {
    return "printed more than " + std::to_string(output_limit / 1024 / 1024) + " MiB instead of what it found";
  }
  const auto last = last_lines(ended.errors, 1);
  return "cannot read scripts" + (last.empty() ? "" : ": " + printable(last.front()));
}

}  // namespace

Reading read_scripts(const std::string& python, ReadFor purpose, const std::vector<ScriptText>& scripts) {
  std::string input;
  for (const ScriptText& script : scripts) {
    input += order_of(purpose, script);
  }
  LaunchSpec spec;
  spec.file = python;
  spec.arguments = {"-I", "-B", "-X", "utf8", "-c", std::string(lint_source)};
  spec.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
  spec.directory = "/";
  const double began = monotonic_seconds();
  const Ended ended = run(spec, input);
  Reading reading;
  reading.seconds = monotonic_seconds() - began;
  bool sound = WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0;
  // Whatever calls itself an interpreter may have written this: as much of anything as there is room for.
  std::string_view records = sound ? std::string_view(ended.output) : std::string_view();
  while (!records.empty()) {
    std::string_view record = take_part(records, '\x1e');
    std::array<std::string_view, 5> fields;
    if (std::ranges::count(record, '\0') != static_cast<std::ptrdiff_t>(fields.size()) - 1) {
      continue;
    }
    for (std::string_view& field : fields) {
      field = take_part(record, '\0');
    }
    if (fields[2] == "python") {
      reading.python = fields[3];
      reading.isolated = fields[4] == "isolated";
      continue;
    }
    Finding finding;
    finding.path = fields[0];
    std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), finding.line);
    finding.rule = fields[2];
    finding.message = fields[3];
    finding.hint = fields[4];
    reading.findings.push_back(std::move(finding));
  }
  sound = sound && !reading.python.empty();
  if (!sound) {
    throw Error(ErrorCode::no_python, quoted(python) + " " + why_unsound(ended),
                "name a working python3 of 3.8 or newer with --python FILE or TELEC_PYTHON");
  }
  return reading;
}

}  // namespace telec
