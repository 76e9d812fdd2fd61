// SPDX-License-Identifier: MIT
// Looks at the places that a run depends on, before it starts. As root every component of a path counts, since what
// root runs harms everybody; for any other user, what every user may write to.
#pragma once

#include <string>
#include <vector>

#include "../migration.hpp"

namespace telec {

/// As root: throws Error (unsafe) where somebody else could change `path` or anything on the way to it from `/`,
/// through symbolic links also what they lead to. `what` is for the message: "the interpreter". A path that does not
/// exist is judged as far as it exists.
void refuse_unsafe_path(const std::string& what, const std::string& path);

/// The same for the migrations directory; for any other user, throws Error (unsafe) where every user may write to it.
/// Looks at no version and no script, so a listing can afford it.
void refuse_unsafe_tree(const std::string& tree);

/// As root: the same for all that lies in the version directories of `pending` below `tree`: a script imports what is
/// beside it. Ask for `tree` itself first. For any other user: throws Error (unsafe) where every user may write to one
/// of those directories or one of the scripts.
void refuse_unsafe_scripts(const std::string& tree, const std::vector<const Migration*>& pending);

}  // namespace telec
