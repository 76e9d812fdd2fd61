#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many runners on one home: every migration once, a dead holder never in the way, a living one named.

Each test makes its own home and real runners; the only thing that is ever faked is the lock itself, to show that these
tests fail without it.
"""

import fcntl
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import telec  # noqa: E402

SLOW = "1.1.0/002_slow.py"
LOCKED = 75

# Takes its time between looking and doing: two of these at once both take effect.
RACY = '''\
import os, time

_EFFECT = os.path.join(os.environ["HOME"], "effects", "{name}")


def check():
    return os.path.exists(_EFFECT)


def migrate():
    time.sleep(0.03)
    os.makedirs(os.path.dirname(_EFFECT), exist_ok=True)
    with open(_EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''

# Waits for a second one of itself before it takes effect, but not for ever.
MEETS = '''\
import os, time

HOME = os.environ["HOME"]
EFFECT = os.path.join(HOME, "effects", "{name}")


def check():
    return os.path.exists(EFFECT)


def migrate():
    place = os.path.join(HOME, "meeting")
    os.makedirs(place, exist_ok=True)
    open(os.path.join(place, str(os.getpid())), "w").close()
    end = time.monotonic() + {patience}
    while len(os.listdir(place)) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    with open(EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''

# Runs telec itself, in a shell that goes on: not as its own child.
NESTED = '''\
import os, subprocess

HOME = os.environ["HOME"]


def check():
    return os.path.exists(os.path.join(HOME, "nested"))


def migrate():
    done = subprocess.run(["/bin/sh", "-c", '"$0" migrate --migrations-dir "$1"; exit $?', {telec!r}, {tree!r}], env={env},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    with open(os.path.join(HOME, "nested"), "w") as file:
        file.write(f"{{done.returncode}}\\n{{done.stderr}}")
    return True
'''

# Notes that it runs, and goes on when the file `go` is there. An `overlap` is noted when the one before is alive.
WAITS = '''\
import os, time

HOME = os.environ["HOME"]
EFFECT = os.path.join(HOME, "effects", "slow")


def alive(pid):
    try:
        with open(f"/proc/{{pid}}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def check():
    return os.path.exists(EFFECT)


def migrate():
    {first}
    path = os.path.join(HOME, "running")
    if os.path.exists(path):
        with open(path) as file:
            if any(alive(line.strip()) for line in file):
                open(os.path.join(HOME, "overlap"), "w").close()
    with open(path, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    end = time.monotonic() + 120
    while not os.path.exists(os.path.join(HOME, "go")):
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    with open(EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''


def waiting_home(first="pass"):
    """A home whose second migration waits for the file `go`."""
    home = telec.Home()
    home.add("1.1.0/001_first.py")
    home.add(SLOW, WAITS.format(first=first))
    home.add("1.1.0/003_last.py")
    return home


def running(home):
    """Pids of the pythons that ran the slow migration, oldest first."""
    path = home.home / "running"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def go(home):
    (home.home / "go").touch()


def has_lock_open(process, home):
    """Has it the lock file open? It holds the lock, or stands in front of it."""
    try:
        for name in os.listdir(f"/proc/{process.pid}/fd"):
            try:
                if os.readlink(f"/proc/{process.pid}/fd/{name}") == str(home.lock_file):
                    return True
            except OSError:
                pass
    except OSError:
        pass
    return False


def finish(process, seconds=120):
    """(exit code, stdout, stderr) of a started runner, both as text."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out.decode(), err.decode()


class HeldLock:
    """The lock of a home, held by this test process."""

    def __init__(self, home):
        home.data.mkdir(mode=0o700, exist_ok=True)
        self.file = open(home.lock_file, "a+b")
        os.fchmod(self.file.fileno(), 0o600)
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


class RunTest(unittest.TestCase):
    def home(self, *args, **options):
        home = waiting_home(*args, **options)
        self.addCleanup(home.close)
        self.addCleanup(self.end_pythons, home)
        return home

    def end_pythons(self, home):
        for pid in running(home):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if str(home.home).encode() in file.read():
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def start(self, home, *args, **options):
        process = home.start(*args, **options)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def start_holder(self, home, *args):
        """A runner that holds the lock and is in the middle of the slow migration; (it, the pid of its python)."""
        before = len(running(home))
        holder = self.start(home, "migrate", *args)
        self.assertTrue(telec.wait_until(lambda: len(running(home)) > before), "the slow migration never began")
        return holder, running(home)[-1]


