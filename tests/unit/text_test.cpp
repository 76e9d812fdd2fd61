// SPDX-License-Identifier: MIT
#include "text.hpp"

#include "json_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "json_text.hpp"

using namespace telec;

namespace {

using Texts = std::vector<std::string>;

Texts texts(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }

std::string encoded(char32_t c) {
  std::string out;
  append_utf8(out, c);
  return out;
}

}  // namespace

TEST_CASE("every code point that is one survives encoding and decoding") {
  std::size_t wrong = 0;
  for (char32_t c = 0; c <= 0x10ffff; c += (c < 0x3000 ? 1 : 61)) {
    const bool surrogate = c >= 0xd800 && c <= 0xdfff;
    const std::string bytes = encoded(c);
    const CodePoint decoded = decode_utf8(bytes);
    wrong += surrogate ? (decoded.length != 0) : (decoded.length != bytes.size() || decoded.value != c);
  }
  CHECK(wrong == 0);
}

TEST_CASE("the first and last code point of each length are decoded") {
  const std::vector<std::pair<std::string, char32_t>> rows = {{"\x7f", 0x7f},
                                                              {"\xc2\x80", 0x80},
                                                              {"\xdf\xbf", 0x7ff},
                                                              {"\xe0\xa0\x80", 0x800},
                                                              {"\xed\x9f\xbf", 0xd7ff},
                                                              {"\xee\x80\x80", 0xe000},
                                                              {"\xef\xbf\xbf", 0xffff},
                                                              {"\xf0\x90\x80\x80", 0x10000},
                                                              {"\xf4\x8f\xbf\xbf", 0x10ffff}};
  for (const auto& row : rows) {
    const auto& bytes = row.first;
    const auto& value = row.second;
    CAPTURE(bytes);
    CHECK(decode_utf8(bytes).value == value);
    CHECK(decode_utf8(bytes).length == bytes.size());
    CHECK(encoded(value) == bytes);
    CHECK(decode_utf8(bytes + "\x80").length == bytes.size());
  }
  CHECK(decode_utf8(std::string(1, '\0')).length == 1);
}

TEST_CASE("overlong forms, surrogates, what is above U+10FFFF and stray bytes are not UTF-8") {
  for (const std::string bytes : {"\x80",
                                  "\xbf",
                                  "\xc0\x80",
                                  "\xc1\xbf",
                                  "\xe0\x80\x80",
                                  "\xe0\x9f\xbf",
                                  "\xf0\x80\x80\x80",
                                  "\xf0\x8f\xbf\xbf",
                                  "\xed\xa0\x80",
                                  "\xed\xbf\xbf",
                                  "\xf4\x90\x80\x80",
                                  "\xf5\x80\x80\x80",
                                  "\xf8\x88\x80\x80\x80",
                                  "\xfe",
                                  "\xff",
                                  "\xc2",
                                  "\xc2\x41",
                                  "\xe2\x82",
                                  "\xe2\x82\x41",
                                  "\xe2\x41\xac",
                                  "\xf0\x9f\x98",
                                  "\xf0\x9f\x98\x41",
                                  "\xc2\xc2"}) {
    CAPTURE(bytes);
    CHECK(decode_utf8(bytes).length == 0);
    CHECK_FALSE(is_valid_utf8("a" + bytes));
  }
  CHECK(decode_utf8("").length == 0);
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
}

TEST_CASE("text that is harmless stays as it is") {
  for (const std::string text :
       {"", "plain text", "a\tb", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "'\"\\", "\xe2\x80\xa6"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("what could steer a terminal or forge a line is written out") {
  const std::vector<std::pair<std::string, std::string>> rows = {{"\x1b[2J", "\\x1b[2J"},
                                                                 {"a\nb", "a\\x0ab"},
                                                                 {"a\rb", "a\\x0db"},
                                                                 {"\a\b\v\f", "\\x07\\x08\\x0b\\x0c"},
                                                                 {"\x7f", "\\x7f"},
                                                                 {"\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f"},
                                                                 {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
                                                                 {"\xe2\x80\xae", "\\u202e"},
                                                                 {"\xe2\x80\x8e\xe2\x80\x8f", "\\u200e\\u200f"},
                                                                 {"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},
                                                                 {"\xd8\x9c", "\\u061c"},
                                                                 {"\xef\xbb\xbf", "\\ufeff"},
                                                                 {"\xff\xc3", "\\xff\\xc3"},
                                                                 {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
                                                                 {"a\xc2", "a\\xc2"}};
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& shown = row.second;
    CAPTURE(shown);
    CHECK(printable(text) == shown);
    CHECK(quoted(text) == "'" + shown + "'");
  }
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("what is made printable is valid UTF-8 without controls, for every byte pair") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string out = printable(std::string{static_cast<char>(static_cast<unsigned char>(first)),
                                                    static_cast<char>(static_cast<unsigned char>(second))});
      bool good = is_valid_utf8(out) && out == printable(out);
      if (!good) {
        FAIL_CHECK("bytes ", first, " ", second);
      }
    }
  }
}

TEST_CASE("text is quoted so that a shell reads it back") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("a b") == "'a b'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
  CHECK(shell_word("").size() == 2);
  CHECK(shell_word("/srv/x-1.json") == "/srv/x-1.json");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_quoted("$HOME `x` \\ \"") == "'$HOME `x` \\ \"'");
  CHECK(shell_word("HOME=/home/ada-1_2.x@~+:%") == "HOME=/home/ada-1_2.x@~+:%");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("") == "''");
}

