// SPDX-License-Identifier: MIT
#include "output/console.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace telec;

namespace {

const std::string erase = "\r\033[K";
const std::string A = "1.0.0/001_a.py";
const std::string B = "1.0.0/002_longer.py";

/// A console on two sinks that keep what they get, in one list: "out:..." and "err:...".
struct Screen {
  std::vector<std::string> pieces;
  Migration a = *Migration::parse(A);
  Migration b = *Migration::parse(B);
  Console console;

  explicit Screen(const ConsoleOptions& options = {})
      : console(
            options, [this](std::string_view text) { pieces.push_back("out:" + std::string(text)); },
            [this](std::string_view text) { pieces.push_back("err:" + std::string(text)); }) {}

  void plan() { console.planned({&a, &b}); }
  void finish(const std::string& id, State state = State::applied) {
    ReportEntry entry;
    entry.id = id;
    entry.state = state;
    entry.seconds = 0.5;
    console.finished(entry);
  }
  [[nodiscard]] std::string err() const {
    std::string text;
    for (const std::string& piece : pieces) {
      text += piece.starts_with("err:") ? piece.substr(4) : "";
    }
    return text;
  }
};

using Texts = std::vector<std::string>;

ConsoleOptions verbose() {
  ConsoleOptions options;
  options.verbose = true;
  return options;
}

ConsoleOptions live() {
  ConsoleOptions options;
  options.live = true;
  return options;
}

}  // namespace

TEST_CASE("each migration that ends is one line on the result sink, ids in one column") {
  Screen screen;
  screen.plan();
  screen.console.started(screen.a, 1, 2);
  screen.finish(A);
  screen.console.started(screen.b, 2, 2);
  screen.finish(B, State::failed);
  CHECK(screen.pieces == Texts{"out:applied          1.0.0/001_a.py       0.500 s\n",
                               "out:failed           1.0.0/002_longer.py  0.500 s\n"});
}

TEST_CASE("without results there are no lines for migrations, and notes are still told") {
  ConsoleOptions options;
  options.results = false;
  Screen screen(options);
  screen.plan();
  screen.console.started(screen.a, 1, 1);
  screen.console.note("n");
  screen.finish(A);
  CHECK(screen.pieces == Texts{"err:telec: note: n\n"});
}

TEST_CASE("without talk there are no notes") {
  ConsoleOptions options;
  options.talk = false;
  Screen screen(options);
  screen.console.note("n");
  CHECK(screen.pieces.empty());
}

TEST_CASE("who asks to stop is answered without talk too, unless nobody is there") {
  ConsoleOptions options;
  options.talk = false;
  Screen screen(options);
  screen.console.stopping("finishing");
  CHECK(screen.pieces == Texts{"err:telec: note: finishing\n"});
  options.answer = false;
  Screen alone(options);
  alone.console.stopping("finishing");
  CHECK(alone.pieces.empty());
}

TEST_CASE("the last that a script printed is shown once, its last lines, and not without talk") {
  Screen screen;
  screen.console.show_tail(A, "one\n\x1b[2Jtwo");
  CHECK(screen.err() == "the last that " + A + " printed:\n  | one\n  | \\x1b[2Jtwo\n");
  Screen silent;
  silent.console.show_tail(A, "");
  CHECK(silent.err().empty());
  Screen shown(verbose());
  shown.console.show_tail(A, "one\n");
  CHECK(shown.pieces.empty());
  ConsoleOptions quiet;
  quiet.talk = false;
  Screen untold(quiet);
  untold.console.show_tail(A, "one\n");
  CHECK(untold.pieces.empty());
}

TEST_CASE("what a script prints is not shown unless asked for") {
  Screen screen;
  screen.console.started(screen.a, 1, 1);
  screen.console.printed("secret\n");
  screen.finish(A);
  CHECK(screen.pieces.size() == 1);
}

TEST_CASE("with -v lines are shown as they come, each with its mark") {
  Screen screen(verbose());
  screen.console.started(screen.a, 1, 1);
  screen.console.printed("one\ntw");
  CHECK(screen.err() == "  | one\n");
  screen.console.printed("o\n\nth");
  screen.console.printed("ree");
  CHECK(screen.err() == "  | one\n  | two\n  | \n");
  screen.finish(A);
  CHECK(screen.err() == "  | one\n  | two\n  | \n  | three\n");
}

TEST_CASE("with -v a line that ends in CRLF is shown without its carriage return, wherever it is cut") {
  for (const std::size_t cut : {std::size_t{3}, std::size_t{4}, std::size_t{5}}) {
    Screen screen(verbose());
    const std::string text = "one\r\na\rb\r\r\nend\r";
    screen.console.printed(text.substr(0, cut));
    screen.console.printed(text.substr(cut));
    screen.finish(A);
    CHECK(screen.err() == "  | one\n  | a\\x0db\\x0d\n  | end\\x0d\n");
  }
}

TEST_CASE("a line cut anywhere comes out the same") {
  const std::string text = "caf\xc3\xa9 \xe2\x82\xac\nsecond line\n\nlast";
  Screen whole(verbose());
  whole.console.printed(text);
  whole.finish(A);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    Screen screen(verbose());
    screen.console.printed(text.substr(0, cut));
    screen.console.printed(text.substr(cut));
    screen.finish(A);
    CHECK(screen.err() == whole.err());
  }
}

