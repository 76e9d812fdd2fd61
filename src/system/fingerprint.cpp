// SPDX-License-Identifier: MIT
#include "fingerprint.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "../text.hpp"
#include "calls.hpp"
#include "paths.hpp"

namespace telec {
namespace {

// A file system's time stamps move in steps of a clock tick, 10 ms at the most; those of some (ext3, ext4 with small
// inodes, FAT) in steps of one or two seconds: whole ones may be of such.
constexpr long settling_nanoseconds = 50'000'000;
constexpr long settling_seconds = 2;

std::vector<std::string> pth_files(const std::string& directory) {
  std::vector<std::string> files;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(directory.c_str()), &::closedir);
  if (listing) {
    while (const dirent* entry = ::readdir(listing.get())) {  // NOLINT(concurrency-mt-unsafe): one thread, own stream
      if (const std::string_view name = entry->d_name; name.ends_with(".pth")) {
        files.push_back(directory + "/" + std::string(name));
      }
    }
  }
  std::ranges::sort(files);
  return files;
}

/// The directories that a .pth in `directory` names, there or not: site.addpackage() passes over those that are not,
/// and leaves no trace of them. Lines that begin with `import` are code, and what that reads cannot be known.
std::vector<std::string> directories_in(const std::string& directory, const std::string& file) {
  constexpr std::size_t read_at_most = std::size_t{1024} * 1024;
  std::vector<std::string> directories;
  std::string text;
  const FileDescriptor descriptor = open_at(AT_FDCWD, file.c_str(), O_RDONLY | O_NONBLOCK);
  if (descriptor.is_open() && read_all(descriptor.get(), text, read_at_most)) {
    for (std::string_view line : lines_of(text)) {
      while (!line.empty() && std::string_view(" \t\r\f\v").find(line.back()) != std::string_view::npos) {
        line.remove_suffix(1);
      }
      if (!line.empty() && line.front() != '#' && !line.starts_with("import ") && !line.starts_with("import\t")) {
        directories.push_back((line.front() == '/' ? "" : directory + "/") + std::string(line));
      }
    }
  }
  return directories;
}

/// The file that tells the time zone, by the environment of a script: tzset(3).
std::string time_zone_file(const std::vector<std::string>& environment) {
  constexpr std::string_view name = "TZ=";
  const auto set = std::ranges::find_if(environment, [&](const std::string& entry) { return entry.starts_with(name); });
  std::string zone = set == environment.end() ? "/etc/localtime" : set->substr(name.size());
  zone.erase(0, zone.starts_with(':') ? 1 : 0);
  return zone.starts_with('/') ? zone : "/usr/share/zoneinfo/" + zone;
}

}  // namespace

Fingerprint::Facts Fingerprint::facts_of(const std::string& path) {
  Facts facts;
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    facts = {true, identity_of(status), status.st_size, moment_of(status.st_mtim), moment_of(status.st_ctim)};
  }
  return facts;
}

bool Fingerprint::stood_still(const Facts& facts, const timespec& moment) {
  const bool whole = facts.modified.nanoseconds == 0 && facts.changed.nanoseconds == 0;
  Moment limit = moment_of(moment);
  limit.seconds -= whole ? settling_seconds : 0;
  limit.nanoseconds -= settling_nanoseconds;
  if (limit.nanoseconds < 0) {
    limit.nanoseconds += 1'000'000'000;
    limit.seconds -= 1;
  }
  return std::max(facts.modified, facts.changed) < limit;
}

FingerprintTaker::FingerprintTaker(const PythonOptions& options)
    : python_(options.python), home_(options.home), time_zone_(time_zone_file(options.environment)) {}

const std::vector<std::string>& FingerprintTaker::known(const std::string& path, const Fingerprint::Facts& facts,
                                                        const std::function<std::vector<std::string>()>& read) {
  Reading& reading = readings_[path];
  if (reading.facts != facts) {
    reading = {facts, read()};
  }
  return reading.paths;
}

Fingerprint FingerprintTaker::take(const std::vector<std::string>& paths, const timespec& moment) {
  Fingerprint result;
  result.settled_ = true;
  const auto add = [&](const std::string& path) {
    const Fingerprint::Facts facts = Fingerprint::facts_of(path);
    result.settled_ = result.settled_ && (!facts.exists || Fingerprint::stood_still(facts, moment));
    result.paths_.push_back(path);
    result.facts_.push_back(facts);
    return facts;
  };
  // The file that a link names, not the link: stat follows it to the end.
  add(python_);
  const std::string beside = directory_of(python_);
  // A start maps the locales, or remembers that there are none.
  for (const std::string& path : {beside + "/pyvenv.cfg", directory_of(beside) + "/pyvenv.cfg",
                                  std::string("/etc/ld.so.cache"), std::string("/etc/ld.so.preload"), time_zone_,
                                  std::string("/usr/lib/locale"), std::string("/usr/lib/locale/locale-archive")}) {
    add(path);
  }
  for (const std::string& path : paths) {
    const Fingerprint::Facts facts = add(path);
    if (!facts.exists || path.ends_with(".py")) {
      continue;
    }
    for (const std::string& file : known(path, facts, [&] { return pth_files(path); })) {
      const Fingerprint::Facts file_facts = add(file);
      for (const std::string& directory : known(file, file_facts, [&] { return directories_in(path, file); })) {
        add(directory);
      }
    }
  }
  // Migrations change what is in the home all the time; another directory in its place is what would matter.
  Fingerprint::Facts home = Fingerprint::facts_of(home_);
  result.paths_.push_back(home_);
  result.facts_.push_back({home.exists, home.identity, 0, {}, {}});
  return result;
}

bool unchanged_since(const std::vector<std::string>& files, const timespec& moment) {
  return std::ranges::all_of(files, [&](const std::string& file) {
    const Fingerprint::Facts facts = Fingerprint::facts_of(file);
    return facts.exists && Fingerprint::stood_still(facts, moment);
  });
}

}  // namespace telec
