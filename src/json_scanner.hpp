// SPDX-License-Identifier: MIT
// A strict reader of JSON (RFC 8259) for what others may have written: the state file and a script's verdict.
// Stricter than a general library on purpose, because a history that is read wrongly repeats or skips a migration:
// no byte order mark, no duplicate keys, no invalid UTF-8 or lone surrogates, bounded depth, integers that are
// checked, and every value's exact bytes, so that what is not understood can be written back as it was.
// Never recurses deeper than its limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace telec {

/// What is wrong with the text, with its place: "line 3, column 7: expected ']'".
class JsonFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class JsonScanner {
 public:
  JsonScanner(std::string_view text, unsigned depth_limit) : text_(text), depth_limit_(depth_limit) {}

  enum class Type { object, array, string, number, boolean, null };

  static constexpr std::size_t keys_per_object = 4096;

  // Each takes one value off the front, or throws JsonFault.

  /// Calls `on_member(key)` for each member; it must take the member's value.
  template <class OnMember>
  void object(OnMember on_member);

  /// Calls `on_element()` for each element; it must take the element.
  template <class OnElement>
  void array(OnElement on_element);

  /// A string, decoded. The view is into the text where there is no escape, else into `storage`.
  std::string_view string(std::string& storage);
  std::string string();
  /// A string without escapes and of printable ASCII alone; takes nothing and gives nothing where what comes is
  /// anything else.
  std::optional<std::string_view> plain_string() {
    blanks();
    const std::size_t begin = at_;
    const auto taken = take("\"") ? take_plain() : std::nullopt;
    at_ = taken ? at_ : begin;
    return taken;
  }
  std::int64_t integer();
  /// A finite number.
  double number();
  bool boolean();
  /// Any value, checked to the end; its bytes.
  std::string_view skip();

  /// What comes next, without taking it.
  Type peek();
  /// Takes white space.
  void blanks() {
    while (at_ < text_.size() && text_[at_] <= ' ' &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
    value_at_ = at_;
  }
  /// For text whose exact form is known, as that of our own writer. Takes `bytes` if they come next, blanks and all.
  bool take(std::string_view bytes) {
    if (text_.size() - at_ < bytes.size() || std::memcmp(text_.data() + at_, bytes.data(), bytes.size()) != 0) {
      return false;
    }
    at_ += bytes.size();
    return true;
  }
  /// Takes the rest of a string whose opening quote was taken, and its closing quote, if it is printable ASCII without
  /// escapes; takes nothing and gives nothing otherwise.
  std::optional<std::string_view> take_plain();
  /// Takes one to nine digits without a leading zero, a point and three digits, and gives it times 1000; takes nothing
  /// and gives nothing otherwise.
  std::optional<std::int64_t> take_milliseconds();
  /// What was taken since an earlier position().
  [[nodiscard]] std::string_view text_from(std::size_t position) const {
    return text_.substr(position, at_ - position);
  }
  /// Back to an earlier position().
  void rewind(std::size_t position) { at_ = position; }

  /// Where the scanner is, as an offset into the text: before and after a value, it tells the value's bytes.
  [[nodiscard]] std::size_t position() const { return at_; }
  /// Nothing but white space may follow.
  void finish();
  /// Throws JsonFault for the value that begins at the last place that was read.
  /// Names the key whose value it is.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  bool accept(char c) {
    blanks();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  void expect(char c, const char* what) {
    if (!accept(c)) {
      fail_expected(what);
    }
  }
  [[noreturn]] void fail_expected(const char* what) const;
  void literal(std::string_view word);
  std::string_view number_text();
  void enter(char opening, const char* what);
  char32_t escaped_unit();
  std::string_view new_key(std::size_t first_key);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;
  unsigned depth_ = 0;
  unsigned depth_limit_;
  std::vector<std::string_view> keys_;  // of all open objects, the innermost last
  std::deque<std::string> decoded_;     // keys that had escapes
  bool in_key_ = false;                 // a key is being read: the last of keys_ is not about what is read
};

template <class OnMember>
void JsonScanner::object(OnMember on_member) {
  enter('{', "an object");
  const std::size_t first_key = keys_.size();
  if (!accept('}')) {
    do {
      const std::string_view key = new_key(first_key);
      expect(':', "':'");
      on_member(key);
    } while (accept(','));
    expect('}', "',' or '}'");
  }
  keys_.resize(first_key);
  --depth_;
}

template <class OnElement>
void JsonScanner::array(OnElement on_element) {
  enter('[', "a list");
  if (!accept(']')) {
    do {
      on_element();
    } while (accept(','));
    expect(']', "',' or ']'");
  }
  --depth_;
}

}  // namespace telec
