// SPDX-License-Identifier: MIT
// System calls with the two things that every caller needs: EINTR is repeated, and a failure becomes an Error that
// names the action and the path.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "../error.hpp"
#include "file_descriptor.hpp"

namespace telec {

/// The words of an errno: "No such file or directory".
std::string errno_text(int number);

/// What a person can do about it: "make room on the file system, ...".
std::string next_step_after(int number);

/// "cannot ACTION 'PATH': REASON", with the errno's reason, as ErrorCode::io. Without a hint, the errno's; where that
/// is one of permissions, the path's.
Error io_error(const std::string& action, std::string_view path, int number, std::string hint = {});

/// Calls until it is not interrupted.
template <class Call>
auto repeated(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) {
    result = call();
  }
  return result;
}

/// openat(2) with O_CLOEXEC and O_NOCTTY. Not open on failure; errno says why.
FileDescriptor open_at(int directory, const char* path, int flags, unsigned mode = 0);

/// Has this child ended? It stays to be reaped. `unknown` is the answer where waitid(2) cannot tell.
bool has_ended(pid_t child, bool unknown);

struct Pipe {
  FileDescriptor reading;
  FileDescriptor writing;
};
/// pipe2(2) with O_CLOEXEC; false with errno on failure.
bool make_pipe(Pipe& pipe);

/// Writes all of it, and waits where the descriptor would not; false with errno on failure.
bool write_all(int fd, std::string_view bytes);

/// The same, and then closes it, also after a failure; false with errno of the first thing that failed.
bool write_and_close(FileDescriptor& file, std::string_view bytes);

/// Reads to the end, at most `limit` bytes plus one, so that a caller can tell that there is more; false with errno.
/// `size`: of a regular file, as fstat(2) told it. One byte more is asked for, so a read that gives just that has seen
/// the end, and no other is needed to find it.
bool read_all(int fd, std::string& bytes, std::size_t limit, std::optional<std::size_t> size = std::nullopt);

/// Is it a terminal?
bool is_terminal(int fd);

/// One line of at most 1000 bytes, without its newline; nothing where the input ends before one.
std::optional<std::string> read_line(int fd);

/// The time now, UTC, RFC 3339: 2026-11-22T07:30:00Z. From 1970 to 9999, whatever the clock says, and no file is read.
std::string utc_now();

/// Seconds on the clock that no one can set.
double monotonic_seconds();

}  // namespace telec
