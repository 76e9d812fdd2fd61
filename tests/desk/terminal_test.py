#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a person sees on a terminal, through a real pseudo-terminal: widths, the live line, Ctrl-C, questions, colours."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

ONE, TWO = "1.1.0/001_one.py", "1.1.0/002_a_name_that_is_rather_long_for_a_narrow_terminal.py"
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
ERASE = "\r\x1b[K"


def script(body):
    """A migration whose migrate() is `body`."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return ("import os, sys, time\nDONE = os.path.join(os.environ['HOME'], 'done')\n\n\ndef check():\n    return os.path.exists(DONE)\n\n\n"
            f"def migrate():\n{lines}    os.mkdir(DONE)\n    return True\n")


def columns(text):
    """As a terminal counts them."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Terminal:
    """telec on a pseudo-terminal of its own: what it wrote, and what is typed."""

    def __init__(self, home, *args, width=80, env=None):
        self.text = ""
        environment = home.environment(**{"TERM": "xterm", **(env or {})})
        binary = telec.binary()
        ready, go = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.read(ready, 1)
                os.chdir(home.path)
                os.execve(binary, [binary, *map(str, args)], environment)
            finally:
                os._exit(127)  # never a second copy of this test
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        os.write(go, b"x")
        os.close(ready)
        os.close(go)
        self.code = None

    def read(self, seconds):
        """What comes within that time; False at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def wait_for(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if time.monotonic() > end or not self.read(0.2):
                raise AssertionError(f"{pattern!r} did not come in:\n{self.text!r}")
        return self

    def type(self, text):
        os.write(self.fd, text.encode())

    def finish(self, seconds=30):
        end = time.monotonic() + seconds
        while self.read(0.2):
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"it does not end:\n{self.text!r}")
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return self

    def live_lines(self):
        """Each drawing of the live line."""
        return [piece for piece in re.split(r"\r\x1b\[K|\r\n", self.text) if re.match(r"\[\d+/\d+\] ", piece)]

    def plain(self):
        """Without live lines and colours."""
        return ESCAPE.sub("", re.sub(r"\r\x1b\[K\[\d+/\d+\][^\r\n]*", "", self.text)).replace("\r\n", "\n").replace("\r", "")


class Case(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)


class Table(Case):
    def lines(self, width):
        return Terminal(self.home, "migrate", "status", width=width).finish().plain().splitlines()

    def test_it_fits_narrow_and_wide_terminals(self):
        self.home.add_all(ONE, TWO)
        self.home.migrate("--only", ONE)
        self.home.add(ONE, script("pass"))
        for width in (20, 40, 60, 80, 200):
            with self.subTest(width=width):
                for line in self.lines(width)[:-1]:
                    self.assertLessEqual(columns(line), width, line)

    def test_40_columns_keep_the_state_both_ends_of_the_id_and_what_differs(self):
        self.home.add_all(ONE, TWO)
        self.home.migrate("--only", ONE)
        self.home.add(ONE, script("pass"))
        lines = self.lines(40)
        self.assertRegex(lines[1], r"^1\.1\.0/001_one\.py +applied$")
        self.assertEqual(lines[2], "  script changed")
        self.assertRegex(lines[3], r"^1\.1\.0/002_\w+\.\.\.\w+\.py  pending$")

    def test_200_columns_have_everything(self):
        self.home.add_all(ONE, TWO)
        self.home.migrate("--only", ONE)
        self.home.add(ONE, script("pass"))
        lines = self.lines(200)
        self.assertEqual(lines[0].split(), ["ID", "STATE", "WHEN", "TOOK", "DIFFERS"])
        self.assertRegex(lines[1], r"applied  \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  \d+\.\d{3} s  script changed$")
        self.assertTrue(lines[2].startswith(TWO))


class Narrow(Case):
    """What is printed for people, at 40 and 80 columns: nothing is cut in the middle of a word that fits."""

    def screens(self):
        self.home.add_all(ONE, TWO)
        self.home.add("1.1.0/1_near_miss.py", "")
        self.home.add("1.2.0/001_bad.py", script("raise ValueError('a reason that is told in quite a number of words')"))
        for args in (["--dry-run"], [], ["status"], ["status", "-q"], ["log"], ["log", "1.2.0/001_bad.py"], ["verify", "--recheck"], ["lint"],
                     ["doctor"], ["mark", ONE, "1.2.0/001_bad.py"], ["nonsense"], ["--help"], ["status", "--help"]):
            yield args

    def test_sentences_are_broken_at_blanks(self):
        for width in (40, 80):
            for args in self.screens():
                with self.subTest(width=width, args=args):
                    terminal = Terminal(self.home, "migrate", *args, width=width)
                    if args[0:1] == ["mark"]:
                        terminal.wait_for("go on").type("n\n")
                    # What python said is as it is.
                    for line in re.sub(r"(?m)^  Traceback.*\n(  .*\n)*", "", terminal.finish().plain()).splitlines():
                        # A path, an id or a command is left whole, and so is what a script said, and code.
                        widest = max(map(columns, line.split()), default=0)
                        indent = 20 if args[0:1] == ["doctor"] and width == 80 else 7
                        is_whole = "telec migrate " in line or line.startswith(("  | ", "        ", "log: ")) or \
                            widest + indent > width and columns(line) <= widest + 20
                        self.assertTrue(is_whole or columns(line) <= width, line)

    def test_what_needs_attention_fits_40_columns(self):
        self.home.add_all(ONE, TWO)
        self.home.migrate("--only", ONE)
        self.home.add(ONE, script("pass"))
        lines = Terminal(self.home, "migrate", "status", "-q", width=40).finish().plain().splitlines()
        self.assertRegex(lines[0], rf"^{ONE} +applied$")
        self.assertEqual(lines[1], "  script changed")
        self.assertRegex(lines[2], r"^1\.1\.0/002_\w+\.\.\.\w+\.py  pending$")
        self.assertLessEqual(columns(lines[2]), 40)

    def test_a_run_and_its_log_at_40_columns(self):
        self.home.add_all(ONE, TWO)
        lines = Terminal(self.home, "migrate", width=40).finish().plain().splitlines()
        self.assertRegex(lines[0], rf"^applied  {ONE}  \d\.\d{{3}} s$")
        self.assertRegex(lines[1], r"^applied  1\.1\.0/002_\w+\.\.\.\w+\.py$")
        lines = Terminal(self.home, "migrate", "log", width=40).finish().plain().splitlines()
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  applied  \d\.\d{3} s$")
        self.assertRegex(lines[1], r"^  1\.1\.0/002_\w+\.\.\.\w+\.py$")
        self.assertEqual(lines[3], f"  {ONE}")

    def test_the_help_fits_80_columns_also_where_there_is_no_terminal(self):
        for words in (["help"], ["help", "migrate"], ["help", "lint"], ["help", "mark"]):
            for line in self.home.run(*words).out.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_without_a_terminal_no_sentence_is_broken(self):
        self.home.add_all(ONE)
        self.home.add("1.1.0/1_near_miss.py", "")
        self.assertEqual(len(self.home.migrate("status").err.splitlines()), 1)


class Live(Case):
    def test_one_line_says_position_id_time_last_output_and_silence(self):
        self.home.add(ONE, script("print('converted 12 of 400', flush=True)\ntime.sleep(5)"))
        terminal = Terminal(self.home, "migrate", width=200).finish()
        self.assertEqual(terminal.code, 0, terminal.text)
        lines = terminal.live_lines()
        self.assertRegex(lines[0], rf"^\[1/1\] {ONE}  0 s$")
        self.assertRegex(lines[-1], rf"^\[1/1\] {ONE}  ([4-9]|\d\d) s, silent for ([3-9]|\d\d) s \| converted 12 of 400$")
        self.assertRegex(terminal.plain(), rf"applied +{ONE} .*\ndone: 1 migration, 1 applied\n$")

    def test_it_never_fills_40_columns_also_with_wide_characters(self):
        self.home.add(TWO, script("print('\\u65e5\\u672c\\u8a9e\\u306e\\u9577\\u3044\\u884c e\\u0301' * 8, flush=True)\ntime.sleep(1.2)"))
        for width in (40, 200):
            with self.subTest(width=width):
                terminal = Terminal(self.home, "migrate", width=width).finish()
                lines = terminal.live_lines()
                self.assertTrue(lines)
                for line in lines:
                    self.assertLessEqual(columns(line), width - 3, line)  # the terminal shows a Ctrl-C as ^C
                if width == 200:
                    self.assertTrue(any("\u65e5\u672c\u8a9e" in line for line in lines))
            os.rmdir(self.home.home / "done")
            self.home.state_file.unlink()

    def test_a_tab_or_a_progress_bar_does_not_break_the_line(self):
        self.home.add(ONE, script("print('a\\tb\\tc\\td\\te\\tf', flush=True)\ntime.sleep(3)\n"
                                  "print('10%\\r20%\\r30%', end='', flush=True)\ntime.sleep(3)"))
        terminal = Terminal(self.home, "migrate", width=60).finish()
        lines = terminal.live_lines()
        self.assertNotIn("\t", terminal.text)
        self.assertTrue(any(line.endswith("| a b c d e f") for line in lines), lines)
        self.assertTrue(any(line.endswith("| 30%") for line in lines), lines)

    def test_the_line_follows_the_size_of_the_terminal(self):
        self.home.add(TWO, script("print('x' * 300, flush=True)\ntime.sleep(4)"))
        terminal = Terminal(self.home, "migrate", width=200).wait_for(r"\| x{80}")
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        seen = len(terminal.text)
        terminal.finish()
        lines = [piece for piece in re.split(r"\r\x1b\[K|\r\n", terminal.text[seen:]) if re.match(r"\[\d+/\d+\] ", piece)]
        self.assertTrue(lines)
        self.assertTrue(all(columns(line) < 40 for line in lines[2:]), lines)

    def test_what_a_script_prints_cannot_steer_the_terminal(self):
        self.home.add(ONE, script("print('\\x1b[2Jgone\\x07', flush=True)\ntime.sleep(1.2)"))
        terminal = Terminal(self.home, "migrate", width=200).finish()
        self.assertNotIn("\x1b[2J", terminal.text)
        self.assertTrue(any(r"\x1b[2Jgone\x07" in line for line in terminal.live_lines()))

    def test_nothing_of_it_without_a_terminal_or_with_a_dumb_one_or_quiet(self):
        self.home.add(ONE, script("time.sleep(0.7)"))
        self.assertEqual(self.home.migrate(env={"TERM": "xterm"}).err, "")
        for args, env in (([], {"TERM": "dumb"}), (["-q"], {})):
            os.rmdir(self.home.home / "done")
            self.home.state_file.unlink()
            terminal = Terminal(self.home, "migrate", *args, env=env).finish()
            self.assertNotIn("[1/1]", terminal.text)
            self.assertNotIn("\x1b", terminal.text)

    def test_ctrl_c_answers_at_once_with_what_it_waits_for(self):
        self.home.add(ONE, script("print('busy', flush=True)\ntime.sleep(15)"))
        terminal = Terminal(self.home, "migrate", width=200).wait_for("busy|0 s, |1 s")
        self.assertTrue(telec.wait_until(lambda: terminal.read(0.1) and "busy" in terminal.text))
        begin = time.monotonic()
        terminal.type("\x03")
        terminal.wait_for(rf"note:.* SIGINT: finishing {ONE} \(for \d+ s now, 10 min at the most\), then stopping; once more to stop it now")
        self.assertLess(time.monotonic() - begin, 10)
        terminal.finish()
        self.assertEqual(terminal.code, 0, terminal.text)
        self.assertEqual(self.home.applied(), [ONE])

    def test_a_second_ctrl_c_ends_it_now(self):
        self.home.add(ONE, script("print('busy', flush=True)\ntime.sleep(60)"))
        terminal = Terminal(self.home, "migrate", width=200).wait_for("busy")
        terminal.type("\x03")
        terminal.wait_for("once more")
        telec.wait_as_a_person_does()
        terminal.type("\x03")
        terminal.wait_for(f"SIGINT again: ending {ONE} now")
        self.assertEqual(terminal.finish().code, 130)
        self.assertEqual(self.home.applied(), [])

    def test_ctrl_c_is_answered_with_q_too_and_where_stderr_is_no_terminal_it_is_not(self):
        self.home.add(ONE, script("os.mkdir('busy')\ntime.sleep(8)"))
        busy = self.home.home / "busy"
        terminal = Terminal(self.home, "migrate", "-q")
        self.assertTrue(telec.wait_until(busy.exists))
        terminal.type("\x03")
        terminal.wait_for(rf"note:.* SIGINT: finishing {ONE} ")
        self.assertEqual(terminal.finish().code, 0, terminal.text)
        self.assertEqual(self.home.applied(), [ONE])
        self.home.state_file.unlink()
        os.rmdir(self.home.home / "done")
        os.rmdir(busy)
        process = self.home.start("migrate", "-q")
        self.assertTrue(telec.wait_until(busy.exists))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=60), (b"", b""))

    def test_ctrl_c_while_it_waits_for_another_run_answers_at_once(self):
        self.home.add(ONE, script("print('busy', flush=True)\ntime.sleep(60)"))
        holder = self.home.start("migrate")
        self.addCleanup(holder.communicate)
        self.addCleanup(holder.kill)
        self.assertTrue(telec.wait_until(lambda: self.home.lock_file.exists() and ONE in self.home.lock_file.read_text()))
        for args in ([], ["verify", "--recheck"], ["forget", ONE, "--yes"], ["mark", ONE, "--yes"]):
            if args[0:1] == ["forget"]:
                self.home.write_state({"applied": [ONE]})
            elif args:
                self.home.state_file.unlink(missing_ok=True)
            with self.subTest(args=args):
                terminal = Terminal(self.home, "migrate", *args, width=200).wait_for(rf"waiting for the lock, held by process {holder.pid}")
                terminal.type("\x03")
                self.assertEqual(terminal.finish().code, 130, terminal.text)
                self.assertIn("while waiting for the lock", terminal.text)

    def recheck_that_is_busy(self, seconds):
        self.home.add(ONE, f"import time\nprint('busy', flush=True)\ntime.sleep({seconds})\n\n\ndef check():\n    return True\n\n\n"
                           "def migrate():\n    return True\n")
        self.home.add(TWO, script("pass"))
        terminal = Terminal(self.home, "migrate", "verify", "--recheck", width=200).wait_for(r"\| busy")
        terminal.type("\x03")
        return terminal.wait_for(rf"SIGINT: finishing {ONE} ")

    def test_ctrl_c_during_a_recheck_answers_and_changes_nothing(self):
        terminal = self.recheck_that_is_busy(8)
        self.assertEqual(terminal.finish().code, 130)
        self.assertIn(f"stopped by SIGINT before {TWO}", terminal.text)
        self.assertIsNone(self.home.state())

    def test_a_second_ctrl_c_ends_a_recheck_and_its_python_at_once(self):
        terminal = self.recheck_that_is_busy(300)
        telec.wait_as_a_person_does()
        terminal.type("\x03")
        self.assertEqual(terminal.finish().code, 130)
        self.assertIn("stopped by SIGINT", terminal.text)
        self.assertIn("nothing was changed", terminal.text)
        self.assertRegex(terminal.plain(), rf"\nnot reached +{TWO}\n")
        self.assertIsNone(self.home.state())


class Colours(Case):
    def test_only_on_a_terminal_and_not_where_they_are_unwanted(self):
        self.home.add_all(ONE)
        self.assertIn("\x1b[33m", Terminal(self.home, "migrate", "status").finish().text)
        for args, env in (([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["--color", "never"], {})):
            with self.subTest(args=args, env=env):
                self.assertNotIn("\x1b", Terminal(self.home, "migrate", "status", *args, env=env).finish().text)
        self.assertNotIn("\x1b", self.home.run("migrate", "status", env={"TERM": "xterm"}).out)
        self.assertIn("\x1b[33m", self.home.run("migrate", "status", "--color", "always").out)


class Questions(Case):
    def test_yes_goes_on_and_anything_else_changes_nothing(self):
        self.home.add_all(ONE)
        self.home.migrate()
        for answer in ("n\n", "\n", "\x04", "  \n", "yess\n", "y n\n"):
            terminal = Terminal(self.home, "migrate", "forget", ONE).wait_for(r"go on\? \[y/N\] ")
            terminal.type(answer)
            self.assertEqual(terminal.finish().code, 130, terminal.text)
            # On a line of its own, also where the answer did not end one.
            self.assertRegex(terminal.plain(), r"\[y/N\] (n|  |yess|y n)?(\^D..)?\ntelec: error: not confirmed\nhint: nothing was changed\n$")
            self.assertEqual(self.home.applied(), [ONE])
        for answer in ("y\n", "Y\n", "yes\n", "YES\n", " y \t\n", "Yes \n"):
            terminal = Terminal(self.home, "migrate", "forget", ONE).wait_for(r"go on\? \[y/N\] ")
            self.assertIn(f"will take back the records of {ONE}", terminal.text)
            terminal.type(answer)
            self.assertEqual(terminal.finish().code, 0)
            self.assertEqual(self.home.applied(), [])
            self.home.migrate()

    def test_mark_and_rebuild_ask_too_and_say_what_they_will_do(self):
        self.home.add(ONE, "def check():\n    return True\n\n\ndef migrate():\n    return True\n")
        ask = r"go on\? \[y/N\] "
        for answer, code, applied in (("n\n", 130, []), ("yes\n", 0, [ONE])):
            terminal = Terminal(self.home, "migrate", "mark", ONE, width=200).wait_for(ask)
            self.assertIn(f"will run check() and, where it is True, record: {ONE}", terminal.text)
            terminal.type(answer)
            self.assertEqual((terminal.finish().code, self.home.applied()), (code, applied), terminal.text)
        self.home.write_state(b"{")
        for answer, code in (("n\n", 130), ("y\n", 0)):
            terminal = Terminal(self.home, "migrate", "rebuild", width=200).wait_for(ask)
            self.assertIn("cannot trust the state file", terminal.text)
            self.assertIn("will run check() of 1 migration and record those that are True; the file that is there is kept beside it", terminal.text)
            self.assertEqual(self.home.state_file.read_bytes(), b"{")
            terminal.type(answer)
            self.assertEqual(terminal.finish().code, code, terminal.text)
        self.assertEqual(self.home.applied(), [ONE])

    def test_with_yes_nothing_is_asked(self):
        self.home.add_all(ONE)
        self.home.migrate()
        terminal = Terminal(self.home, "migrate", "forget", ONE, "--yes").finish()
        self.assertEqual((terminal.code, self.home.applied()), (0, []))
        self.assertNotIn("go on?", terminal.text)

    def test_ctrl_c_at_the_question_changes_nothing_and_says_so(self):
        self.home.add_all(ONE)
        self.home.migrate()
        for typed in ("\x03", "y\x03"):
            terminal = Terminal(self.home, "migrate", "forget", ONE).wait_for(r"go on\? \[y/N\] ")
            terminal.type(typed)
            self.assertEqual(terminal.finish().code, 130, terminal.text)
            # What is said begins a line of its own, below the ^C.
            self.assertRegex(terminal.plain(), r"\^C\ntelec: error: not confirmed\nhint: nothing was changed\n$")
            self.assertEqual(self.home.applied(), [ONE])

    def test_a_terminal_that_hangs_up_at_the_question_changes_nothing(self):
        self.home.add_all(ONE)
        self.home.migrate()
        terminal = Terminal(self.home, "migrate", "forget", ONE).wait_for(r"go on\? \[y/N\] ")
        os.close(terminal.fd)
        code = os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])
        self.assertIn(code, (129, 130))
        self.assertEqual(self.home.applied(), [ONE])

    def test_with_json_nothing_is_asked(self):
        self.home.add_all(ONE)
        self.home.migrate()
        terminal = Terminal(self.home, "migrate", "forget", ONE, "--json").finish()
        self.assertEqual(terminal.code, 2)
        self.assertNotIn("go on?", terminal.text)


if __name__ == "__main__":
    telec.main("terminal")
