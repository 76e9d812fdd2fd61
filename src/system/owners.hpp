// SPDX-License-Identifier: MIT
// Who owns a path and what is above it, where that is in the way.
#pragma once

#include <string>

namespace telec {

/// The next step for this user at `path`, which it may not use as it wanted to (EACCES, EPERM). Symbolic links on the
/// way are followed, so that no place is given to a user whose it is not.
std::string way_into(const std::string& path);

}  // namespace telec
