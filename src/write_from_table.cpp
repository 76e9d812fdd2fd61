// SPDX-License-Identifier: MIT
// Build step: writes what is made from the table of verbs and options to stdout: the completion of one shell, or the
// man page.
#include <cstdio>
#include <string>
#include <string_view>

#include "completions.hpp"
#include "man_page.hpp"

namespace {

std::string contents_of(const char* path) {
  std::string text;
  if (std::FILE* file = std::fopen(path, "rb"); file != nullptr) {
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
      text.push_back(static_cast<char>(c));
    }
    std::fclose(file);
  }
  return text;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view what = count > 1 ? words[1] : "";
  const std::string text = what == "bash"                ? telec::bash_completion()
                           : what == "zsh"               ? telec::zsh_completion()
                           : what == "fish"              ? telec::fish_completion()
                           : what == "man" && count == 3 ? telec::man_page(contents_of(words[2]))
                                                         : std::string();
  if (text.empty() || std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    std::fputs("usage: write_from_table bash|zsh|fish, or man PAGE\n", stderr);
    return 2;
  }
  return 0;
}
