// SPDX-License-Identifier: MIT
// How many columns text takes on a terminal. The table is our own and small: zero for what combines or cannot be
// seen, two for East Asian wide and for emoji, one for everything else. It does not depend on the locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace telec {

/// 0, 1 or 2.
unsigned columns_of(char32_t code_point);

/// Of valid UTF-8 without control characters, as printable() gives it; a byte that is not counts as one column.
std::size_t columns_of(std::string_view text);

/// `text` cut to at most `columns` at a character, with "..." at its end where something was cut.
std::string fitted(std::string_view text, std::size_t columns);

/// The same with "..." in the middle: of an id, both ends tell something.
std::string fitted_middle(std::string_view text, std::size_t columns);

/// `text` and blanks up to `columns`.
std::string padded(std::string text, std::size_t columns);

/// A sentence broken at blanks and tabs, so that no line is wider than `columns` (0: no terminal, nothing is broken).
/// `taken` of the first line stand before it; each line after that begins with `indent` blanks. What is in quotes, a
/// command at its end (": telec ...") and a word wider than the terminal stay in one piece: a terminal breaks those by
/// itself, and they can still be copied.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t taken, std::size_t indent);

}  // namespace telec
