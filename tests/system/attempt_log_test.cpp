// SPDX-License-Identifier: MIT
#include "system/attempt_log.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "system/attempts_file.hpp"

using namespace telec;
using namespace telec_test;

namespace {

const std::string id = "1.1.0/001_a.py";
constexpr std::size_t head = AttemptLog::head_limit;
constexpr std::size_t tail = AttemptLog::tail_limit;

struct Place {
  TemporaryDirectory directory;
  FileDescriptor fd = open_directory(directory.path());
  LogDirectory logs{fd.get(), directory.path()};

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(logs.path())) {
      names.push_back(entry.path().filename().native());
    }
    std::ranges::sort(names);
    return names;
  }
};

/// Bytes whose place can be told: each line is its own number.
std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t line = 0; text.size() < size; ++line) {
    text += std::to_string(line) + "\n";
  }
  text.resize(size);
  return text;
}

/// The log of `text`, appended in pieces, without the line that opens it.
std::string logged(const std::string& text, std::size_t piece, const std::string& footer = {}) {
  const Place place;
  AttemptLog log(place.logs, id);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    log.append(std::string_view(text).substr(at, piece));
  }
  log.finish(footer);
  CHECK(log.trouble().empty());
  const std::string content = read_file(log.path());
  const std::size_t first_line_end = content.find('\n');
  REQUIRE(first_line_end != std::string::npos);
  CHECK(content.starts_with("# " + id + ", 20"));
  return content.substr(first_line_end + 1);
}

}  // namespace

TEST_CASE("the directory has mode 0700, a log 0600") {
  const Place place;
  CHECK(mode_of(place.logs.path()) == 0700);
  AttemptLog log(place.logs, id);
  log.append("x");
  log.finish("");
  CHECK(mode_of(log.path()) == 0600);
}

TEST_CASE("a silent script leaves no file") {
  const Place place;
  AttemptLog log(place.logs, id);
  log.append("");
  log.finish("");
  CHECK(log.path().empty());
  CHECK(log.tail().empty());
  CHECK(place.names().empty());
}

TEST_CASE("a silent script that failed leaves a file with how it ended") {
  const Place place;
  AttemptLog log(place.logs, id);
  log.finish("failed at check: boom");
  CHECK(read_file(log.path()).ends_with("\n# failed at check: boom\n"));
}

TEST_CASE("the name of a log tells when, which and whose") {
  const Place place;
  AttemptLog log(place.logs, id);
  log.append("x");
  log.finish("");
  const std::string name = place.names().at(0);
  CHECK(name.size() > 17);
  CHECK(name[8] == 'T');
  CHECK(name.find("Z-1.1.0-001_a-" + std::to_string(::getpid()) + ".log") == 15);
  CHECK(log.path() == place.logs.path() + "/" + name);
}

TEST_CASE("an id of the greatest length still has a log") {
  const Place place;
  const std::string version = "1.2." + std::string(196, '1');
  AttemptLog log(place.logs, version + "/001_" + std::string(248, 'a') + ".py");
  log.append("x");
  log.finish("");
  CHECK(log.trouble().empty());
  CHECK(place.names().size() == 1);
}

TEST_CASE("what fits is kept whole, however it arrives") {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{100}, head - 1, head, head + 1, head + tail - 1, head + tail}) {
    const std::string text = numbered(size);
    for (const std::size_t piece : {std::size_t{4093}, std::size_t{65536}, size}) {
      CAPTURE(size);
      CAPTURE(piece);
      CHECK((logged(text, piece) == text));
    }
  }
}

TEST_CASE("what does not fit keeps its head and its tail, and says how much was cut") {
  for (const std::size_t more : {std::size_t{1}, std::size_t{1000}, tail, 3 * tail + 17}) {
    const std::string text = numbered(head + tail + more);
    const std::string expected =
        text.substr(0, head) + "\n# " + std::to_string(more) + " bytes cut here\n" + text.substr(text.size() - tail);
    for (const std::size_t piece : {std::size_t{4093}, std::size_t{65536}, tail, 2 * tail + 1, text.size()}) {
      CAPTURE(more);
      CAPTURE(piece);
      CHECK((logged(text, piece) == expected));
    }
  }
}

TEST_CASE("the footer is a line of its own") {
  CHECK(logged("text\n", 100, "failed") == "text\n# failed\n");
  CHECK(logged("text", 100, "failed") == "text\n# failed\n");
}

