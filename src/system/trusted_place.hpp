// SPDX-License-Identifier: MIT
// Looks at the places that a run as root depends on. For any other user these do nothing, not even a system call
// besides geteuid: what such a user runs can harm nobody else.
#pragma once

#include <string>
#include <vector>

#include "../migration.hpp"

namespace telec {

/// As root: throws Error (unsafe) where somebody else could change `path` or anything on the way to it from `/`, through
/// symbolic links also what they lead to. `what` is for the message: "the interpreter". A path that does not exist is
/// judged as far as it exists.
void refuse_unsafe_path(const std::string& what, const std::string& path);

/// As root: the same for all that lies in the version directories of `pending` below `tree`: a script imports what is
/// beside it. Ask for `tree` itself first.
void refuse_unsafe_scripts(const std::string& tree, const std::vector<const Migration*>& pending);

}  // namespace telec
