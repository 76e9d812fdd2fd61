// SPDX-License-Identifier: MIT
#include "json_scanner.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "text.hpp"

namespace telec {
namespace {

/// Bytes that stand for themselves inside a string: ASCII, but for controls, the quote and the backslash.
constexpr auto plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) {
    plain.at(byte) = byte != '"' && byte != '\\';
  }
  return plain;
}();

/// The end of the plain bytes that begin at `at`. Eight at a time: ids and digests are most of a history.
std::size_t plain_end(std::string_view text, std::size_t at) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x8080808080808080;
  while (at + 8 <= text.size()) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    const std::uint64_t quote = bytes ^ (ones * '"');
    const std::uint64_t backslash = bytes ^ (ones * '\\');
    // A top bit is set where a byte is 0 after the exclusive or, below a space, or not ASCII; above such a byte a
    // borrow may set others, so the first alone says where it is.
    const std::uint64_t found = ((quote - ones) | (backslash - ones) | (bytes - ones * ' ') | bytes) & tops;
    if (found == 0) {
      at += 8;
    } else if constexpr (std::endian::native == std::endian::little) {
      return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    } else {
      break;  // it is looked for byte by byte
    }
  }
  while (at < text.size() && plain_bytes[static_cast<unsigned char>(text[at])]) {
    ++at;
  }
  return at;
}

bool is_high_surrogate(char32_t c) { return c >= 0xd800 && c <= 0xdbff; }
bool is_low_surrogate(char32_t c) { return c >= 0xdc00 && c <= 0xdfff; }

}  // namespace

void JsonScanner::fail(const std::string& what) const {
  const std::string_view before = text_.substr(0, value_at_);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  std::string place = "line " + std::to_string(line) + ", column " + std::to_string(value_at_ - line_begin + 1) + ": ";
  if (!in_key_ && !keys_.empty()) {
    place += "in " + quoted(shortened(keys_.back(), 80)) + ": ";
  }
  throw JsonFault(place + what);
}

void JsonScanner::fail_expected(const char* what) const {
  fail(std::string("expected ") + what + (at_ == text_.size() ? ", the text ends here" : ""));
}

std::optional<std::string_view> JsonScanner::take_plain() {
  const std::size_t end = plain_end(text_, at_);
  if (end == text_.size() || text_[end] != '"') {
    return std::nullopt;
  }
  const std::string_view taken = text_.substr(at_, end - at_);
  at_ = end + 1;
  return taken;
}

std::optional<std::int64_t> JsonScanner::take_milliseconds() {
  std::size_t at = at_;
  std::int64_t value = 0;
  const auto digits = [&](std::size_t most) {
    const std::size_t first = at;
    for (; at < text_.size() && is_digit(text_[at]) && at - first < most; ++at) {
      value = value * 10 + (text_[at] - '0');
    }
    return at - first;
  };
  const std::size_t whole = digits(9);
  if (whole == 0 || (whole > 1 && text_[at_] == '0') || at == text_.size() || text_[at] != '.') {
    return std::nullopt;
  }
  ++at;
  if (digits(3) != 3 || (at < text_.size() && is_digit(text_[at]))) {
    return std::nullopt;
  }
  at_ = at;
  return value;
}

void JsonScanner::enter(char opening, const char* what) {
  expect(opening, what);
  if (++depth_ > depth_limit_) {
    fail("nested deeper than " + std::to_string(depth_limit_) + " levels");
  }
}

JsonScanner::Type JsonScanner::peek() {
  blanks();
  if (at_ == text_.size()) {
    fail("expected a value, the text ends here");
  }
  switch (text_[at_]) {
    case '{': return Type::object;
    case '[': return Type::array;
    case '"': return Type::string;
    case 't':
    case 'f': return Type::boolean;
    case 'n': return Type::null;
    default:
      if (text_[at_] != '-' && !is_digit(text_[at_])) {
        fail("expected a value");
      }
      return Type::number;
  }
}

char32_t JsonScanner::escaped_unit() {
  char32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    char32_t digit = 0;
    if (is_digit(c)) {
      digit = static_cast<char32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<char32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<char32_t>(c - 'A' + 10);
    } else {
      fail("expected four hexadecimal digits after '\\u'");
    }
    value = value * 16 + digit;
  }
  return value;
}

