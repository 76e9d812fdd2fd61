// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4), for telling whether a script has changed since it was applied.
#pragma once

#include <string>
#include <string_view>

namespace telec {

/// 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

/// The same without the instructions that a processor may have for it, which are four times as fast.
std::string sha256_in_cpp(std::string_view bytes);

}  // namespace telec
