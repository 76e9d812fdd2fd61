// SPDX-License-Identifier: MIT
// Lets the system's python3 read scripts with its own parser, without executing anything of them: for `lint` and
// `doctor`. (lint.py is the program that does it.)
#pragma once

#include <string>
#include <vector>

#include "../report.hpp"

namespace telec {

struct ScriptText {
  std::string shown;  ///< the path in findings
  std::string path;   ///< the path on disk: helpers beside it are looked for there
  std::string source;
};

struct Reading {
  std::string python;  ///< its version: 3.11.2
  bool isolated = false;
  double seconds = 0;  ///< from the start of python to its end
  std::vector<Finding> findings;
};

enum class ReadFor {
  lint,  ///< all the rules
  load,  ///< does it compile, and are its imports found
};

/// In one python, one script after the other. Throws Error: no_python where it cannot be started or does not do its
/// work within a minute.
Reading read_scripts(const std::string& python, ReadFor purpose, const std::vector<ScriptText>& scripts);

}  // namespace telec
