// SPDX-License-Identifier: MIT
#include "system/script_reader.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/calls.hpp"

using namespace telec;
using namespace telec_test;

namespace {

const std::vector<ScriptText> one = {{"1.0.0/001_a.py", "/tree/v1.0.0/001_a.py", "def check():\n    return True\n"}};

/// What reading with this shell script in python's place comes to: its version, or the Error.
std::string read_with(const std::string& script, const std::vector<ScriptText>& scripts = one) {
  const TemporaryDirectory directory;
  const std::string python = directory / "python3";
  write_file(python, "#!/bin/sh\n" + script + "\n", 0700);
  return in_fork([&]() -> std::string {
    ::signal(SIGPIPE, SIG_IGN);  // as telec itself does
    const auto error = error_of([&] { read_scripts(python, ReadFor::load, scripts); });
    return error ? error->message.substr(error->message.find("python3' ") + 9) : "read";
  });
}

}  // namespace

TEST_CASE("what calls itself python and does not read is named with what it did") {
  CHECK(read_with("cat >/dev/null; printf 'x\\0001\\000python\\0003.11.2\\000isolated\\036'") == "read");
  CHECK(read_with("exit 0") == "cannot read scripts");
  CHECK(read_with("exit 3") == "cannot read scripts");
  CHECK(read_with("kill -9 $$") == "cannot read scripts");
  CHECK(read_with("echo first >&2; printf 'last \\033[2J' >&2; exit 1") == "cannot read scripts: last \\x1b[2J");
  CHECK(read_with("printf 'no\\000record\\036'") == "cannot read scripts");
  CHECK(read_with("exec head -c 80000000 /dev/zero") == "printed more than 64 MiB instead of what it found");
}

TEST_CASE("a stderr of any length is read and cut, and one that closes its input early is no trouble") {
  const std::string said = read_with("head -c 8000000 /dev/zero >&2; printf '\\nthe end\\n' >&2; exit 1");
  CHECK(said == "cannot read scripts: the end");
  CHECK(read_with("head -c 8000000 /dev/zero >&2; exit 1").size() < 5000);
  std::vector<ScriptText> many(200, one.front());
  for (ScriptText& script : many) {
    script.source.resize(10000, '#');
  }
  CHECK(read_with("exec <&-; sleep 0.05; exit 1", many) == "cannot read scripts");
}

TEST_CASE("what it started and left is not waited for, and what closes its streams is not waited for for ever") {
  const std::string good = "cat >/dev/null; printf 'x\\0001\\000python\\0003.11.2\\000isolated\\036'";
  const double began = monotonic_seconds();
  CHECK(read_with("sleep 50 & " + good) == "read");
  CHECK(monotonic_seconds() - began < 40);  // for the end of a stream it would be 50
  CHECK(read_with("exec >&- 2>&-; exec sleep 50") == "did not start within 10 s");
}

TEST_CASE("without descriptors left nothing is started, and the message says so") {
  const std::string said = in_fork([&] {
    let_calls_fail({{SYS_pipe2, EMFILE}});
    return fault_of([&] { read_scripts("/bin/true", ReadFor::lint, one); });
  });
  CHECK(said == "io: cannot make pipes for '/bin/true': Too many open files");
}
