// SPDX-License-Identifier: MIT
// What one attempt of one migration printed, in a file of its own below `migration_logs/` beside the state: the first
// and the last part, and how much was cut between them. Memory and file stay bounded whatever a script prints.
// A log is a help, never a condition: what cannot be written is noted and the run goes on.
#pragma once

#include <string>
#include <string_view>

#include "file_descriptor.hpp"

namespace telec {

/// Opens `migration_logs` in the state directory. Not open on failure: errno and `reason` say why.
FileDescriptor open_logs(int state_directory, std::string& reason);

class LogDirectory {
 public:
  /// Opens `migration_logs` in the state directory, creates it with mode 0700 if need be, and removes the oldest logs
  /// beyond the newest 200. Where it cannot be opened, or is no directory, it keeps nothing, and trouble() says why.
  LogDirectory(int state_directory, const std::string& state_directory_path);

  /// Keeps nothing: for runs of check() that must leave no trace.
  LogDirectory() = default;

  [[nodiscard]] bool keeps() const { return fd_.is_open(); }
  /// Is there more space left than a log may take? The last of it is for the records.
  [[nodiscard]] bool has_room() const;
  /// Why nothing is kept; empty: it is, or was not to be.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  static constexpr std::size_t logs_kept = 200;
  static constexpr std::size_t room_for_records = std::size_t{2} * 1024 * 1024;

 private:
  void remove_oldest() const;

  std::string path_;
  FileDescriptor fd_;
  std::string trouble_;
};

class AttemptLog {
 public:
  /// The file is created with the first byte: a silent script leaves none.
  AttemptLog(const LogDirectory& directory, const std::string& id);

  /// What the script printed, as it comes.
  void append(std::string_view bytes);
  /// Writes what was held back, then `footer` (how the attempt ended) as the last line where there is one.
  void finish(const std::string& footer);

  /// Where it is; empty: nothing was written.
  [[nodiscard]] std::string path() const { return file_.is_open() || finished_ ? path_ : std::string(); }
  /// The end of what was printed, at most 16 KiB.
  [[nodiscard]] std::string tail() const;
  /// Why the log is not whole; empty: it is.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  static constexpr std::size_t head_limit = std::size_t{128} * 1024;
  static constexpr std::size_t tail_limit = std::size_t{128} * 1024;

 private:
  void open();
  void write(std::string_view bytes);

  const LogDirectory& directory_;
  std::string name_;
  std::string path_;
  std::string id_;
  FileDescriptor file_;
  bool finished_ = false;
  std::size_t total_ = 0;
  std::string tail_;  // up to twice tail_limit: cut only now and then, so that appending stays cheap
  std::string trouble_;
};

}  // namespace telec
