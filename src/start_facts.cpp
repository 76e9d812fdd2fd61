// SPDX-License-Identifier: MIT
#include "start_facts.hpp"

#include <utility>

#include "json_scanner.hpp"

namespace telec {
namespace {

constexpr unsigned line_depth_limit = 3;

struct Line {
  std::string nonce;
  std::string event;
  std::vector<std::string> paths;
  std::vector<std::string> files;
};

Line read_line(std::string_view text) {
  Line line;
  JsonScanner in(text, line_depth_limit);
  in.object([&](std::string_view key) {
    if (key == "nonce") {
      line.nonce = in.string();
    } else if (key == "event") {
      line.event = in.string();
    } else if (key == "paths") {
      in.array([&] { line.paths.push_back(in.string()); });
    } else if (key == "files") {
      in.array([&] { line.files.push_back(in.string()); });
    } else {
      in.skip();
    }
  });
  in.finish();
  return line;
}

}  // namespace

StartFacts read_start_facts(std::string_view said, std::string_view nonce) {
  StartFacts facts;
  for (std::size_t end = said.find('\n'); end != std::string_view::npos; end = said.find('\n')) {
    try {
      // Before anything is parsed: a script may scribble a megabyte of lines.
      const bool may_be_ours = !nonce.empty() && said.substr(0, end).find(nonce) != std::string_view::npos;
      Line line = may_be_ours ? read_line(said.substr(0, end)) : Line{};
      if (may_be_ours && line.nonce == nonce) {
        if (line.event == "hello") {
          facts.hello = true;
          facts.paths = std::move(line.paths);
        } else if (line.event == "ready") {
          facts.ready = true;
          facts.files = std::move(line.files);
        } else if (line.event == "here") {
          ++facts.here;
        }
      }
    } catch (const JsonFault&) {
      // A scribble.
    }
    said.remove_prefix(end + 1);
  }
  return facts;
}

}  // namespace telec
