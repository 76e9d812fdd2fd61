// SPDX-License-Identifier: MIT
#include "fingerprint.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "calls.hpp"
#include "paths.hpp"

namespace telec {
namespace {

// A file system's time stamps move in steps of a clock tick, 10 ms at the most.
constexpr long settling_nanoseconds = 50'000'000;

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

}  // namespace

Fingerprint::Facts Fingerprint::facts_of(const std::string& path) {
  Facts facts;
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    facts = {true, identity_of(status), status.st_size, moment_of(status.st_mtim), moment_of(status.st_ctim)};
  }
  return facts;
}

Fingerprint::Moment Fingerprint::settled_before(const timespec& moment) {
  Moment result = moment_of(moment);
  result.nanoseconds -= settling_nanoseconds;
  if (result.nanoseconds < 0) {
    result.nanoseconds += 1'000'000'000;
    result.seconds -= 1;
  }
  return result;
}

Fingerprint FingerprintTaker::take(const std::vector<std::string>& paths, const timespec& moment) {
  Fingerprint result;
  const Fingerprint::Moment settled_before = Fingerprint::settled_before(moment);
  result.settled_ = true;
  const auto add = [&](const std::string& path) {
    const Fingerprint::Facts facts = Fingerprint::facts_of(path);
    if (std::max(facts.modified, facts.changed) > settled_before) {
      result.settled_ = false;
    }
    result.paths_.push_back(path);
    result.facts_.push_back(facts);
    return facts;
  };
  // The file that a link names, not the link: stat follows it to the end.
  add(python_);
  const std::string beside = directory_of(python_);
  for (const std::string& path :
       {beside + "/pyvenv.cfg", directory_of(beside) + "/pyvenv.cfg", std::string("/etc/ld.so.cache"),
        std::string("/etc/ld.so.preload"), std::string("/etc/localtime")}) {
    add(path);
  }
  for (const std::string& path : paths) {
    const Fingerprint::Facts facts = add(path);
    if (!facts.exists || path.ends_with(".py")) {
      continue;
    }
    Listing& listing = listings_[path];
    if (listing.facts != facts) {
      listing = {facts, pth_files(path)};
    }
    for (const std::string& file : listing.pth) {
      add(file);
    }
  }
  // Migrations change what is in the home all the time; another directory in its place is what would matter.
  Fingerprint::Facts home = Fingerprint::facts_of(home_);
  result.paths_.push_back(home_);
  result.facts_.push_back({home.exists, home.identity, 0, {}, {}});
  return result;
}

bool unchanged_since(const std::vector<std::string>& files, const timespec& moment) {
  const Fingerprint::Moment limit = Fingerprint::settled_before(moment);
  return std::ranges::all_of(files, [&](const std::string& file) {
    const Fingerprint::Facts facts = Fingerprint::facts_of(file);
    return facts.exists && std::max(facts.modified, facts.changed) < limit;
  });
}

}  // namespace telec
