// SPDX-License-Identifier: MIT
#include "output/live_line.hpp"

#include <doctest/doctest.h>

#include "output/width.hpp"

using namespace telec;

namespace {

const LiveView view = {2, 5, "1.2.0/003_rename_keys.py", 12, 8, "converted 1200 of 4000"};

}  // namespace

TEST_CASE("with room the line has position, id, time, silence and the last output") {
  CHECK(live_line(view, 200) == "[2/5] 1.2.0/003_rename_keys.py  12 s, silent for 8 s | converted 1200 of 4000");
}

TEST_CASE("at 40 columns the id is cut in its middle, and position and time stay") {
  CHECK(live_line(view, 40) == "[2/5] 1.2.0...s.py  12 s, silent for 8 s");
  CHECK(live_line(view, 36) == "[2/5] 1.2.0/003_rename_keys.py  12 s");
  CHECK(live_line(view, 30) == "[2/5] 1.2.0/00...keys.py  12 s");
}

TEST_CASE("a short silence is not mentioned, and no output is none") {
  CHECK(live_line({1, 1, "1.0.0/001_a.py", 2, 2.9, ""}, 80) == "[1/1] 1.0.0/001_a.py  2 s");
}

TEST_CASE("long runs are told in minutes and hours") {
  CHECK(live_line({1, 1, "1.0.0/001_a.py", 3725, 0, ""}, 80) == "[1/1] 1.0.0/001_a.py  1 h 2 min");
}

TEST_CASE("no width is ever exceeded, also with wide characters, and nothing steers the terminal") {
  LiveView odd = view;
  odd.last_line = "\u65e5\u672c\u8a9e \x1b[2J e\u0301 \U0001f600 \xff";
  for (std::size_t columns = 0; columns <= 200; ++columns) {
    CAPTURE(columns);
    const std::string line = live_line(odd, columns);
    CHECK(columns_of(line) <= columns);
    CHECK(line.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a tab takes one column, wherever it stands") {
  CHECK(live_line({1, 1, "1.0.0/001_a.py", 2, 0, "a\tb"}, 80) == "[1/1] 1.0.0/001_a.py  2 s | a b");
}
