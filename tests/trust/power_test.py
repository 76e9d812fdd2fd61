#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Cuts the power at every system call after the lock, on ext4 and XFS, and looks at what is left.

A cut: the runner is killed at the call, the file system is shut down by its own ioctl, once with its journal flushed and
the data dropped (mode 1) and once with both dropped (mode 2), unmounted and mounted again. Mode 1 tears files that were
renamed before they were synced; mode 2 loses what was not synced at all. The bench is shown to go red: with fsync made a
successful no-op, and with the syncs of the directory left out, it must find violations.

Needs root, loop devices and mkfs; skips visibly without.
"""

import fcntl
import os
import pathlib
import struct
import subprocess
import sys
import threading
import time

import checker
import sweep
from sweep import STRACE

SUITE = "power"
SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN: _IOR('X', 125, __u32)
MODES = {1: "journal flushed, data dropped", 2: "journal and data dropped"}
ROUNDS_PER_IMAGE = 60

KINDS = {
    "ext4": (["mkfs.ext4", "-q", "-F"], "64M", []),
    "ext4 noauto_da_alloc": (["mkfs.ext4", "-q", "-F"], "64M", ["noauto_da_alloc"]),
    "ext4 data=writeback": (["mkfs.ext4", "-q", "-F"], "64M", ["data=writeback", "noauto_da_alloc"]),
    "xfs": (["mkfs.xfs", "-q", "-f"], "320M", []),
}


class Volume:
    """A loop-mounted file system that can lose its power."""

    def __init__(self, folder, kind, name):
        self.kind = kind
        self.image = pathlib.Path(folder) / f"{name}.img"
        self.point = pathlib.Path(folder) / name
        self.point.mkdir()
        self.rounds = 0
        self.device = None
        self.mounted = False

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
        return done.stdout.strip()

    def make(self):
        command, size, _ = KINDS[self.kind]
        self._run("truncate", "-s", "0", str(self.image))
        self._run("truncate", "-s", size, str(self.image))
        self._run(*command, str(self.image))
        self.mount()
        self.rounds = 0

    def mount(self):
        """Through a loop device made for this mount alone: nothing of the one before is left in a cache."""
        self.device = self._run("losetup", "-f", "--show", str(self.image))
        more = KINDS[self.kind][2]
        try:
            self._run("mount", *(["-o", ",".join(more)] if more else []), self.device, str(self.point))
        except OSError:
            self._run("losetup", "-d", self.device)
            raise
        self.mounted = True

    def unmount(self):
        for _ in range(6000):  # the last user may still be on its way out
            done = subprocess.run(["umount", str(self.point)], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                self.mounted = False
                self._run("losetup", "-d", self.device)
                while self._run("losetup", "-j", str(self.image)):
                    time.sleep(0.005)
                return
            time.sleep(0.01)
        raise OSError(f"umount {self.point}: {done.stderr.strip()}")

    def sync(self):
        self._run("sync", "-f", str(self.point))

    def cut(self, mode):
        fd = os.open(self.point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", mode))
        finally:
            os.close(fd)
        self.unmount()
        self.mount()

    def fresh(self):
        self.rounds += 1
        if not self.mounted:
            self.make()
        elif self.rounds > ROUNDS_PER_IMAGE:
            self.unmount()
            self.make()

    def close(self):
        if self.mounted:
            self.unmount()
        self.image.unlink(missing_ok=True)


def cut_once(world, volume, start, point, mode, more=(), env=None):
    """One cut at `point`, or after the end of the run where it is None; (fired, broken)."""
    volume.fresh()
    home = volume.point / f"h{volume.rounds}"
    with checker.Disposable(world, start, home) as place:
        volume.sync()
        trace = place.root / "trace"
        prefix = []
        if point or more:
            prefix = [STRACE, "-qq", "-o", str(trace), "-e", "trace=" + ",".join({point[0] if point else "fsync", "fsync"})]
            for injection in more:
                prefix += ["-e", "inject=" + injection]
            if point:
                prefix += ["-e", f"inject={point[0]}:signal=KILL:when={point[1]}"]
        result = place.run(prefix=prefix, env=env)
        text = trace.read_text("utf-8", "replace") if trace.exists() else ""
        fired = "killed by SIGKILL" in text if point else result.code == 0
        checker.telec.wait_until(place.lock_is_free, 60.0)
        checker.telec.wait_until(lambda: not checker.processes_of(place.home), 60.0)
        volume.cut(mode)
        try:
            broken = place.broken_after(result, killed=True)
        except OSError as error:
            broken = [f"I1 a file of the run cannot be read after the cut: {error}"]
            volume.rounds = ROUNDS_PER_IMAGE
            return fired, broken
        if not broken and not point and result.code == 0 and place.applied() != list(checker.IDS):
            broken.append("I4 exit 0, and the cut after it took a record")
        if not env and not more:
            broken += place.broken_after_rerun()
        return fired, broken


def points_after_lock(world, start, env=None):
    points = sweep.baseline(world, start, env=env)
    first = next((i for i, (name, _) in enumerate(points) if name == "flock"), 0)  # one of the mutants has none
    return points[first + 1:] + [None]


def volumes_of(folder, kind, count):
    return [Volume(folder, kind, f"{kind.replace(' ', '_').replace('=', '_')}-{i}") for i in range(count)]


def in_parallel(volumes, items, work):
    """work(volume, item) for all items, each volume with a thread of its own."""
    queue = list(reversed(items))
    results, errors = [], []
    guard = threading.Lock()

    def loop(volume):
        while True:
            with guard:
                if not queue or errors:
                    return
                item = queue.pop()
            try:
                found = work(volume, item)
            except Exception as error:  # pylint: disable=broad-except
                with guard:
                    errors.append(error)
                return
            with guard:
                results.append((item, found))

    threads = [threading.Thread(target=loop, args=(volume,)) for volume in volumes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def available(folder, kind):
    """None, or why this file system cannot be cut here."""
    volume = Volume(folder, kind, "probe-" + kind.replace(" ", "_").replace("=", "_"))
    try:
        volume.make()
        volume.cut(1)
        return None
    except OSError as error:
        return str(error)
    finally:
        try:
            volume.close()
        except OSError:
            pass
        if not volume.mounted and volume.point.exists():
            volume.point.rmdir()


def sweep_kind(world, tally, options, kind, folder):
    volumes = volumes_of(folder, kind, options.jobs)
    try:
        for mode, words in MODES.items():
            part = f"{kind}, {words}"
            if not sweep.wanted(part, options):
                continue
            items = []
            for start in ("absent", "stale leftovers"):
                points = points_after_lock(world, start)
                if start != "absent":
                    # What the first start does not have: a state to replace. Only around the commits.
                    points = [point for point in points if point is None or point[0] in
                              ("fsync", "renameat", "linkat", "unlinkat", "write", "close", "openat")]
                items += [(start, point) for point in points]
            items = sweep.chosen(items, options, part)

            def work(volume, item, mode=mode):
                for _ in range(5):
                    fired, broken = cut_once(world, volume, item[0], item[1], mode)
                    if fired or broken:
                        break
                return fired, broken

            for (start, point), (fired, broken) in in_parallel(volumes, items, work):
                tally.add(part, f"{start}, {point}", fired, broken)
    finally:
        for volume in volumes:
            volume.close()


def self_test(world, tally, options, kind, folder):
    """Both faults are made by strace in the runner alone; each must be found in the mode that shows it."""
    volume = Volume(folder, kind, "self-" + kind.replace(" ", "_").replace("=", "_"))
    points = [point for point in points_after_lock(world, "one recorded")
              if point is None or point[0] in ("write", "pwrite64", "epoll_wait", "getrandom")]
    picked = points[-12:] if options.sample else points[-40:]
    faults = {"no fsync at all": ("fsync:retval=0", (1, 2)), "no fsync of the directory": ("fsync:retval=0:when=2+2", (2,))}
    try:
        for words, (injection, modes) in faults.items():
            part = f"{kind}, self-test: {words}"
            if not sweep.wanted(part, options):
                continue
            for mode in modes:
                if "no fsync" == words[:8] and mode == 1 and kind == "ext4":
                    continue  # ext4 as mounted by default syncs what replaces a file by rename
                red = sum(bool(cut_once(world, volume, "one recorded", point, mode, more=[injection])[1]) for point in picked)
                print(f"{SUITE}: {part}: mode {mode}: {red} of {len(picked)} cuts found it", flush=True)
                tally.add("self-tests that must go red", part, True, [] if red else [f"mode {mode}: no cut found it"])
    finally:
        volume.close()


def main():
    options = sweep.arguments(__doc__).parse_args()
    sweep.need_strace(SUITE)
    if os.geteuid() != 0:
        print(f"skipped: {SUITE}: mounting needs root")
        print(f"{SUITE}: 0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    tally = sweep.Tally(SUITE, options)
    with checker.World() as world:
        for kind in KINDS:
            why_not = available(world.folder, kind)
            if why_not:
                tally.skip(kind, why_not)
                continue
            sweep_kind(world, tally, options, kind, world.folder)
            self_test(world, tally, options, kind, world.folder)
    tally.finish()


if __name__ == "__main__":
    main()
