// SPDX-License-Identifier: MIT
#include "json_scanner.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using telec::JsonFault;
using telec::JsonScanner;

namespace {

constexpr unsigned depth_limit = 4;

/// Why the whole text is refused; "good" where it is not.
std::string fault_of(const std::string& text, unsigned limit = depth_limit) {
  try {
    JsonScanner in(text, limit);
    in.skip();
    in.finish();
  } catch (const JsonFault& fault) {
    return fault.what();
  }
  return "good";
}

/// The whole text as one string value.
std::string string_of(const std::string& text) {
  try {
    JsonScanner in(text, depth_limit);
    std::string value = in.string();
    in.finish();
    return value;
  } catch (const JsonFault& fault) {
    return std::string("fault: ") + fault.what();
  }
}

bool ends_with_fault(const std::string& text, const std::string& words) {
  return fault_of(text).ends_with(": " + words);
}

}  // namespace

TEST_CASE("milliseconds are nine digits at most, a point, and three") {
  const auto taken = [](const std::string& text) { return JsonScanner(text, depth_limit).take_milliseconds(); };
  CHECK(taken("0.021}") == 21);
  CHECK(taken("999999999.999") == 999999999999);
  for (const char* none : {"", "1", "1.", "01.000", "1.00", "1.0000", "-1.000", "1234567890.000", "1.00e",
                           "123456789012.9999999999999999", "99999999999999999999999999999.000"}) {
    CAPTURE(none);
    CHECK_FALSE(taken(none));
  }
}

TEST_CASE("well-formed JSON of every kind is read to its end") {
  for (const std::string text : {"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-0",
                                 "1",
                                 "-12",
                                 "1.5",
                                 "1e5",
                                 "1E+5",
                                 "1e-5",
                                 "0.25e0",
                                 "\"\"",
                                 "\"a\"",
                                 "[]",
                                 "[ ]",
                                 "{}",
                                 "{ }",
                                 "[1,2]",
                                 "[1 , [2]]",
                                 R"({"a":1,"b":[true,null]})",
                                 " \t\r\n1\n ",
                                 R"({"a":{"a":{"a":1}}})",
                                 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
                                 "\"\x7f\"",
                                 R"({"":0})"}) {
    CAPTURE(text);
    CHECK(fault_of(text) == "good");
  }
}

TEST_CASE("every way to be malformed is refused") {
  for (const std::string text : {"",
                                 " ",
                                 "{",
                                 "[",
                                 "}",
                                 "]",
                                 "[1",
                                 "[1,",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "[1,,2]",
                                 "{\"a\"",
                                 "{\"a\":",
                                 "{\"a\":1",
                                 "{\"a\":1,",
                                 "{\"a\":1,}",
                                 "{\"a\" 1}",
                                 "{a:1}",
                                 "{'a':1}",
                                 "{1:1}",
                                 "{\"a\":}",
                                 "{:1}",
                                 "[1}",
                                 "{\"a\":1]",
                                 "1 1",
                                 "[] []",
                                 "{}x",
                                 "tru",
                                 "True",
                                 "TRUE",
                                 "nul",
                                 "None",
                                 "nan",
                                 "NaN",
                                 "Infinity",
                                 "-Infinity",
                                 "undefined",
                                 "+1",
                                 "-",
                                 "--1",
                                 "01",
                                 "-01",
                                 "00",
                                 ".5",
                                 "5.",
                                 "1.e5",
                                 "1e",
                                 "1e+",
                                 "1e5.5",
                                 "0x10",
                                 "1_000",
                                 "\"",
                                 "\"a",
                                 "'a'",
                                 "\"a\nb\"",
                                 "\"a\tb\"",
                                 "// x\n1",
                                 "/* x */ 1",
                                 "1 // x",
                                 "\"\\\"",
                                 "\"\\x41\"",
                                 "\"\\a\"",
                                 "\"\\'\"",
                                 "\"\\U0041\"",
                                 "\"\\u\"",
                                 "\"\\u12\"",
                                 "\"\\u123g\"",
                                 "\"\\u 123\"",
                                 "truefalse",
                                 "[true false]",
                                 "nulll",
                                 "\f1",
                                 "\v1"}) {
    CAPTURE(text);
    CHECK(fault_of(text) != "good");
  }
  CHECK(fault_of(std::string("1\0", 2)) != "good");
  CHECK(fault_of(std::string("\"a\0b\"", 5)) != "good");
  CHECK(fault_of(std::string("\0", 1)) != "good");
}

TEST_CASE("a byte order mark is refused") {
  CHECK(ends_with_fault("\xef\xbb\xbf{}", "expected a value"));
  CHECK(ends_with_fault("\xff\xfe{\0}\0", "expected a value"));
}

TEST_CASE("every beginning of a document is refused") {
  const std::string text = R"({"a": [1, -2.5e3, "x\u00e9\n", true, false, null], "b": {"c": {}}})";
  REQUIRE(fault_of(text) == "good");
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(fault_of(text.substr(0, length)) != "good");
  }
}

