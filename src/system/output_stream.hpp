// SPDX-License-Identifier: MIT
// Where text goes out: stdout and stderr, buffered, every write checked. The first failure is remembered and nothing
// more is written; it never stops a run, whose records do not depend on who is listening.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace telec {

class OutputStream {
 public:
  explicit OutputStream(int fd) : fd_(fd) {}

  void write(std::string_view text);
  /// Waits until whoever reads has taken it.
  void flush();
  /// Writes what can be written without waiting for a reader, and keeps the rest for the next time.
  void offer(std::string_view text);
  /// The bytes that are kept.
  [[nodiscard]] std::size_t waiting() const { return buffer_.size(); }
  /// The errno of the first failure; 0: none so far.
  [[nodiscard]] int failure() const { return failure_; }
  [[nodiscard]] bool is_terminal() const;
  /// Columns of the terminal; 0 where there is none.
  [[nodiscard]] unsigned columns() const;

 private:
  void put(std::string_view bytes);

  int fd_;
  int failure_ = 0;
  std::string buffer_;
};

}  // namespace telec
