// SPDX-License-Identifier: MIT
#include "process_stat.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "calls.hpp"

namespace telec {

std::string proc_text(const std::string& path) {
  std::string text;
  const FileDescriptor file = open_at(AT_FDCWD, path.c_str(), O_RDONLY);
  if (!file.is_open() || !read_all(file.get(), text, std::size_t{1024} * 1024)) {
    text.clear();
  }
  return text;
}

ProcessStat process_stat(pid_t pid) {
  ProcessStat result;
  const std::string text = proc_text("/proc/" + std::to_string(pid) + "/stat");
  // The second field is the name, in parentheses; it may have spaces and parentheses of its own.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) {
    return result;
  }
  std::string_view rest = std::string_view(text).substr(name_end + 2);
  result.state = rest.front();
  for (int field = 3; !rest.empty(); ++field) {
    const std::string_view value = rest.substr(0, rest.find(' '));
    if (field == 4) {
      std::from_chars(value.data(), value.data() + value.size(), result.parent);
    } else if (field == 39) {
      std::from_chars(value.data(), value.data() + value.size(), result.processor);
      break;
    }
    rest.remove_prefix(value.size() < rest.size() ? value.size() + 1 : rest.size());
  }
  return result;
}

std::optional<bool> descends_from(pid_t ancestor) {
  for (pid_t pid = ::getpid(); pid > 0;) {
    const ProcessStat stat = process_stat(pid);
    if (stat.state == '?') {
      return std::nullopt;
    }
    if (stat.parent == ancestor) {
      return true;
    }
    pid = stat.parent;
  }
  return false;
}

}  // namespace telec
