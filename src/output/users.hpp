// SPDX-License-Identifier: MIT
// What is seen of a run for many users, and of any run inside a package's hook: values to text.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../report.hpp"
#include "text.hpp"

namespace telec {

/// A user's line on stdout: "failed    bob: 1.1.0/001_x.py at migrate: boom", and below it the next step, if any.
std::string user_line(const UserReport& user, bool dry_run, const Style& style = {});

/// "2 users migrated, 1 up to date, 3 skipped, 1 failed: bob(1)". With `dry_run`, "would be migrated".
std::string users_summary(const std::vector<UserReport>& users, bool dry_run);

/// All that --hook prints: a line for each user who failed or was deferred, then the summary; for a run without users
/// one line. Nothing where nothing happened. Where a failure has no next step, `again` gives the same run for that user
/// alone, or, without a name, for whose home it was: "telec migrate --to 1.2.0 --user ada".
std::string hook_text(const Report& report, const std::function<std::string(const std::string& name)>& again);

/// The exit code that a hook is given: 0 whatever happened, or with `strict` the real one.
constexpr int hook_exit_code(bool strict, int exit_code) { return strict ? exit_code : 0; }

}  // namespace telec
