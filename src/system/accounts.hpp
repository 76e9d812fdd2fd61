// SPDX-License-Identifier: MIT
// The accounts of this machine, and work done as one of them: in a process of its own that becomes the user for good
// before it opens anything of theirs. What such a process does or says is never trusted further than its own user.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../users.hpp"
#include "stop_signals.hpp"

namespace telec {

/// All that the system enumerates, which need not be all that it knows (a directory service may list nobody). Throws
/// Error (io) where the list breaks off.
std::vector<Account> all_accounts();
/// Nothing: there is no such account. Throws Error (io) where that cannot be told.
std::optional<Account> account_named(const std::string& name);
/// From /etc/login.defs; the defaults where it cannot be read.
UidLimits uid_limits();

/// Throws Error (unsafe) where this is not root, who alone can become others.
void require_root();

/// Forks, and in the child: groups, gid and uid of the account, all three of each and for good; a session of its own;
/// SIGTERM and SIGINT heard, whatever our caller ignores; a death signal; umask 077; an environment made from nothing;
/// no descriptor of ours; the home as the current directory. Then, where the home has data of that user, `work`, whose
/// stdout comes back in UserRun::said, and whose stderr is given to `on_talk` as it comes.
/// Waits at most `limit` seconds, 20 at most for the home to answer, and never for a process that cannot be killed. A
/// signal to us reaches the child.
UserRun run_as(const Account& account, double limit, StopSignals& stop, const std::function<int()>& work,
               const std::function<void(std::string_view)>& on_talk);

}  // namespace telec
