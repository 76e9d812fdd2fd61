// SPDX-License-Identifier: MIT
// The commands that a hint tells to type: with what was typed before, so that they can be typed as they stand. Pure.
#pragma once

#include <string>

#include "command_line.hpp"

namespace telec {

/// `verb` at the same place: "telec migrate status --state-file x.json", with --migrations-dir, --state-file and
/// --python as far as they were typed and the verb has them. In the run of another user it is what root types: as that
/// user, where the verb has no --user.
std::string command_again(const Invocation& invocation, Verb verb = Verb::migrate);

/// The same run: also what selects its migrations, and what decides how each of them ends. `verb`: the invocation's
/// own, for the same look again.
std::string run_again(const Invocation& invocation, Verb verb = Verb::migrate);

/// The same for one migration, whose --only or --rerun is to follow.
std::string run_one(const Invocation& invocation);

/// The same run, or the same look of `verb`, with twice its --timeout.
std::string run_longer(const Invocation& invocation, Verb verb = Verb::migrate);

/// The same run, which waits for the lock twice as long.
std::string run_waiting(const Invocation& invocation);

/// What to type after --lock-timeout to wait twice as long as `seconds`, and for a minute at least.
std::string longer_wait(double seconds);

/// A hint from where nobody knows what was typed: each 'telec migrate' in it, and each 'telec migrate WORD', becomes
/// the command at the same place, and a 'telec migrate --user NAME' what was typed, done as that user. What is complete
/// already stays as it is.
std::string hint_in_full(const std::string& hint, const Invocation& invocation);

}  // namespace telec
