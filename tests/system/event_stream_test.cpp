// SPDX-License-Identifier: MIT
#include "system/event_stream.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "fixture.hpp"
#include "system/calls.hpp"

using namespace telec;
using namespace telec_test;

namespace {

std::string attempt(const std::string& target) {
  return fault_of([&] { EventStream{target}; });
}

/// Why a stream to `target` ended; empty: it took the line.
std::string trouble_of(const std::string& target, const std::string& line) {
  EventStream stream(target);
  stream.write(line);
  stream.write("another\n");
  return stream.trouble();
}

}  // namespace

TEST_CASE("events are appended to a file, which is nobody else's to read") {
  const TemporaryDirectory directory;
  const std::string path = directory / "events";
  CHECK(trouble_of(path, "one\n").empty());
  CHECK(trouble_of(path, "two\n").empty());
  CHECK(read_file(path) == "one\nanother\ntwo\nanother\n");
  CHECK((mode_of(path) & 077U & ~0177U) == 0);
}

TEST_CASE("a number is a descriptor, which must be open for writing, and stays open") {
  const TemporaryDirectory directory;
  const FileDescriptor writable = open_at(AT_FDCWD, (directory / "events").c_str(), O_WRONLY | O_CREAT, 0600);
  const FileDescriptor readable = open_at(AT_FDCWD, (directory / "events").c_str(), O_RDONLY);
  const std::string number = std::to_string(writable.get());
  CHECK(trouble_of(number, "one\n").empty());
  CHECK(read_file(directory / "events") == "one\nanother\n");
  CHECK(::fcntl(writable.get(), F_GETFD) >= 0);
  const std::string refusal = " is not an open descriptor that can be written";
  for (const std::string& target : {std::to_string(readable.get()), std::string("-5"), std::string("987654")}) {
    CHECK(attempt(target) == "usage: --events '" + target + "'" + refusal);
  }
  CHECK(attempt("-") == "usage: --events '-' names no file");
  const std::string said = in_fork([&] {
    let_calls_fail({{SYS_fcntl, EMFILE, 1, F_DUPFD_CLOEXEC}});
    return attempt(number);
  });
  CHECK(said == "io: cannot use 'descriptor " + number + "': Too many open files");
}

TEST_CASE("what is almost a number is the name of a file") {
  const TemporaryDirectory directory;
  const std::string said = in_fork([&]() -> std::string {
    if (::chdir(directory.path().c_str()) != 0) {
      return "no directory";
    }
    for (const char* name : {"3x", "99999999999999999999", "1.5"}) {
      if (!trouble_of(name, "one\n").empty() || !exists(directory / name)) {
        return name;
      }
    }
    return "";
  });
  CHECK(said.empty());
}

TEST_CASE("a file that cannot be opened ends the run before it begins, with what to do") {
  const TemporaryDirectory directory;
  REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  const auto error = error_of([&] { EventStream{directory / "fifo"}; });
  REQUIRE(error.has_value());
  CHECK(error->hint == "it is a FIFO that nobody reads: start the reader first");
  CHECK(attempt(directory / "no/such") ==
        "io: cannot open the events file '" + (directory / "no/such") + "': No such file or directory");
}

TEST_CASE("a reader that is gone, slow or full ends the events and not the run") {
  CHECK(trouble_of("/dev/full", "one\n") == "no more events are written to '/dev/full': No space left on device");
  Pipe pipe;
  REQUIRE(make_pipe(pipe));
  const std::string number = std::to_string(pipe.writing.get());
  CHECK(trouble_of(number, std::string(std::size_t{1024} * 1024, 'x')) ==
        "no more events are written to descriptor " + number + ": its reader takes nothing");
}
