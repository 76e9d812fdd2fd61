// SPDX-License-Identifier: MIT
// How long a turn on a processor the kernel gives this process. The runner works a little and waits often, beside
// pythons that only work: the shorter its turns, the sooner each of them comes.
#pragma once

namespace telec {

/// Asks for the shortest time slice, 0.1 ms, for this process alone: what it starts has the usual one. Does nothing
/// where the caller chose another policy or a higher priority, which must not end with this process, and where the
/// kernel does not know it: Linux 6.12 and newer do (sched_setattr(2), Documentation/scheduler/sched-eevdf.rst).
void ask_for_short_time_slices();

}  // namespace telec
