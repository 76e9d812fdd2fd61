#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The runner is killed at random moments, and run again: the end is always the same.

TELEC_TEST_SEED repeats a run with its seed, TELEC_TEST_KILLS sets how many kills there are (200). This says nothing of
power cuts: what the kernel has taken is never lost here.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import telec  # noqa: E402

SEED = int(os.environ.get("TELEC_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
KILLS = int(os.environ.get("TELEC_TEST_KILLS", "200"))
JOBS = 2

IDS = ["1.0.0/001_plain.py", "1.0.0/002_there.py", "1.1.0-rc.1/001_loud.py", "1.1.0/001_slow.py", "1.1.0/002_last.py"]
STATE_NAMES = {"migration_state.json", "migration_state.json.lock", "migration_state.json.old", "migration_logs"}
TEMPORARY_NAMES = {"migration_state.json.tmp", "migration_state.json.old.tmp"}  # there while a commit is made

# Its effect is one line in one write, so that a kill leaves all of it or nothing.
SOURCE = '''\
import os, sys, time

EFFECT = os.path.join(os.environ["HOME"], "effects", "{name}")


def check():
    return os.path.exists(EFFECT) and os.path.getsize(EFFECT) > 0


def migrate():
    {body}
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    file = os.open(EFFECT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, b"applied\\n")
    os.fsync(file)
    os.close(file)
    return True
'''
BODIES = {IDS[2]: "os.write(1, b'noise\\n' * 43000)", IDS[3]: "time.sleep(0.01)"}


def effect_name(id):
    return id.replace("/", "_")


def new_home():
    home = telec.Home()
    for id in IDS:
        home.add(id, SOURCE.format(name=effect_name(id), body=BODIES.get(id, "pass")))
    (home.home / "effects").mkdir()
    (home.home / "effects" / effect_name(IDS[1])).write_text("applied\n")  # this one is there before
    return home


def strict_state(home):
    """The state as a value, None when there is none; anything unsound raises ValueError."""
    if not home.state_file.exists():
        return None

    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)
    state = json.loads(home.state_file.read_bytes().decode("utf-8"), object_pairs_hook=once)
    ids = [entry["id"] for entry in state["history"]]
    if state["schema"] != 1 or ids != state["applied"]:
        raise ValueError(f"history {ids} and applied {state['applied']}")
    return state


def violations_at_any_time(home, temporary=False):
    """What must never be, not even the moment after a kill."""
    found = []
    try:
        state = strict_state(home)
    except (ValueError, KeyError, TypeError) as error:
        return [f"the state cannot be read: {error!r}"]
    applied = state["applied"] if state else []
    if applied != IDS[:len(applied)]:
        found.append(f"applied: {applied}")
    effects = home.effects()
    for id in applied:
        if effects.get(effect_name(id), 0) < 1:
            found.append(f"{id} is recorded, and its effect is not there")
    if home.data.is_dir():
        extra = set(os.listdir(home.data)) - STATE_NAMES - (TEMPORARY_NAMES if temporary else set())
        if extra:
            found.append(f"left behind: {sorted(extra)}")
    return found


def violations_at_the_end(home, result):
    """What must be when a run was left in peace."""
    found = violations_at_any_time(home)
    if result.code != 0:
        found.append(f"the rerun ended so: {result}")
    if home.applied() != IDS:
        found.append(f"applied in the end: {home.applied()}")
    expected = {effect_name(id): 1 for id in IDS}
    if home.effects() != expected:
        found.append(f"effects in the end: {home.effects()}")
    return found


def survivors(home):
    """Processes other than this one that work on the home."""
    mark = f"HOME={home.home}\0".encode()
    pids = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if mark in b"\0" + file.read() + b"\0" and telec.alive(int(entry)):
                        pids.append(int(entry))
            except OSError:
                pass
    return pids


def kill_children(process):
    """Kills the children of a running telec; how many there were. By descriptor, as a pid may change hands."""
    count = 0
    for pid in telec.children_of(process.pid):
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            if pid in telec.children_of(process.pid):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                count += 1
        except OSError:
            pass
        finally:
            os.close(descriptor)
    return count


def start(home, *options):
    return home.start("migrate", *options, env=telec.WITHOUT_LEAK_CHECK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def normal_duration():
    """Median seconds of three undisturbed runs, two at a time as in the tests."""
    def once(_):
        with new_home() as home:
            return home.migrate().seconds
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return sorted(pool.map(once, range(3)))[1]


class Tally:
    """How far the runs had come when they were killed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.hit = 0
        self.progress = {}

    def count(self, hit, recorded):
        with self.lock:
            self.hit += hit
            if hit:
                self.progress[recorded] = self.progress.get(recorded, 0) + 1

    def __str__(self):
        parts = [f"{number} after {recorded} records" for recorded, number in sorted(self.progress.items())]
        return f"{self.hit} hit a running one: " + ", ".join(parts)


class Kill(unittest.TestCase):
    def each(self, count, salt, one):
        """Runs one(random, tally, number) `count` times in a pool; fails with every complaint."""
        tally = Tally()

        def guarded(number):
            return [f"{number} (seed {SEED}): {text}" for text in one(random.Random(f"{SEED} {salt} {number}"), tally)]
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            complaints = [text for texts in pool.map(guarded, range(count)) for text in texts]
        print(f"{salt}: {count} kills, seed {SEED}; {tally}", file=sys.stderr)
        self.assertEqual(complaints, [])
        return tally

    def test_a_runner_killed_at_any_moment_is_run_again_to_the_same_end(self):
        # About one in five comes too late, however quick the machine is by then: its neighbours come and go.
        limit = 1.2 * normal_duration()

        def one(chance, tally):
            nonlocal limit
            found = []
            with new_home() as home:
                # Three of ten are killed a second time: recovery is a run like any other.
                for _ in range(1 if chance.random() < 0.7 else 2):
                    process = start(home)
                    time.sleep(chance.uniform(0, limit))
                    process.kill()
                    code = process.wait()
                    limit *= 0.9 if code == 0 else 1.03
                    if code not in (0, -signal.SIGKILL):
                        found.append(f"exit {code}")
                    if not telec.wait_until(lambda: not survivors(home), 60):
                        found.append(f"alive a minute after the kill: {survivors(home)}")
                    found += violations_at_any_time(home, temporary=True)
                    tally.count(code != 0, len(home.applied()) if not found else -1)
                found += violations_at_the_end(home, home.migrate())
            return found

        tally = self.each(KILLS, "runner", one)
        self.assertGreater(tally.hit, KILLS // 5, "most kills came too late: this shows little")
        self.assertGreaterEqual(len(tally.progress), min(4, KILLS // 10), "the kills were all at the same moment")

    def test_a_python_killed_at_any_moment_is_a_failure_and_the_rerun_ends_the_same(self):
        duration = normal_duration()

        def one(chance, tally):
            found = []
            with new_home() as home:
                # A python that waits would be killed too, and would cost a cold start and nothing else.
                process = start(home, "--no-prestart")
                time.sleep(chance.uniform(0, 0.8 * duration))
                killed = kill_children(process)
                code = process.wait()
                # One that was killed after its last word has ended well; one that was killed before its first word
                # is no usable python.
                if code not in ((0, 1, 69) if killed else (0,)):
                    found.append(f"exit {code}")
                found += violations_at_any_time(home)
                if code != 0 and home.applied() == IDS:
                    found.append(f"exit {code} and everything is recorded")
                tally.count(code != 0, len(home.applied()))
                found += violations_at_the_end(home, home.migrate())
            return found

        count = max(KILLS // 4, 10)
        tally = self.each(count, "python", one)
        self.assertGreater(tally.hit, count // 10, "hardly any python was hit: this shows little")

    def test_runner_and_python_killed_together_are_run_again_to_the_same_end(self):
        duration = normal_duration()

        def one(chance, tally):
            found = []
            with new_home() as home:
                process = start(home)
                time.sleep(chance.uniform(0, duration))
                process.send_signal(signal.SIGSTOP)
                kill_children(process)
                process.kill()
                code = process.wait()
                found += violations_at_any_time(home, temporary=True)
                tally.count(code != 0, len(home.applied()) if not found else -1)
                found += violations_at_the_end(home, home.migrate())
            return found

        self.each(max(KILLS // 8, 10), "both", one)


class TheseTestsCanFail(unittest.TestCase):
    """What the tests above look for is seen when it is there."""

    def finished(self):
        home = new_home()
        self.addCleanup(home.close)
        result = home.migrate()
        self.assertEqual(violations_at_the_end(home, result), [])
        return home, result

    def test_a_record_without_its_effect_is_seen(self):
        home, result = self.finished()
        (home.home / "effects" / effect_name(IDS[3])).unlink()
        self.assertTrue([text for text in violations_at_any_time(home) if "effect is not there" in text])

    def test_half_a_state_is_seen(self):
        home, result = self.finished()
        data = home.state_file.read_bytes()
        for size in (0, 1, len(data) // 2, len(data) - 3):
            home.state_file.write_bytes(data[:size])
            self.assertTrue(violations_at_any_time(home), f"{size} bytes pass")

    def test_a_temporary_file_left_behind_is_seen(self):
        for name in sorted(TEMPORARY_NAMES):
            home, result = self.finished()
            home.state_file.with_name(name).write_text("{}")
            self.assertTrue(violations_at_the_end(home, result), name)
            self.assertEqual(violations_at_any_time(home, temporary=True), [], name)

    def test_a_second_effect_is_seen(self):
        home, result = self.finished()
        with open(home.home / "effects" / effect_name(IDS[0]), "a", encoding="ascii") as file:
            file.write("applied\n")
        self.assertTrue(violations_at_the_end(home, result))

    def test_a_lost_record_is_seen(self):
        home, result = self.finished()
        state = home.state()
        del state["applied"][-1], state["history"][-1]
        home.write_state(state)
        self.assertTrue(violations_at_the_end(home, result))

    @unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
    def test_a_run_whose_renames_do_nothing_is_seen(self):
        with new_home() as home:
            trace = home.path / "trace"
            subprocess.run(["strace", "-o", str(trace), "-e", "trace=rename,renameat,renameat2",
                            "-e", "inject=rename,renameat,renameat2:retval=0", telec.binary(), "migrate"],
                           env=home.environment(**telec.WITHOUT_LEAK_CHECK), cwd=home.path, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
            self.assertIn("(INJECTED)", trace.read_text(), "no call was ever replaced: this shows nothing")
            self.assertNotEqual(home.applied(), IDS)
            self.assertTrue(violations_at_the_end(home, telec.Result(0, "", "", 0)))


if __name__ == "__main__":
    print(f"TELEC_TEST_SEED={SEED}")
    telec.main("kill")
