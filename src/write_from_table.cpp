// SPDX-License-Identifier: MIT
// Build step: writes what is made from the table of verbs and options to stdout: the completion of one shell, or the
// man page, whose source has the line @OPTIONS@ where they go.
#include <cstdio>
#include <string>
#include <string_view>

#include "completions.hpp"

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

std::string man_page(const char* source) {
  constexpr std::string_view mark = "@OPTIONS@\n";
  std::string text = contents_of(source);
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? std::string() : text.replace(at, mark.size(), telec::man_page_options());
}

}  // namespace

int main(int count, char** words) {
  const std::string_view what = count > 1 ? words[1] : "";
  const std::string text = what == "bash"                ? telec::bash_completion()
                           : what == "zsh"               ? telec::zsh_completion()
                           : what == "fish"              ? telec::fish_completion()
                           : what == "man" && count == 3 ? man_page(words[2])
                                                         : std::string();
  if (text.empty() || std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    std::fputs("usage: write_from_table bash|zsh|fish, or man PAGE with a line @OPTIONS@\n", stderr);
    return 2;
  }
  return 0;
}
