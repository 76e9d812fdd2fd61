#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Kills the runner, its python, and both, at every system call of a run from four start states, and then the rerun too.

SIGKILL arrives as the call is entered, so it is not executed: "killed at call n" is "the power of calls 1..n-1".
"""

import os
import random
import signal
import threading
import time

import checker
import sweep
from sweep import STRACE

SUITE = "kill"
TRIES = 12  # how often a run waits differs from one to the next: a point that was not reached is tried again


def runner_points(world, tally, options):
    """K1: the runner alone; its python goes with it."""
    for start in checker.STARTS:
        part = "runner, " + start
        if not sweep.wanted(part, options):
            continue
        points = sweep.chosen(sweep.baseline(world, start), options, part)

        def work(point, start=start):
            name, occurrence = point
            for _ in range(TRIES):
                with checker.Disposable(world, start) as place:
                    result, fired = sweep.injected(place, name, f"signal=KILL:when={occurrence}")
                    broken = place.broken_after(result, killed=fired) + place.broken_after_rerun()
                    if fired or broken:
                        return point, fired, broken
            return point, False, []

        for (name, occurrence), fired, broken in sweep.each(work, points, options):
            tally.add(part, f"{name} {occurrence}", fired, broken)


def points_until_asleep(world, id):
    """The points of a run from its fork for `id` until that script sleeps and the runner waits for it."""
    traces = []
    for i in range(5):  # how often it waits for what is printed differs from one run to the next
        with checker.Disposable(world, "absent") as place:
            place.put_to_sleep(id)
            trace = world.folder / f"asleep-{checker.effect_name(id)}-{i}"

            def kill_when_asleep(place=place):
                checker.telec.wait_until(lambda: place.is_asleep(id), 30)
                time.sleep(0.2)
                for pid, command in checker.processes_of(place.home).items():
                    if command.startswith(world.binary):
                        os.kill(pid, signal.SIGKILL)

            watcher = threading.Thread(target=kill_when_asleep)
            watcher.start()
            place.run(prefix=[STRACE, "-qq", "-o", str(trace)], options=("--no-prestart",))
            watcher.join()
            traces.append(trace)
    points = sweep.stable_points(traces)
    forks = [i for i, (name, _) in enumerate(points) if name in ("clone", "clone3", "vfork", "fork")]
    # The second migration is there already: its check() is True, and it never sleeps.
    return points[forks[list(checker.IDS).index(id)]:]


def asleep_points(world, tally, options):
    """K4: the runner, while its python sleeps: nothing but the kernel's word of the runner's death ends that."""
    for id in (checker.IDS[0], checker.IDS[2]):
        part = f"runner, while {id} sleeps"
        if not sweep.wanted(part, options):
            continue
        points = sweep.chosen(points_until_asleep(world, id), options, part)

        def work(point, id=id):
            name, occurrence = point
            for _ in range(6):
                with checker.Disposable(world, "absent") as place:
                    place.put_to_sleep(id)
                    result, fired = sweep.injected(place, name, f"signal=KILL:when={occurrence}", options=("--no-prestart",), timeout=10)
                    broken = place.broken_after(result, killed=fired)
                    place.wake(id)
                    broken += place.broken_after_rerun()
                    if fired:
                        return point, fired, broken
            return point, False, []

        for (name, occurrence), fired, broken in sweep.each(work, points, options):
            tally.add(part, f"{name} {occurrence}", fired, broken)


_WRAPPER = '''#!/bin/sh
n=1
while ! mkdir {count}-$n 2>/dev/null; do n=$((n + 1)); done
if [ $n = {spawn} ]; then
  exec {strace} -qq -o {trace} -e trace={traced} {inject} {python} "$@"
fi
exec {python} "$@"
'''


def wrapper(place, spawn, traced, inject):
    """An interpreter that puts strace around the n-th python that a run starts."""
    path = place.root / "python-wrapper"
    path.write_text(_WRAPPER.format(count=place.root / "count", spawn=spawn, strace=STRACE, trace=place.root / "python-trace",
                                    traced=traced, inject=inject, python=checker.telec.PYTHON))
    path.chmod(0o755)
    time.sleep(0.1)  # of an interpreter that has just changed none is started ahead
    return ("--python", str(path))


def python_points(world, tally, options):
    """K2: each python of a run; the runner lives on and has to see it. The first two start together, so either may be
    the first to be counted; and one that waits may die, then the runner takes a fresh one, and all is well."""
    for part, spawn, more in (("python of migration 1, none waits", 1, ("--no-prestart",)), ("python 1 of a run", 1, ()),
                              ("python 2 of a run", 2, ()), ("python 3 of a run", 3, ())):
        if not sweep.wanted(part, options):
            continue
        traces = []
        for i in range(2):
            with checker.Disposable(world, "absent") as place:
                result = place.run(options=(*wrapper(place, spawn, "all", ""), *more))
                if result.code != 0:
                    raise SystemExit(f"the baseline fails: {result!r}")
                traces.append((place.root / "python-trace").rename(world.folder / f"python-{spawn}-{len(more)}-{i}"))
        points = sweep.chosen(sweep.stable_points(traces), options, part)

        def work(point, spawn=spawn, more=more):
            name, occurrence = point
            for _ in range(TRIES):  # which of two pythons is the one that is counted changes what calls it makes
                with checker.Disposable(world, "absent") as place:
                    inject = f"-e inject={name}:signal=KILL:when={occurrence}"
                    result = place.run(options=(*wrapper(place, spawn, name, inject), *more))
                    trace = place.root / "python-trace"
                    fired = trace.exists() and "killed by SIGKILL" in trace.read_text("utf-8", "replace")
                    broken = place.broken_after(result)
                    if fired and more and result.code == 0 and name != "exit_group":
                        broken.append("I9 exit 0 although python was killed")
                    broken += place.broken_after_rerun()
                    if fired or broken:
                        return point, fired, broken
            return point, False, []

        for (name, occurrence), fired, broken in sweep.each(work, points, options):
            tally.add(part, f"{name} {occurrence}", fired, broken)


def both_at_once(world, tally, options):
    """K3: the runner is stopped at the point, then everything of its PID namespace is killed in one go."""
    part = "runner and python at once"
    if not sweep.wanted(part, options):
        return
    if os.geteuid() != 0 or os.system("unshare -p -f true 2>/dev/null") != 0:
        tally.skip(part, "needs root and PID namespaces")
        return
    points = [point for point in sweep.baseline(world, "one recorded") if point[0] not in ("exit_group",)]
    points = sweep.chosen(points, options, part)

    def work(point):
        name, occurrence = point
        for _ in range(TRIES):
            with checker.Disposable(world, "one recorded") as place:
                trace = place.root / "trace"
                prefix = ["unshare", "-p", "-f", "--kill-child=KILL", STRACE, "-qq", "-o", str(trace), "-e", "trace=" + name,
                          "-e", f"inject={name}:signal=STOP:when={occurrence}"]
                stopped = threading.Event()

                def guillotine(trace=trace, place=place, stopped=stopped):
                    end = time.monotonic() + 20
                    while time.monotonic() < end and not done.is_set():
                        if trace.exists() and "--- stopped by SIGSTOP" in trace.read_text("utf-8", "replace"):
                            stopped.set()
                            # The namespace's first process is strace, the child of unshare: with it all others die.
                            for pid, command in checker.processes_of(place.home).items():
                                if command.startswith("unshare"):
                                    os.kill(pid, signal.SIGKILL)
                            return
                        time.sleep(0.002)

                done = threading.Event()
                watcher = threading.Thread(target=guillotine)
                watcher.start()
                result = place.run(prefix=prefix)
                done.set()
                watcher.join()
                broken = place.broken_after(result, killed=stopped.is_set()) + place.broken_after_rerun()
                if stopped.is_set() or broken:
                    return point, stopped.is_set(), broken
        return point, False, []

    for (name, occurrence), fired, broken in sweep.each(work, points, options):
        tally.add(part, f"{name} {occurrence}", fired, broken)


def killed_twice(world, tally, options):
    """K5: after a kill of the runner, the rerun is killed too, and then the third run has to do it."""
    part = "rerun killed as well"
    if not sweep.wanted(part, options):
        return
    count = options.sample * 4 if options.sample else 2000
    pairs = []
    chance = random.Random(f"{options.seed} {part}")
    lists = {start: sweep.baseline(world, start) for start in checker.STARTS}
    for i in range(count):
        start = checker.STARTS[i % len(checker.STARTS)]
        pairs.append((start, chance.choice(lists[start]), chance.choice(lists[start])))

    def work(item):
        start, first, second = item
        fired = False
        again = random.Random(f"{options.seed} {item}")
        for shorter in range(1, 7):
            with checker.Disposable(world, start) as place:
                result, once = sweep.injected(place, first[0], f"signal=KILL:when={first[1]}")
                broken = place.broken_after(result, killed=once)
                result, twice = sweep.injected(place, second[0], f"signal=KILL:when={second[1]}")
                broken += [text + " (second kill)" for text in place.broken_after(result, killed=twice)]
                broken += place.broken_after_rerun()
                fired = once and twice
                if fired or broken:
                    return item, fired, broken
            # The second run had less to do than the point needs: another point, earlier each time.
            points = lists[start]
            second = again.choice(points[: max(1, len(points) >> shorter)])
        return item, fired, []

    for item, fired, broken in sweep.each(work, pairs, options):
        tally.add(part, f"{item}", fired, broken)


def asked_to_stop(world, tally, options):
    """K6: polite signals at each point: the state is true, and the exit status tells."""
    chance = random.Random(f"{options.seed} polite")
    points = sweep.baseline(world, "absent")
    first_block = next(i for i, (name, n) in enumerate(points) if name == "signalfd4")
    for name_of_signal in ("INT", "TERM", "HUP", "QUIT", "PIPE"):
        part = "SIG" + name_of_signal
        if not sweep.wanted(part, options):
            continue
        some = points if not options.sample else chance.sample(points, min(options.sample, len(points)))

        def work(point, name_of_signal=name_of_signal):
            name, occurrence = point
            number = int(getattr(signal, "SIG" + name_of_signal))
            for _ in range(TRIES):
                with checker.Disposable(world, "absent") as place:
                    result, fired = sweep.injected(place, name, f"signal={name_of_signal}:when={occurrence}")
                    # Before it listens the signal does what it always does; to SIGQUIT it never listens.
                    by_default = points.index(point) <= first_block or result.code == -number
                    broken = place.broken_after(result, killed=by_default, polite=True)
                    if result.code not in (0, 128 + number, -number):
                        broken.append(f"I9 exit {result.code} after SIG{name_of_signal}")
                    broken += place.broken_after_rerun()
                    if fired or broken or result.code == -number:
                        return point, fired or result.code == -number, broken
            return point, False, []

        for (name, occurrence), fired, broken in sweep.each(work, some, options):
            tally.add(part, f"{name} {occurrence}", fired, broken)


def stopped_and_continued(world, tally, options):
    """K6: SIGTSTP at each point, and SIGCONT a moment later: nothing has happened."""
    part = "SIGTSTP, then SIGCONT"
    if not sweep.wanted(part, options):
        return
    points = sweep.chosen(sweep.baseline(world, "absent"), options, part)

    def work(point):
        name, occurrence = point
        for _ in range(TRIES):
            with checker.Disposable(world, "absent") as place:
                trace, done, stopped = place.root / "trace", threading.Event(), threading.Event()

                def go_on(place=place, trace=trace, done=done, stopped=stopped):
                    while not done.is_set():
                        if not stopped.is_set() and trace.exists() and "--- stopped by SIGTSTP" in trace.read_text("utf-8", "replace"):
                            stopped.set()
                        if stopped.is_set():
                            for pid, command in checker.processes_of(place.home).items():
                                if command.startswith(world.binary):
                                    try:
                                        os.kill(pid, signal.SIGCONT)
                                    except ProcessLookupError:
                                        pass
                        time.sleep(0.01)

                watcher = threading.Thread(target=go_on)
                watcher.start()
                # A group of its own below this one: in an orphaned one the kernel drops the signal.
                result = place.run(prefix=[STRACE, "-qq", "-o", str(trace), "-e", "trace=" + name, "-e",
                                           f"inject={name}:signal=TSTP:when={occurrence}"], preexec_fn=os.setpgrp)
                done.set()
                watcher.join()
                broken = place.broken_after(result)
                if result.code != 0:
                    broken.append(f"I9 exit {result.code} after SIGTSTP and SIGCONT")
                broken += place.broken_after_rerun()
                if stopped.is_set() or broken:
                    return point, stopped.is_set(), broken
        return point, False, []

    for (name, occurrence), fired, broken in sweep.each(work, points, options):
        tally.add(part, f"{name} {occurrence}", fired, broken)


def soak(world, tally, options):
    """K7: kills at random times over 1.2 times the normal duration, reruns killed as well, as ostree does it."""
    part = "random times"
    if not sweep.wanted(part, options):
        return
    with checker.Disposable(world, "absent") as place:
        duration = place.run().seconds
    chance = random.Random(f"{options.seed} soak")
    count = options.sample * 2 if options.sample else 1000
    times = [(i, [chance.uniform(0, 1.2 * duration) for _ in range(chance.randint(1, 4))]) for i in range(count)]

    def work(item):
        index, moments = item
        fired = 0
        with checker.Disposable(world, checker.STARTS[index % 4]) as place:
            broken = []
            for moment in moments:
                result = place.run(prefix=["timeout", "-s", "KILL", f"{moment:.4f}"])
                fired += result.code in (-9, 137)
                broken += place.broken_after(result, killed=result.code in (-9, 137))
            broken += place.broken_after_rerun()
        return index, fired, len(moments), broken

    kills = 0
    for index, fired, asked, broken in sweep.each(work, times, options):
        kills += fired
        tally.add(part, f"round {index}", True, broken)
    tally.part(part)["kills"] = kills


def main():
    options = sweep.arguments(__doc__).parse_args()
    sweep.need_strace(SUITE)
    tally = sweep.Tally(SUITE, options)
    with checker.World() as world:
        for suite in (runner_points, asleep_points, python_points, both_at_once, killed_twice, asked_to_stop, stopped_and_continued, soak):
            suite(world, tally, options)
    tally.finish()


if __name__ == "__main__":
    main()
