// SPDX-License-Identifier: MIT
// Who runs this, where their home is, and where the files are: read from the environment and the account once, and
// refused early where that is not safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace telec {

/// The home directory: HOME, or the account's where HOME is not set. Throws Error: HOME relative or empty (usage),
/// or, as root, the home of somebody else (unsafe).
std::string home_directory();

/// Is this root, in root's own home (HOME, or the account's) or in none, without a ~/.teleclaude there?
bool is_root_without_data();

/// Throws Error (io) where `home` is not a directory that can be entered: scripts run there.
void confirm_directory(const std::string& home);

/// The next step for root at `path`, which is `uid`'s: to run as that user, by name where it has one; for that
/// account's own home or state also the command, for hint_in_full() to complete.
std::string run_as_owner(unsigned uid, const std::string& path);

/// The names that go into a record: never fail, "?" where the system does not know.
std::string user_name();
std::string host_name();

/// An environment variable; nothing where it is unset or empty.
std::optional<std::string> environment(const char* name);
/// Sets it, for this process and what it starts.
void set_environment(const char* name, const std::string& value);

/// All that a script sees of the caller's environment, as NAME=VALUE: HOME, USER, LOGNAME, a fixed PATH, TZ, LANG,
/// LANGUAGE and LC_*, and TELEC_VERSION. (TELEC_MIGRATION_ID is added when a migration starts.)
std::vector<std::string> script_environment(const std::string& home);

}  // namespace telec
