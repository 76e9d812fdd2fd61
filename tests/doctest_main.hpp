// SPDX-License-Identifier: MIT
// What our doctest programs have besides doctest: a test case that cannot be made here is skipped aloud.
#pragma once

#include <string>

namespace telec_test {

/// Counts the test case under way as skipped, and says why. The test case has to return after it; where something has
/// failed before, it stays a failure.
void skip(const std::string& reason);

}  // namespace telec_test
