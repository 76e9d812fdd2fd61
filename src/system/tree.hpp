// SPDX-License-Identifier: MIT
// The migrations directory on disk: its listing as a Catalog, and a script's bytes. Symbolic links below the
// directory are never followed, and nothing but a regular file is ever opened for reading.
#pragma once

#include <string>

#include "../catalog.hpp"
#include "file_descriptor.hpp"

namespace telec {

/// How to mend a script that read_script() refuses.
constexpr const char* mend_unreadable = "make it a regular file that can be read, of 16 MiB at the most";

class Tree {
 public:
  /// `named_by`: what a hint says it can be named with. Throws Error: tree_untrusted where the directory does not exist
  /// or is none, io where it cannot be read.
  explicit Tree(std::string directory, const std::string& named_by = "--migrations-dir DIR or TELEC_MIGRATIONS_DIR");

  /// Lists it: one look at each directory, and none at a script where the file system tells types in listings.
  [[nodiscard]] Catalog read_catalog() const;

  /// The bytes of a migration's script, read once through one descriptor. False with the reason where it cannot be
  /// read, is not a regular file (any more), or is larger than 16 MiB.
  bool read_script(const Migration& migration, std::string& bytes, std::string& reason) const;

  /// A version's directory, kept open from one script to the next. For looks at many scripts, in order, while none is
  /// run: a script could put another directory in its place.
  struct OpenVersion {
    std::string version;
    FileDescriptor fd;
  };
  bool read_script(const Migration& migration, std::string& bytes, std::string& reason, OpenVersion& open) const;

  /// Writes a new script, and its version directory where there is none; never over a file. Others may read both, as
  /// far as `umask` lets them. Its path. Throws Error (io).
  [[nodiscard]] std::string create_script(const Migration& migration, const std::string& text, unsigned umask) const;

  /// Where the script is, as an absolute path: what `__file__` and tracebacks show.
  [[nodiscard]] std::string path_of(const Migration& migration) const;
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  FileDescriptor fd_;
};

}  // namespace telec
