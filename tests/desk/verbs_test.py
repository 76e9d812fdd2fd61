#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each command beside `migrate` itself: what it prints, what it changes, and how it exits."""

import fcntl
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

ONE, TWO, THREE = "1.1.0/001_one.py", "1.1.0/002_two.py", "1.2.0/001_three.py"
FAILING = "def check():\n    return False\n\n\ndef migrate():\n    print('half way')\n    raise ValueError('no colour')\n"
ABSENT = "def check():\n    return False\n\n\ndef migrate():\n    return True\n"
PRESENT = "def check():\n    return True\n\n\ndef migrate():\n    return True\n"
BROKEN = "def check():\n    print('looked around')\n    raise OSError('gone')\n\n\ndef migrate():\n    return True\n"
# A check() that says so when it has begun, and is True when the file `go` is there.
WAITS = '''\
import os, time

HOME = os.environ["HOME"]


def check():
    open(os.path.join(HOME, "running"), "w").close()
    end = time.monotonic() + 60
    while not os.path.exists(os.path.join(HOME, "go")):
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def migrate():
    return True
'''


class Case(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def run_ok(self, *args, code=0, **options):
        result = self.home.run("migrate", *args, **options)
        self.assertEqual(result.code, code, result)
        return result

    def attempts_file(self):
        return self.home.logs / "attempts.jsonl"

    def run_while_another(self, change, *args, code=0):
        """telec migrate ARGS, which meets a lock; `change` is made by its holder, who then lets go of it."""
        with open(self.home.lock_file, "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = self.home.start("migrate", *args)
            said = b""
            while b"waiting for the lock" not in said:
                line = process.stderr.readline()
                self.assertTrue(line, said)
                said += line
            change()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, said + err)
        return telec.Result(process.returncode, out.decode(), (said + err).decode(), 0)


class Status(Case):
    def test_the_table_has_id_state_when_and_how_long(self):
        self.home.add_all(ONE, TWO)
        self.run_ok("--only", ONE)
        lines = self.run_ok("status").out.splitlines()
        self.assertEqual(lines[0].split(), ["ID", "STATE", "WHEN", "TOOK"])
        self.assertRegex(lines[1], rf"^{ONE}  applied  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ  \d+\.\d{{3}} s$")
        self.assertEqual(lines[2], f"{TWO}  pending")
        self.assertEqual(lines[3], "2 migrations: 1 recorded, 1 pending")

    def test_it_says_what_differs(self):
        self.home.add_all(ONE, TWO, THREE)
        self.run_ok()
        self.home.add(ONE, ABSENT)
        (self.home.tree / "v1.1.0" / "002_two.py").unlink()
        self.home.add("1.1.0/003_late.py")
        out = self.run_ok("status").out
        self.assertRegex(out, rf"{ONE} .*  script changed\n")
        self.assertRegex(out, rf"{TWO} .*  script gone\n")
        self.assertRegex(out, r"1\.1\.0/003_late\.py   pending +late\n")
        self.assertIn("4 migrations: 3 recorded, 1 pending, 1 changed since, 1 without a script, 1 late, 1 problem\n", out)

    def test_other_line_ends_and_a_bom_are_no_change(self):
        path = self.home.add(ONE)
        self.run_ok()
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        self.assertNotIn("changed", self.run_ok("status").out)
        path.write_bytes(path.read_bytes() + b"# more\r\n")
        self.assertIn("script changed", self.run_ok("status").out)

    def test_how_long_is_nothing_where_it_is_not_recorded(self):
        self.home.add_all(ONE)
        self.home.write_state({"applied": [ONE], "history": [{"id": ONE, "outcome": "applied"}]})
        self.assertEqual(self.run_ok("status").out.splitlines()[:2], [f"{'ID':16}  STATE", f"{ONE}  applied"])
        self.assertIsNone(self.run_ok("status", "--json").document["migrations"][0]["seconds"])
        self.assertEqual(self.run_ok("log").out, f"(time unknown)        applied          {ONE}\n")

    def test_one_that_arrived_late_and_ran_is_out_of_order(self):
        self.home.add_all(ONE, THREE)
        self.run_ok()
        self.home.add(TWO)
        self.run_ok()
        self.assertRegex(self.run_ok("status").out, rf"{TWO} .*  ran out of order\n")
        self.assertEqual([entry["id"] for entry in self.run_ok("status", "--json").document["migrations"]
                          if entry["out_of_order"]], [TWO])

    def test_quiet_is_empty_when_all_is_well_and_names_what_is_not(self):
        self.home.add_all(ONE)
        self.run_ok()
        result = self.run_ok("status", "-q")
        self.assertEqual((result.out, result.err), ("", ""))
        self.home.add(TWO)
        self.assertEqual(self.run_ok("status", "-q").out, f"{TWO}  pending\n")

    def test_pending_and_applied_are_filters(self):
        self.home.add_all(ONE, TWO)
        self.run_ok("--only", ONE)
        self.assertEqual(self.run_ok("status", "--pending", "--json").states(), {TWO: "pending"})
        self.assertEqual(self.run_ok("status", "--applied", "--json").states(), {ONE: "recorded"})
        for args, code in ((["--pending"], 0), (["--applied"], 0), (["--applied", "--check"], 3)):
            self.assertTrue(self.run_ok("status", *args, code=code).out.endswith("\n2 migrations: 1 recorded, 1 pending\n"))
        (self.home.tree / "v1.1.0" / "001_one.py").unlink()
        self.assertTrue(self.run_ok("status", "--pending").out.endswith("\n2 migrations: 1 recorded, 1 pending\n"))
        self.assertIn("contradict", self.run_ok("status", "--applied", "--pending", code=2).err)

    def test_check_looks_at_everything_also_with_a_filter(self):
        self.home.add_all(ONE)
        self.run_ok("status", "--check", "--applied", code=3)
        self.run_ok()
        self.run_ok("status", "--check", "--pending")


class Log(Case):
    def test_attempts_are_listed_newest_first_the_failed_ones_too(self):
        self.home.add_all(ONE)
        self.home.add(TWO, FAILING)
        self.run_ok(code=1)
        self.home.add(TWO, PRESENT)
        self.run_ok()
        attempts = self.run_ok("log", "--json").document["attempts"]
        self.assertEqual([(a["id"], a["outcome"]) for a in attempts],
                         [(TWO, "already_present"), (TWO, "failed"), (ONE, "applied")])
        failed = attempts[1]
        self.assertEqual(failed["stage"], "migrate")
        self.assertIn("no colour", failed["message"])
        for key in ("at", "sha256", "python", "telec", "user", "host", "log"):
            self.assertTrue(failed[key], key)
        self.assertNotEqual(failed["sha256"], attempts[0]["sha256"])

    def test_log_of_one_shows_its_last_output(self):
        self.home.add(ONE, FAILING)
        self.run_ok(code=1)
        out = self.run_ok("log", ONE).out
        self.assertIn("  | half way\n", out)
        self.assertIn("by ", out)

    def test_a_file_of_attempts_that_cannot_be_read_is_named_and_a_log_that_cannot_is_told_as_gone(self):
        self.home.add(ONE, FAILING)
        self.run_ok(code=1)
        attempt = json.loads(self.attempts_file().read_text())
        attempt["log"] = "x" * 300
        self.attempts_file().write_text(json.dumps(attempt) + "\n")
        self.assertIn("failed", self.run_ok("log", ONE).out)
        older = self.home.logs / "attempts.jsonl.1"
        older.symlink_to("nowhere")
        self.assertIn(f"cannot read the log '{older}'", self.run_ok("log", code=74).err)

    def test_an_unknown_id_suggests_the_nearest(self):
        self.home.add_all(ONE)
        self.run_ok()
        for typed in ("1.1.0/001_on.py", "001_one", "1.1.0/001"):
            self.assertIn(f"did you mean '{ONE}'?", self.run_ok("log", typed, code=2).err)
        self.assertIn("'telec migrate log' lists the attempts", self.run_ok("log", "1.1.0/009_x.py", code=2).err)

    def test_one_that_is_pending_was_never_tried(self):
        self.home.add_all(ONE, TWO)
        self.run_ok("--only", ONE)
        self.assertEqual(self.run_ok("log", TWO).out, f"{TWO} is pending, and was never tried\n")
        document = self.run_ok("log", TWO, "--json").document
        self.assertEqual((document["ok"], document["attempts"], document["output"]), (True, [], None))
        self.assertIn(f"did you mean '{TWO}'?", self.run_ok("log", "1.1.0/002_tow.py", code=2).err)

    def test_records_without_an_attempt_are_shown_too(self):
        self.home.write_state({"applied": [ONE]})
        self.assertEqual(self.run_ok("log", ONE).out, f"(time unknown)        recorded         {ONE}\n"
                                                      f"what {ONE} printed is not known: only its record is kept\n")
        self.assertEqual([(a["id"], a["outcome"]) for a in self.run_ok("log", "--json").document["attempts"]], [(ONE, "recorded")])

    def test_the_file_is_bounded(self):
        self.home.add(ONE, FAILING)
        self.home.logs.mkdir(parents=True, mode=0o700)
        self.home.data.chmod(0o700)
        self.attempts_file().write_bytes(b"x" * (1024 * 1024) + b"\n")
        self.run_ok(code=1)
        self.run_ok(code=1)
        self.assertEqual(len(self.attempts_file().read_text().splitlines()), 2)
        self.assertEqual((self.home.logs / "attempts.jsonl.1").stat().st_size, 1024 * 1024 + 1)
        self.assertEqual(len(self.run_ok("log", "--json").document["attempts"]), 2)

    def test_a_file_that_cannot_be_written_is_noted_and_nothing_else(self):
        self.home.add_all(ONE)
        self.home.logs.mkdir(parents=True, mode=0o700)
        self.home.data.chmod(0o700)
        self.attempts_file().mkdir()
        result = self.run_ok()
        self.assertIn("attempts.jsonl", result.err)
        self.assertEqual(self.home.applied(), [ONE])

    def test_what_is_in_the_way_of_the_logs_is_noted_and_the_run_commits(self):
        elsewhere = self.home.path / "elsewhere"
        elsewhere.mkdir()

        def file():
            self.home.logs.write_text("mine")

        def link():
            self.home.logs.symlink_to(elsewhere)
        self.home.data.mkdir(mode=0o700)
        for put_in_the_way in (file, link):
            with self.subTest(put_in_the_way.__name__):
                put_in_the_way()
                self.home.add(ONE, "print('a word')\n" + PRESENT)
                result = self.run_ok()
                self.assertRegex(result.err, r"^telec: note: no logs are kept: cannot open the directory '.*/migration_logs': .*\n$")
                self.assertEqual(self.home.applied(), [ONE])
                self.assertEqual(list(elsewhere.iterdir()), [])
                result = self.run_ok("forget", ONE, "--yes")
                self.assertIn("no logs are kept", result.err)
                self.assertEqual(self.home.applied(), [])
                reason = "it is a symbolic link" if put_in_the_way is link else "Not a directory"
                self.assertIn(f"cannot open the directory '{self.home.logs}': {reason}", self.run_ok("log", code=74).err)
                self.home.logs.unlink()

    def test_a_directory_that_cannot_be_written_is_in_nobodys_way(self):
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("root may write everywhere, and there is no setpriv to become somebody else")
            shutil.chown(self.home.path, 65534, 65534)
            shutil.chown(self.home.home, 65534, 65534)
        self.home.add(ONE, "print('a word')\n" + PRESENT)
        self.home.logs.mkdir(parents=True, mode=0o500)
        self.home.data.chmod(0o700)
        command = [telec.binary(), "migrate"]
        if os.geteuid() == 0:
            for path in (self.home.data, self.home.logs):
                shutil.chown(path, 65534, 65534)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        result = subprocess.run(command, env=self.home.environment(**telec.WITHOUT_LEAK_CHECK), capture_output=True, text=True, timeout=60, cwd=self.home.home)
        if result.returncode != 0 and "cannot open" in result.stderr and str(telec.ROOT) in result.stderr:
            self.skipTest("the program cannot be reached by another user")
        self.assertEqual((result.returncode, self.home.applied()), (0, [ONE]), result)
        self.assertIn("cannot write", result.stderr)

    def test_logs_leave_the_last_of_a_file_system_to_the_records(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        place = self.home.path / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900k,mode=700", "tmpfs", place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=False)
        state = place / "data" / "state.json"
        chatty = "import sys\nsys.stdout.write('x' * 80 * 20000)\nsys.stdout.flush()\n"
        ids = [f"1.1.0/{number:03}_x.py" for number in range(1, 6)]
        for id in ids:
            self.home.add(id, chatty + PRESENT)
        result = self.run_ok("--state-file", state)
        self.assertIn("nearly full", result.err)
        self.assertEqual(json.loads(state.read_text())["applied"], ids)
        self.assertEqual(list((place / "data" / "migration_logs").iterdir()), [])

    def test_one_log_is_bounded_whatever_is_printed(self):
        self.home.add(ONE, "print('first')\nfor i in range(200000):\n    print('x' * 60)\nprint('last')\n" + PRESENT)
        self.run_ok()
        log, = self.home.logs.glob("*.log")
        self.assertLess(log.stat().st_size, 257 * 1024)
        out = self.run_ok("log", ONE).out
        self.assertIn("  | first\n", out)
        self.assertIn("  | last\n", out)
        self.assertRegex(out, r"  \| # \d+ bytes cut here\n")

    def test_a_change_by_hand_does_not_hide_what_the_last_attempt_printed(self):
        self.home.add(ONE, FAILING)
        self.run_ok(code=1)
        self.run_ok("mark", ONE, "--yes", "--force", "--reason", "done by hand")
        out = self.run_ok("log", ONE).out
        self.assertRegex(out, r"^\S+ \S+  marked ")
        self.assertIn("    done by hand\n", out)
        self.assertIn("  | half way\n", out)

    def test_nothing_printed_and_a_log_that_is_gone_are_told_apart(self):
        self.home.add(ONE, PRESENT)
        self.home.add(TWO, FAILING)
        self.run_ok(code=1)
        self.assertIn(f"the last attempt of {ONE} printed nothing\n", self.run_ok("log", ONE).out)
        for log in self.home.logs.glob("*.log"):
            log.unlink()
        self.assertIn(f"the log of the last attempt of {TWO} is no longer kept\n", self.run_ok("log", TWO).out)

    def test_nothing_tried_yet_says_so(self):
        self.assertEqual(self.run_ok("log").out, "no attempts\n")
        self.assertFalse(self.home.data.exists())

    def test_a_line_that_was_cut_short_spoils_no_other(self):
        self.home.add(ONE, FAILING)
        self.run_ok(code=1)
        self.attempts_file().write_bytes(self.attempts_file().read_bytes() + b'{"id": "1.1.0/0')
        self.run_ok(code=1)
        self.assertEqual(len(self.run_ok("log", "--json").document["attempts"]), 2)


class Verify(Case):
    def rules(self, *args, code):
        return {(f["path"][1:], f["rule"]) for f in self.run_ok("verify", "--json", *args, code=code).document["findings"]}

    def test_changed_and_gone_scripts_are_findings(self):
        self.home.add_all(ONE, TWO, THREE)
        self.run_ok()
        self.run_ok("verify")
        self.home.add(ONE, PRESENT)
        (self.home.tree / "v1.1.0" / "002_two.py").unlink()
        self.assertEqual(self.rules(code=4), {(ONE, "script_changed"), (TWO, "script_gone")})
        self.assertEqual(self.rules("--from", "1.2.0", "--to", "1.2.0", code=0), set())

    def test_recheck_prints_recorded_against_true(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        os.unlink(self.home.home / "effects" / TWO.replace("/", "_"))
        self.home.add("1.3.0/001_there.py", PRESENT)
        self.home.add("1.3.0/002_not.py", ABSENT)
        self.home.add("1.3.0/003_broken.py", BROKEN)
        result = self.run_ok("verify", "--recheck", "--json", code=4)
        self.assertEqual(result.states(), {ONE: "ok", TWO: "regressed", "1.3.0/001_there.py": "unrecorded",
                                           "1.3.0/002_not.py": "pending", "1.3.0/003_broken.py": "failed"})
        self.assertEqual({f["rule"] for f in result.document["findings"]}, {"regressed", "unrecorded", "check_failed"})

    def test_recheck_compares_with_what_is_recorded_when_it_has_the_lock(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        state = self.home.state_file.read_bytes()
        self.home.write_state({"applied": [ONE]})
        out = self.run_while_another(lambda: self.home.state_file.write_bytes(state), "verify", "--recheck").out
        self.assertIn("2 migrations: 2 ok, 0 pending; no findings\n", out)

    def test_findings_come_in_the_order_of_the_paths_and_each_says_what_to_do(self):
        self.home.add_all(ONE, TWO, THREE)
        self.run_ok()
        self.home.add(THREE, PRESENT)
        os.unlink(self.home.home / "effects" / ONE.replace("/", "_"))
        lines = self.run_ok("verify", "--recheck", code=4).out.splitlines()
        self.assertRegex(lines[3], rf"^v{ONE}: regressed: recorded on \S+, and check\(\) is False now$")
        self.assertIn(f"telec migrate --rerun {ONE}", lines[4])
        self.assertTrue(lines[5].startswith(f"v{THREE}: script_changed: "))
        self.assertEqual(lines[7], "3 migrations: 2 ok, 0 pending, 1 regressed; 2 findings")

    def test_records_of_the_older_runner_have_no_digest_to_compare(self):
        self.home.add_all(ONE, TWO)
        self.home.write_state({"applied": [ONE]})
        self.run_ok()
        self.assertEqual(self.run_ok("verify").out, "2 recorded migrations: no findings; 1 recorded without a digest, so not compared\n")

    def test_recheck_runs_no_migrate_and_changes_nothing(self):
        self.home.add_all(ONE, TWO)
        self.run_ok("--only", ONE)
        os.unlink(self.home.home / "effects" / ONE.replace("/", "_"))

        def files():
            return {str(path): path.read_bytes() for path in self.home.home.rglob("*") if path.is_file()}
        before = files()
        self.run_ok("verify", "--recheck", code=4)
        self.assertEqual(files(), before)

    def test_quiet_is_empty_without_findings_and_has_each_finding(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        result = self.run_ok("verify", "--recheck", "-q")
        self.assertEqual((result.out, result.err), ("", ""))
        self.home.add(ONE, PRESENT)
        self.assertRegex(self.run_ok("verify", "-q", code=4).out, rf"^v{ONE}: script_changed: .*\n    if the change .*\n$")
        self.assertEqual(len(self.run_ok("verify", "-q", "--json", code=4).document["findings"]), 1)

    def test_what_starts_and_is_no_python_ends_a_recheck_and_a_mark(self):
        self.home.add_all(ONE, TWO)
        result = self.run_ok("verify", "--recheck", "--python", "/bin/true", "--json", code=69)
        self.assertEqual(result.states(), {ONE: "not_reached", TWO: "not_reached"})
        self.assertEqual(result.document["error"]["code"], "no_python")
        for verb in (["verify", "--recheck"], ["mark", ONE, "--yes"]):
            result = self.run_ok(*verb, "--python", "/bin/true", code=69)
            self.assertIn("telec: error: python exited with status 0 before it could load anything\nhint: name a working interpreter", result.err)
        self.assertIsNone(self.home.state())

    def test_what_is_unrecorded_is_recorded_as_the_hint_says(self):
        self.home.add(ONE, PRESENT)
        hint = f"    'telec migrate' records it as already present; to record it alone, as marked: telec migrate mark {ONE}\n"
        self.assertIn(hint, self.run_ok("verify", "--recheck", code=4).out)
        for args, outcome in ((["mark", ONE, "--yes"], "marked"), ([], "already_present")):
            self.run_ok(*args)
            self.assertEqual(self.home.state()["history"][0]["outcome"], outcome)
            self.home.state_file.unlink()

    def test_what_a_check_printed_that_gave_no_answer_is_shown(self):
        self.home.add(ONE, BROKEN)
        self.home.add(TWO, PRESENT.replace("    return", "    print('all is well')\n    return", 1))
        shown = f"the last that {ONE} printed:\n  | looked around\n"
        for verb, code in ((["verify", "--recheck"], 4), (["rebuild", "--yes"], 0)):
            for args in ([], ["--json"]):
                result = self.run_ok(*verb, *args, code=code)
                self.assertIn(shown, result.err)
                self.assertNotIn("all is well", result.err)
                if verb[0] == "rebuild":
                    self.home.state_file.unlink()
        err = self.run_ok("verify", "--recheck", "-v", code=4).err
        self.assertEqual((err.count("looked around"), err.count("all is well")), (1, 1))
        self.assertEqual(self.run_ok("verify", "--recheck", "-q", code=4).err, "")

    def test_what_gave_no_answer_is_to_be_mended_where_it_failed(self):
        self.home.add(ONE, BROKEN)
        self.home.add(TWO, "def check():\n    return True\n")
        findings = self.run_ok("verify", "--recheck", "--json", code=4).document["findings"]
        self.assertEqual([finding["hint"] for finding in findings],
                         ["mend its check(): it is to look, and to answer True or False", "mend what it complains of"])

    def test_recheck_of_a_new_home_creates_nothing(self):
        self.home.add_all(ONE)
        self.run_ok("verify", "--recheck")
        self.assertFalse(self.home.data.exists())


class New(Case):
    def test_it_writes_the_next_number_and_prints_the_path(self):
        self.home.add_all(ONE, TWO)
        result = self.run_ok("new", "Rename the config key!")
        path = self.home.tree / "v1.1.0" / "003_rename_the_config_key.py"
        self.assertEqual(result.out, f"{path}\n")
        self.assertIn("Rename the config key!", path.read_text())
        self.assertIn("fill in", result.err)

    def test_what_it_writes_fails_when_it_is_run_and_lint_says_that_it_is_to_be_filled_in(self):
        self.run_ok("new", 'odd """ \\ name', "--version", "2.0.0")
        findings = self.run_ok("lint", "--json", code=4).document["findings"]
        self.assertEqual([finding["rule"] for finding in findings], ["not_filled_in"] * 2)
        self.assertIn("fill in check()", self.run_ok(code=1).err)

    def test_one_that_comes_before_what_is_there_is_noted(self):
        self.home.add_all(THREE)
        self.assertIn(f"it comes before '{THREE}'", self.run_ok("new", "x", "--version", "1.1.0").err)
        self.assertNotIn("it comes before", self.run_ok("new", "x", "--version", "1.2.0").err)

    def test_what_it_writes_is_for_others_as_the_umask_says_and_all_else_for_nobody(self):
        for umask, version, modes in ((0o022, "1.0.0", (0o755, 0o644)), (0o077, "1.1.0", (0o700, 0o600)), (0o000, "1.2.0", (0o775, 0o664))):
            self.run_ok("new", "x", "--version", version, umask=umask)
            path = self.home.tree / f"v{version}"
            self.assertEqual((path.stat().st_mode & 0o7777, (path / "001_x.py").stat().st_mode & 0o7777), modes)
        self.run_ok("--to", "1.1.0", code=1, umask=0)
        self.assertEqual([path for path in self.home.data.rglob("*") if path.stat().st_mode & 0o077], [])

    def test_an_existing_file_is_never_written_over(self):
        self.home.add_all(ONE)
        (self.home.tree / "v1.1.0" / "002_x.py").mkdir()
        result = self.home.run("migrate", "new", "x")
        self.assertNotEqual(result.code, 0, result)
        self.assertTrue((self.home.tree / "v1.1.0" / "002_x.py").is_dir())

    def test_an_empty_tree_needs_a_version_and_a_name_needs_a_letter(self):
        self.assertIn("--version", self.run_ok("new", "x", code=2).err)
        self.assertIn("file name", self.run_ok("new", "äöü", "--version", "1.0.0", code=2).err)
        self.assertIn("put the name in quotes", self.run_ok("new", "two", "words", code=2).err)
        self.home.add("1.1.0/999_last.py")
        self.assertIn("999", self.run_ok("new", "x", code=2).err)


class Mark(Case):
    def test_it_records_only_where_check_is_true(self):
        self.home.add(ONE, PRESENT)
        self.home.add(TWO, ABSENT)
        self.run_ok("mark", ONE, TWO, "--yes", code=1)
        self.assertEqual(self.home.applied(), [])
        self.run_ok("mark", ONE, "--yes")
        self.assertEqual(self.home.applied(), [ONE])
        record = self.home.state()["history"][0]
        self.assertEqual(record["outcome"], "marked")
        self.assertTrue(record["python"] and record["sha256"])

    def test_one_that_is_not_there_says_how_to_bring_it_about_and_one_that_fails_to_mend_it(self):
        self.home.add(ONE, ABSENT)
        self.home.add(TWO, BROKEN)
        result = self.run_ok("mark", ONE, "--yes", code=1)
        self.assertIn(f"'telec migrate --only {ONE}' brings it about", result.err)
        self.assertNotIn("the last that it printed", result.err)
        result = self.run_ok("mark", TWO, "--yes", code=1)
        self.assertIn("\nthe last that it printed:\n  | looked around\n", result.err)
        self.assertIn("nothing was recorded; mend its check()", result.err)
        self.assertNotIn("brings it about", result.err)
        path = self.home.add(THREE, "def check():\n    return True\n")
        self.assertIn(f"nothing was recorded; mend what it complains of (the script is '{path}')", self.run_ok("mark", THREE, "--yes", code=1).err)

    def test_one_that_is_not_recorded_leaves_all_and_each_is_listed(self):
        self.home.add(ONE, PRESENT)
        self.home.add(TWO, ABSENT)
        self.home.add(THREE, BROKEN)
        states = {ONE: "unrecorded", TWO: "pending", THREE: "failed"}
        self.assertEqual(self.run_ok("mark", ONE, TWO, THREE, "--yes", "--json", code=1).states(), states)
        lines = self.run_ok("mark", ONE, TWO, THREE, "--yes", code=1).out.splitlines()
        self.assertEqual([line.split()[:2] for line in lines], [[state, id] for id, state in states.items()])
        self.assertEqual(self.home.applied(), [])

    def test_one_that_hangs_timed_out(self):
        self.home.add(ONE, PRESENT)
        self.home.add(TWO, "import time\n" + PRESENT.replace("return", "time.sleep(600)\n    return", 1))
        args = ["mark", ONE, TWO, "--yes", "--timeout", "2"]
        result = self.run_ok(*args, code=1)
        self.assertIn(f"telec: error: {TWO} timed out at check: ", result.err)
        self.assertIn(f"if it needs longer: 'telec migrate mark --timeout 4 {ONE} {TWO}'; ", result.err)
        self.assertEqual(self.run_ok(*args, "--json", code=1).document["error"]["code"], "timeout")

    def test_force_needs_a_reason_and_keeps_it(self):
        self.home.add(TWO, ABSENT)
        self.assertIn("--reason", self.run_ok("mark", TWO, "--yes", "--force", code=2).err)
        self.run_ok("mark", TWO, "--yes", "--force", "--reason", "not used here")
        self.assertEqual(self.home.state()["history"][0]["reason"], "not used here")
        self.assertEqual(self.run_ok("log", "--json").document["attempts"][0]["message"], "not used here")

    def test_without_a_terminal_it_needs_yes_and_says_what_it_would_do(self):
        self.home.add(ONE, PRESENT)
        result = self.run_ok("mark", ONE, code=2)
        self.assertIn("will run check()", result.err)
        self.assertIn("--yes", result.err)
        self.assertIsNone(self.home.state())

    def test_what_another_recorded_while_it_waited_is_left(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        state, old = self.home.state_file.read_bytes(), self.home.old_file.read_bytes()
        self.home.write_state({"applied": [ONE]})
        result = self.run_while_another(lambda: self.home.state_file.write_bytes(state), "mark", "--yes", TWO)
        self.assertIn(f"{TWO} is recorded already", result.err)
        self.assertEqual(result.out, "nothing to mark\n")
        self.assertEqual((self.home.state_file.read_bytes(), self.home.old_file.read_bytes()), (state, old))

    def test_an_unknown_id_is_refused_and_a_recorded_one_is_left(self):
        self.home.add_all(ONE)
        self.assertNotIn("did you mean", self.run_ok("mark", "1.1.0/009_x.py", "--yes", code=2).err)
        self.run_ok()
        self.assertIn("recorded already", self.run_ok("mark", ONE, "--yes").err)


class Forget(Case):
    def test_it_takes_the_record_back_and_the_log_keeps_it(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        self.run_ok("forget", ONE, code=2)
        self.assertEqual(self.home.applied(), [ONE, TWO])
        self.run_ok("forget", ONE, "--yes", "--reason", "to try it again")
        self.assertEqual(self.home.applied(), [TWO])
        self.assertEqual([entry["id"] for entry in self.home.state()["history"]], [TWO])
        self.assertEqual(self.run_ok("log", "--json").document["attempts"][0]["outcome"], "forgotten")
        self.run_ok("forget", ONE, "--yes", code=2)

    def test_one_unknown_id_leaves_all(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.run_ok("forget", ONE, TWO, "--yes", code=2)
        # That is said before anything is asked.
        self.assertIn(f"{TWO} is not recorded", self.run_ok("forget", ONE, TWO, code=2).err)
        self.assertEqual(self.home.applied(), [ONE])

    def test_one_that_is_recorded_and_gone_is_never_taken_for_another(self):
        self.home.add_all(ONE)
        self.home.write_state({"applied": [ONE, TWO]})
        for words in (["--rerun", TWO], ["--only", TWO], ["mark", TWO, "--yes"]):
            result = self.run_ok(*words, code=2)
            self.assertIn(f"'{TWO}' is recorded, and its script is gone from the tree", result.err)
            self.assertIn(f"'telec migrate forget {TWO}'", result.err)
        self.run_ok("forget", TWO, "--yes")
        self.assertIn("'telec migrate status --applied' lists what is", self.run_ok("forget", TWO, "--yes", code=2).err)


class Rebuild(Case):
    def test_a_refused_state_is_written_anew_from_check_and_kept(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        old = self.home.old_file.read_bytes()
        self.home.write_state(b'{"applied": [')
        os.unlink(self.home.home / "effects" / TWO.replace("/", "_"))
        document = self.run_ok("rebuild", "--yes", "--json").document
        self.assertEqual(self.home.applied(), [ONE])
        self.assertEqual(pathlib.Path(document["kept"]).read_bytes(), b'{"applied": [')
        self.assertEqual(self.home.old_file.read_bytes(), old)
        self.assertEqual(self.home.effects(), {ONE.replace("/", "_"): 1})

    def test_what_was_damaged_while_it_waited_is_kept_and_told(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        old = self.home.old_file.read_bytes()
        self.home.state_file.unlink()
        result = self.run_while_another(lambda: self.home.write_state(b'{"applied": ['), "rebuild", "--yes", "--json")
        self.assertRegex(result.err, r"there is no state file(.|\n)*by now: cannot trust the state file")
        self.assertEqual(pathlib.Path(result.document["kept"]).read_bytes(), b'{"applied": [')
        self.assertEqual(self.home.old_file.read_bytes(), old)

    def test_what_is_gone_when_it_has_the_lock_is_not_kept(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.home.write_state(b'{"applied": [')
        result = self.run_while_another(self.home.state_file.unlink, "rebuild", "--yes", "--json")
        self.assertIn("the state file is gone by now", result.err)
        self.assertEqual(result.document["kept"], None)
        self.assertEqual(self.home.applied(), [ONE])

    def test_a_lost_state_is_written_anew(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.home.state_file.unlink()
        self.run_ok("rebuild", "--yes")
        self.assertEqual(self.home.applied(), [ONE])

    def test_a_lost_state_whose_older_generation_is_there_is_told_with_the_way_back(self):
        self.home.add_all(ONE, TWO)
        self.run_ok()
        self.home.state_file.unlink()
        told = f"there is no state file '{self.home.state_file}', but the generation before it is there"
        back = f"cp -p {self.home.old_file} {self.home.state_file}"
        for words in (["status"], ["-n"], []):
            result = self.run_ok(*words)
            self.assertIn(f"note: {told}", result.err)
            self.assertIn(back, result.err)
            self.home.state_file.unlink(missing_ok=True)
        self.assertIn(told, self.run_ok("status", "--json").document["notes"][0])
        result = self.run_ok("doctor", code=4)
        self.assertIn(told, result.out)
        self.assertIn(back, result.out)
        subprocess.run(["/bin/sh", "-c", back], check=True)
        self.assertEqual(self.run_ok("status").err, "")
        self.assertIn(TWO, self.run_ok("-n").out)
        self.home.state_file.unlink()
        self.home.old_file.unlink()
        self.assertEqual(self.run_ok("status").err, "")

    def test_a_sound_state_is_left(self):
        self.home.add_all(ONE)
        self.run_ok()
        before = self.home.state_file.read_bytes()
        for args in ([], ["--yes"]):  # there is nothing to ask
            result = self.run_ok("rebuild", *args)
            self.assertEqual(result.out, "nothing to rebuild\n")
            self.assertIn("the state file is sound, and is left as it is; to change single records: 'telec migrate mark', ", result.err)
        document = self.run_ok("rebuild", "--yes", "--json").document
        self.assertEqual((document["ok"], document["notes"], document["migrations"], document["kept"]),
                         (True, ["the state file is sound, and is left as it is"], [], None))
        self.assertEqual(self.home.state_file.read_bytes(), before)

    def test_a_state_that_is_sound_when_it_has_the_lock_is_left(self):
        self.home.add_all(ONE)
        self.run_ok()
        before = self.home.state_file.read_bytes()
        self.home.write_state(b"{")
        result = self.run_while_another(lambda: self.home.state_file.write_bytes(before), "rebuild", "--yes")
        self.assertEqual(result.out, "nothing to rebuild\n")
        self.assertEqual(self.home.state_file.read_bytes(), before)

    def test_whatever_was_refused_is_kept_and_replaced(self):
        def link():
            target = self.home.path / "target.json"
            target.write_text("{}")
            self.home.state_file.symlink_to(target)

        def large():
            with open(self.home.state_file, "wb") as file:
                file.truncate(1 << 30)
        self.home.add_all(ONE)
        self.run_ok()
        ways = {"a link": link, "a directory": self.home.state_file.mkdir, "a FIFO": lambda: os.mkfifo(self.home.state_file), "too large": large,
                "of a newer telec": lambda: self.home.write_state({"schema": 99, "applied": []})}
        for name, make in ways.items():
            with self.subTest(name):
                self.home.state_file.unlink()
                make()
                before = os.lstat(self.home.state_file)
                self.run_ok("status", code=65)
                kept = self.run_ok("rebuild", "--yes", "--json").document["kept"]
                after = os.lstat(kept)
                self.assertEqual((after.st_ino, after.st_size, after.st_mode), (before.st_ino, before.st_size, before.st_mode))
                self.assertEqual(self.home.applied(), [ONE])
                self.assertEqual(self.home.state_file.stat().st_mode & 0o777, 0o600)
                self.assertEqual(self.home.effects(), {ONE.replace("/", "_"): 1})
        self.assertEqual(len(list(self.home.data.glob("*.refused-*"))), len(ways))

    def test_the_refusal_names_it(self):
        self.home.add_all(ONE)
        self.home.write_state(b"{")
        self.assertIn("'telec migrate rebuild' writes it anew", self.run_ok(code=65).err)

    def test_a_check_that_gives_no_answer_is_not_recorded_and_told(self):
        self.home.add_all(ONE)
        self.home.add(TWO, "def check():\n    raise OSError('gone')\n\n\ndef migrate():\n    return True\n")
        self.home.write_state(b"{")
        result = self.run_ok("rebuild", "--yes")
        self.assertEqual(self.home.applied(), [])
        self.assertIn(f"{TWO}: check() gave no answer, so it is not recorded: OSError: gone", result.err)
        self.assertTrue(result.out.endswith("rebuilt: 0 migrations recorded, 1 pending, 1 without an answer\n"))

    def test_how_long_check_took_is_what_is_told(self):
        self.home.add(ONE, "import time\ntime.sleep(0.05)\n" + PRESENT)
        self.run_ok("rebuild", "--yes")
        self.assertGreater(self.home.state()["history"][0]["seconds"], 0.04)

    def test_without_yes_nothing_is_touched(self):
        self.home.write_state(b"{")
        self.run_ok("rebuild", code=2)
        self.assertEqual(self.home.state_file.read_bytes(), b"{")


class SaidMeansSaved(Case):
    """What mark, forget and rebuild say of a migration is so by then."""

    VERBS = (["verify", "--recheck"], ["mark", ONE, TWO, THREE, "--yes"], ["rebuild", "--yes"])

    def stopped(self, *args):
        """telec migrate ARGS, with a signal while the check() of TWO runs."""
        process = self.home.start("migrate", *args)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        running, go = self.home.home / "running", self.home.home / "go"
        self.assertTrue(telec.wait_until(running.exists))
        process.send_signal(signal.SIGTERM)
        said = b""
        while b"finishing" not in said:
            line = process.stderr.readline()
            self.assertTrue(line, said)
            said += line
        go.touch()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143, said + err)
        running.unlink()
        go.unlink()
        return telec.Result(process.returncode, out.decode(), (said + err).decode(), 0)

    def test_one_that_is_stopped_lists_what_was_not_reached_and_calls_nothing_recorded(self):
        self.home.add(ONE, PRESENT)
        self.home.add(TWO, WAITS)
        self.home.add(THREE, PRESENT)
        states = {ONE: "unrecorded", TWO: "unrecorded", THREE: "not_reached"}
        for verb in self.VERBS:
            with self.subTest(verb):
                self.assertEqual(self.stopped(*verb, "--json").states(), states)
                result = self.stopped(*verb)
                self.assertIn(f"not reached      {THREE}\n", result.out)
                self.assertNotIn("already present ", result.out + result.err)
                self.assertIsNone(self.home.state())
        self.assertTrue(self.stopped("verify", "--recheck").out.endswith(
            "3 migrations: 0 ok, 0 pending, 2 unrecorded, 1 not reached; 2 findings\n"))

    def test_one_that_cannot_be_committed_calls_nothing_recorded(self):
        def too_little():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        self.home.add(ONE, PRESENT)
        self.home.add(TWO, PRESENT)
        for verb, states in ((["rebuild"], {ONE: "unrecorded", TWO: "unrecorded"}), (["mark", ONE], {ONE: "unrecorded"}), (["forget", ONE], {})):
            with self.subTest(verb):
                if verb[0] == "forget":
                    self.run_ok()
                before = self.home.state()
                result = self.run_ok(*verb, "--yes", "--json", code=74, preexec_fn=too_little)
                self.assertEqual((result.states(), result.document["error"]["code"]), (states, "io"))
                self.assertNotIn(ONE, self.run_ok(*verb, "--yes", code=74, preexec_fn=too_little).out)
                self.assertEqual(self.home.state(), before)


class WithoutHardLinks(Case):
    """As on vfat: link(2) is not permitted. On a real vfat where the kernel has one and this is root; else strace refuses the call."""

    def mounted(self):
        """The state file on a vfat, or None."""
        image, place = self.home.path / "image", self.home.path / "vfat"
        place.mkdir()
        for command in (["truncate", "-s", "16M", image], ["mkfs.vfat", image], ["mount", "-o", "loop,umask=077", image, place]):
            try:
                if subprocess.run(command, capture_output=True).returncode != 0:
                    return None
            except OSError:
                return None
        self.addCleanup(subprocess.run, ["umount", place], check=False)
        return place / "data" / "state.json"

    def setUp(self):
        super().setUp()
        self.state = self.mounted() if os.geteuid() == 0 else None
        self.before = []
        if self.state is None:
            if shutil.which("strace") is None:
                self.skipTest("neither a vfat can be mounted nor is there strace")
            self.before = ["strace", "-f", "-o", self.home.path / "calls", "-e", "trace=linkat", "-e", "inject=linkat:error=EPERM"]
            if subprocess.run([*self.before, "true"], capture_output=True).returncode != 0:
                self.skipTest("strace cannot trace here")
            self.state = self.home.state_file

    def telec(self, *args):
        command = [*self.before, telec.binary(), "migrate", *args, "--state-file", self.state]
        result = subprocess.run(command, env=self.home.environment(**telec.WITHOUT_LEAK_CHECK), capture_output=True, text=True, timeout=60, cwd=self.home.path,
                                stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 0, result)
        if self.before:
            self.refused = (self.home.path / "calls").read_text().count("INJECTED")
        return result

    def old(self):
        return self.state.with_name(self.state.name + ".old")

    def test_each_change_keeps_the_generation_before_it(self):
        self.home.add_all(ONE, TWO)
        self.telec("--only", ONE)
        before = self.state.read_bytes()
        for args in (["--only", TWO], ["forget", ONE, "--yes"], ["mark", ONE, "--yes"]):
            with self.subTest(args):
                self.telec(*args)
                if self.before:
                    self.assertEqual(self.refused, 1)
                self.assertEqual(self.old().read_bytes(), before)
                before = self.state.read_bytes()
        self.assertEqual(sorted(json.loads(before)["applied"]), [ONE, TWO])

    def test_rebuild_keeps_the_refused_file(self):
        self.home.add_all(ONE)
        self.telec()
        self.state.write_bytes(b'{"applied": [')
        self.telec("rebuild", "--yes")
        kept, = self.state.parent.glob("*.refused-*")
        self.assertEqual(kept.read_bytes(), b'{"applied": [')
        self.assertEqual(json.loads(self.state.read_text())["applied"], [ONE])


class Doctor(Case):
    def checks(self, code, **options):
        return {check["name"]: check["ok"] for check in self.run_ok("doctor", "--json", code=code, **options).document["checks"]}

    def test_all_is_well_in_a_sound_home(self):
        self.home.add_all(ONE)
        names = {"interpreter", "home", "tree", "state", "lock", "permissions", "logs", "disk", "scripts"}
        self.assertEqual(self.checks(0), dict.fromkeys(names, True))
        self.assertFalse(self.home.data.exists())

    def test_each_fault_has_its_line_and_what_to_do(self):
        self.home.add(ONE, "import no_such_module_anywhere\n" + PRESENT)
        self.home.add(TWO, "def check(:\n")
        self.home.write_state(b"{")
        self.home.data.chmod(0o770)
        checks = self.checks(4)
        # Root is not even let in: that is the state's line then.
        self.assertFalse(checks["state"] or checks.get("permissions", False))
        self.assertRegex(self.run_ok("doctor", code=4).out, "chmod (g-w|0700) ")
        self.home.data.chmod(0o700)
        self.home.state_file.unlink()
        result = self.run_ok("doctor", code=4)
        self.assertIn("v1.1.0/001_one.py:1: it imports no_such_module_anywhere", result.out)
        self.assertIn("v1.1.0/002_two.py:1: it does not compile", result.out)

    def test_what_a_run_would_refuse_doctor_does_not_call_well(self):
        self.home.add_all(ONE)
        self.home.data.mkdir(mode=0o700)
        self.home.logs.write_text("in the way")
        self.assertFalse(self.checks(4)["logs"])
        self.home.logs.unlink()
        (self.home.tree / "v1.1.0").chmod(0o777)
        self.run_ok(code=77)
        checks = self.checks(4)
        self.assertFalse(checks["scripts"])
        (self.home.tree / "v1.1.0").chmod(0o755)
        self.assertTrue(all(self.checks(0).values()))
        checks = self.checks(4, env={"HOME": "/nowhere", "TELEC_STATE_FILE": str(self.home.state_file)})
        self.assertFalse(checks["home"])

    def test_quiet_is_empty_when_all_is_well_and_has_each_fault(self):
        self.home.add(ONE)
        self.assertEqual(self.run_ok("doctor", "-q").out, "")
        self.home.add(ONE, "def check(:\n")
        self.assertRegex(self.run_ok("doctor", "-q", code=4).out, r"^mend  scripts       v1\.1\.0/001_one\.py:1: it does not compile.*\n +\S.*\n$")

    def test_what_root_would_refuse_doctor_does_not_call_well(self):
        if os.geteuid() != 0:
            self.skipTest("only root refuses what others can change")
        self.home.add_all(ONE)
        self.run_ok()
        self.home.tree.chmod(0o777)
        self.run_ok("verify", "--recheck", code=77)
        self.assertFalse(self.checks(4)["tree"])
        self.home.tree.chmod(0o755)
        shared = self.home.path / "shared"
        shared.mkdir()
        (shared / "python3").symlink_to("/usr/bin/python3")
        shared.chmod(0o777)
        self.run_ok("verify", "--recheck", "--python", shared / "python3", code=77)
        self.assertFalse(self.checks(4, env={"TELEC_PYTHON": str(shared / "python3")})["interpreter"])
        shared.chmod(0o755)
        self.assertTrue(self.checks(0, env={"TELEC_PYTHON": str(shared / "python3")})["interpreter"])

    def test_a_state_file_that_others_can_write_is_told(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.home.state_file.chmod(0o622)
        out = self.run_ok("doctor", code=4).out
        self.assertRegex(out, rf"mend  permissions +'{self.home.state_file}' has mode 0622: others can write to it\n +chmod 0600 '")

    def fake_python(self, program):
        """A python3 that runs `program` in place of what it is given, which is sys.argv[1] then."""
        path = self.home.path / "fake-python"
        path.write_text(f"#!/bin/sh\nexec /usr/bin/python3 {program} \"$6\"\n")
        path.chmod(0o755)
        return {"TELEC_PYTHON": str(path)}

    def test_a_python_that_is_too_old_or_not_isolated_is_told(self):
        old = self.fake_python("-I -B -c 'import sys; sys.version_info = (3, 7, 9); exec(sys.argv[1])'")
        self.assertRegex(self.run_ok("doctor", code=4, env=old).out, r"mend  interpreter .*: python 3\.7\.9 is too old\n +name a python3 of 3\.8 or newer")
        oldest = self.fake_python("-I -B -c 'import sys; sys.version_info = (3, 8, 0); exec(sys.argv[1])'")
        self.assertRegex(self.run_ok("doctor", env=oldest).out, r"ok    interpreter .*: python 3\.8\.0, isolated")
        open_to_all = self.fake_python("-B -c")
        self.assertRegex(self.run_ok("doctor", code=4, env=open_to_all).out, r"mend  interpreter .* does not run isolated\n")

    def test_a_full_and_a_read_only_file_system_are_told(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        place = self.home.path / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=False)
        state = place / "data" / "state.json"
        self.assertRegex(self.run_ok("doctor", "--state-file", state, code=4).out, r"mend  disk +tmpfs, [01] MiB free\n +make room")
        subprocess.run(["mount", "-o", "remount,size=80m", place], check=True)
        self.assertRegex(self.run_ok("doctor", "--state-file", state).out, r"ok    disk +tmpfs, \d+ MiB free\n")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        out = self.run_ok("doctor", "--state-file", state, code=4).out
        self.assertRegex(out, r"mend  disk +tmpfs, read-only: nothing can be recorded\n")
        self.assertRegex(out, r"mend  permissions .* cannot be written\n +mount it writable, or name another --state-file\n")

    def test_a_directory_of_somebody_else_is_told(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make one")
        self.home.data.mkdir(mode=0o700)
        os.chown(self.home.data, 65534, 65534)
        checks = self.run_ok("doctor", "--json", code=4).document["checks"]
        self.assertIn("65534", " ".join(check["message"] + (check["hint"] or "") for check in checks if not check["ok"]))

    def test_a_directory_that_is_shared_with_its_owner_is_told(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("only root can make one, and setpriv becomes somebody else")
        for path in (self.home.path, self.home.home):
            os.chown(path, 65534, 65534)
        self.home.data.mkdir()
        os.chown(self.home.data, 0, 65534)
        self.home.data.chmod(0o770)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", telec.binary(), "migrate", "doctor"]
        result = subprocess.run(command, env=self.home.environment(), capture_output=True, text=True, timeout=60, cwd=self.home.home)
        self.assertEqual(result.returncode, 4, result)
        self.assertRegex(result.stdout, r"mend  permissions +'.*' belongs to uid 0, and this is uid 65534\n"
                                        rf" +give it to this user, as root, with: chown -R \w+ '{self.home.data}'\n")

    def doctor_as_nobody(self):
        """{name: message and hint} of what is to be mended, in a home that is nobody's; what it does not own is root's."""
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("only root can become somebody else, with setpriv")
        os.chown(self.home.path, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", telec.binary(), "migrate"]
        options = {"env": self.home.environment(), "capture_output": True, "text": True, "timeout": 60, "cwd": "/"}
        result = subprocess.run([*command, "doctor", "--json"], check=False, **options)
        if result.returncode == 126 and "cannot open" in result.stderr:
            self.skipTest("the program cannot be reached by another user")
        self.assertIn(result.returncode, (0, 4), result)
        run = subprocess.run([*command, "--lock-timeout", "0"], check=False, **options)
        self.run_of_nobody = run.returncode, run.stderr
        return {check["name"]: check["message"] + "\n" + (check["hint"] or "")
                for check in json.loads(result.stdout)["checks"] if not check["ok"]}

    def nobodys(self, *paths):
        for path in paths:
            os.chown(path, 65534, 65534)

    def test_what_its_owner_made_read_only_its_owner_is_told_to_open(self):
        self.home.add_all(ONE)
        self.home.data.mkdir()
        self.nobodys(self.home.home, self.home.data)
        self.home.data.chmod(0o555)
        self.assertEqual(self.doctor_as_nobody(), {"permissions": f"'{self.home.data}' cannot be written\n"
                                                   f"give yourself back what is missing with: chmod u+rwx '{self.home.data}'"})
        self.assertEqual(self.run_of_nobody[0], 74)
        self.home.data.rmdir()
        self.home.home.chmod(0o555)
        self.assertIn(f"chmod u+rwx '{self.home.home}'", self.doctor_as_nobody()["permissions"])
        self.assertIn(f"chmod u+rwx '{self.home.home}'", self.run_of_nobody[1])
        os.chown(self.home.home, 0, 0)
        self.assertRegex(self.doctor_as_nobody()["permissions"], rf"as root, with: install -d -m 0700 -o \w+ '{self.home.data}'$")

    def test_what_root_left_in_a_home_is_told_and_whom_to_give_it_to(self):
        self.home.add_all(ONE)
        self.home.logs.mkdir(parents=True, mode=0o700)
        self.nobodys(self.home.home, self.home.data, self.home.logs)
        attempts = self.home.logs / "attempts.jsonl"
        for name, path, code in (("state", self.home.state_file, 74), ("lock", self.home.lock_file, 74), ("logs", attempts, 0)):
            with self.subTest(name):
                path.write_text('{"applied": []}')
                path.chmod(0o600)
                found = self.doctor_as_nobody()
                self.assertEqual(list(found), [name])
                self.assertRegex(found[name], rf"Permission denied\ngive it to this user, as root, with: chown -h \w+ '{path}'$")
                self.assertEqual(self.run_of_nobody[0], code)
                self.assertIn("Permission denied", self.run_of_nobody[1])
                path.unlink()
        os.chown(self.home.logs, 0, 0)
        self.assertRegex(self.doctor_as_nobody()["logs"], rf"chown -R \w+ '{self.home.logs}'$")

    def test_what_is_in_the_way_of_a_run_is_in_doctors_way_too(self):
        self.home.add_all(ONE)
        self.home.logs.mkdir(parents=True, mode=0o700)
        self.home.data.chmod(0o700)

        def a_directory(path):
            path.mkdir()
            return path.rmdir

        def a_link(path):
            path.symlink_to("elsewhere")
            return path.unlink

        def a_pipe(path):
            os.mkfifo(path)
            return path.unlink

        beside = self.home.state_file.with_name
        state = self.home.state_file.name
        for name, path, put, code in (("lock", self.home.lock_file, a_directory, 77), ("lock", self.home.lock_file, a_link, 77),
                                      ("lock", self.home.lock_file, a_pipe, 77), ("state", beside(state + ".tmp"), a_directory, 74),
                                      ("state", beside(state + ".old"), a_directory, 74),
                                      ("state", beside(state + ".old.tmp"), a_directory, 74),
                                      ("logs", self.home.logs / "attempts.jsonl", a_directory, 0),
                                      ("logs", self.home.logs / "attempts.jsonl", a_link, 0)):
            with self.subTest(path=path.name, put=put.__name__):
                take_away = put(path)
                before = sorted(self.home.data.rglob("*"))
                checks = self.checks(4)
                self.assertEqual([check for check, ok in checks.items() if not ok], [name])
                self.assertEqual(sorted(self.home.data.rglob("*")), before)
                result = self.run_ok(code=code)
                self.assertIn(str(path), result.err)
                take_away()
                for left in (self.home.state_file, self.home.lock_file):
                    left.unlink(missing_ok=True)
        self.assertTrue(all(self.checks(0).values()))

    def test_a_state_file_that_is_immutable_is_told_and_no_script_runs(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.home.add_all(TWO)
        if not shutil.which("chattr") or subprocess.run(["chattr", "+i", self.home.state_file], capture_output=True, check=False).returncode != 0:
            self.skipTest("no file can be made immutable here")
        try:
            self.assertFalse(self.checks(4)["state"])
            result = self.run_ok(code=74)
            self.assertIn(f"chattr -ia '{self.home.state_file}'", result.err)
        finally:
            subprocess.run(["chattr", "-i", self.home.state_file], check=True)
        self.assertEqual(self.home.applied(), [ONE])
        self.assertEqual(list(self.home.effects()), [ONE.replace("/", "_")])
        self.run_ok()

    def test_a_network_file_system_is_told(self):
        if shutil.which("strace") is None:
            self.skipTest("strace is not installed")
        nfs = "6969" + "00" * 6  # f_type, the first member
        command = ["strace", "-f", "-o", self.home.path / "calls", "-e", "trace=statfs", "-e", f"inject=statfs:poke_exit=@arg2={nfs}"]
        if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
            self.skipTest("strace cannot trace here, or cannot poke")
        self.home.data.mkdir(mode=0o700)
        result = subprocess.run([*command, telec.binary(), "migrate", "doctor"], env=self.home.environment(**telec.WITHOUT_LEAK_CHECK),
                                capture_output=True, text=True, timeout=60, cwd=self.home.path)
        self.assertEqual(result.returncode, 4, result)
        self.assertRegex(result.stdout, r"mend  disk +nfs: locks may not hold across hosts there\n +keep the state on a local disk")

    def test_a_script_that_cannot_be_read_is_told(self):
        path = self.home.add(ONE)
        with open(path, "wb") as file:
            file.truncate(1 << 30)
        self.assertRegex(self.run_ok("doctor", code=4).out, r"mend  scripts +.*001_one\.py.*\n +make it a regular file that can be read, of 16 MiB at the most\n")

    def test_a_directory_that_others_can_look_into_is_told_and_no_fault(self):
        self.home.data.mkdir(mode=0o755)
        self.home.data.chmod(0o755)
        self.assertIn("has mode 0755 and is this user's; others can look into it", self.run_ok("doctor").out)

    def test_a_wrong_python_and_a_missing_tree_are_named(self):
        checks = self.checks(4, env={"TELEC_PYTHON": "/bin/true", "TELEC_MIGRATIONS_DIR": "/nowhere"})
        self.assertFalse(checks["interpreter"] or checks["tree"])

    def test_a_python_that_is_not_on_path_or_whose_interpreter_is_missing_is_named(self):
        self.home.add_all(ONE)
        bad = self.home.path / "badpy"
        bad.write_text("#!/nonexistent/python3\n")
        bad.chmod(0o755)
        for words in ([], ["doctor"]):
            result = self.run_ok(*words, "--python", "badpy", code=4 if words else 69)
            self.assertIn("--python names 'badpy', and there is no 'badpy' on PATH", result.out + result.err)
            self.assertIn("the file here is './badpy'", result.out + result.err)
            result = self.run_ok(*words, "--python", "./badpy", code=4 if words else 69)
            self.assertIn("the interpreter that it names is missing", result.out + result.err)
        bad.unlink()
        self.assertIn("name a python3 of 3.8 or newer", self.run_ok("--python", "badpy", code=69).err)

    def test_a_held_lock_names_its_holder(self):
        self.home.add(ONE, "import time\n\n\ndef check():\n    print('here', flush=True)\n    time.sleep(30)\n    return True\n\n\n"
                           "def migrate():\n    return True\n")
        process = self.home.start("migrate")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(telec.wait_until(lambda: self.home.lock_file.exists() and ONE in self.home.lock_file.read_text()))
        result = self.run_ok("doctor", code=4)
        self.assertIn(f"held by process {process.pid}", result.out)


class Events(Case):
    def events(self, path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_a_file_gets_each_event_as_one_line(self):
        self.home.add(ONE, telec.GOOD.format(name="one") + "\n\nprint('first')\nprint('second')\n")
        self.home.add(TWO, FAILING)
        path = self.home.path / "events.jsonl"
        self.run_ok("--events", path, code=1)
        events = self.events(path)
        self.assertEqual([(e["event"], e.get("id")) for e in events],
                         [("planned", None), ("started", ONE), ("output", ONE), ("output", ONE), ("finished", ONE), ("committed", ONE),
                          ("started", TWO), ("output", TWO), ("finished", TWO), ("ended", None)])
        self.assertEqual([e["text"] for e in events if e["event"] == "output"], ["first", "second", "half way"])
        self.assertEqual((events[-1]["ok"], events[-1]["exit"]), (False, 1))

    def test_a_descriptor_works_and_a_closed_one_is_a_usage_error(self):
        self.home.add_all(ONE)
        path = self.home.path / "events.jsonl"
        with open(path, "wb") as file:
            self.run_ok("--events", str(file.fileno()), "--json", pass_fds=[file.fileno()])
        self.assertEqual(self.events(path)[-1]["event"], "ended")
        self.assertIn("descriptor", self.run_ok("--events", "77", code=2).err)
        self.run_ok("--events", "1", "--json", code=2)

    def test_a_fifo_that_nobody_reads_is_refused_at_once_and_nothing_runs(self):
        self.home.add_all(ONE)
        fifo = self.home.path / "fifo"
        os.mkfifo(fifo)
        result = self.run_ok("--events", fifo, code=74, timeout=20)
        self.assertIn("start the reader first", result.err)
        self.assertEqual(self.home.effects(), {})

    def test_a_fifo_with_a_reader_gets_all_of_it(self):
        self.home.add_all(ONE)
        fifo = self.home.path / "fifo"
        os.mkfifo(fifo)
        reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reading)
        self.run_ok("--events", fifo)
        events = [json.loads(line)["event"] for line in os.read(reading, 65536).decode().splitlines()]
        self.assertEqual(events, ["planned", "started", "finished", "committed", "ended"])

    def test_a_reader_that_takes_nothing_delays_and_stops_no_run(self):
        self.home.add(ONE, "print('x' * 300000)\n" + PRESENT)
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        result = self.run_ok("--events", str(writing), pass_fds=[writing], timeout=60)
        self.assertIn("its reader takes nothing", result.err)
        self.assertEqual(self.home.applied(), [ONE])

    def test_the_end_is_told_whatever_it_is(self):
        path = self.home.path / "events.jsonl"
        self.home.add_all(ONE)
        self.run_ok("--events", path, "--dry-run")
        self.run_ok("--events", path)
        self.run_ok("--events", path)
        self.home.write_state(b"{")
        self.run_ok("--events", path, code=65)
        ends = [(e["ok"], e["exit"], e["error"]) for e in self.events(path) if e["event"] == "ended"]
        self.assertEqual(ends, [(True, 0, None), (True, 0, None), (True, 0, None), (False, 65, "state_untrusted")])
        self.assertEqual(self.events(path)[0]["ids"], [ONE])

    def test_what_is_planned_comes_first_also_where_it_is_nothing(self):
        self.home.add_all(ONE)
        self.run_ok()
        for words in ([], ["--dry-run"]):
            path = self.home.path / f"events-{len(words)}.jsonl"
            self.run_ok("--events", path, *words)
            self.assertEqual([(e["event"], e.get("ids")) for e in self.events(path)], [("planned", []), ("ended", None)])

    def test_a_dash_is_no_file(self):
        self.home.add_all(ONE)
        self.assertIn("--events 1", self.run_ok("--events", "-", code=2).err)
        self.assertFalse((self.home.path / "-").exists())

    def test_a_reader_that_goes_away_stops_no_run(self):
        self.home.add_all(ONE, TWO)
        reading, writing = os.pipe()
        os.close(reading)
        self.addCleanup(os.close, writing)
        result = self.run_ok("--events", str(writing), pass_fds=[writing])
        self.assertIn("no more events", result.err)
        self.assertEqual(self.home.applied(), [ONE, TWO])


if __name__ == "__main__":
    telec.main("verbs")
