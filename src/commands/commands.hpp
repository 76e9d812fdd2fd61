// SPDX-License-Identifier: MIT
// What a person can ask: one function per verb, each in a file of its own. Each fills the report as far as it comes;
// an Error that ends it early is the caller's to show.
#pragma once

#include "../report.hpp"
#include "context.hpp"

namespace telec {

/// Runs what is pending, or with --dry-run lists it. Gives the exit code.
int migrate(const Invocation& invocation, Voice& voice, Report& report);

/// Lists everything. Gives the exit code.
int status(const Invocation& invocation, Voice& voice, Report& report);

/// Throws Error (tree_untrusted) where --strict was given and there are problems.
void refuse_problems_if_strict(const Invocation& invocation, const Report& report);

}  // namespace telec
