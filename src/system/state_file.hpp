// SPDX-License-Identifier: MIT
// The state file on disk: read whole, and written by one function, the only writer of the history in the program.
#pragma once

#include <optional>
#include <string>

#include "../history.hpp"
#include "../runner.hpp"
#include "file_descriptor.hpp"
#include "file_identity.hpp"
#include "lock_file.hpp"

namespace telec {

/// The directory that holds the state, and what lies beside it.
class StateDirectory {
 public:
  /// `path` is the state file's, absolute. Opens its directory if there is one; writes nothing. Throws Error: io,
  /// unsafe (others may write to it, or root in somebody else's).
  explicit StateDirectory(const std::string& path);

  [[nodiscard]] bool exists() const { return fd_.is_open(); }
  /// Creates it with mode 0700, and syncs its parent, so that what is put inside is not lost with it.
  void create();
  /// Throws Error (io) where the path leads elsewhere by now: the directory was moved, removed or replaced.
  void confirm() const;

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void open();

  std::string path_;
  std::string directory_;
  std::string name_;
  FileDescriptor fd_;
};

class StateFile : public HistoryStore {
 public:
  explicit StateFile(const StateDirectory& directory) : directory_(directory) {}

  /// The history as it is on disk; absent is empty. Throws Error: state_untrusted with the reason and the way back,
  /// io where it cannot be read, unsafe where others may write it. Never writes, moves or repairs anything.
  History load();

  /// The generation before the last commit, where load() found no file and that one is still there: the file was lost.
  /// Its path; empty where there is none.
  [[nodiscard]] std::string left_without_file() const;

  /// Is there a file? Throws Error where what is there is none.
  [[nodiscard]] bool exists() const { return find().exists; }

  /// Under the lock, for a state that load() refused, whatever it is: gives it another name beside, which commit()
  /// leaves alone, and keeps the generation before it as `.old`, which is worth more. The path of that name. Where it
  /// can be both (a file that can have two names) it is also still the state until the commit. Throws Error (io).
  std::string keep_aside();

  /// From here on this run may commit: `lock` is held. Call before load(), whose result is what commit() expects to
  /// find.
  void may_commit(const LockFile& lock) { lock_ = &lock; }

  /// Throws Error (io) where a commit could not replace what is there: a directory in the place of one of its files, or
  /// a file or the state directory that is immutable or append-only. Looks, and changes nothing.
  void refuse_what_cannot_be_replaced() const;

  /// Writes about as many bytes as `history` and that many more records take, and takes them away again, so that a full
  /// or read-only file system is noticed before a script runs, and so is what cannot be replaced. Throws Error (io):
  /// that, or that the file would be larger than load() accepts.
  void probe(const History& history, std::size_t more) const;

  /// Under the lock, in this order (as dpkg and ostree do, after rename(2) and fsync(2)): nothing has changed
  /// underneath; fixed temporary name, created exclusively, 0600; write all; fsync; close; the old generation linked
  /// and the link renamed to `.old`; rename; fsync of the directory. A failed fsync is never repeated: the kernel may
  /// have dropped the pages and marked them clean. On failure before the rename the old state is untouched and the
  /// temporary is gone.
  void commit(const History& history) override;

 private:
  struct Found {
    bool exists = false;
    FileIdentity identity;
    std::string text;
    bool is_expected = false;
  };
  /// What is there now; with `expected`, whether it has these bytes, instead of its text.
  [[nodiscard]] Found find(const std::string* expected = nullptr) const;
  void confirm_unchanged() const;
  void keep_old_generation() const;
  void link_or_copy(const std::string& name) const;
  void remove_leftover(const std::string& temporary) const;
  bool discard(const std::string& temporary) const noexcept;
  [[nodiscard]] std::string old_name() const { return directory_.name() + ".old"; }
  [[nodiscard]] std::string old_temporary_name() const { return directory_.name() + ".old.tmp"; }
  [[nodiscard]] std::string temporary_name() const { return directory_.name() + ".tmp"; }
  void refuse_too_large(std::size_t size) const;
  enum class Refused { text, newer, link, no_file };
  /// The next step for a state that is refused as such.
  [[nodiscard]] std::string way_back(Refused refused) const;

  const StateDirectory& directory_;
  const LockFile* lock_ = nullptr;
  bool found_none_ = false;  // by load()
  bool keeps_old_ = true;    // the generation before the next commit becomes `.old`
  Found last_;               // what is on disk, as far as this run knows
};

}  // namespace telec