TEST_CASE("text is cut into lines, with or without an end") {
  CHECK(texts(lines_of("")).empty());
  CHECK(texts(lines_of("a")) == Texts{"a"});
  CHECK(texts(lines_of("a\n")) == Texts{"a"});
  CHECK(texts(lines_of("a\nb")) == Texts{"a", "b"});
  CHECK(texts(lines_of("\n\na\n\n")) == Texts{"", "", "a", ""});
  CHECK(texts(lines_of("a\r\nb\r\n\r\n")) == Texts{"a", "b", ""});
  CHECK(texts(lines_of("a\rb\r\r\n")) == Texts{"a\rb\r"});
}

TEST_CASE("the last lines are the last lines") {
  CHECK(texts(last_lines("a\nb\nc\n", 2)) == Texts{"b", "c"});
  CHECK(texts(last_lines("a\nb\nc", 3)) == Texts{"a", "b", "c"});
  CHECK(texts(last_lines("a\n", 5)) == Texts{"a"});
  CHECK(texts(last_lines("a\nb", 0)).empty());
  CHECK(texts(last_lines("", 2)).empty());
}

TEST_CASE("text is shortened at a character boundary and within its limit") {
  CHECK(shortened("abcdef", 6) == "abcdef");
  CHECK(shortened("abcdefg", 6) == "abc...");
  CHECK(shortened("", 0).empty());
  const std::string euros = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
  CHECK(shortened(euros, 12) == euros);
  CHECK(shortened(euros, 11) == "\xe2\x82\xac\xe2\x82\xac...");
  CHECK(shortened(euros, 9) == "\xe2\x82\xac\xe2\x82\xac...");
  CHECK(shortened(euros, 8) == "\xe2\x82\xac...");
  for (std::size_t limit = 3; limit <= euros.size(); ++limit) {
    CAPTURE(limit);
    CHECK(shortened(euros, limit).size() <= limit);
    CHECK(is_valid_utf8(shortened(euros, limit)));
  }
  CHECK(shortened(std::string(100, '\x80'), 10) == "...");
}

TEST_CASE("a limit below the three dots is kept too") {
  CHECK(shortened("abcdef", 2).size() <= 2);
  CHECK(shortened("abcdef", 0).empty());
}

TEST_CASE("a word or a path is quoted where it would be taken for something else") {
  CHECK(shell_word("~/a-1.2+b_c:d@e%f=g") == "~/a-1.2+b_c:d@e%f=g");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("") == "''");
  CHECK(shown_path("v1.1.0/001_a.py") == "v1.1.0/001_a.py");
  CHECK(shown_path("v1.1.0 ") == "'v1.1.0 '");
  CHECK(shown_path("v1\n") == "'v1\\x0a'");
  CHECK(shown_path("caf\xc3\xa9") == "'caf\xc3\xa9'");
}

TEST_CASE("of a line only one carriage return at its end is taken") {
  CHECK(without_return("a\r") == "a");
  CHECK(without_return("a\r\r") == "a\r");
  CHECK(without_return("\ra") == "\ra");
  CHECK(without_return("").empty());
}

TEST_CASE("a mistyped word finds the nearest candidate") {
  const std::vector<std::string_view> candidates = {"dry-run",      "from", "to",    "timeout",
                                                    "lock-timeout", "json", "status"};
  CHECK(std::string(nearest("dry-rum", candidates)) == "dry-run");
  CHECK(std::string(nearest("dryrun", candidates)) == "dry-run");
  CHECK(std::string(nearest("form", candidates)) == "from");
  CHECK(std::string(nearest("timout", candidates)) == "timeout");
  CHECK(std::string(nearest("jsno", candidates)) == "json");
  CHECK(std::string(nearest("stauts", candidates)) == "status");
  CHECK(std::string(nearest("too", candidates)) == "to");
  CHECK(std::string(nearest("json", candidates)) == "json");
}

TEST_CASE("a word that only one candidate begins with means that one") {
  const std::vector<std::string_view> candidates = {"dry-run", "lock-timeout", "migrations-dir", "state-file",
                                                    "strict"};
  CHECK(std::string(nearest("dry", candidates)) == "dry-run");
  CHECK(std::string(nearest("migrations", candidates)) == "migrations-dir");
  CHECK(nearest("st", candidates).empty());
  CHECK(nearest("d", candidates).empty());
}

