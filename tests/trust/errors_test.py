#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Lets the kernel say no: each system call of a run fails once, and for ever, with each error that it can give.

Then the same for real: a full disk, a disk without inodes, a read-only one, limits on descriptors, file sizes and
address space, and, in the test-only program, each allocation. Whatever happens, the invariants hold: no false
success, no stray file, one error that names operation, path, reason and next step.
"""

import os
import pathlib
import re
import resource
import subprocess
import time

import checker
import sweep
from checker import telec
from sweep import STRACE

SUITE = "errors"

CREATES = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENOMEM", "EACCES", "EINTR")
CHANGES = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "ENOMEM")
DESCRIPTORS = ("EMFILE", "ENFILE", "ENOMEM")
ERRORS = {
    "openat": CREATES,
    "read": ("EIO", "EINTR", "ENOMEM"),
    "pread64": ("EIO",),
    "write": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
    "pwrite64": ("EIO", "ENOSPC"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT", "EROFS"),
    "close": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
    "renameat": CHANGES, "linkat": CHANGES, "unlinkat": CHANGES, "mkdir": CHANGES, "mkdirat": CHANGES,
    "newfstatat": ("EIO", "ENOMEM", "EACCES"),
    "statx": ("ENOSYS", "EACCES"),
    "flock": ("ENOLCK", "ENOSYS", "EINTR", "EIO", "ENOMEM"),
    "getdents64": ("EIO", "ENOMEM"),
    "ftruncate": ("EIO", "ENOSPC"),
    "fcntl": ("EMFILE", "ENOMEM"),
    "access": ("EIO", "EACCES"),
    "getcwd": ("ENOMEM", "ENOENT"),
    "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOMEM"), "vfork": ("EAGAIN", "ENOMEM"),
    "pipe2": DESCRIPTORS, "socketpair": DESCRIPTORS,
    "pidfd_open": ("ENOSYS", "EMFILE", "ENOMEM"),
    "epoll_create1": ("EMFILE", "ENOMEM", "ENOSYS"),
    "timerfd_create": ("EMFILE", "ENOMEM", "ENOSYS"),
    "eventfd2": ("EMFILE", "ENOMEM", "ENOSYS"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_wait": ("EINTR",),
    "wait4": ("EINTR",), "waitid": ("EINTR",),
    "prctl": ("ENOSYS", "EINVAL"),
    "signalfd4": ("EMFILE", "ENOMEM", "ENOSYS"),
    "timerfd_settime": ("ENOMEM",),
    "getrandom": ("EINTR", "ENOSYS", "EAGAIN"),
    "socket": ("EMFILE", "EACCES"),
    "ioctl": ("EIO",),
    "mmap": ("ENOMEM",),  # brk(2) has no errors of its own: it returns the end that it was left at
}
RETRIED = ("EINTR",)  # for ever it would mean for ever


def after_start(points):
    """From the first call of main() on: what the dynamic loader does is not ours."""
    first = next(i for i, (name, _) in enumerate(points) if name == "fcntl")
    return points[first:]


def injections(world, start, names=None):
    found = []
    points = after_start(sweep.baseline(world, start))
    for before, (name, occurrence) in zip(points, points[1:]):
        if names and name not in names:
            continue
        # strace does not execute a call that it makes fail, so a close() that "fails" leaves its pipe open, which no
        # kernel does. What counts is the close() that is the last word on something written.
        if name == "close" and before[0] not in ("fsync", "write"):
            continue
        for error in ERRORS.get(name, ()):
            found.append((start, name, occurrence, error, ""))
            if error not in RETRIED:
                found.append((start, name, occurrence, error, "+"))
    return found


def judged(place, result, name, error, trace):
    """The invariants, and what holds for errors alone."""
    unheard = re.search(r"^write\(2, .*\(INJECTED\)", trace, re.MULTILINE) is not None
    broken = place.broken_after(result, killed=unheard)
    temporary = place.data / "migration_state.json.tmp"
    if name != "unlinkat" and temporary.exists() and result.code != 0:
        if place.start != "stale leftovers" or temporary.read_bytes() != b'{"applied": ["torn':
            broken.append("I7 the temporary file is left after the error")
    if name == "fsync":
        lines = [line for line in trace.splitlines() if line.startswith("fsync(")]
        first = next((i for i, line in enumerate(lines) if "(INJECTED)" in line), len(lines))
        if len(lines) > first + 1:
            broken.append("an fsync was tried again after one had failed")
    if result.code not in (0, None) and not unheard:
        reason = os.strerror(getattr(__import__("errno"), error))
        if name in ("access", "newfstatat") and "there is no python3" in result.err:
            return broken  # what may not be executed is no interpreter
        if reason not in result.err and "out of memory" not in result.err:
            broken.append(f"I10 the reason '{reason}' is not named: {result.err[-300:]!r}")
    if result.code is not None and result.code < 0:
        broken.append(f"died of signal {-result.code}")
    return broken


def injected_errors(world, tally, options):
    items = injections(world, "absent")
    items += injections(world, "stale leftovers", ("openat", "newfstatat", "read", "write", "fsync", "close", "renameat", "linkat",
                                                   "unlinkat", "flock", "ftruncate", "pwrite64"))
    for forever, part in (("", "once"), ("+", "for ever")):
        if not sweep.wanted(part, options):
            continue
        some = sweep.chosen([item for item in items if item[4] == forever], options, part)

        def work(item):
            start, name, occurrence, error, again = item
            for _ in range(6):
                with checker.Disposable(world, start) as place:
                    result, fired = sweep.injected(place, name, f"error={error}:when={occurrence}{again}", timeout=30)
                    trace = (place.root / "trace").read_text("utf-8", "replace")
                    broken = judged(place, result, name, error, trace) + place.broken_after_rerun()
                    if fired or broken:
                        return item, fired, broken
            return item, False, []

        for item, fired, broken in sweep.each(work, some, options):
            tally.add(part, " ".join(map(str, item)), fired, broken)


# --- limits

def limited(world, tally, options, part, kind, values, start="absent"):
    if not sweep.wanted(part, options):
        return

    def work(value):
        with checker.Disposable(world, start) as place:
            result = place.run(preexec_fn=lambda: resource.setrlimit(kind, (value, value)))
            loader = result.code == 127 and any(words in result.err for words in ("error while loading shared libraries", "cannot allocate TLS"))
            # Before main(), and where not even the words fit into memory, there is nothing to hold telec to.
            # Under a limit on file sizes the streams of this suite, which are files, are cut as well.
            mute = kind == resource.RLIMIT_FSIZE and value < 1000
            broken = place.broken_after(result, killed=mute or loader or (result.code == -11 and result.out + result.err == ""))
            if result.code == -6:
                broken.append("aborted: " + result.err[-200:])
            broken += place.broken_after_rerun()
        return value, result.code, broken

    codes = {}
    for value, code, broken in sweep.each(work, sweep.chosen(values, options, part), options):
        codes[code] = codes.get(code, 0) + 1
        tally.add(part, f"{value}", True, broken)
    tally.part(part)["exit codes"] = {str(code): count for code, count in sorted(codes.items(), key=lambda pair: str(pair[0]))}


def ladders(world, tally, options):
    limited(world, tally, options, "descriptor ladder", resource.RLIMIT_NOFILE, list(range(3, 41)))
    limited(world, tally, options, "file size ladder", resource.RLIMIT_FSIZE, [0, 1, 10, 100, 400, 1000, 4095, 4096, 4097, 10000, 262000])
    limited(world, tally, options, "file size ladder, state to replace", resource.RLIMIT_FSIZE, [0, 1, 100, 500, 4096, 5000], "one recorded")
    limited(world, tally, options, "address space ladder", resource.RLIMIT_AS, [kib * 1024 for kib in range(4096, 40961, 1024)])
    # Down to where libstdc++ finds no room to set memory aside for its exceptions.
    limited(world, tally, options, "data ladder", resource.RLIMIT_DATA, [kib * 1024 for kib in range(128, 1025, 16)])


# --- real disks

class Tmpfs:
    def __init__(self, folder, *mount_options):
        self.point = pathlib.Path(folder) / f"tmpfs-{time.monotonic_ns()}"
        self.point.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(mount_options), "tmpfs", str(self.point)], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(100):
            if subprocess.run(["umount", str(self.point)], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.02)
        self.point.rmdir()

    def remount(self, how):
        subprocess.run(["mount", "-o", "remount," + how, str(self.point)], check=True)


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def expect(result, code, words, ran, faults):
    if result.code != code:
        faults.append(f"exit {result.code} instead of {code}: {result.err[-300:]!r}")
    if words not in result.err:
        faults.append(f"'{words}' is not said: {result.err[-300:]!r}")
    if "hint: " not in result.err:
        faults.append("no next step")
    if ran is not None and ("apply" in ran) != ("applied" in result.out):
        faults.append(f"unexpected output: {result.out!r}")


SLOW = '''\
import os
import time

_EFFECT = os.path.join(os.environ["HOME"], "effects", "{name}")


def check():
    return os.path.exists(_EFFECT)


def migrate():
    os.makedirs(os.path.dirname(_EFFECT), exist_ok=True)
    open(_EFFECT, "w").close()
    {then}
    return True
'''


def real_disks(_world, tally, options):
    part = "real disks"
    if not sweep.wanted(part, options):
        return
    if os.geteuid() != 0:
        tally.skip(part, "mounting needs root")
        return

    def case(label, mount, prepare, code, words, then="pass", during=None, after=None):
        faults = []
        with telec.Home() as home, Tmpfs(home.path, *mount) as disk:
            home.add("1.0.0/001_a.py", SLOW.format(name="a", then=then))
            state = disk.point / "data" / "state.json"
            state.parent.mkdir(mode=0o700)
            prepare(disk)
            process = home.start("migrate", "--state-file", state, text=True)
            if during:
                during(home, disk)
            out, err = process.communicate(timeout=60)
            expect(telec.Result(process.returncode, out, err, 0), code, words, None, faults)
            ran = (home.home / "effects" / "a").exists()
            if ran != (code == 5):
                faults.append("a script ran although it could not be recorded" if ran else "nothing ran")
            if after:
                after(home, disk)
            if (state.parent / "state.json.tmp").exists():
                faults.append("I7 the temporary file is left")
            if state.exists() and state.stat().st_size == 0:
                faults.append("I1 an empty state file")
            if mount[0] != "ro":
                disk.remount("rw,size=8m,nr_inodes=1000")
                (disk.point / "filler").unlink(missing_ok=True)
                again = home.migrate("--state-file", state)
                if again.code != 0 or home.effects().get("a") is None:
                    faults.append(f"I6 the rerun with room does not end well: {again!r}")
        tally.add(part, label, True, faults)

    def started(home, _disk=None):
        if not telec.wait_until(lambda: (home.home / "effects" / "a").exists(), 20):
            raise AssertionError("the script never started")

    def make_read_only(home, disk):
        started(home)
        disk.remount("ro")
        (home.home / "go").touch()

    def fill_up(home, disk):
        started(home)
        fill(disk.point)
        (home.home / "go").touch()

    wait = 'while not os.path.exists(os.path.join(os.environ["HOME"], "go")): time.sleep(0.01)'
    # A log is kept open by the run, and a file that is open for writing keeps a file system from becoming read-only.
    case("full before the script", ("size=64k",), lambda disk: fill(disk.point), 74, "No space left on device")
    case("full while the script runs", ("size=256k",), lambda disk: None, 5, "No space left on device", wait, fill_up)
    case("no inode left before the script", ("size=1m,nr_inodes=3",), lambda disk: None, 74, "No space left on device")
    case("read-only before the script", ("size=1m",), lambda disk: disk.remount("ro"), 74, "Read-only file system",
         after=lambda home, disk: disk.remount("rw"))


def real_ext4(_world, tally, options):
    """An image on a tmpfs that is full: the error comes at the first real write-back, not at write()."""
    part = "real ext4 on a full disk"
    if not sweep.wanted(part, options):
        return
    if os.geteuid() != 0:
        tally.skip(part, "mounting needs root")
        return
    faults = []
    with telec.Home() as home, Tmpfs(home.path, "size=12m") as disk:
        image, point = disk.point / "image", home.path / "ext4"
        point.mkdir()
        for command in (["truncate", "-s", "64M", image], ["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, point]):
            if subprocess.run(list(map(str, command)), capture_output=True, check=False).returncode != 0:
                tally.skip(part, f"{command[0]} fails")
                return
        try:
            home.add("1.0.0/001_a.py", SLOW.format(name="a", then='while not os.path.exists(os.path.join(os.environ["HOME"], "go")): time.sleep(0.01)'))
            state = point / "data" / "state.json"
            state.parent.mkdir(mode=0o700)
            state.write_text('{"applied": ["0.9.0/001_before.py"]}\n')
            state.chmod(0o600)
            subprocess.run(["sync", "-f", str(point)], check=True)
            process = home.start("migrate", "--state-file", state, text=True)
            telec.wait_until(lambda: (home.home / "effects" / "a").exists(), 20)
            fill(disk.point)
            (home.home / "go").touch()
            out, err = process.communicate(timeout=60)
            if process.returncode == 0 and "applied" in out:
                # The blocks may have been there already: then what was said must be on the disk.
                if "001_a" not in state.read_text():
                    faults.append("I4 said, and not recorded")
            else:
                expect(telec.Result(process.returncode, out, err, 0), 5, "cannot", None, faults)
                if "001_before" not in state.read_text():
                    faults.append("I5 the record before is gone")
        finally:
            (disk.point / "filler").unlink(missing_ok=True)
            for _ in range(100):
                if subprocess.run(["umount", str(point)], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.02)
    tally.add(part, "first write-back fails", True, faults)


def read_only_between(world, tally, options):
    """The file system becomes read-only between the lock and the commit: strace makes every change fail from there on."""
    part = "read-only between lock and commit"
    if not sweep.wanted(part, options):
        return
    for start in ("absent", "one recorded"):
        with checker.Disposable(world, start) as place:
            trace = place.root / "trace"
            names = ("openat", "renameat", "unlinkat", "linkat", "fsync")
            # openat number k on is the commit's own: the temporary that is created last in a run of one commit
            points = [point for point in sweep.baseline(world, start) if point[0] == "renameat"]
            prefix = [STRACE, "-qq", "-o", str(trace), "-e", "trace=" + ",".join(names),
                      "-e", f"inject=renameat:error=EROFS:when={points[0][1]}+"]
            result = place.run(prefix=prefix)
            broken = place.broken_after(result)
            if result.code != 5 or "Read-only file system" not in result.err or "mount it for writing" not in result.err:
                broken.append(f"exit {result.code}: {result.err[-200:]!r}")
            broken += place.broken_after_rerun()
            tally.add(part, start, "(INJECTED)" in trace.read_text("utf-8", "replace"), broken)


def allocations(world, tally, options):
    """Each operator new fails once, in the test-only program (TELEC_MUTANTS_BINARY)."""
    part = "allocation"
    if not sweep.wanted(part, options):
        return
    binary = os.environ.get("TELEC_MUTANTS_BINARY")
    if not binary:
        tally.skip(part, "needs the test-only program, named by TELEC_MUTANTS_BINARY")
        return
    command = [binary, "migrate"]
    with checker.Disposable(world, "absent") as place:
        result = place.run(command=command, env={"TELEC_COUNT_NEW": "1"})
        match = re.search(r"^allocations: (\d+)$", result.err, re.MULTILINE)
        if not match:
            raise SystemExit(f"the build does not count its allocations: {result!r}")
        count = int(match.group(1))

    def work(number):
        with checker.Disposable(world, "absent") as place:
            result = place.run(command=command, env={"TELEC_FAIL_NEW": str(number)})
            broken = place.broken_after(result)
            if result.code is not None and result.code < 0:
                broken.append(f"died of signal {-result.code}: {result.err[-200:]!r}")
            if (place.data / "migration_state.json.tmp").exists():
                broken.append("I7 the temporary file is left")
            fired = result.code != 0 or number > count
            broken += place.broken_after_rerun()
        return number, fired, result.code, broken

    codes = {}
    for number, fired, code, broken in sweep.each(work, sweep.chosen(list(range(1, count + 1)), options, part), options):
        codes[str(code)] = codes.get(str(code), 0) + 1
        tally.add(part, f"number {number} of {count}", True, broken)
        del fired
    tally.part(part)["exit codes"] = codes


def main():
    options = sweep.arguments(__doc__).parse_args()
    sweep.need_strace(SUITE)
    tally = sweep.Tally(SUITE, options)
    with checker.World() as world:
        for suite in (injected_errors, ladders, real_disks, real_ext4, read_only_between, allocations):
            suite(world, tally, options)
    tally.finish()


if __name__ == "__main__":
    main()
