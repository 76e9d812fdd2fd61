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
constexpr double settling_seconds = 0.05;

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

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
    facts = {true, status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
  }
  return facts;
}

bool operator==(const Fingerprint::Facts& a, const Fingerprint::Facts& b) {
  return a.exists == b.exists && a.device == b.device && a.inode == b.inode && a.size == b.size &&
         same(a.modified, b.modified) && same(a.changed, b.changed);
}

bool operator==(const Fingerprint& a, const Fingerprint& b) {
  return !a.paths_.empty() && a.paths_ == b.paths_ && a.facts_ == b.facts_;
}

Fingerprint FingerprintTaker::take(const std::vector<std::string>& paths) {
  Fingerprint result;
  const double taken_at = seconds_of(now());
  result.settled_ = true;
  const auto add = [&](const std::string& path) {
    const Fingerprint::Facts facts = Fingerprint::facts_of(path);
    if (std::max(seconds_of(facts.modified), seconds_of(facts.changed)) > taken_at - settling_seconds) {
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
    if (!(listing.facts == facts)) {
      listing = {facts, pth_files(path)};
    }
    for (const std::string& file : listing.pth) {
      add(file);
    }
  }
  // Migrations change what is in the home all the time; another directory in its place is what would matter.
  Fingerprint::Facts home = Fingerprint::facts_of(home_);
  result.paths_.push_back(home_);
  result.facts_.push_back({home.exists, home.device, home.inode, 0, {}, {}});
  return result;
}

bool unchanged_since(const std::vector<std::string>& files, const timespec& moment) {
  const double limit = seconds_of(moment) - settling_seconds;
  return std::ranges::all_of(files, [&](const std::string& file) {
    struct stat status = {};
    return ::stat(file.c_str(), &status) == 0 && seconds_of(status.st_mtim) < limit &&
           seconds_of(status.st_ctim) < limit;
  });
}

}  // namespace telec
