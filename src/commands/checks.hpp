// SPDX-License-Identifier: MIT
// What the commands that look with check() alone have in common, and the question before one that changes the history.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../history.hpp"
#include "../judgement.hpp"
#include "../system/lock_file.hpp"
#include "../system/state_file.hpp"
#include "../system/stop_signals.hpp"
#include "../system/tree.hpp"
#include "context.hpp"

namespace telec {

struct CheckResult {
  const Migration* migration;
  ChildResult child;
  Judgement judgement;
};

/// Runs check() of each, and nothing else, under `lock`. `state_of` says what a result means; an entry for each goes
/// into the report and to `console`. Ends early with an error in the report where python cannot be run or a person
/// asked to stop; what was not reached has an entry, too. No log is kept: what a check() that failed printed is for the
/// caller to show.
void run_checks(const std::vector<const Migration*>& migrations, const Invocation& invocation, const Tree& tree,
                LockFile& lock, StopSignals& stop, Console& console, Report& report,
                const std::function<State(const CheckResult&)>& state_of);

/// Says, and keeps in the report, why nothing that a script leaves running can be found here; nothing where it can.
void note_blindness(Progress& progress, Report& report);

/// Where load() found no state file, and the generation before it is still there: what that looks like, and the way
/// back.
struct LostState {
  std::string message;  ///< empty: nothing was lost
  std::string hint;
};
LostState lost_state(const StateFile& state, const StateDirectory& directory);

/// Says it, and keeps it in the report.
void note_lost_state(const Invocation& invocation, const LostState& lost, Voice& voice, Report& report);

/// Where nothing is recorded yet: pending, unrecorded (its effect is there), failed, interrupted or not_reached.
State state_of_check(const CheckResult& result);

/// Says what will be done, and asks where there is a terminal. Throws Error: usage where there is none and --yes is
/// missing, interrupted where the answer is no.
void confirm(const Invocation& invocation, Voice& voice, const std::string& what);

/// Throws Error (usage) for ids that the tree does not have: one that is recorded, and whose script is gone, or one
/// that is unknown, with what was most likely meant as a hint.
void refuse_unknown_ids(const Invocation& invocation, const Catalog& catalog, const History& history,
                        const std::vector<std::string>& ids);

/// "did you mean 'ID'?", or `otherwise` where none of `ids` is near.
std::string meant_id(const std::string& typed, const std::vector<std::string_view>& ids, std::string otherwise);

/// What the tree holds; nothing where it cannot be read: for commands about what is recorded, which need no tree.
Catalog readable_catalog(const Invocation& invocation);

/// The ids of its migrations, which outlive the views.
std::vector<std::string_view> ids_of(const Catalog& catalog);

}  // namespace telec
