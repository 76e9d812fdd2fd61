// SPDX-License-Identifier: MIT
#include "system/output_stream.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "fixture.hpp"
#include "system/calls.hpp"

using namespace telec;
using namespace telec_test;

TEST_CASE("what is written arrives with the flush, in order") {
  const TemporaryDirectory directory;
  const FileDescriptor file = open_at(AT_FDCWD, (directory / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  OutputStream out(file.get());
  out.write("one ");
  out.write("");
  out.write("two");
  CHECK(read_file(directory / "out").empty());
  out.flush();
  CHECK(read_file(directory / "out") == "one two");
  CHECK(out.failure() == 0);
  CHECK_FALSE(out.is_terminal());
}

TEST_CASE("much text does not wait for the flush, and arrives whole") {
  const TemporaryDirectory directory;
  const FileDescriptor file = open_at(AT_FDCWD, (directory / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  OutputStream out(file.get());
  std::string all;
  for (int i = 0; i < 30000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    all += line;
    out.write(line);
  }
  CHECK(read_file(directory / "out").size() >= 65536);
  out.flush();
  CHECK((read_file(directory / "out") == all));
}

TEST_CASE("a full device is a failure that is remembered, and nothing more is written") {
  const FileDescriptor full = open_at(AT_FDCWD, "/dev/full", O_WRONLY);
  REQUIRE(full.is_open());
  OutputStream out(full.get());
  out.write("x");
  CHECK(out.failure() == 0);
  out.flush();
  CHECK(out.failure() == ENOSPC);
  out.write("y");
  out.flush();
  CHECK(out.failure() == ENOSPC);
}

TEST_CASE("nothing to write is no failure, even on a full device") {
  const FileDescriptor full = open_at(AT_FDCWD, "/dev/full", O_WRONLY);
  OutputStream out(full.get());
  out.write("");
  out.flush();
  CHECK(out.failure() == 0);
}

TEST_CASE("a pipe that nobody reads is a failure, and not the end of the process") {
  CHECK(in_fork([]() -> std::string {
          ::signal(SIGPIPE, SIG_IGN);
          std::array<int, 2> ends{};
          if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            return "no pipe";
          }
          ::close(ends[0]);
          OutputStream out(ends[1]);
          out.write("x");
          out.flush();
          return out.failure() == EPIPE ? "EPIPE" : std::to_string(out.failure());
        }) == "EPIPE");
}

TEST_CASE("a closed descriptor and one opened for reading are failures") {
  OutputStream closed(999);
  closed.write("x");
  closed.flush();
  CHECK(closed.failure() == EBADF);
  const FileDescriptor null = open_at(AT_FDCWD, "/dev/null", O_RDONLY);
  OutputStream reading(null.get());
  reading.write("x");
  reading.flush();
  CHECK(reading.failure() == EBADF);
}

TEST_CASE("a terminal is told from a file") {
  const FileDescriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal.is_open());
  CHECK(OutputStream(terminal.get()).is_terminal());
}
