#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Signals, the terminal, and the odd ways in which a program can be started.

The first signal ends the run after the migration under way, the second one now; what is recorded is true either way.
"""

import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import pty
import random
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import telec  # noqa: E402

FIRST, SLOW, LAST = "1.1.0/001_first.py", "1.1.0/002_slow.py", "1.1.0/003_last.py"
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Notes that it runs and which signals reach it, and goes on when the file `go` is there.
WAITS = '''\
import os, signal, time

HOME = os.environ["HOME"]
EFFECT = os.path.join(HOME, "effects", "slow")


def caught(number, frame):
    with open(os.path.join(HOME, "caught"), "a") as file:
        file.write(f"{number}\\n")


def check():
    return os.path.exists(EFFECT)


def migrate():
    if not os.path.exists(os.path.join(HOME, "quick")):
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(number, caught)
        with open(os.path.join(HOME, "running"), "w") as file:
            file.write(str(os.getpid()))
        end = time.monotonic() + 60
        while not os.path.exists(os.path.join(HOME, "go")):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    with open(EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''

# Writes down how it was started.
WITNESS = '''\
import json, os, signal

PATH = os.path.join(os.environ["HOME"], "seen.json")


def check():
    return os.path.exists(PATH)


def migrate():
    seen = {
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "ignored": [number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN],
        "stdin": os.path.realpath("/proc/self/fd/0"),
    }
    with open(PATH, "w") as file:
        json.dump(seen, file)
    return True
'''


class SignalTest(unittest.TestCase):
    def home(self):
        home = telec.Home()
        self.addCleanup(home.close)
        home.add(FIRST)
        home.add(SLOW, WAITS)
        home.add(LAST)
        return home

    def start(self, home, *args, **options):
        """telec migrate, with stderr in a file that can be read while it runs."""
        self.err_path = home.path / "stderr"
        with open(self.err_path, "wb") as err:
            process = home.start("migrate", *args, stderr=err, **options)
        self.addCleanup(self.end, home, process)
        return process

    def end(self, home, process):
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
        pid = self.python(home)
        with contextlib.suppress(OSError):  # it may be on its way out
            if pid and str(home.home).encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes():
                os.kill(pid, signal.SIGKILL)

    def err(self):
        return self.err_path.read_text(errors="replace")

    def python(self, home):
        try:
            return int((home.home / "running").read_text())
        except (OSError, ValueError):
            return None

    def wait_for_python(self, home):
        pid = telec.wait_until(lambda: self.python(home))
        self.assertTrue(pid, "the slow migration never began")
        return pid

    def go(self, home):
        (home.home / "go").touch()

    def finish(self, process, seconds=60):
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"still running after {seconds} s\n{self.err()}")
        return telec.Result(process.returncode, (out or b"").decode(), self.err(), 0)

    def caught(self, home):
        path = home.home / "caught"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


class FirstSignal(SignalTest):
    def test_the_migration_under_way_is_finished_and_the_rest_not_reached(self):
        for number in STOPPING:
            with self.subTest(number.name):
                home = self.home()
                process = self.start(home, "--json")
                self.wait_for_python(home)
                process.send_signal(number)
                self.assertTrue(telec.wait_until(lambda: SLOW in self.err()), f"not said at once: {self.err()!r}")
                time.sleep(0.3)
                self.assertIsNone(process.poll(), "it did not wait for the migration under way")
                self.go(home)
                result = self.finish(process)
                self.assertEqual(result.code, 128 + number, result)
                self.assertEqual(result.states(), {FIRST: "applied", SLOW: "applied", LAST: "not_reached"})
                self.assertEqual(result.document["error"]["code"], "interrupted")
                self.assertFalse(result.document["ok"])
                self.assertEqual(home.applied(), [FIRST, SLOW])
                self.assertEqual(self.caught(home), [], "the script got the signal")
                self.assertEqual(home.migrate_json().states(), {LAST: "applied"})

    def test_the_text_names_what_was_not_reached(self):
        home = self.home()
        process = self.start(home)
        self.wait_for_python(home)
        process.send_signal(signal.SIGTERM)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        self.go(home)
        result = self.finish(process)
        self.assertEqual(result.code, 143, result)
        self.assertRegex(result.out, rf"(?m)^\s*applied\s+{SLOW}")
        self.assertRegex(result.out, rf"(?m)^\s*not reached\s+{LAST}")

    def test_a_migration_that_fails_after_the_signal_is_a_failure(self):
        home = self.home()
        home.add(SLOW, WAITS.replace("    return True\n", "    raise RuntimeError('and it failed')\n"))
        process = self.start(home, "--json")
        self.wait_for_python(home)
        process.send_signal(signal.SIGINT)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        self.go(home)
        result = self.finish(process)
        self.assertIn(result.code, (1, 130), result)
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "failed", LAST: "not_reached"})
        self.assertEqual(home.applied(), [FIRST])

    def test_a_signal_during_the_last_migration_leaves_nothing_undone(self):
        home = self.home()
        (home.tree / "v1.1.0" / "003_last.py").unlink()
        process = self.start(home, "--json")
        self.wait_for_python(home)
        process.send_signal(signal.SIGTERM)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        self.go(home)
        result = self.finish(process)
        self.assertIn(result.code, (0, 143), result)
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "applied"})
        self.assertEqual(home.applied(), [FIRST, SLOW])
        self.assertEqual(home.migrate_json().code, 0)

    def test_a_time_out_still_counts_after_the_signal(self):
        home = self.home()
        process = self.start(home, "--json", "--timeout", "2")
        self.wait_for_python(home)
        process.send_signal(signal.SIGINT)
        result = self.finish(process)
        self.assertIn(result.code, (1, 130), result)
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "failed", LAST: "not_reached"})

    def test_a_signal_at_any_early_moment_leaves_a_sound_state(self):
        seed = int(os.environ.get("TELEC_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        chance = random.Random(seed)
        for _ in range(40):
            number = chance.choice(STOPPING)
            moment = chance.uniform(0, 0.06)
            with self.subTest(f"seed {seed}, {number.name} after {moment:.4f} s"), telec.Home() as home:
                home.add_all(FIRST, "1.1.0/002_second.py", LAST)
                process = self.start(home, "--json")
                time.sleep(moment)
                process.send_signal(number)
                result = self.finish(process)
                # Before the first line of main the default action is what happens.
                self.assertIn(result.code, (0, 128 + number, -number), result)
                applied = [FIRST, "1.1.0/002_second.py", LAST][:len(home.applied())]
                self.assertEqual(home.applied(), applied)
                self.assertEqual(home.effects(), {id.replace("/", "_"): 1 for id in applied})
                if result.code > 0:
                    self.assertEqual(result.document["error"]["code"], "interrupted")
                    self.assertEqual([id for id, state in result.states().items() if state == "applied"], applied)
                if result.code < 0:
                    self.assertEqual(applied, [], "it died of a signal when it had begun")
                self.assertEqual(home.migrate().code, 0)
                self.assertEqual(len(home.applied()), 3)


class SecondSignal(SignalTest):
    def second(self, *numbers):
        home = self.home()
        process = self.start(home, "--json")
        python = self.wait_for_python(home)
        process.send_signal(numbers[0])
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        telec.wait_as_a_person_does()
        process.send_signal(numbers[1])
        result = self.finish(process)
        self.assertFalse(telec.alive(python), "the script is alive after its runner")
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "interrupted", LAST: "not_reached"})
        self.assertEqual(result.document["error"]["code"], "interrupted")
        self.assertEqual(result.document["error"]["id"], SLOW)
        self.assertEqual(home.applied(), [FIRST])
        (home.home / "quick").touch()
        self.assertEqual(home.migrate_json().states(), {SLOW: "applied", LAST: "applied"})
        return result

    def test_the_second_signal_stops_the_migration_now(self):
        for number in STOPPING:
            with self.subTest(number.name):
                # Of a terminal that is closed two may come: a SIGHUP is never the second.
                again = signal.SIGTERM if number == signal.SIGHUP else number
                self.assertEqual(self.second(number, again).code, 128 + number)

    def test_two_different_signals_are_a_first_and_a_second(self):
        self.assertIn(self.second(signal.SIGINT, signal.SIGTERM).code, (130, 143))
        self.assertIn(self.second(signal.SIGTERM, signal.SIGINT).code, (130, 143))

    def test_a_script_that_ignores_sigterm_is_killed_after_the_second_signal(self):
        home = self.home()
        home.add(SLOW, WAITS.replace("signal.SIGQUIT,", "signal.SIGQUIT, signal.SIGTERM,"))
        process = self.start(home, "--json")
        python = self.wait_for_python(home)
        process.send_signal(signal.SIGINT)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        telec.wait_as_a_person_does()
        process.send_signal(signal.SIGINT)
        result = self.finish(process)
        self.assertEqual(result.code, 130, result)
        self.assertFalse(telec.alive(python))
        self.assertEqual(result.states()[SLOW], "interrupted")
        self.assertEqual(home.applied(), [FIRST])

    def test_a_hang_up_behind_it_is_the_same_request_and_is_told_once(self):
        home = self.home()
        process = self.start(home, "--json")
        self.wait_for_python(home)
        process.send_signal(signal.SIGTERM)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        process.send_signal(signal.SIGHUP)
        self.assertTrue(telec.wait_until(lambda: not telec.is_pending(process.pid, signal.SIGHUP)))
        self.go(home)
        result = self.finish(process)
        self.assertEqual(result.code, 143, result)
        self.assertEqual(self.err().count("finishing"), 1, self.err())
        self.assertEqual(home.applied(), [FIRST, SLOW])

    def test_ten_signals_at_once_are_no_crash(self):
        home = self.home()
        process = self.start(home, "--json")
        python = self.wait_for_python(home)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) * 4:
            if process.poll() is None:
                process.send_signal(number)
        result = self.finish(process)
        self.assertIn(result.code, (129, 130, 143), result)
        self.assertFalse(telec.alive(python))
        self.assertEqual(home.applied(), [FIRST])


class NobodyReads(SignalTest):
    """-v, into a pipe that is full and that nobody empties, as a pager's is whose user reads the first page."""

    LINES = "import os\n\nHOME = os.environ['HOME']\n\n\ndef check():\n    return os.path.exists(HOME + '/done')\n\n\n" \
            "def migrate():\n    with open(HOME + '/running', 'w') as file:\n        file.write(str(os.getpid()))\n" \
            "    for number in range({count}):\n        print(f'{{number:099}}')\n    open(HOME + '/done', 'w').close()\n    return True\n"

    def run_into_the_pipe(self, count, *args):
        home = self.home()
        home.add(SLOW, self.LINES.format(count=count))
        process = home.start("migrate", "--json", "-v", *args)
        self.addCleanup(self.end, home, process)
        self.addCleanup(process.stderr.close)
        self.assertTrue(telec.wait_until(lambda: self.bytes_in(process.stderr) > 60_000), "nothing fills the pipe")
        return home, process

    def bytes_in(self, pipe):
        return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]

    def read_to_the_end(self, process):
        out, err = process.communicate(timeout=60)
        return telec.Result(process.returncode, out.decode(), err.decode(), 0)

    def test_the_second_signal_stops_the_script_all_the_same(self):
        home, process = self.run_into_the_pipe(10_000_000)
        python = self.wait_for_python(home)
        process.send_signal(signal.SIGINT)
        self.assertTrue(telec.wait_until(lambda: not telec.is_pending(process.pid, signal.SIGINT)), "it is not looked at")
        telec.wait_as_a_person_does()
        process.send_signal(signal.SIGINT)
        self.assertTrue(telec.wait_until(lambda: not telec.alive(python)), "the script goes on")
        result = self.read_to_the_end(process)
        self.assertEqual(result.code, 130, result)
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "interrupted", LAST: "not_reached"})
        self.assertIn(f"SIGINT again: ending {SLOW} now\n", result.err)

    def test_its_time_is_up_all_the_same(self):
        home, process = self.run_into_the_pipe(10_000_000, "--timeout", "2")
        python = self.wait_for_python(home)
        self.assertTrue(telec.wait_until(lambda: not telec.alive(python)), "the script goes on")
        result = self.read_to_the_end(process)
        self.assertEqual((result.code, result.document["error"]["code"]), (1, "timeout"), result)

    def test_what_ended_is_recorded_all_the_same_and_no_line_is_lost(self):
        home, process = self.run_into_the_pipe(1000)
        self.assertTrue(telec.wait_until(lambda: SLOW in home.applied()), "it waits for whoever reads")
        self.assertGreater(self.bytes_in(process.stderr), 60_000)
        result = self.read_to_the_end(process)
        self.assertEqual(result.code, 0, result)
        lines = [line for line in result.err.splitlines() if line.startswith("  | ")]
        self.assertEqual(lines, [f"  | {number:099}" for number in range(1000)])
        self.assertEqual(home.applied(), [FIRST, SLOW, LAST])


