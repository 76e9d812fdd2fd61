// SPDX-License-Identifier: MIT
// May root rely on a place? Decides from what lstat(2) says of each component of a path; looks at nothing itself.
#pragma once

#include <string>

#include "error.hpp"

namespace telec {

/// One component of a path, as it is on disk.
struct PlaceFacts {
  std::string path;
  unsigned owner = 0;
  unsigned group = 0;
  unsigned mode = 0;  ///< permission bits, with the sticky bit
  bool is_directory = false;
  bool is_link = false;        ///< a symbolic link, whose own mode means nothing
  bool is_on_the_way = false;  ///< only passed through: what others put into it does not count
};

/// Why somebody else than root could change it, or what is reached through it: `belongs to uid 1000`, `can be written
/// by its group (gid 50)`, `can be written by every user`. Empty: nobody could. A sticky directory that all may write
/// to
/// (`/tmp`) is no fault on the way to somewhere: in it, nobody can rename or remove what is root's.
std::string fault_of(const PlaceFacts& place);

/// The next step where others than `user` can write to `place`, which is `what` or a part of it: chmod(1) with `bits`,
/// where `user` may do that and it is safe to type. A sticky directory that is not a plain user's own is for everybody
/// (`/tmp`): closing it would harm the machine, so another place is to be named.
std::string way_to_close(const std::string& what, const PlaceFacts& place, unsigned user, const std::string& bits);

/// The refusal for `place`, on the way to `what`: "the migrations directory '/srv/x'".
Error unsafe_place(const std::string& what, const PlaceFacts& place, const std::string& fault);

}  // namespace telec
