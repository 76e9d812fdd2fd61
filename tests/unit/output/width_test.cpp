// SPDX-License-Identifier: MIT
#include "output/width.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace telec;

TEST_CASE("plain text takes a column for each character") {
  CHECK(columns_of("abc") == 3);
  CHECK(columns_of("\u00e4\u20ac") == 2);
  CHECK(columns_of("") == 0);
}

TEST_CASE("East Asian characters and emoji take two, combining marks and joiners none") {
  CHECK(columns_of("\u65e5\u672c") == 4);
  CHECK(columns_of("\uff21") == 2);
  CHECK(columns_of("\U0001f600") == 2);
  CHECK(columns_of("e\u0301") == 1);
  CHECK(columns_of("a\u200db") == 2);
  CHECK(columns_of("\uff71") == 1);  // half width
}

TEST_CASE("a byte that is not UTF-8 takes one column and does no harm") {
  CHECK(columns_of(std::string("a\xff") + "b") == 3);
  CHECK(fitted("\xff\xff\xff\xff\xff", 4) == "\xff...");
}

TEST_CASE("what does not fit is cut at a character, never above the width") {
  CHECK(fitted("abcdef", 6) == "abcdef");
  CHECK(fitted("abcdefg", 6) == "abc...");
  CHECK(fitted("abcdefg", 2) == "..");
  CHECK(fitted("\u65e5\u672c\u8a9e\u306e", 6) == "\u65e5...");
  CHECK(fitted_middle("1.2.0/003_rename_keys.py", 15) == "1.2.0/...eys.py");
  for (std::size_t columns = 0; columns < 30; ++columns) {
    CAPTURE(columns);
    CHECK(columns_of(fitted("a\u65e5b\u672cc\u0301\u8a9ed\u306e", columns)) <= columns);
    CHECK(columns_of(fitted_middle("a\u65e5b\u672cc\u0301\u8a9ed\u306e", columns)) <= columns);
  }
}

TEST_CASE("padding counts columns, not bytes") {
  CHECK(padded("\u65e5", 4) == "\u65e5  ");
  CHECK(padded("abc", 2) == "abc");
}

TEST_CASE("a sentence is broken at blanks, each further line indented") {
  CHECK(wrapped("one two three", 8, 0, 2) == "one two\n  three");
  CHECK(wrapped("one two three", 0, 0, 2) == "one two three");
  CHECK(wrapped("one two three", 13, 0, 2) == "one two three");
  CHECK(wrapped("one two three", 12, 4, 4) == "one two\n    three");
  CHECK(wrapped("\u65e5\u672c \u8a9e", 6, 0, 0) == "\u65e5\u672c\n\u8a9e");
  CHECK(wrapped("", 10, 0, 0).empty());
  CHECK(wrapped("one\ttwo three", 8, 0, 2) == "one two\n  three");  // how far a tab goes depends on where it stands
  CHECK(wrapped("one\ttwo", 0, 0, 2) == "one\ttwo");
}

TEST_CASE("what is in quotes, a command at the end and what is too wide stay in one piece") {
  CHECK(wrapped("see 'a path with blanks', then go on", 14, 0, 0) == "see\n'a path with blanks',\nthen go on");
  CHECK(wrapped("it is the user's and the group's", 12, 0, 0) == "it is the\nuser's and\nthe group's");
  CHECK(wrapped("('x y' is there)", 8, 0, 0) == "('x y'\nis\nthere)");
  CHECK(wrapped("try: telec migrate --only x", 12, 0, 2) == "try:\n  telec migrate --only x");
  CHECK(wrapped("telec is a word here", 12, 0, 2) == "telec is a\n  word here");
  CHECK(wrapped("a-word-that-is-wider and more", 10, 0, 0) == "a-word-that-is-wider\nand more");
  CHECK(wrapped("an 'open quote is no reason", 10, 0, 0) == "an 'open\nquote is\nno reason");
  CHECK(wrapped("o'clock it is, x'y", 8, 0, 0) == "o'clock\nit is,\nx'y");
  CHECK(wrapped("'it's a name' is there", 8, 0, 0) == "'it's a name'\nis there");
  CHECK(wrapped("run 'telec --dir 'my m' --to 1.0.0' again", 12, 0, 0) ==
        "run\n'telec --dir 'my m' --to 1.0.0'\nagain");
  CHECK(wrapped("run 'telec --dir 'my m'' again", 12, 0, 0) == "run\n'telec --dir 'my m''\nagain");
}