class WaitingForTheLock(SignalTest):
    def test_a_signal_while_it_waits_for_the_lock_ends_it_at_once(self):
        for number in STOPPING:
            with self.subTest(number.name):
                home = self.home()
                home.data.mkdir(mode=0o700)
                with open(home.lock_file, "a+b") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    process = self.start(home, "--json")
                    path = str(home.lock_file)
                    self.assertTrue(telec.wait_until(lambda: path in self.open_files(process)),
                                    "it never came to the lock")
                    time.sleep(0.1)
                    process.send_signal(number)
                    result = self.finish(process)
                self.assertEqual(result.code, 128 + number, result)
                self.assertEqual(result.document["error"]["code"], "interrupted")
                self.assertEqual(home.effects(), {})
                self.assertIsNone(home.state())

    def open_files(self, process):
        found = set()
        for name in os.listdir(f"/proc/{process.pid}/fd"):
            try:
                found.add(os.readlink(f"/proc/{process.pid}/fd/{name}"))
            except OSError:
                pass
        return found


class Terminal(SignalTest):
    def on_a_terminal(self, home, *args):
        """telec migrate with a new terminal as its controlling one; (pid, the other end)."""
        pid, master = pty.fork()
        if pid == 0:
            try:
                os.chdir(home.path)
                os.execve(telec.binary(), [telec.binary(), "migrate", *args], home.environment(TERM="xterm"))
            finally:
                os._exit(127)
        self.addCleanup(os.close, master)
        return pid, master

    def read_to_the_end(self, master, seconds=60):
        data = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(master, 65536)
            except OSError:  # nobody has the other side open any more
                break
            if not piece:
                break
            data += piece
        return data.decode("utf-8", "replace")

    def read_until(self, master, words, seconds=60):
        """What came up to and with these words."""
        text = ""
        end = time.monotonic() + seconds
        while words not in text:
            if time.monotonic() > end:
                self.fail(f"{words!r} never came: {text!r}")
            if select.select([master], [], [], 0.1)[0]:
                text += os.read(master, 65536).decode("utf-8", "replace")
        return text

    def exit_of(self, pid, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.fail("still running on its terminal")

    def test_ctrl_c_reaches_the_runner_and_not_the_script(self):
        home = self.home()
        pid, master = self.on_a_terminal(home)
        self.wait_for_python(home)
        os.write(master, b"\x03")
        self.read_until(master, "finishing")
        time.sleep(0.3)
        self.assertEqual(self.caught(home), [], "the script got the signal")
        self.go(home)
        text = self.read_to_the_end(master)
        self.assertEqual(self.exit_of(pid), 130, text)
        self.assertEqual(home.applied(), [FIRST, SLOW])
        self.assertIn("not reached", text)

    def test_ctrl_c_twice_stops_the_script(self):
        home = self.home()
        pid, master = self.on_a_terminal(home)
        python = self.wait_for_python(home)
        os.write(master, b"\x03")
        self.read_until(master, "finishing")
        telec.wait_as_a_person_does()
        os.write(master, b"\x03")
        text = self.read_to_the_end(master)
        self.assertEqual(self.exit_of(pid), 130, text)
        self.assertFalse(telec.alive(python))
        self.assertEqual(home.applied(), [FIRST])
        self.assertEqual(self.caught(home), [])

    def test_a_terminal_that_is_closed_is_a_first_signal(self):
        home = self.home()
        pid, master = pty.fork()
        if pid == 0:
            try:
                os.chdir(home.path)
                os.execve(telec.binary(), [telec.binary(), "migrate"], home.environment(TERM="xterm"))
            finally:
                os._exit(127)
        self.wait_for_python(home)
        os.close(master)  # the kernel sends SIGHUP to the session's leader, and every write fails from now on
        time.sleep(0.3)
        self.go(home)
        self.assertIn(self.exit_of(pid), (129, 74))
        self.assertEqual(home.applied(), [FIRST, SLOW])
        self.assertEqual(home.migrate_json().states(), {LAST: "applied"})

    def test_the_terminal_is_left_as_it_was(self):
        import termios
        home = self.home()
        (home.home / "quick").touch()
        pid, master = self.on_a_terminal(home)
        before = termios.tcgetattr(master)
        self.read_to_the_end(master)
        self.assertEqual(self.exit_of(pid), 0)
        self.assertEqual(termios.tcgetattr(master), before)


def ignoring(*numbers):
    def prepare():
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
    return prepare


class StartedOddly(SignalTest):
    def witness(self):
        home = telec.Home()
        self.addCleanup(home.close)
        home.add(FIRST, WITNESS)
        home.add(SLOW, "import os\n\n\ndef check():\n    return False\n\n\ndef migrate():\n    os._exit(3)\n")
        return home

    def seen(self, home):
        return json.loads((home.home / "seen.json").read_text())

    def test_with_sigchld_ignored_the_exit_status_is_still_seen(self):
        home = self.witness()
        result = self.finish(self.start(home, "--json", preexec_fn=ignoring(signal.SIGCHLD)))
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "failed"})
        self.assertIn("3", result.document["error"]["message"])
        self.assertEqual(result.document["error"]["stage"], "migrate")

    def test_what_was_ignored_at_start_is_not_ignored_in_the_script(self):
        home = self.witness()
        numbers = (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1)
        result = self.finish(self.start(home, "--json", preexec_fn=ignoring(*numbers)))
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "failed"}, result)
        # python itself ignores these two
        self.assertLessEqual(set(self.seen(home)["ignored"]), {signal.SIGPIPE, signal.SIGXFSZ})

    def test_with_every_signal_blocked_at_start_all_is_as_usual(self):
        home = self.witness()
        block = lambda: signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())  # noqa: E731
        result = self.finish(self.start(home, "--json", preexec_fn=block))
        self.assertEqual(result.states(), {FIRST: "applied", SLOW: "failed"}, result)
        self.assertEqual(self.seen(home)["blocked"], [])

    def test_with_every_signal_blocked_at_start_a_time_out_still_ends_the_script(self):
        home = self.home()
        block = lambda: signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())  # noqa: E731
        result = self.finish(self.start(home, "--json", "--timeout", "2", preexec_fn=block))
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.document["error"]["code"], "timeout")

    @unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
    def test_what_a_terminal_sent_before_a_script_had_a_session_of_its_own_is_not_for_it(self):
        home = telec.Home()
        self.addCleanup(home.close)
        home.add(FIRST)
        process = subprocess.Popen(["strace", "-f", "-o", "/dev/null", "-e", "trace=setsid", "-e", "inject=setsid:delay_enter=5000000",
                                    telec.binary(), "migrate"], env=home.environment(**telec.WITHOUT_LEAK_CHECK), cwd=home.path, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def below(pid, steps):
            children = telec.children_of(pid)
            return children and (children[0] if steps == 1 else below(children[0], steps - 1))
        launched = telec.wait_until(lambda: below(process.pid, 2))
        self.assertEqual(os.getpgid(launched), os.getpgid(process.pid), "it had a session before it was to get the signal")
        os.kill(launched, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, home.applied()), (0, [FIRST]), out + err)

    def test_what_ended_in_time_while_the_runner_was_stopped_is_no_time_out(self):
        home = self.home()
        process = self.start(home, "--timeout", "8")
        python = self.wait_for_python(home)
        process.send_signal(signal.SIGSTOP)
        self.go(home)
        self.assertTrue(telec.wait_until(lambda: not telec.alive(python)))
        time.sleep(8.2)  # past its limit
        process.send_signal(signal.SIGCONT)
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(home.applied(), [FIRST, SLOW, LAST])

    def test_a_hang_up_that_was_ignored_at_start_stays_ignored(self):
        self.stays_ignored(signal.SIGHUP)

    def test_an_interrupt_that_was_ignored_at_start_stays_ignored(self):
        self.stays_ignored(signal.SIGINT)

    def stays_ignored(self, number):
        home = self.home()
        process = self.start(home, "--json", preexec_fn=ignoring(number))
        self.wait_for_python(home)
        for _ in range(3):
            process.send_signal(number)
            time.sleep(0.05)
        self.go(home)
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(set(result.states().values()), {"applied"})

    def test_with_a_signal_ignored_at_start_another_one_still_counts(self):
        home = self.home()
        process = self.start(home, "--json", preexec_fn=ignoring(signal.SIGHUP))
        self.wait_for_python(home)
        process.send_signal(signal.SIGTERM)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        self.go(home)
        self.assertEqual(self.finish(process).code, 143)


@unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
class LeftBehind(unittest.TestCase):
    def test_a_process_has_its_name_told_however_fast_it_dies(self):
        # Each kill(2) takes a tenth of a second longer, in which what it hits is gone.
        with telec.Home() as home:
            home.add(FIRST, "import subprocess\n\n\ndef check():\n    return bool(subprocess.Popen(['sleep', '60']))\n\n\n"
                            "def migrate():\n    return True\n")
            trace = home.path / "trace"
            done = subprocess.run(["strace", "-qq", "-o", trace, "-e", "trace=kill", "-e", "inject=kill:delay_exit=100000",
                                   telec.binary(), "migrate"], env=home.environment(**telec.WITHOUT_LEAK_CHECK), cwd=home.path,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done)
            self.assertRegex(done.stderr, r"it left processes running, they were ended: \d+ \(sleep\)")
            self.assertIn("(DELAYED)", trace.read_text(), "no call was delayed: this shows nothing")


@unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
class WithoutPidfd(SignalTest):
    """On a kernel that has no pidfd_open(2): the end of a script is asked for again and again."""

    def start(self, home, *args, **options):
        self.err_path = home.path / "stderr"
        self.trace = home.path / "trace"
        command = ["strace", "-D", "-qq", "-o", str(self.trace), "-e", "trace=pidfd_open",
                   "-e", "inject=pidfd_open:error=ENOSYS", telec.binary(), "migrate", *args]
        with open(self.err_path, "wb") as err:
            # -D: telec is our child and strace its grandchild, so that a signal reaches telec.
            process = subprocess.Popen(command, env=home.environment(**telec.WITHOUT_LEAK_CHECK), cwd=home.path, stderr=err,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(self.end, home, process)
        return process

    def finish(self, process, seconds=60):
        result = super().finish(process, seconds)
        self.assertTrue(telec.wait_until(lambda: "(INJECTED)" in self.trace.read_text()),
                        "no call was ever replaced: this shows nothing")
        return result

    def test_scripts_run_one_after_the_other(self):
        home = self.home()
        (home.home / "quick").touch()
        result = self.finish(self.start(home, "--json"))
        self.assertEqual(result.code, 0, result)
        self.assertEqual(set(result.states().values()), {"applied"})
        self.assertEqual(home.applied(), [FIRST, SLOW, LAST])

    def test_every_kind_of_end_is_seen(self):
        for body, message in (("raise RuntimeError('no')", "RuntimeError: no"), ("os._exit(3)", "status 3"),
                              ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL")):
            with self.subTest(body):
                home = self.home()
                home.add(SLOW, f"import os, signal\n\n\ndef check():\n    return False\n\n\ndef migrate():\n    {body}\n")
                result = self.finish(self.start(home, "--json"))
                self.assertEqual(result.code, 1, result)
                self.assertEqual(result.states(), {FIRST: "applied", SLOW: "failed", LAST: "not_reached"})
                self.assertIn(message, result.document["error"]["message"])

    def test_a_time_limit_ends_the_script(self):
        home = self.home()
        process = self.start(home, "--json", "--timeout", "2")
        python = self.wait_for_python(home)
        result = self.finish(process)
        self.assertEqual(result.document["error"]["code"], "timeout")
        self.assertFalse(telec.alive(python))

    def test_the_second_signal_stops_the_script(self):
        home = self.home()
        process = self.start(home, "--json")
        python = self.wait_for_python(home)
        process.send_signal(signal.SIGINT)
        self.assertTrue(telec.wait_until(lambda: SLOW in self.err()))
        telec.wait_as_a_person_does()
        process.send_signal(signal.SIGINT)
        result = self.finish(process)
        self.assertEqual(result.code, 130, result)
        self.assertEqual(result.states()[SLOW], "interrupted")
        self.assertFalse(telec.alive(python))


class Descriptors(SignalTest):
    IDS = [FIRST, "1.1.0/002_second.py", LAST]

    def good_home(self):
        home = telec.Home()
        self.addCleanup(home.close)
        home.add_all(*self.IDS)
        source = telec.GOOD.format(name="1.1.0_002_second.py") + "\nprint('NOISE OF THE SCRIPT')\n"
        home.add("1.1.0/002_second.py", source)
        return home

    def assert_recorded(self, home):
        """Everything is recorded, and none of the files has text in it that was meant for somebody to read."""
        self.assertEqual(home.applied(), self.IDS)
        self.assertEqual([entry["id"] for entry in home.state()["history"]], self.IDS)
        self.assertEqual(home.effects(), {id.replace("/", "_"): 1 for id in self.IDS})
        for path in (home.state_file, home.lock_file, home.old_file):
            if path.exists():
                data = path.read_bytes()
                for piece in (b"NOISE", b"telec: ", b"not reached", b"\x1b"):
                    self.assertNotIn(piece, data, path.name)
        for name in os.listdir(home.data):
            self.assertTrue(name.startswith("migration_"), name)
            self.assertTrue(stat.S_ISREG((home.data / name).stat().st_mode) or name == "migration_logs", name)

    def call(self, home, command, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run(command, env=home.environment(), cwd=home.path, stdin=subprocess.DEVNULL, timeout=60,
                              check=False, **options)

    def shell(self, home, redirections, *args):
        return self.call(home, ["sh", "-c", f'exec "$@" {redirections}', "sh", telec.binary(), "migrate", *args])

    def test_descriptors_closed_at_start_never_harm_the_state(self):
        redirection = {0: "<&-", 1: ">&-", 2: "2>&-"}
        for count in range(4):
            for closed in itertools.combinations((0, 1, 2), count):
                for args in ((), ("--json",), ("-v",)):
                    with self.subTest(f"closed {closed}, options {args}"):
                        home = self.good_home()
                        result = self.shell(home, " ".join(redirection[number] for number in closed), *args)
                        self.assertEqual(result.returncode, 74 if 1 in closed else 0, result)
                        self.assert_recorded(home)

    def test_a_failure_is_a_failure_with_everything_closed(self):
        home = self.good_home()
        home.add("1.1.0/002_second.py", "def check():\n    return False\n\n\ndef migrate():\n    return 1 / 0\n")
        result = self.shell(home, "<&- >&- 2>&-")
        self.assertIn(result.returncode, (1, 74))
        self.assertEqual(home.applied(), [FIRST])

    def test_a_full_stdout_is_an_error_and_everything_is_recorded(self):
        for args in ((), ("--json",)):
            with self.subTest(args):
                home = self.good_home()
                result = self.shell(home, ">/dev/full", *args)
                self.assertEqual(result.returncode, 74, result)
                self.assertIn(b"telec: error: ", result.stderr)
                self.assert_recorded(home)

    def test_a_full_stderr_is_not_an_error(self):
        home = self.good_home()
        home.add("1.1.0/2_misnamed.py", "")  # something to say on stderr
        result = self.shell(home, "2>/dev/full")
        self.assertEqual(result.returncode, 0, result)
        self.assert_recorded(home)

    def test_a_reader_that_has_gone_is_an_error_and_everything_is_recorded(self):
        for args, options in (((), {}), (("--json",), {}), ((), {"preexec_fn": ignoring(signal.SIGPIPE)})):
            with self.subTest(f"{args} {options}"):
                home = self.good_home()
                reader, writer = os.pipe()
                os.close(reader)
                with os.fdopen(writer, "wb") as broken:
                    result = self.call(home, [telec.binary(), "migrate", *args], stdout=broken, **options)
                self.assertEqual(result.returncode, 74, result)
                self.assert_recorded(home)

    def test_a_reader_of_stderr_that_has_gone_is_not_an_error(self):
        home = self.good_home()
        home.add("1.1.0/2_misnamed.py", "")
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as broken:
            result = self.call(home, [telec.binary(), "migrate", "-v"], stderr=broken)
        self.assertEqual(result.returncode, 0, result)
        self.assert_recorded(home)

    def test_a_slow_reader_does_not_lose_a_line(self):
        home = self.good_home()
        process = home.start("migrate")
        time.sleep(0.5)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        for id in self.IDS:
            self.assertIn(id.encode(), out)

    def test_descriptors_left_open_by_the_caller_do_not_reach_the_script(self):
        home = self.good_home()
        home.add("1.2.0/001_look.py", '''\
import os

SEEN = os.path.join(os.environ["HOME"], "descriptors")


def check():
    return os.path.exists(SEEN)


def migrate():
    names = []
    for name in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink("/proc/self/fd/" + name))
        except OSError:
            pass
    with open(SEEN, "w") as file:
        file.write("\\n".join(names))
    return True
''')
        with open(home.path / "secret", "w+", encoding="ascii") as secret:
            result = self.call(home, [telec.binary(), "migrate"], pass_fds=[secret.fileno()])
        self.assertEqual(result.returncode, 0, result)
        self.assertNotIn("secret", (home.home / "descriptors").read_text())

    def test_a_log_of_its_own_stdout_in_the_state_directory_is_no_harm(self):
        home = self.good_home()
        home.data.mkdir(mode=0o700)
        result = self.shell(home, f"> {home.data}/migration_output.txt")
        self.assertEqual(result.returncode, 0, result)
        self.assert_recorded(home)


if __name__ == "__main__":
    telec.main("signals")
