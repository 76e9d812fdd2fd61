// SPDX-License-Identifier: MIT
// In place of libFuzzer, where the compiler has none: runs the target on each file of the directories that are named.
// Names the one that the target aborts on.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

std::string under_way;

void name_it(int signal) {
  std::fprintf(stderr, "aborted on %s\n", under_way.c_str());
  std::signal(signal, SIG_DFL);
}

}  // namespace

int main(int count, char** words) {
  std::signal(SIGABRT, name_it);
  int runs = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(words[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      under_way = entry.path();
      LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(text.data()), text.size());
      ++runs;
    }
  }
  const std::string path = words[0];
  std::printf("%s: %d passed, %d failed\n", path.substr(path.rfind('/') + 1).c_str(), runs, runs == 0 ? 1 : 0);
  return runs == 0 ? 1 : 0;
}
