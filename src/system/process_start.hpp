// SPDX-License-Identifier: MIT
// Puts right what a careless parent may have left: closed descriptors 0 to 2, blocked signals, SIGCHLD ignored, a
// strange umask.
#pragma once

namespace telec {

/// First thing in main. Opens /dev/null on whichever of 0, 1, 2 is closed, so that no file of ours becomes somebody's
/// stdout; a write to such a stdout is an error, as it is to a closed one. Ends the process where that fails. From here
/// on the end of memory is said also where there is none for an exception.
void prepare_process();

/// What the caller's umask keeps from the group and from others: for files that are theirs, too. All before
/// prepare_process(), which makes everything else private to this user.
unsigned callers_umask();

/// For where there is not even memory for the words of an Error: the same on stderr, without asking for any.
void say_out_of_memory();

}  // namespace telec
