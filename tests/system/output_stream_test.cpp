// SPDX-License-Identifier: MIT
#include "system/output_stream.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

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

TEST_CASE("a pipe that somebody made non-blocking loses nothing, however late its reader comes") {
  CHECK(in_fork([]() -> std::string {
          std::array<int, 2> ends{};
          if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
            return "no pipe";
          }
          const std::string all(std::size_t{1024} * 1024, 'x');
          std::size_t got = 0;
          std::thread reader([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            std::array<char, 65536> part{};
            pollfd ready = {ends[0], POLLIN, 0};
            while (::poll(&ready, 1, -1) > 0) {
              const ssize_t count = ::read(ends[0], part.data(), part.size());
              if (count == 0) {
                return;
              }
              got += count > 0 ? static_cast<std::size_t>(count) : 0;
            }
          });
          OutputStream out(ends[1]);
          out.write(all);
          out.flush();
          ::close(ends[1]);
          reader.join();
          return std::to_string(out.failure()) + " " + std::to_string(got);
        }) == "0 1048576");
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

TEST_CASE("what is offered never waits for a reader, is kept for the next time, and arrives whole and in order") {
  Pipe pipe;
  REQUIRE(make_pipe(pipe));
  OutputStream out(pipe.writing.get());
  std::string all;
  for (int i = 0; i < 30000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    all += line;
    out.offer(line);
  }
  CHECK(out.waiting() > 0);
  CHECK(out.waiting() < all.size());
  std::string got;
  std::array<char, 65536> buffer{};
  while (got.size() < all.size()) {
    out.offer({});
    const ssize_t count = ::read(pipe.reading.get(), buffer.data(), buffer.size());
    REQUIRE(count > 0);
    got.append(buffer.data(), static_cast<std::size_t>(count));
  }
  CHECK((got == all));
  CHECK(out.waiting() == 0);
  CHECK(out.failure() == 0);
}

TEST_CASE("nothing is kept for a reader that has gone") {
  CHECK(in_fork([]() -> std::string {
          ::signal(SIGPIPE, SIG_IGN);
          Pipe pipe;
          if (!make_pipe(pipe)) {
            return "no pipe";
          }
          pipe.reading.reset();
          OutputStream out(pipe.writing.get());
          out.offer("one");
          out.offer("two");
          return (out.failure() == EPIPE ? "EPIPE, " : "") + std::to_string(out.waiting());
        }) == "EPIPE, 0");
}
