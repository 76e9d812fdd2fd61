// SPDX-License-Identifier: MIT
// What a person can ask: one function per verb, each in a file of its own. Each fills the report as far as it comes;
// an Error that ends it early is the caller's to show. Each gives the exit code.
#pragma once

#include "../history.hpp"
#include "../report.hpp"
#include "context.hpp"

namespace telec {

/// Runs what is pending, or with --dry-run lists it.
int migrate(const Invocation& invocation, Voice& voice, Report& report);

/// The same for other users, each in a process that has become that user; as root. Gives the exit code.
int migrate_users(const Invocation& invocation, Voice& voice, Report& report);

/// Is there nothing that this hook may do? So it is where an image is built from outside (DPKG_ROOT), and for root
/// itself, unless root has data of its own or a state file is named. The reason is noted, and said with -v.
bool hook_is_idle(const Invocation& invocation, Voice& voice, Report& report);

/// Lists everything.
int status(const Invocation& invocation, Voice& voice, Report& report);

/// Lists the attempts, or shows what the last one of a migration printed.
int show_log(const Invocation& invocation, Voice& voice, Report& report);

/// Compares what is recorded with the scripts, and with --recheck with what is true.
int verify(const Invocation& invocation, Voice& voice, Report& report);

/// Looks for mistakes in scripts, without running them.
int lint(const Invocation& invocation, Voice& voice, Report& report);

/// Writes a script to begin with.
int create(const Invocation& invocation, Voice& voice, Report& report);

/// Change the history by hand: record, take back, write anew.
int mark(const Invocation& invocation, Voice& voice, Report& report);
int forget(const Invocation& invocation, Voice& voice, Report& report);
int rebuild(const Invocation& invocation, Voice& voice, Report& report);

/// Looks whether migrations could run here.
int doctor(const Invocation& invocation, Voice& voice, Report& report);

/// Throws Error (tree_untrusted) where --strict was given and there are problems. In the homes of other users what
/// arrived late does not count: nobody could mend it, and it would keep the upgrade from all of them for ever.
void refuse_problems_if_strict(const Invocation& invocation, const Report& report);

/// Throws Error (usage) where --only or --rerun names what the tree does not have, or what is out of range.
void refuse_wrong_ids(const Invocation& invocation, const Catalog& catalog, const History& history);

}  // namespace telec