std::string_view JsonScanner::string(std::string& storage) {
  expect('"', "a string");
  const std::size_t begin = at_;
  bool plain = true;
  while (true) {
    const std::size_t run = at_;
    at_ = plain_end(text_, at_);
    if (!plain) {
      storage.append(text_.substr(run, at_ - run));
    }
    if (at_ == text_.size()) {
      fail("the string is not closed");
    }
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') {
      break;
    }
    if (c < 0x20) {
      fail("a control character in a string");
    }
    if (c != '\\') {
      const std::size_t length = decode_utf8(text_.substr(at_)).length;
      if (length == 0) {
        fail("a string that is not UTF-8");
      }
      if (!plain) {
        storage.append(text_.substr(at_, length));
      }
      at_ += length;
      continue;
    }
    if (plain) {
      storage.assign(text_.substr(begin, at_ - begin));
      plain = false;
    }
    ++at_;
    const char escape = at_ < text_.size() ? text_[at_++] : '\0';
    switch (escape) {
      case '"':
      case '\\':
      case '/': storage.push_back(escape); break;
      case 'b': storage.push_back('\b'); break;
      case 'f': storage.push_back('\f'); break;
      case 'n': storage.push_back('\n'); break;
      case 'r': storage.push_back('\r'); break;
      case 't': storage.push_back('\t'); break;
      case 'u': {
        char32_t unit = escaped_unit();
        if (is_high_surrogate(unit) && text_.substr(at_).starts_with("\\u")) {
          at_ += 2;
          const char32_t low = escaped_unit();
          unit = is_low_surrogate(low) ? 0x10000 + ((unit - 0xd800) << 10U) + (low - 0xdc00) : unit;
        }
        if (unit >= 0xd800 && unit <= 0xdfff) {
          fail("a lone surrogate in a string");
        }
        append_utf8(storage, unit);
        break;
      }
      default: fail("an unknown escape in a string");
    }
  }
  const std::string_view plain_text = text_.substr(begin, at_ - begin);
  ++at_;
  return plain ? plain_text : std::string_view(storage);
}

std::string JsonScanner::string() {
  std::string storage;
  return std::string(string(storage));
}

std::string_view JsonScanner::new_key(std::size_t first_key) {
  in_key_ = true;
  std::string storage;
  std::string_view key = string(storage);
  if (key.data() == storage.data()) {
    key = decoded_.emplace_back(std::move(storage));
  }
  if (std::find(keys_.begin() + static_cast<std::ptrdiff_t>(first_key), keys_.end(), key) != keys_.end()) {
    fail("the key " + quoted(shortened(key, 80)) + " stands twice");
  }
  if (keys_.size() - first_key == keys_per_object) {
    fail("more than " + std::to_string(keys_per_object) + " keys in one object");
  }
  keys_.push_back(key);
  in_key_ = false;
  return key;
}

std::string_view JsonScanner::number_text() {
  blanks();
  const std::size_t begin = at_;
  const auto digits = [&] {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      ++at_;
    }
    return at_ - first;
  };
  const auto take = [&](std::string_view any) {
    const bool found = at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
    at_ += found ? 1 : 0;
    return found;
  };
  take("-");
  const std::size_t leading = at_;
  bool good = digits() > 0;
  good = good && (text_[leading] != '0' || at_ == leading + 1);
  if (good && take(".")) {
    good = digits() > 0;
  }
  if (good && take("eE")) {
    take("+-");
    good = digits() > 0;
  }
  if (!good) {
    fail("expected a number");
  }
  return text_.substr(begin, at_ - begin);
}

std::int64_t JsonScanner::integer() {
  const std::string_view text = number_text();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    fail("an integer that is out of range");
  }
  if (error != std::errc{} || end != text.data() + text.size()) {
    fail("expected an integer");
  }
  return value;
}

double JsonScanner::number() {
  const auto value = decimal_number(number_text());
  if (!value) {
    fail("a number that is out of range");
  }
  return *value;
}

void JsonScanner::literal(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) {
    fail("expected a value");
  }
  at_ += word.size();
}

bool JsonScanner::boolean() {
  if (peek() != Type::boolean) {
    fail("expected true or false");
  }
  const bool value = text_[at_] == 't';
  literal(value ? "true" : "false");
  return value;
}

std::string_view JsonScanner::skip() {
  const Type type = peek();
  const std::size_t begin = at_;
  switch (type) {
    case Type::object: object([&](std::string_view) { skip(); }); break;
    case Type::array: array([&] { skip(); }); break;
    case Type::string: {
      std::string storage;
      string(storage);
      break;
    }
    case Type::number: number_text(); break;
    case Type::boolean: boolean(); break;
    case Type::null: literal("null"); break;
  }
  return text_.substr(begin, at_ - begin);
}

void JsonScanner::finish() {
  blanks();
  if (at_ != text_.size()) {
    fail("text after the end of the document");
  }
}

}  // namespace telec
