#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each command beside `migrate` itself: what it prints, what it changes, and how it exits."""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

ONE, TWO, THREE = "1.1.0/001_one.py", "1.1.0/002_two.py", "1.2.0/001_three.py"
FAILING = "def check():\n    return False\n\n\ndef migrate():\n    print('half way')\n    raise ValueError('no colour')\n"
ABSENT = "def check():\n    return False\n\n\ndef migrate():\n    return True\n"
PRESENT = "def check():\n    return True\n\n\ndef migrate():\n    return True\n"


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

    def test_an_unknown_id_suggests_the_nearest(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.assertIn(f"did you mean '{ONE}'?", self.run_ok("log", "1.1.0/001_on.py", code=2).err)

    def test_records_without_an_attempt_are_shown_too(self):
        self.home.write_state({"applied": [ONE]})
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
        self.home.add("1.3.0/003_broken.py", "def check():\n    raise OSError('gone')\n\n\ndef migrate():\n    return True\n")
        result = self.run_ok("verify", "--recheck", "--json", code=4)
        self.assertEqual(result.states(), {ONE: "ok", TWO: "regressed", "1.3.0/001_there.py": "unrecorded",
                                           "1.3.0/002_not.py": "pending", "1.3.0/003_broken.py": "failed"})
        self.assertEqual({f["rule"] for f in result.document["findings"]}, {"regressed", "unrecorded", "check_failed"})

    def test_recheck_runs_no_migrate_and_changes_nothing(self):
        self.home.add_all(ONE, TWO)
        self.run_ok("--only", ONE)
        os.unlink(self.home.home / "effects" / ONE.replace("/", "_"))

        def files():
            return {str(path): path.read_bytes() for path in self.home.home.rglob("*") if path.is_file()}
        before = files()
        self.run_ok("verify", "--recheck", code=4)
        self.assertEqual(files(), before)

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

    def test_what_it_writes_passes_lint_and_fails_when_it_is_run(self):
        self.run_ok("new", 'odd """ \\ name', "--version", "2.0.0")
        self.run_ok("lint")
        self.assertIn("fill in check()", self.run_ok(code=1).err)

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
        self.assertEqual(self.home.state()["history"][0]["outcome"], "marked")

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

    def test_an_unknown_id_is_refused_and_a_recorded_one_is_left(self):
        self.home.add_all(ONE)
        self.run_ok("mark", "1.1.0/009_x.py", "--yes", code=2)
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
        self.assertEqual(self.home.applied(), [ONE])


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

    def test_a_lost_state_is_written_anew(self):
        self.home.add_all(ONE)
        self.run_ok()
        self.home.state_file.unlink()
        self.run_ok("rebuild", "--yes")
        self.assertEqual(self.home.applied(), [ONE])

    def test_a_sound_state_is_left(self):
        self.home.add_all(ONE)
        self.run_ok()
        before = self.home.state_file.read_bytes()
        self.assertIn("sound", self.run_ok("rebuild", "--yes", code=2).err)
        self.assertEqual(self.home.state_file.read_bytes(), before)

    def test_without_yes_nothing_is_touched(self):
        self.home.write_state(b"{")
        self.run_ok("rebuild", code=2)
        self.assertEqual(self.home.state_file.read_bytes(), b"{")


class Doctor(Case):
    def checks(self, code, **options):
        return {check["name"]: check["ok"] for check in self.run_ok("doctor", "--json", code=code, **options).document["checks"]}

    def test_all_is_well_in_a_sound_home(self):
        self.home.add_all(ONE)
        names = {"interpreter", "home", "tree", "state", "lock", "permissions", "disk", "scripts"}
        self.assertEqual(self.checks(0), dict.fromkeys(names, True))
        self.assertFalse(self.home.data.exists())

    def test_each_fault_has_its_line_and_what_to_do(self):
        self.home.add(ONE, "import no_such_module_anywhere\n" + PRESENT)
        self.home.add(TWO, "def check(:\n")
        self.home.write_state(b"{")
        self.home.data.chmod(0o755)
        checks = self.checks(4)
        self.assertFalse(checks["state"] or checks["permissions"])
        self.home.state_file.unlink()
        result = self.run_ok("doctor", code=4)
        self.assertIn("v1.1.0/001_one.py:1: it imports no_such_module_anywhere", result.out)
        self.assertIn("v1.1.0/002_two.py:1: it does not compile", result.out)
        self.assertIn("chmod 0700", result.out)

    def test_a_wrong_python_and_a_missing_tree_are_named(self):
        checks = self.checks(4, env={"TELEC_PYTHON": "/bin/true", "TELEC_MIGRATIONS_DIR": "/nowhere"})
        self.assertFalse(checks["interpreter"] or checks["tree"])

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
