// SPDX-License-Identifier: MIT
// Something wrong with the tree or the history that a person should know. A problem is shown; it stops a run only
// with --strict.
#pragma once

#include <string>

namespace telec {

struct Problem {
  std::string kind;     ///< a stable word for machines: `misnamed_file`
  std::string path;     ///< below the migrations directory, or a migration's id where there is no file
  std::string message;  ///< what is wrong and what would be right
};

}  // namespace telec