TEST_CASE("the tail for the message is the last 16 KiB") {
  const Place place;
  AttemptLog log(place.logs, id);
  log.append("short");
  CHECK(log.tail() == "short");
  const std::string text = numbered(20000);
  log.append(text);
  CHECK(log.tail() == text.substr(text.size() - 16384));
  log.append(numbered(1000000));
  CHECK(log.tail() == numbered(1000000).substr(1000000 - 16384));
}

TEST_CASE("at most 200 logs are kept, the newest, and nothing else is touched") {
  Place place;
  for (int i = 0; i < 250; ++i) {
    write_file(place.logs.path() + "/" + std::to_string(1000 + i) + ".log", "");
  }
  write_file(place.logs.path() + "/0_notes.txt", "mine");
  const LogDirectory again(place.fd.get(), place.directory.path());
  AttemptLog log(again, id);
  log.append("x");
  log.finish("");
  const auto names = place.names();
  CHECK(std::ranges::count_if(names, [](const std::string& name) { return name.ends_with(".log"); }) == 200);
  CHECK(exists(place.logs.path() + "/0_notes.txt"));
  CHECK_FALSE(exists(place.logs.path() + "/1050.log"));
  CHECK(exists(place.logs.path() + "/1051.log"));
  CHECK(exists(place.logs.path() + "/1249.log"));
}

TEST_CASE("a log that cannot be written is a trouble to tell, and no error") {
  const Place place;
  AttemptLog log(place.logs, id);
  REQUIRE(::rmdir(place.logs.path().c_str()) == 0);
  log.append("x");
  log.append("y");
  log.finish("failed");
  CHECK(log.path().empty());
  CHECK(log.trouble().starts_with("cannot write the log '" + place.logs.path()));
  CHECK(log.trouble().ends_with("': No such file or directory"));
  CHECK(log.tail() == "xy");
}

TEST_CASE("what is no directory in the logs' place keeps none, says so, and nothing is followed") {
  const TemporaryDirectory directory;
  const TemporaryDirectory elsewhere;
  const FileDescriptor fd = open_directory(directory.path());
  const std::string path = directory / "migration_logs";
  REQUIRE(::symlink(elsewhere.path().c_str(), path.c_str()) == 0);
  const auto keeps_nothing = [&](const std::string& reason) {
    const LogDirectory logs(fd.get(), directory.path());
    CHECK_FALSE(logs.keeps());
    CHECK(logs.trouble() == "no logs are kept: cannot open the directory '" + path + "': " + reason);
    AttemptLog log(logs, id);
    log.append("x");
    log.finish("failed");
    CHECK(log.path().empty());
    CHECK(log.trouble().empty());  // the directory's is enough
    CHECK(log.tail() == "x");
  };
  keeps_nothing("it is a symbolic link, and logs are not written through one");
  CHECK(elsewhere.names().empty());
  ::unlink(path.c_str());
  write_file(path, "a file");
  keeps_nothing("Not a directory");
}

TEST_CASE("what would lose the attempts is an error before a run, and is looked at alone") {
  const std::string said = as_nobody([]() -> std::string {
    const TemporaryDirectory directory;
    const FileDescriptor fd = open_directory(directory.path());
    const std::string logs = directory / "migration_logs";
    const std::string file = logs + "/attempts.jsonl";
    std::string text;
    const auto look = [&] {
      bool some = false;
      const std::string fault = fault_of([&] { some = refuse_lost_attempts(fd.get(), directory.path()); });
      const std::size_t end = fault.rfind(':');
      text += (fault != "no error" ? fault.substr(end + 2) : some ? "there" : "none") + "|";
    };
    look();
    write_file(logs, "a file");
    look();
    ::unlink(logs.c_str());
    ::mkdir(logs.c_str(), 0700);
    look();
    text += std::to_string(std::filesystem::exists(file)) + "|";
    write_file(file, "", 0400);
    look();
    ::unlink(file.c_str());
    ::mkdir(file.c_str(), 0700);
    look();
    ::rmdir(file.c_str());
    ::mkfifo(file.c_str(), 0600);
    look();
    ::unlink(file.c_str());
    if (::symlink("elsewhere", file.c_str()) != 0) {
      return "no link";
    }
    look();
    ::unlink(file.c_str());
    ::chmod(logs.c_str(), 0500);
    look();
    ::chmod(logs.c_str(), 0700);
    return text;
  });
  CHECK(said ==
        "none|Not a directory|there|0|Permission denied|Is a directory|it is not a regular file|it is a symbolic link|"
        "Permission denied|");
}
