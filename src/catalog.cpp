// SPDX-License-Identifier: MIT
#include "catalog.hpp"

#include <algorithm>

#include "text.hpp"
#include "version.hpp"

namespace telec {
namespace {

/// A digit, or a byte outside ASCII that could be one to the eye.
bool looks_like_digit(char c) { return is_digit(c) || static_cast<unsigned char>(c) >= 0x80; }

bool ends_like_python(std::string_view name) {
  if (name.size() < 3) {
    return false;
  }
  const std::string_view ending = name.substr(name.size() - 3);
  return ending[0] == '.' && (ending[1] == 'p' || ending[1] == 'P') && (ending[2] == 'y' || ending[2] == 'Y');
}

bool looks_like_script(std::string_view name) {
  return !name.empty() && looks_like_digit(name.front()) &&
         (ends_like_python(name) || name.find(".py\n") != std::string_view::npos);
}

bool looks_like_version(std::string_view name) {
  if (!name.empty() && (name.front() == 'v' || name.front() == 'V')) {
    name.remove_prefix(1);
  }
  return !name.empty() && looks_like_digit(name.front());
}

/// A number that orders as the version does; nothing for a pre-release or where it does not fit. Most versions have
/// one, and comparing texts would be most of what sorting costs.
std::optional<std::uint64_t> sort_key(std::string_view version) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 21U;
  std::uint64_t key = 0;
  std::uint64_t number = 0;
  for (const char c : version) {
    if (c == '.') {
      key = (key + number) * limit;
      number = 0;
    } else if (is_digit(c)) {
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
    } else {
      return std::nullopt;
    }
    if (number >= limit) {
      return std::nullopt;
    }
  }
  return key + number;
}

/// Of a name of at least eight bytes, as every script's is.
std::uint64_t front_of(std::string_view name) {
  std::uint64_t front = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    front = front << 8U | static_cast<unsigned char>(name[i]);
  }
  return front;
}

std::string path_of(std::string_view directory, std::string_view name) {
  return std::string(directory).append(1, '/').append(name);
}

}  // namespace

bool Catalog::add_top(std::string_view name, FileType type) {
  if (name.starts_with('.')) {
    return false;
  }
  if (type == FileType::regular && looks_like_script(name)) {
    problems_.push_back(
        {"misnamed_file", std::string(name),
         "a script belongs in a version directory, as in v1.2.0/" + printable(name) + "; it is not run"});
    return false;
  }
  if (!looks_like_version(name)) {
    return false;
  }
  const bool has_v = name.front() == 'v';
  const auto version = Version::parse(name.substr(has_v || name.front() == 'V' ? 1 : 0));
  if (has_v && version) {
    if (type == FileType::directory) {
      return true;
    }
    problems_.push_back(
        {"not_a_directory", std::string(name),
         type == FileType::regular
             ? "a version must be a directory, this is a file; its scripts are not run"
             : "a version must be a real directory (a symbolic link is not followed); its scripts are not run"});
    return false;
  }
  if (type == FileType::regular) {
    return false;
  }
  std::string message = "not a version directory: ";
  if (version) {
    message += "expected " + quoted("v" + version->text());
  } else if (!has_v && name.front() != 'V') {
    message += "expected 'v' and a version, as in v1.2.0";
  } else {
    message += version.reason();
  }
  problems_.push_back({"misnamed_directory", std::string(name), message + "; its scripts are not run"});
  return false;
}

void Catalog::add_script(std::string_view directory, std::string_view name, FileType type) {
  if (name.starts_with('.')) {
    return;
  }
  if (!is_script_name(name)) {
    if (looks_like_script(name)) {
      problems_.push_back({"misnamed_file", path_of(directory, name),
                           "expected three digits, '_', a description of letters, digits and '_', and '.py', "
                           "as in 001_rename_key.py; it is not run"});
    }
    return;
  }
  if (type != FileType::regular) {
    problems_.push_back({"not_a_regular_file", path_of(directory, name),
                         "a migration must be a regular file (a symbolic link is not followed); it is not run"});
    return;
  }
  const std::string_view version = directory.substr(1);
  // A directory's scripts arrive together, so versions are compared once per directory and not once per script.
  if (groups_.empty() || text_of(groups_.back().begin, groups_.back().length) != version) {
    const auto [begin, length] = keep(version);
    groups_.push_back({begin, length, found_.size(), found_.size(), sort_key(version)});
  }
  const auto [begin, length] = keep(name);
  found_.push_back({front_of(name), begin, length});
  groups_.back().end = found_.size();
}

std::pair<std::uint32_t, std::uint32_t> Catalog::keep(std::string_view text) {
  const auto begin = static_cast<std::uint32_t>(names_.size());
  names_.append(text);
  return {begin, static_cast<std::uint32_t>(text.size())};
}

void Catalog::sort_found() {
  std::ranges::sort(groups_, [&](const Group& a, const Group& b) {
    if (a.key && b.key) {
      return *a.key < *b.key;
    }
    return Version::compare(text_of(a.begin, a.length), text_of(b.begin, b.length)) < 0;
  });
  for (const Group& group : groups_) {
    std::sort(found_.begin() + static_cast<std::ptrdiff_t>(group.first),
              found_.begin() + static_cast<std::ptrdiff_t>(group.end), [&](const Name& a, const Name& b) {
                return a.front != b.front ? a.front < b.front : text_of(a.begin, a.length) < text_of(b.begin, b.length);
              });
  }
}

void Catalog::finish() {
  sort_found();
  migrations_.reserve(found_.size());
  for (const Group& group : groups_) {
    for (std::size_t i = group.first; i < group.end; ++i) {
      migrations_.emplace_back(text_of(group.begin, group.length), text_of(found_[i].begin, found_[i].length));
    }
  }
  names_ = std::string();
  found_ = std::vector<Name>();
  groups_ = std::vector<Group>();
  std::ranges::sort(problems_, {}, [](const Problem& problem) -> const std::string& { return problem.path; });
  for (std::size_t i = 1; i < migrations_.size(); ++i) {
    const Migration& earlier = migrations_[i - 1];
    const Migration& later = migrations_[i];
    if (earlier.number() == later.number() && earlier.version() == later.version()) {
      problems_.push_back(
          {"duplicate_number", later.path(),
           "the number is taken by " + quoted(earlier.path()) + "; they run in the order of their names"});
    }
  }
}

const Migration* Catalog::find(std::string_view id) const {
  if (!Migration::fault_of(id).empty()) {
    return nullptr;
  }
  const auto found = std::ranges::lower_bound(
      migrations_, id, [](std::string_view a, std::string_view b) { return compare_ids(a, b) < 0; }, &Migration::id);
  return found != migrations_.end() && found->id() == id ? &*found : nullptr;
}

}  // namespace telec
