// SPDX-License-Identifier: MIT
// What a python's start depends on, as the file system has it at one moment: the interpreter behind all its links, each
// directory of sys.path and of site, each .pth in them, the modules that a start loads, pyvenv.cfg, the loader's cache
// and the time zone. Two equal fingerprints: a python started at the one moment is the python that would be started at
// the other.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

namespace telec {

class Fingerprint {
 public:
  /// Of nothing: equals no other.
  Fingerprint() = default;

  friend bool operator==(const Fingerprint& a, const Fingerprint& b);

  /// Can it be told from what comes after it? Not where something had changed so shortly before that the next change
  /// could get the same time stamp (git calls such an entry racily clean).
  [[nodiscard]] bool is_settled() const { return settled_; }

 private:
  friend class FingerprintTaker;

  struct Facts {
    bool exists = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified = {};
    timespec changed = {};
  };
  static Facts facts_of(const std::string& path);
  friend bool operator==(const Facts& a, const Facts& b);

  std::vector<std::string> paths_;
  std::vector<Facts> facts_;
  bool settled_ = false;
};

class FingerprintTaker {
 public:
  /// `python` is what is executed, `home` its current directory, of which only the identity counts.
  FingerprintTaker(std::string python, std::string home) : python_(std::move(python)), home_(std::move(home)) {}

  /// As of now. `paths` is what a python said of its start.
  [[nodiscard]] Fingerprint take(const std::vector<std::string>& paths);

 private:
  struct Listing {
    Fingerprint::Facts facts;
    std::vector<std::string> pth;
  };
  std::string python_;
  std::string home_;
  std::map<std::string, Listing> listings_;  // read again only where the directory has changed
};

/// Has none of the files changed, or gone, since `moment` (CLOCK_REALTIME)?
bool unchanged_since(const std::vector<std::string>& files, const timespec& moment);

}  // namespace telec