class ManyRunners(RunTest):
    IDS = [f"1.{minor}.0/{number:03}_step.py" for minor in (1, 2) for number in (1, 2, 3)]

    def violations(self, count, front=(), source=RACY, ids=None, one_by_one=False, **words):
        """Starts `count` runners, the second when the first is at it (one_by_one) or all at once; everything that is
        not exactly once."""
        ids = ids or self.IDS
        with telec.Home() as home:
            for id in ids:
                home.add(id, source.format(name=id.replace("/", "_"), **words))
            command = [*front, telec.binary(), "migrate", "--json", "--lock-timeout", "100"]
            environment = home.environment(**(telec.WITHOUT_LEAK_CHECK if front else {}))
            processes = []
            for _ in range(count):
                processes.append(subprocess.Popen(command, env=environment, cwd=home.path,
                                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                  stderr=subprocess.PIPE))
                if one_by_one:
                    telec.wait_until(lambda: (home.home / "meeting").exists())
            results = [finish(process, 120) for process in processes]
            found = []
            applied = []
            for code, out, err in results:
                if code != 0:
                    found.append(f"exit {code}: {err[-600:]}")
                    continue
                entries = json.loads(out)["migrations"]
                applied += [entry["id"] for entry in entries if entry["state"] == "applied"]
                odd = [entry for entry in entries if entry["state"] != "applied"]
                if odd:
                    found.append(f"a runner said {odd}")
            if sorted(applied) != ids:
                found.append(f"said to be applied: {sorted(applied)}")
            for name, times in sorted(home.effects().items()):
                if times != 1:
                    found.append(f"{name} took effect {times} times")
            if len(home.effects()) != len(ids):
                found.append(f"effects: {home.effects()}")
            if home.applied() != ids:
                found.append(f"recorded: {home.applied()}")
            if list(home.data.glob("*.tmp")):
                found.append("a temporary file is left")
            return found

    def test_two_runners_apply_each_migration_once(self):
        for _ in range(10):
            self.assertEqual(self.violations(2), [])

    def test_ten_runners_apply_each_migration_once(self):
        for _ in range(3):
            self.assertEqual(self.violations(10), [])

    def test_forty_runners_apply_each_migration_once(self):
        self.assertEqual(self.violations(40), [])

    def test_scripts_that_wait_for_each_other_never_meet(self):
        self.assertEqual(self.violations(2, source=MEETS, ids=self.IDS[:1], one_by_one=True, patience=1), [])

    @unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
    def test_a_state_directory_that_another_run_makes_between_two_calls_is_used(self):
        with telec.Home() as home:
            home.add_all(*self.IDS)
            home.data.mkdir(mode=0o700, exist_ok=True)
            trace = home.path / "trace"
            done = subprocess.run(["strace", "-o", str(trace), "-P", str(home.data), "-e", "trace=openat", "-e",
                                   "inject=openat:error=ENOENT:when=1", telec.binary(), "migrate"],
                                  env=home.environment(ASAN_OPTIONS="detect_leaks=0:" + os.environ.get("ASAN_OPTIONS", "")),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertIn("(INJECTED)", trace.read_text(), "no call was ever replaced: this shows nothing")
            self.assertEqual(done.returncode, 0, done.stdout.decode())
            self.assertEqual(len(home.applied()), len(self.IDS))

    @unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
    def test_the_same_with_the_lock_made_a_no_op_fails(self):
        with telec.Home() as home:
            trace = home.path / "trace"
            front = ["strace", "-f", "-A", "-o", str(trace), "-e", "trace=flock", "-e", "inject=flock:retval=0"]
            found = self.violations(2, front, source=MEETS, ids=self.IDS[:1], one_by_one=True, patience=20)
            self.assertIn("(INJECTED)", trace.read_text(), "no call was ever replaced: this shows nothing")
        self.assertTrue([line for line in found if line.endswith("took effect 2 times")],
                        f"nothing ran twice without a lock: {found}")


class DeadHolder(RunTest):
    def test_one_of_ten_waiting_runners_goes_on_at_once_when_the_holder_is_killed(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        waiters = [self.start(home, "migrate", "--json") for _ in range(10)]
        self.assertTrue(telec.wait_until(lambda: all(has_lock_open(waiter, home) for waiter in waiters)),
                        "they do not wait")
        inode = home.lock_file.stat().st_ino
        self.assertEqual([waiter.poll() for waiter in waiters], [None] * 10)
        holder.kill()
        # They would wait for a minute: --lock-timeout.
        self.assertTrue(telec.wait_until(lambda: len(running(home)) > 1, 20), "nobody went on")
        go(home)
        results = [finish(waiter) for waiter in waiters]
        self.assertEqual([code for code, _, _ in results], [0] * 10, results)
        self.assertEqual(len(running(home)), 2, "it ran more often than it was killed")
        self.assertFalse((home.home / "overlap").exists())
        self.assertEqual(set(home.effects().values()), {1})
        self.assertEqual(len(home.applied()), 3)
        self.assertEqual(home.lock_file.stat().st_ino, inode, "somebody replaced the lock file")

    def test_python_dies_with_its_runner_and_the_next_one_does_not_start_before(self):
        for _ in range(15):
            home = self.home()
            holder, python = self.start_holder(home)
            holder.kill()
            second, other = self.start_holder(home, "--json")
            self.assertFalse(telec.alive(python), "the next one began beside the python of the killed one")
            go(home)
            code, out, err = finish(second)
            self.assertEqual(code, 0, out + err)
            self.assertFalse((home.home / "overlap").exists(), "two pythons were at it at once")
            self.assertEqual(home.applied(), ["1.1.0/001_first.py", SLOW, "1.1.0/003_last.py"])

    def test_python_is_gone_soon_after_its_killed_runner(self):
        home = self.home()
        holder, python = self.start_holder(home)
        holder.kill()
        self.assertTrue(telec.wait_until(lambda: not telec.alive(python), 10))

    def test_a_python_that_survives_its_runner_keeps_the_next_one_out(self):
        # The script clears the parent-death signal, as a set-user-id program or a debugger would.
        home = self.home(first="import ctypes; ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)")
        holder, python = self.start_holder(home)
        holder.kill()
        holder.wait()
        time.sleep(0.3)
        self.assertTrue(telec.alive(python), "python died all the same: this shows nothing")
        for limit in ("0", "1"):
            result = home.migrate_json("--lock-timeout", limit)
            self.assertEqual(result.code, LOCKED, result)
            self.assertEqual(result.document["error"]["code"], "locked")
            self.assertIn(SLOW, result.document["error"]["message"])
        self.assertEqual(running(home), [python])
        self.end_pythons(home)
        self.assertTrue(telec.wait_until(lambda: not telec.alive(python)))
        go(home)
        result = home.migrate_json("--lock-timeout", "5")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.states(), {SLOW: "applied", "1.1.0/003_last.py": "applied"})


class LivingHolder(RunTest):
    def assert_locked(self, result, holder):
        self.assertEqual(result.code, LOCKED, result)
        error = result.document["error"]
        self.assertEqual(error["code"], "locked")
        self.assertRegex(error["message"], rf"\b{holder.pid}\b")
        self.assertIn(SLOW, error["message"])
        self.assertFalse(result.document["ok"])

    def finish_holder(self, home, holder):
        go(home)
        code, out, err = finish(holder)
        self.assertEqual(code, 0, out + err)
        self.assertEqual(set(home.effects().values()), {1})

    def test_a_lock_timeout_of_0_does_not_wait_and_names_the_holder(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        result = home.migrate_json("--lock-timeout", "0")
        self.assert_locked(result, holder)
        self.assertLess(result.seconds, 30)
        self.finish_holder(home, holder)

    def test_a_lock_timeout_of_1_waits_that_long_and_names_the_holder(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        result = home.migrate_json("--lock-timeout", "1")
        self.assert_locked(result, holder)
        self.assertGreaterEqual(result.seconds, 0.95)
        self.assertLess(result.seconds, 30)
        self.finish_holder(home, holder)

    def test_the_text_says_the_same(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        result = home.migrate("--lock-timeout", "0")
        self.assertEqual(result.code, LOCKED, result)
        self.assertRegex(result.err, rf"telec: error: .*\b{holder.pid}\b")
        self.assertIn(SLOW, result.err)
        self.assertNotIn("applied", result.out)
        self.finish_holder(home, holder)

    def test_a_stopped_holder_is_named_too(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        os.kill(holder.pid, signal.SIGSTOP)
        try:
            self.assert_locked(home.migrate_json("--lock-timeout", "1"), holder)
        finally:
            os.kill(holder.pid, signal.SIGCONT)
        self.finish_holder(home, holder)

    def test_a_runner_that_waits_goes_on_when_the_holder_is_done(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        waiter = self.start(home, "migrate", "--json")
        self.assertTrue(telec.wait_until(lambda: has_lock_open(waiter, home)))
        self.finish_holder(home, holder)
        code, out, err = finish(waiter)
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["migrations"], [], "it planned before it had the lock")

    def test_a_run_after_a_run_does_not_show_the_old_holder(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        self.finish_holder(home, holder)
        home.add("1.2.0/001_new.py")
        with HeldLock(home):
            result = home.migrate_json("--lock-timeout", "0")
        self.assertEqual(result.code, LOCKED, result)
        self.assertNotRegex(result.document["error"]["message"], rf"\b{holder.pid}\b")

    def test_the_lock_of_nobody_known_is_respected(self):
        home = self.home()
        with HeldLock(home):
            result = home.migrate_json("--lock-timeout", "0")
        self.assertEqual(result.code, LOCKED, result)
        self.assertEqual(home.effects(), {})
        self.assertIsNone(home.state())

    def test_nonsense_in_the_lock_file_is_not_repeated_raw(self):
        home = self.home()
        with HeldLock(home) as lock:
            lock.file.write(b"\xff\x1b[31m pid 1e999 \0" * 5000)
            lock.file.flush()
            as_json = home.migrate_json("--lock-timeout", "0")
            as_text = home.migrate("--lock-timeout", "0")
        self.assertEqual((as_json.code, as_text.code), (LOCKED, LOCKED), as_json)
        self.assertEqual(as_json.document["error"]["code"], "locked")
        self.assertNotIn("\x1b", as_text.out + as_text.err)
        self.assertLess(len(as_text.err), 4096)
        self.assertEqual(home.migrate_json("--to", "1.0.0").code, 0)

    def test_with_nothing_pending_a_held_lock_is_not_waited_for(self):
        with telec.Home() as home:
            home.add_all("1.1.0/001_one.py", "1.1.0/002_two.py")
            self.assertEqual(home.migrate().code, 0)
            with HeldLock(home):
                result = home.migrate_json()
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.document["migrations"], [])
            self.assertLess(result.seconds, 30)

    def test_a_dry_run_does_not_wait_for_a_held_lock(self):
        with telec.Home() as home:
            home.add("1.1.0/001_one.py")
            with HeldLock(home):
                result = home.migrate_json("--dry-run")
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.states(), {"1.1.0/001_one.py": "pending"})


class OddLock(RunTest):
    """The lock file is something else than a file of the user's."""

    def refused(self, prepare):
        with telec.Home() as home:
            home.add("1.1.0/001_one.py")
            home.data.mkdir(mode=0o700)
            prepare(home)
            before = os.lstat(home.lock_file)
            result = home.migrate_json("--lock-timeout", "1")
            self.assertIn(result.code, (74, 77), result)
            self.assertIn(result.document["error"]["code"], ("io", "unsafe"))
            self.assertIn("migration_state.json.lock", result.document["error"]["message"])
            self.assertEqual(home.effects(), {})
            self.assertIsNone(home.state())
            after = os.lstat(home.lock_file)
            self.assertEqual((before.st_ino, stat.S_IFMT(before.st_mode)), (after.st_ino, stat.S_IFMT(after.st_mode)))
            return result

    def test_a_symbolic_link_as_lock_is_refused_and_its_target_untouched(self):
        with telec.Home() as outside:
            victim = outside.path / "victim"
            victim.write_text("untouched")
            self.refused(lambda home: home.lock_file.symlink_to(victim))
            self.assertEqual(victim.read_text(), "untouched")

    def test_a_dangling_symbolic_link_as_lock_is_refused_and_nothing_made(self):
        with telec.Home() as outside:
            self.refused(lambda home: home.lock_file.symlink_to(outside.path / "made"))
            self.assertFalse((outside.path / "made").exists())

    def test_a_fifo_as_lock_is_refused_without_hanging(self):
        self.refused(lambda home: os.mkfifo(home.lock_file))

    def test_a_directory_as_lock_is_refused(self):
        self.refused(lambda home: home.lock_file.mkdir())

    def test_a_socket_as_lock_is_refused(self):
        def prepare(home):
            import socket
            server = socket.socket(socket.AF_UNIX)
            self.addCleanup(server.close)
            server.bind(str(home.lock_file))
        self.refused(prepare)

    def test_a_lock_that_is_removed_while_it_is_held_is_noticed(self):
        home = self.home()
        holder, _ = self.start_holder(home, "--json")
        home.lock_file.unlink()
        go(home)
        code, out, err = finish(holder)
        self.assertEqual(code, 5, out + err)
        document = json.loads(out)
        self.assertEqual(document["error"]["code"], "unrecorded")
        self.assertEqual(home.applied(), ["1.1.0/001_first.py"])
        self.assertEqual(home.migrate_json().states(), {SLOW: "already_present", "1.1.0/003_last.py": "applied"})

    def test_a_second_run_beside_a_removed_lock_leaves_a_sound_state(self):
        home = self.home()
        holder, _ = self.start_holder(home, "--json")
        home.lock_file.unlink()
        second = self.start(home, "migrate", "--json")
        time.sleep(0.2)
        go(home)
        results = [finish(holder), finish(second)]
        self.assertEqual(results[0][0], 5, results)
        self.assertIn(results[1][0], (0, 5), results)
        home.migrate()
        self.assertEqual(home.applied(), ["1.1.0/001_first.py", SLOW, "1.1.0/003_last.py"])

    def test_a_runner_that_waited_on_a_removed_lock_takes_the_new_one(self):
        home = self.home()
        holder, _ = self.start_holder(home)
        waiter = self.start(home, "migrate", "--json", "--lock-timeout", "2")
        self.assertTrue(telec.wait_until(lambda: has_lock_open(waiter, home)))
        home.lock_file.unlink()
        with HeldLock(home):  # a new file, held by somebody else
            go(home)
            finish(holder)
            code, out, err = finish(waiter)
        self.assertEqual(code, LOCKED, "it went on with a lock that is no longer the lock: " + out + err)
        self.assertEqual(home.applied(), ["1.1.0/001_first.py"])

    def test_a_lock_that_somebody_renamed_and_put_back_is_still_the_lock(self):
        home = self.home()
        holder, _ = self.start_holder(home, "--json")
        other = home.lock_file.with_name("elsewhere")
        home.lock_file.rename(other)
        other.rename(home.lock_file)
        go(home)
        code, out, err = finish(holder)
        self.assertEqual(code, 0, out + err)

    def test_a_run_within_a_migration_is_refused_at_once(self):
        for env in ("None", '{"HOME": HOME}'):
            with self.subTest(env=env), telec.Home() as home:
                home.add("1.1.0/001_nested.py", NESTED.format(telec=telec.binary(), tree=str(home.tree), env=env))
                home.add("1.1.0/002_next.py")
                home.migrate()
                code, err = (home.home / "nested").read_text().split("\n", 1)
                self.assertEqual(code, str(LOCKED), err)
                self.assertIn("running 1.1.0/001_nested.py, which is what runs this", err)
                self.assertEqual(home.applied(), ["1.1.0/001_nested.py", "1.1.0/002_next.py"])

    def test_the_lock_file_is_never_removed(self):
        with telec.Home() as home:
            home.add("1.1.0/001_one.py")
            home.migrate()
            first = home.lock_file.stat().st_ino
            home.add("1.2.0/001_two.py")
            home.migrate()
            self.assertEqual(home.lock_file.stat().st_ino, first)
            self.assertEqual(home.lock_file.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    telec.main("concurrency")
