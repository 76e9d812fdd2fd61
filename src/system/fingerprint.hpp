// SPDX-License-Identifier: MIT
// What a python's start depends on, as the file system has it at one moment: the interpreter behind all its links, each
// directory of sys.path and of site, each .pth in them and each directory that it names, the modules that a start loads
// and the directories of its packages, pyvenv.cfg, the loader's cache and the time zone. Two equal fingerprints: a
// python started at the one moment is the python that would be started at the other.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "file_identity.hpp"
#include "python_process.hpp"

namespace telec {

class Fingerprint {
 public:
  /// Of nothing: equals no other.
  Fingerprint() = default;

  friend bool operator==(const Fingerprint& a, const Fingerprint& b) {
    return !a.paths_.empty() && a.paths_ == b.paths_ && a.facts_ == b.facts_;
  }

  /// Is it as it was at the moment of take(), and can it be told from what comes after that? Not where something has
  /// changed since, or so shortly before that the next change could get the same time stamp (git calls such an entry
  /// racily clean).
  [[nodiscard]] bool is_settled() const { return settled_; }

  // Not std::chrono::nanoseconds, which ends in 2262: file systems go further.
  struct Moment {
    std::time_t seconds = 0;  // since 1970
    long nanoseconds = 0;
    friend auto operator<=>(const Moment&, const Moment&) = default;
  };
  struct Facts {
    bool exists = false;
    FileIdentity identity;
    off_t size = 0;
    Moment modified;
    Moment changed;
    friend bool operator==(const Facts&, const Facts&) = default;
  };
  /// Did it change so long before `moment` (CLOCK_REALTIME) that no later change can have got the same time stamp?
  static bool stood_still(const Facts& facts, const timespec& moment);

 private:
  friend class FingerprintTaker;
  friend bool unchanged_since(const std::vector<std::string>& files, const timespec& moment);

  static Facts facts_of(const std::string& path);
  static Moment moment_of(const timespec& time) { return {time.tv_sec, time.tv_nsec}; }

  std::vector<std::string> paths_;
  std::vector<Facts> facts_;
  bool settled_ = false;
};

/// Has none of the files changed, or gone, since `moment` (CLOCK_REALTIME)?
bool unchanged_since(const std::vector<std::string>& files, const timespec& moment);

class FingerprintTaker {
 public:
  /// Of the home, the current directory, only the identity counts.
  explicit FingerprintTaker(const PythonOptions& options);

  /// `paths` is what a python said of its start. `moment` (CLOCK_REALTIME) is now, or before.
  [[nodiscard]] Fingerprint take(const std::vector<std::string>& paths, const timespec& moment);

 private:
  /// What was read of a directory or of a .pth, and what it was like then.
  struct Reading {
    Fingerprint::Facts facts;
    std::vector<std::string> paths;
  };
  /// Reads again only where it has changed.
  const std::vector<std::string>& known(const std::string& path, const Fingerprint::Facts& facts,
                                        const std::function<std::vector<std::string>()>& read);

  std::string python_;
  std::string home_;
  std::string time_zone_;
  std::map<std::string, Reading> readings_;
};

}  // namespace telec
