// SPDX-License-Identifier: MIT
// One run at a time: flock(2) on a file beside the state that is kept for ever. The kernel lets go of the lock when
// its last holder dies, so nobody ever has to delete anything; what is written inside is for messages alone.
//
// The descriptor is handed on to python. flock belongs to the open file description, so the lock is held as long as
// the runner or its python lives: a killed runner's python keeps a second runner out.
#pragma once

#include <functional>
#include <string>

#include "file_descriptor.hpp"
#include "stop_signals.hpp"

namespace telec {

/// Who holds the lock on `name` in `directory`, for a message; empty: nobody. Takes and leaves nothing. `path` is for
/// messages. Throws Error (io, unsafe) where a run could not take the lock, whoever holds it.
std::string lock_holder(int directory, const std::string& name, const std::string& path);

class LockFile {
 public:
  /// Takes the lock on `name` in `directory`, waiting up to `timeout` seconds (0: not at all). Creates the file with
  /// mode 0600. `path` is for messages. Throws Error: locked, interrupted while waiting, io, unsafe. Locked at once,
  /// whatever `timeout` is, where the holder is what runs this: it would wait for itself.
  /// Tells `waiting` once, after a second, who is waited for. `hint`: what to do after waiting in vain.
  LockFile(int directory, std::string name, std::string path, double timeout, StopSignals& stop,
           const std::function<void(const std::string&)>& waiting, std::string hint = {});
  /// Takes back what announce() wrote; the kernel lets go of the lock with the last descriptor.
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// Locks nothing: for looks at a home that has no state directory yet.
  LockFile();

  [[nodiscard]] int descriptor() const { return fd_.get(); }

  /// Writes who holds the lock and the migration under way, for the message of whoever waits. Never fails.
  void announce(const std::string& id);

  /// Throws Error (io) where the file is no longer the one that was locked: another run may hold the new one.
  void confirm() const;

 private:
  bool open();

  int directory_;
  std::string name_;
  std::string path_;
  std::string started_at_;
  FileDescriptor fd_;
};

}  // namespace telec
