// SPDX-License-Identifier: MIT
// What to do about a place that refuses this user. Decides from who owns what on the path; looks at nothing itself.
#pragma once

#include <string>
#include <vector>

namespace telec {

struct OwnedPlace {
  std::string path;
  unsigned owner = 0;
  unsigned mode = 0;  ///< permission bits
  bool is_directory = false;
};

/// The next step: the owner's own bits are given back with chmod(1); what is somebody else's below a directory of the
/// user's own is given to the user; anything else is its owner's to decide. `places`: what refused, or the nearest
/// above it that is there and can be seen, then each directory above that. `name`: the user's, as chown(1) takes it.
std::string way_in(const std::vector<OwnedPlace>& places, unsigned user, const std::string& name);

}  // namespace telec