TEST_CASE("a word that is part of one candidate alone means that one") {
  const std::vector<std::string_view> ids = {"1.1.0/001_rename_key.py", "1.2.0/001_move_logs.py",
                                             "1.2.0/002_move_keys.py"};
  CHECK(std::string(nearest("001_rename_key", ids)) == "1.1.0/001_rename_key.py");
  CHECK(std::string(nearest("1.2.0/002", ids)) == "1.2.0/002_move_keys.py");
  CHECK(std::string(nearest("logs", ids)) == "1.2.0/001_move_logs.py");
  CHECK(nearest("move", ids).empty());
  CHECK(nearest("gs", ids).empty());
}

TEST_CASE("with a limit, what is further away is not near") {
  CHECK(nearest("abcdefghi", {"abcdefxyz"}) == "abcdefxyz");
  CHECK(nearest("abcdefghi", {"abcdefxyz"}, 2).empty());
  CHECK(nearest("abcdefghi", {"abcdefgyz"}, 2) == "abcdefgyz");
}

TEST_CASE("where nothing is near, nothing is suggested") {
  const std::vector<std::string_view> candidates = {"dry-run", "from", "to"};
  CHECK(nearest("", candidates).empty());
  CHECK(nearest("x", candidates).empty());
  CHECK(nearest("xy", candidates).empty());
  CHECK(nearest("frobnicate", candidates).empty());
  CHECK(nearest("from", {}).empty());
  CHECK(nearest(std::string(1000, 'x'), candidates).empty());
}

TEST_CASE("things are counted in words, and seconds have milliseconds") {
  CHECK(counted(0, "migration") == "0 migrations");
  CHECK(counted(1, "migration") == "1 migration");
  CHECK(counted(2, "problem") == "2 problems");
  CHECK(seconds_text(0) == "0.000 s");
  CHECK(seconds_text(0.0214) == "0.021 s");
  CHECK(seconds_text(600) == "600.000 s");
  CHECK(seconds_text(1e15) == "1000000000000000.000 s");
  CHECK(seconds_text(1e300).size() == 63);  // cut, and nothing from behind it
  CHECK(is_duration(0));
  CHECK(is_duration(999999999.5));
  for (const double none : {-0.001, 1e9, 1e300}) {
    CHECK_FALSE(is_duration(none));
  }
  CHECK(json_seconds(0.0214) == "0.021");
  CHECK(json_seconds(999999999.5) == "999999999.500");
  CHECK(json_seconds(std::nullopt) == "null");
  CHECK(json_seconds(1e300) == "null");
  CHECK(json_seconds(-1) == "null");
}

TEST_CASE("a decimal number is a finite one, as people write it, and nothing around it") {
  const std::vector<std::pair<std::string, double>> rows = {
      {"0", 0},      {"90", 90},      {"0.5", 0.5},     {".5", 0.5}, {"-1", -1},
      {"1e3", 1000}, {"1E-3", 0.001}, {"0.021", 0.021}, {"-0", 0},   {"1e308", 1e308}};
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& value = row.second;
    CAPTURE(text);
    CHECK(decimal_number(text) == value);
  }
  for (const std::string text : {"",       " 1", "1 ",  "1s",    "1,5", "x", "nan", "inf", "-inf",  "0x10",    "1e999",
                                 "-1e999", "1e", "--1", "1.2.3", ".",   "-", "+",   "e5",  "1_000", "\xd9\xa1"}) {
    CAPTURE(text);
    CHECK_FALSE(decimal_number(text).has_value());
  }
  CHECK_FALSE(decimal_number(std::string("1\0", 2)).has_value());
  CHECK_FALSE(decimal_number(std::string(401, '1')).has_value());
}

TEST_CASE("letters and digits are ASCII's") {
  CHECK(is_digit('0'));
  CHECK(is_digit('9'));
  CHECK_FALSE(is_digit('a'));
  CHECK_FALSE(is_digit('\xd9'));
  CHECK(is_letter('a'));
  CHECK(is_letter('Z'));
  CHECK_FALSE(is_letter('_'));
  CHECK_FALSE(is_letter('\xc3'));
}

TEST_CASE("text becomes a JSON string, bytes that are not UTF-8 replaced") {
  CHECK(json_string("") == "\"\"");
  CHECK(json_string("a/b \xc3\xa9") == "\"a/b \xc3\xa9\"");
  CHECK(json_string("\"\\") == R"("\"\\")");
  CHECK(json_string("\n\t\x1b\x7f") == R"("\u000a\u0009\u001b\u007f")");
  CHECK(json_string(std::string(1, '\0')) == R"("\u0000")");
  CHECK(json_string("a\xff\xed\xa0\x80z") == "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
}
