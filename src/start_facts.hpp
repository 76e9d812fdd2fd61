// SPDX-License-Identifier: MIT
// What a python said of its own start on the verdict's descriptor, before it was given anything to run: enough to tell
// whether one that was started earlier is still the one that would be started now.
//
//   {"nonce": N, "event": "hello", "python": "3.11.2", "supported": true, "paths": [...]}
//   {"nonce": N, "event": "ready", "files": [...]}
//   {"nonce": N, "event": "here"}
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace telec {

struct StartFacts {
  bool hello = false;
  bool ready = false;              ///< it waits for its order
  std::size_t here = 0;            ///< how many times it answered that it is there
  std::vector<std::string> paths;  ///< what shaped its start: sys.path, site directories, the files of its modules
  std::vector<std::string> files;  ///< of the modules that it imported while it waited
};

/// Lines without the nonce, and whatever is not well formed, say nothing.
StartFacts read_start_facts(std::string_view said, std::string_view nonce);

}  // namespace telec
