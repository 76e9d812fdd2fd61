// SPDX-License-Identifier: MIT
#include "python_process.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "../sha256.hpp"
#include "../text.hpp"
#include "calls.hpp"
#include "launch.hpp"
#include "mutant.hpp"
#include "shim.hpp"

namespace telec {
namespace {

std::string new_nonce() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw io_error("get random bytes from", "getrandom", errno);
  }
  return sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).substr(0, 32);
}

/// As shim_start.py reads it: eight digits, its length, before it.
void add_part(std::string& text, std::string_view part) {
  std::array<char, 16> length{};
  std::snprintf(length.data(), length.size(), "%08zu", part.size());
  text.append(length.data()).append(part);
}

/// The shim and its parts, as shim_start.py reads them.
std::string programs_text() {
  std::string text;
  const std::string shim = mutated_shim(shim_source);
  // Of a text that is not the one that was compiled there is no code.
  add_part(text, shim == shim_source ? shim_code : "none");
  add_part(text, shim);
  for (const std::string_view part : {shim_ahead_code, shim_ahead_source, shim_failure_code, shim_failure_source}) {
    add_part(text, part);
  }
  return text;
}

}  // namespace

PythonProcess start_python(const PythonOptions& options, int lock, double limit, NotStarted& failure) {
  PythonProcess process;
  process.nonce = new_nonce();
  Pipe output;
  std::array<int, 2> channel{};
  const auto no_descriptors = [&](const char* what) {
    const int number = errno;
    failure.reason = std::string("cannot ") + what + " for python: " + errno_text(number);
    failure.hint = next_step_after(number);
    return std::move(process);
  };
  const FileDescriptor null = open_at(AT_FDCWD, "/dev/null", O_RDONLY);
  if (!null.is_open()) {
    return no_descriptors("open '/dev/null'");
  }
  if (!make_pipe(output)) {
    return no_descriptors("make a pipe");
  }
  process.output = std::move(output.reading);
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()) != 0) {
    return no_descriptors("make a socket");
  }
  process.channel = FileDescriptor(channel[0]);
  const FileDescriptor theirs(channel[1]);
  LaunchSpec spec;
  spec.file = options.python;
  spec.arguments = {"-I", "-B", "-X", "utf8", "-X", "faulthandler", "-c", std::string(shim_start_source)};
  spec.environment = options.environment;
  spec.directory = options.home;
  spec.descriptors = {null.get(), output.writing.get(), output.writing.get(), theirs.get(), lock};
  spec.limit = limit;
  Launched child = launch(spec);
  if (!child.failed_step.empty()) {
    failure.reason = "cannot " + child.failed_step + (child.failed_step == "execute" ? " " : " python ") +
                     telec::quoted(options.python) + ": " + child.reason;
    failure.hint = child.failed_step == "execute" || child.error == 0 ? "" : next_step_after(child.error);
    return process;
  }
  process.unsent = programs_text();
  process.pid = child.pid;
  process.pidfd = std::move(child.pidfd);
  return process;
}

std::string order_text(const std::string& nonce, const Order& order, std::string_view source) {
  std::string fields = R"({"nonce": ")" + nonce + R"(", "event": ")";
  fields.append(1, '\0').append(order.id).append(1, '\0').append(order.path).append(1, '\0').append(order.mode);
  fields.append(1, '\0').append(order.wants_paths ? "paths" : "");
  std::string text;
  add_part(text, fields);
  add_part(text, source);
  return text;
}

}  // namespace telec
