// SPDX-License-Identifier: MIT
// Small questions about text that do not depend on the locale, and text made safe for a terminal.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace telec {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// One character of UTF-8 at the front of `text`: its code point and length in bytes; length 0 where the bytes
/// are not valid UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;
};
CodePoint decode_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);
/// Printable ASCII and nothing else, as nearly all text is: as many columns as bytes, and nothing to escape.
bool is_plain_ascii(std::string_view text);
void append_utf8(std::string& out, char32_t code_point);

/// `text` with everything that could steer a terminal or forge a line written out: control characters (C0, DEL,
/// C1), line and paragraph separators and bidirectional controls as \xNN or \uNNNN, bytes that are not UTF-8 as
/// \xNN. Tabs stay. A newline is escaped too: split into lines first.
std::string printable(std::string_view text);

/// The same, in single quotes: 'x/state.json'.
std::string quoted(std::string_view text);

/// The same where it has blanks, quotes or anything else that is unusual in a path; else as it stands.
std::string shown_path(std::string_view path);

/// In single quotes as a POSIX shell reads them: 'it'\''s'.
std::string shell_quoted(std::string_view text);
/// The same where a shell would not take it as it stands.
std::string shell_word(std::string_view text);

/// `text` cut into lines at '\n' (a '\r' before it is dropped); a last line without '\n' counts.
std::vector<std::string_view> lines_of(std::string_view text);
/// Not of a temporary: its lines would be gone.
template <std::same_as<std::string> Text>
void lines_of(Text&& text) = delete;
/// A line without the '\r' that a CRLF leaves at its end.
std::string_view without_return(std::string_view line);

/// The last `count` lines.
std::vector<std::string_view> last_lines(std::string_view text, std::size_t count);

/// `text` cut to at most `bytes` at a character boundary, with "..." in place of what was cut.
std::string shortened(std::string_view text, std::size_t bytes);

/// The candidate that a mistyped word most likely meant; empty where none is near (Damerau-Levenshtein distance
/// of at most a third of the word, and at least one letter in common; or the only one that begins with the word, or
/// that has it in its middle).
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);
/// The same with another limit to the distance.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates, std::size_t most);

/// A number as people and JSON write it ("90", "0.5", "1e3"), finite; nothing for anything else.
std::optional<double> decimal_number(std::string_view text);

/// "1 migration", "2 migrations".
std::string counted(std::size_t count, std::string_view noun);

/// Seconds without a fraction, for waits: "12 s", "3 min 5 s", "2 h 10 min".
std::string whole_seconds(double seconds);

/// What can have been measured: from 0 to a billion seconds. A file that was read may say any number.
bool is_duration(double seconds);

/// Seconds with milliseconds: "0.021 s".
std::string seconds_text(double seconds);

}  // namespace telec
