#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who tests the tests: a test-only program is given one fault at a time, and a suite has to notice it.

Each probe is a piece of one of the suites: those of its cases that are meant for some fault. Every probe must be clean
without a fault, every fault must make at least one probe complain, and the released program must contain neither the
faults nor their names.
"""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import checker
import concurrency_test
import power_test
import safety_test
import surroundings
import surroundings_test
import sweep
from checker import telec

sys.path.insert(0, str(telec.ROOT / "tests" / "cli" / "hostile"))
with contextlib.redirect_stdout(None):
    import cases  # noqa: E402
    import hostile_test  # noqa: E402
from sweep import STRACE

SUITE = "mutants"
MUTANTS = ("no_fsync", "no_directory_fsync", "rename_first", "no_exclusive", "lock_is_nothing", "no_second_check",
           "wait_for_end_of_file", "verdict_from_stdout", "no_session", "environment_unfiltered", "ownership_unchecked",
           "close_unchecked",
           # not of the twelve: what surrounds a run
           "signals_kept", "umask_kept", "current_directory_searched", "home_unchecked")


PLANT = '''\
import os


def check():
    return os.path.islink({temporary!r})


def migrate():
    os.symlink({precious!r}, {temporary!r})
    return True
'''


# --- the probes: each returns what it found wrong with the program

def power(world, env):
    """Cuts around the last commit, where the mode and the file system show the fault."""
    found = []
    points = power_test.points_after_lock(world, "one recorded", env)
    writes = [point for point in points if point and point[0] == "write"]
    renames = [point for point in points if point and point[0] == "renameat"]
    syncs = [point for point in points if point and point[0] == "fsync"]
    picked = [None, *writes[-3:], *renames[-2:], *syncs[-3:]]
    for kind, mode in (("ext4 noauto_da_alloc", 1), ("xfs", 1), ("xfs", 2), ("ext4", 2)):
        try:
            volume = power_test.Volume(world.folder, kind, f"m-{kind.replace(' ', '_')}-{mode}-{os.urandom(3).hex()}")
            for point in picked:
                found += power_test.cut_once(world, volume, "one recorded", point, mode, env=env)[1]
                if found:
                    return found
        finally:
            volume.close()
    return found


def errors(world, env):
    """close() fails at the commit; and a temporary that somebody puts back after it was removed."""
    found = []
    # When a python is started ahead differs from run to run, and with it which close() is the commit's.
    alone = ("--no-prestart",)
    with checker.Disposable(world, "absent") as place:
        trace = place.root / "trace"
        place.run(prefix=[STRACE, "-qq", "-o", str(trace)], options=alone, env=env)
        calls = sweep.calls_of(trace)
    temporary = [i for i, (name, _, line) in enumerate(calls) if name == "openat" and "state.json.tmp" in line and "= -1" not in line]
    close = next(n for name, n, _ in calls[temporary[1]:] if name == "close")
    with checker.Disposable(world, "absent") as place:
        result, fired = sweep.injected(place, "close", f"error=EIO:when={close}", options=alone, env=env)
        found += place.broken_after(result)
        if fired and result.code == 0:
            found.append("close() failed and nobody noticed")
    found += planted_while_running(env)
    return found


def planted_while_running(env):
    """A script puts a link where the temporary will be, and removing it is made to do nothing: only O_EXCL is left."""
    with telec.Home() as home:
        precious = home.home / "precious"
        precious.write_text("do not touch\n")
        temporary = home.data / "migration_state.json.tmp"
        home.add("1.0.0/001_plant.py", PLANT.format(temporary=str(temporary), precious=str(precious)))
        trace = home.path / "trace"
        # The first three removals are the probe's.
        done = subprocess.run([STRACE, "-qq", "-o", str(trace), "-e", "trace=unlinkat", "-e", "inject=unlinkat:retval=0:when=4+",
                               telec.binary(), "migrate"], env=home.environment(**env), capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, cwd=str(home.path))
        if "(INJECTED)" not in trace.read_text() or not os.path.exists(precious):
            return [f"the injection did not fire, exit {done.returncode}"]
        return [] if precious.read_text() == "do not touch\n" else ["the commit wrote through a planted link"]


def concurrency(_world, env):
    return concurrency_test.round_of(10, env=env, seconds=0.3)


HOSTILE = ("check() is False after migrate()", "migrate() says True and does nothing", "a verdict on stdout and stderr, then os._exit(0)",
           "one well-formed verdict without the nonce, then os._exit(0)", "a double-forked daemon keeps every descriptor",
           "SIGKILL to its own process group", "there is no terminal", "the caller's PYTHON variables do not reach it",
           "a symbolic link stands where the temporary file belongs", "the lock is replaced by another file")


def hostile(_world, env):
    """Scripts that must fail, and scripts that must not do more than fail."""
    found = []
    for case in cases.CASES:
        if case.name in HOSTILE:
            complaints = hostile_test.run_case(dataclasses.replace(case, env={**case.env, **env}))
            if complaints:
                found.append(f"{case.name}: {complaints.splitlines()[0]}")
    return found


SURROUNDINGS = ("closed: 1", "closed: 0, 1, 2", "umask 0777", "SIGCHLD is ignored", "every signal is blocked",
                "every signal that can be is ignored", "PATH has an empty element: the current directory is not searched",
                "PATH has a relative element: the current directory is not searched", "prints a hello and a verdict",
                "PYTHONPATH leads to modules that exit", "USER, LOGNAME and USERNAME lie", "SUDO_USER, PKEXEC_UID",
                "HOME is relative", "HOME is empty")


def around(_world, env):
    """Surroundings in which telec must go on as if nothing were wrong, or say what is."""
    found = []
    for case in surroundings.CASES:
        if case.name in SURROUNDINGS:
            def with_fault(scene, prepare=case.prepare):
                names = prepare(scene)
                scene.env.update(env)
                return names
            try:
                _, faults = surroundings_test.once(dataclasses.replace(case, prepare=with_fault, doctor=None, probe=None), False)
            except surroundings.CannotBeMade:
                continue
            found += [f"{case.name}: {fault}" for fault in faults]
    return found


def safety(_world, env):
    found = []
    for title, code, reason, prepare in safety_test.CASES:
        if title in ("the script can be written by all", "the state file belongs to somebody else", "the interpreter belongs to somebody else"):
            def with_fault(case, prepare=prepare):
                case.env.update(env)
                return prepare(case)
            found += safety_test.judge(code, reason, with_fault)
    return found


# The one that has to notice; a sample asks no other.
MEANT_FOR = {"no_fsync": "power", "no_directory_fsync": "power", "rename_first": "power", "no_exclusive": "errors",
             "lock_is_nothing": "concurrency", "no_second_check": "hostile", "wait_for_end_of_file": "hostile",
             "verdict_from_stdout": "hostile", "no_session": "hostile", "environment_unfiltered": "hostile",
             "ownership_unchecked": "safety", "close_unchecked": "errors", "signals_kept": "surroundings",
             "umask_kept": "surroundings", "current_directory_searched": "surroundings", "home_unchecked": "surroundings"}

PROBES = {"power": power, "errors": errors, "concurrency": concurrency, "hostile": hostile, "safety": safety,
          "surroundings": around}


def released_is_clean(released):
    """No fault and no name of one in the released program; debugging information is no part of it."""
    with tempfile.TemporaryDirectory() as folder:
        bare = pathlib.Path(folder) / "telec"
        shutil.copy2(released, bare)
        subprocess.run(["strip", "--strip-debug", str(bare)], check=True)
        content = bare.read_bytes()
    names = [*MUTANTS, "TELEC_MUTANT", "TELEC_FAIL_NEW", "TELEC_COUNT_NEW"]
    return [f"the released program contains {name!r}" for name in names if name.encode() in content]


def main():
    options = sweep.arguments(__doc__).parse_args()
    sweep.need_strace(SUITE)
    tally = sweep.Tally(SUITE, options)
    released = telec.binary()
    for fault in released_is_clean(released):
        tally.add("released program", "strings", True, [fault])
    if not tally.broken:
        tally.add("released program", "strings", True, [])
    build = os.environ.get("TELEC_MUTANTS_BINARY")
    if not build:
        tally.skip("the mutants", "they need the test-only program, named by TELEC_MUTANTS_BINARY")
        tally.finish()
    os.environ["TELEC_BINARY"] = build
    probes = dict(PROBES)
    with checker.World(binary=build) as world:
        if os.geteuid() != 0:
            tally.skip("power, safety", "need root")
            del probes["power"], probes["safety"]
        elif power_test.available(world.folder, "xfs") or power_test.available(world.folder, "ext4"):
            tally.skip("power", "ext4 or XFS cannot be mounted here")
            del probes["power"]
        for name, probe in probes.items():
            found = probe(world, {})
            tally.add("without a fault", name, True, found)
        print(f"{'':24}" + "".join(f"{name:>13}" for name in probes))
        for mutant in MUTANTS:
            row, killed = [], False
            for name, probe in probes.items():
                if options.sample and name != MEANT_FOR[mutant]:
                    row.append("-")
                    continue
                try:
                    found = probe(world, {"TELEC_MUTANT": mutant})
                except (SystemExit, AssertionError, StopIteration, subprocess.SubprocessError) as error:
                    row.append("broke off")
                    print(f"{mutant}: {name}: {error!r}")
                    continue
                killed = killed or bool(found)
                row.append("killed" if found else ".")
            print(f"{mutant:24}" + "".join(f"{cell:>13}" for cell in row), flush=True)
            if not killed and MEANT_FOR[mutant] not in probes:
                tally.skip(mutant, f"only '{MEANT_FOR[mutant]}' notices it, and that cannot run here")
                continue
            tally.add("mutants", mutant, True, [] if killed else ["no suite noticed it"])
            tally.part("mutants").setdefault("table", {})[mutant] = dict(zip(probes, row))
    tally.finish()


if __name__ == "__main__":
    sys.exit(main())