TEST_CASE("bytes that are not UTF-8 are refused in a string") {
  for (const std::string bytes :
       {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98"}) {
    CAPTURE(bytes);
    CHECK(ends_with_fault("\"" + bytes + "\"", "a string that is not UTF-8"));
    CHECK(ends_with_fault("\"\\n" + bytes + "\"", "a string that is not UTF-8"));
    CHECK(ends_with_fault("{\"" + bytes + "\": 1}", "a string that is not UTF-8"));
  }
}

TEST_CASE("every control character is refused in a string, DEL is not") {
  for (char c = 0; c < 0x20; ++c) {
    CAPTURE(static_cast<int>(c));
    CHECK(ends_with_fault(std::string("\"a") + c + "b\"", "a control character in a string"));
  }
  CHECK(string_of("\"\x7f\"") == "\x7f");
}

TEST_CASE("escapes are decoded") {
  CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("a\u0041b\u00e9c\u20acd")") ==
        "aAb\xc3\xa9"
        "c\xe2\x82\xac"
        "d");
  CHECK(string_of(R"("\u00E9\u00e9")") == "\xc3\xa9\xc3\xa9");
  CHECK(string_of(R"("\u0000")") == std::string(1, '\0'));
  CHECK(string_of("\"\xc3\xa9\\n\xe2\x82\xac\"") == "\xc3\xa9\n\xe2\x82\xac");
}

TEST_CASE("surrogate pairs are decoded, lone surrogates are refused") {
  CHECK(string_of(R"("\ud83d\ude00")") == "\xf0\x9f\x98\x80");
  CHECK(string_of(R"("\uD800\uDC00\uDBFF\uDFFF")") == "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  for (const std::string text : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\n")", R"("\ud83d\u0041")",
                                 R"("\ud83d\ud83d")", R"("\ude00\ud83d")", R"("\udfff")"}) {
    CAPTURE(text);
    CHECK(ends_with_fault(text, "a lone surrogate in a string"));
  }
}

TEST_CASE("a string without escapes is a view into the text, one with escapes is in the storage") {
  const std::string text = R"(["plain", "esc\n"])";
  JsonScanner in(text, depth_limit);
  std::string storage;
  std::vector<bool> into_text;
  in.array([&] {
    const std::string_view value = in.string(storage);
    into_text.push_back(value.data() >= text.data() && value.data() < text.data() + text.size());
  });
  CHECK(into_text == std::vector<bool>{true, false});
  CHECK(storage == "esc\n");
}

TEST_CASE("a key that stands twice is refused, also where it is written differently") {
  for (const std::string text : {R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", R"({"\u0061":1,"a":2})",
                                 R"({"\u0061":1,"\u0061":2})", R"({"x":0,"a":1,"b":3,"a":1})", R"({"":1,"":2})",
                                 R"({"/":1,"\/":2})", R"({"b":{"a":1,"a":1}})", "{\"\xc3\xa9\":1,\"\\u00e9\":2}"}) {
    CAPTURE(text);
    CHECK(fault_of(text).ends_with("stands twice"));
  }
  CHECK(fault_of(R"({"a":{"a":1},"b":[{"a":1},{"a":1}],"A":0})") == "good");
  CHECK(fault_of(R"({"a":{"b":1},"b":1})") == "good");
}

TEST_CASE("a key in a message cannot steer a terminal") {
  CHECK(fault_of(R"({"\u001b[2J":1,"\u001b[2J":2})").find('\033') == std::string::npos);
}

TEST_CASE("an object has at most 4096 keys") {
  const auto with_keys = [](int count) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  CHECK(fault_of(with_keys(4096)) == "good");
  CHECK(ends_with_fault(with_keys(4097), "more than 4096 keys in one object"));
}

TEST_CASE("nesting is limited for lists and objects alike") {
  CHECK(fault_of("[[[[]]]]") == "good");
  CHECK(ends_with_fault("[[[[[]]]]]", "nested deeper than 4 levels"));
  CHECK(fault_of(R"({"a":{"a":{"a":{}}}})") == "good");
  CHECK(ends_with_fault(R"({"a":{"a":{"a":{"a":{}}}}})", "nested deeper than 4 levels"));
  CHECK(fault_of("[[[[]],[[]]],[[[]]]]") == "good");
  CHECK(ends_with_fault(std::string(1000000, '['), "nested deeper than 4 levels"));
}

TEST_CASE("a fault names line and column of the value that is wrong") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "line 1, column 1: expected a value, the text ends here"},
      {"x", "line 1, column 1: expected a value"},
      {"[1, x]", "line 1, column 5: expected a value"},
      {"[1,\n  2,\n   x]", "line 3, column 4: expected a value"},
      {"{\n\"a\": 1\n\"b\": 2}", "line 3, column 1: in 'a': expected ',' or '}'"},
      {"[\n1\n\n", "line 4, column 1: expected ',' or ']', the text ends here"},
      {"{\"a\" 1}", "line 1, column 6: in 'a': expected ':'"},
      {"{1: 1}", "line 1, column 2: expected a string"},
      {"\n\n  \"abc", "line 3, column 3: the string is not closed"},
      {"{}\n {}", "line 2, column 2: text after the end of the document"},
      {"[\r\n01]", "line 2, column 1: expected a number"},
      {"{\"a\": {\"b\": [1, x]}}", "line 1, column 17: in 'b': expected a value"},
      {"{\"a\": {\"b\": 1}, \"c\": x}", "line 1, column 22: in 'c': expected a value"},
      {"{\"a\": {\"b\": 1} x", "line 1, column 16: in 'a': expected ',' or '}'"},
      {"{\"a\": 1, x", "line 1, column 10: expected a string"},
      {"{\"a\": 1,\n \"a\": 2}", "line 2, column 2: the key 'a' stands twice"},
  };
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& message = row.second;
    CAPTURE(text);
    CHECK(fault_of(text) == message);
  }
}