TEST_CASE("a line without an end does not grow without an end") {
  Screen screen(verbose());
  for (int i = 0; i < 1000; ++i) {
    screen.console.printed(std::string(1000, 'x'));
  }
  CHECK(screen.pieces.empty());
  screen.console.printed("\nnext\n");
  REQUIRE(screen.pieces.size() == 2);
  CHECK(screen.pieces[0].size() < 4200);
  CHECK(screen.pieces[0].ends_with("x...\n"));
  CHECK(screen.pieces[1] == "err:  | next\n");
}

TEST_CASE("a line of exactly the limit is whole, one byte more is cut") {
  for (const std::size_t length : {std::size_t{4095}, std::size_t{4096}, std::size_t{4097}}) {
    Screen screen(verbose());
    screen.console.printed(std::string(length, 'x') + "\n");
    CHECK(screen.err() == "  | " + (length <= 4096 ? std::string(length, 'x') : std::string(4093, 'x') + "...") + "\n");
  }
}

TEST_CASE("what a script prints cannot steer the terminal") {
  Screen screen(verbose());
  screen.console.printed("\x1b[2J\r\xff\n");
  CHECK(screen.err() == "  | \\x1b[2J\\x0d\\xff\n");
}

TEST_CASE("on a terminal a line says what is running, and is taken away for everything else") {
  Screen screen(live());
  screen.plan();
  screen.console.started(screen.a, 1, 2);
  const std::string running = std::string(erase) + "[1/2] 1.0.0/001_a.py  0 s";
  CHECK(screen.err() == running);
  screen.console.note("n");
  CHECK(screen.err() == running + erase + "telec: note: n\n" + running);
  screen.finish(A);
  CHECK(screen.err() == running + erase + "telec: note: n\n" + running + erase);
  CHECK(screen.pieces.back().starts_with("out:applied"));
}

TEST_CASE("on a terminal the line comes back after what a script printed") {
  ConsoleOptions options = live();
  options.verbose = true;
  Screen screen(options);
  screen.console.started(screen.a, 1, 1);
  screen.console.printed("one\n");
  const std::string running = std::string(erase) + "[1/1] 1.0.0/001_a.py  0 s";
  CHECK(screen.err() == running + erase + "  | one\n" + running + " | one");
}

TEST_CASE("the line follows the clock, the last line of output, and how long there was none") {
  Screen screen(live());
  screen.console.started(screen.a, 1, 1);
  screen.console.printed("first\nsecond\n  \n");
  screen.console.ticked(1.0);
  CHECK(screen.err().ends_with("  1 s | second"));
  screen.console.ticked(4.5);
  CHECK(screen.err().ends_with("  4 s, silent for 3 s | second"));
  screen.console.printed("thi");
  screen.console.printed("rd");
  screen.console.ticked(5.0);
  CHECK(screen.err().ends_with("  5 s | third"));
}

TEST_CASE("of much output at once the line shows the end, and of an endless line its beginning") {
  Screen screen(live());
  screen.console.started(screen.a, 1, 1);
  screen.console.printed(std::string(5000, 'x') + "\nlast\n");
  screen.console.ticked(1.0);
  CHECK(screen.err().ends_with("| last"));
  screen.console.printed("\n" + std::string(300, 'y') + std::string(300, 'z'));
  screen.console.ticked(2.0);
  CHECK(screen.err().find("yyy") != std::string::npos);
  screen.console.printed(std::string(600, 'w'));
  screen.console.ticked(3.0);
  CHECK(screen.err().find("www") == std::string::npos);
}

TEST_CASE("the line is as wide as the terminal is at that moment, but for what ^C takes") {
  ConsoleOptions options = live();
  std::size_t columns = 200;
  options.columns = [&] { return columns; };
  Screen screen(options);
  screen.console.started(screen.a, 1, 1);
  screen.console.printed(std::string(300, 'x') + "\n");
  screen.console.ticked(1);
  CHECK(screen.pieces.back().size() == std::string("err:").size() + std::string(erase).size() + 197);
  columns = 40;
  screen.console.ticked(2);
  CHECK(screen.pieces.back().size() == std::string("err:").size() + std::string(erase).size() + 37);
}

TEST_CASE("a note between migrations has no line to take away") {
  Screen screen(live());
  screen.console.note("n");
  CHECK(screen.err() == "telec: note: n\n");
}

TEST_CASE("what is not reached needs no start") {
  Screen screen(live());
  screen.plan();
  screen.finish(A, State::not_reached);
  CHECK(screen.pieces == Texts{"out:not reached      1.0.0/001_a.py\n"});
}

TEST_CASE("where nobody reads, a script that prints waits with -v alone, and the live line is left out") {
  const auto crowded = [](ConsoleOptions options) {
    options.has_room = [] { return false; };
    return options;
  };
  CHECK(Screen(verbose()).console.has_room());
  CHECK_FALSE(Screen(crowded(verbose())).console.has_room());
  CHECK(Screen(crowded({})).console.has_room());
  Screen screen(crowded(live()));
  CHECK(screen.console.has_room());
  screen.plan();
  screen.console.started(screen.a, 1, 2);
  screen.console.ticked(0.5);
  CHECK(screen.pieces.empty());
  screen.console.note("n");
  CHECK(screen.err().find("n\n") != std::string::npos);
}