TEST_CASE("integers are exact up to 64 bits, and refused beyond") {
  const auto integer = [](const std::string& text) -> std::string {
    try {
      JsonScanner in(text, depth_limit);
      const std::int64_t value = in.integer();
      in.finish();
      return std::to_string(value);
    } catch (const JsonFault& fault) {
      return fault.what();
    }
  };
  for (const std::string text : {"0", "1", "-1", "9223372036854775807", "-9223372036854775808"}) {
    CHECK(integer(text) == text);
  }
  for (const std::string text : {"9223372036854775808", "-9223372036854775809", "99999999999999999999999999"}) {
    CAPTURE(text);
    CHECK(integer(text).ends_with("an integer that is out of range"));
  }
  for (const std::string text : {"1.0", "1e0", "0.5", "-0.0"}) {
    CAPTURE(text);
    CHECK(integer(text).ends_with("expected an integer"));
  }
  for (const std::string text : {"\"1\"", "true", "null", "[1]", ""}) {
    CAPTURE(text);
    CHECK(integer(text).ends_with("expected a number"));
  }
}

TEST_CASE("numbers are finite") {
  const auto number = [](const std::string& text) {
    JsonScanner in(text, depth_limit);
    return in.number();
  };
  CHECK(number("0.021") == 0.021);
  CHECK(number("-1e3") == -1000);
  CHECK(number("7") == 7);
  for (const std::string text : {"1e999", "-1e999", "1e99999999999999999999"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(number(text), JsonFault);
  }
}

TEST_CASE("a value of another type than asked for is refused") {
  const auto reads = [](const std::string& text, auto take) {
    try {
      JsonScanner in(text, depth_limit);
      take(in);
    } catch (const JsonFault&) {
      return false;
    }
    return true;
  };
  const auto as_object = [](JsonScanner& in) { in.object([&](std::string_view) { in.skip(); }); };
  const auto as_array = [](JsonScanner& in) { in.array([&] { in.skip(); }); };
  const auto as_string = [](JsonScanner& in) { in.string(); };
  const auto as_boolean = [](JsonScanner& in) { in.boolean(); };
  const auto as_number = [](JsonScanner& in) { in.number(); };
  const std::vector<std::string> values = {"{}", "[]", "\"\"", "true", "1", "null"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(values[i]);
    CHECK(reads(values[i], as_object) == (i == 0));
    CHECK(reads(values[i], as_array) == (i == 1));
    CHECK(reads(values[i], as_string) == (i == 2));
    CHECK(reads(values[i], as_boolean) == (i == 3));
    CHECK(reads(values[i], as_number) == (i == 4));
  }
}

TEST_CASE("peek tells what comes next and takes nothing") {
  using Type = JsonScanner::Type;
  const std::vector<std::pair<std::string, Type>> rows = {
      {" {", Type::object}, {"\n[", Type::array}, {"\"", Type::string}, {"t", Type::boolean},
      {"f", Type::boolean}, {"n", Type::null},    {"-", Type::number},  {"9", Type::number}};
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& type = row.second;
    CAPTURE(text);
    JsonScanner in(text, depth_limit);
    CHECK(in.peek() == type);
    CHECK(in.peek() == type);
  }
}

TEST_CASE("skip gives the exact bytes of a value, without the blanks around it") {
  for (const std::string value : {"{ \"b\" :1,\n\t\"a\": [ ] }", "[ 1 , 2.50e+01 ]", "\"\\u0041\\/\xc3\xa9\"", "-0.0",
                                  "1E5", "true", "null", "{}"}) {
    CAPTURE(value);
    const std::string text = "[ \n" + value + " \t, 1]";
    JsonScanner in(text, depth_limit);
    std::vector<std::string> raw;
    in.array([&] { raw.emplace_back(in.skip()); });
    in.finish();
    CHECK(raw == std::vector<std::string>{value, "1"});
  }
}
