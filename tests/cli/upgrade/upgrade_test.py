#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The upgrade story: a home of TeleClaude 1.0.0 with hundreds of files becomes one of 2.0.0, by ten migrations.

Seen from outside: what telec says, and what the home holds before and after. The homes come from make_home.py, the
migrations from migrations/ beside this file.
"""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "support"))
from killing_python import KillingPython  # noqa: E402
from looking import content, entries, exact, is_telecs_own, read_yaml  # noqa: E402
from make_home import make_home  # noqa: E402
from story import LARGE, MIDDLING, MIGRATIONS, PRESENT, SMALL, STORY, TODO_STATES  # noqa: E402
from telec import Home, alive, main, wait_until  # noqa: E402

HALF = MIDDLING["todos"] // 2


class Upgrade(unittest.TestCase):
    maxDiff = 4000
    ENDS = {}

    def stage(self, **numbers):
        home = Home()
        self.addCleanup(home.close)
        shutil.copytree(MIGRATIONS, home.tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        make_home(home.data, **{**MIDDLING, **numbers})
        return home

    def upgraded(self, **numbers):
        """The content of a home that was upgraded in one go; worked out once for the same numbers."""
        key = tuple(sorted(numbers.items()))
        if key not in self.ENDS:
            home = self.stage(**numbers)
            self.succeeds(home.migrate_json())
            self.ENDS[key] = content(home.data)
        return self.ENDS[key]

    def succeeds(self, result):
        self.assertEqual(result.code, 0, result)
        self.assertIs(result.document["ok"], True, result)
        self.assertIsNone(result.document["error"], result)
        return result

    def recorded(self, home):
        """The ids in the order in which they were recorded."""
        return [entry["id"] for entry in (home.state() or {"history": []})["history"]]

    def assert_same(self, home, expected):
        found = content(home.data)
        self.assertEqual(sorted(found), sorted(expected))
        for path in expected:
            self.assertEqual(found[path], expected[path], path)

    # --- dry run, upgrade, second run

    def test_a_dry_run_lists_what_is_pending_in_order_and_changes_nothing_at_all(self):
        home = self.stage(**LARGE)
        self.assertGreater(len(content(home.data)), 500)
        before = exact(home.path)
        result = self.succeeds(home.migrate_json("--dry-run"))
        self.assertEqual([entry["id"] for entry in result.document["migrations"]], list(STORY))
        self.assertEqual(set(result.states().values()), {"pending"})
        self.assertIs(result.document["dry_run"], True)
        self.assertEqual(result.document["problems"], [])
        text = home.migrate("--dry-run")
        self.assertEqual(text.code, 0, text)
        places = [text.out.index(id) for id in STORY]
        self.assertEqual(places, sorted(places))
        self.assertEqual(home.migrate("--dry-run", "--check").code, 3)
        self.assertEqual(exact(home.path), before)

    def test_an_upgrade_applies_all_ten_in_order_and_records_each(self):
        home = self.stage()
        result = self.succeeds(home.migrate_json("--from", "1.0.0", "--to", "2.0.0"))
        self.assertEqual(result.states(), {id: "already_present" if id == PRESENT else "applied" for id in STORY})
        self.assertEqual(self.recorded(home), list(STORY))
        self.assertEqual({entry["id"]: entry["outcome"] for entry in home.state()["history"]}, result.states())
        self.assertEqual(sorted(home.applied()), sorted(STORY))

    def test_a_second_run_has_nothing_to_do_and_writes_nothing(self):
        home = self.stage()
        self.succeeds(home.migrate_json())
        before = exact(home.path)
        self.assertEqual(self.succeeds(home.migrate_json()).document["migrations"], [])
        self.assertEqual(home.migrate().code, 0)
        self.assertEqual(home.migrate("--dry-run", "--check").code, 0)
        self.assertEqual(home.run("migrate", "status", "--check").code, 0)
        self.assertEqual(exact(home.path), before)

    def test_the_upgraded_home_holds_what_the_old_one_held_in_the_form_of_2_0_0(self):
        home = self.stage(**LARGE)
        old = home.path / "old"
        make_home(old, **LARGE)
        self.succeeds(home.migrate_json())
        data = home.data

        with self.subTest("a key renamed, all others as they were"):
            settings = json.loads((old / "settings.json").read_text())
            expected = [("poll_interval_seconds" if key == "poll_interval" else key, settings[key]) for key in settings]
            self.assertIn("poll_interval", settings)
            self.assertEqual(list(json.loads((data / "settings.json").read_text()).items()), expected)

        with self.subTest("one file split into several, no line lost"):
            self.assertFalse((data / "config.yml").exists())
            parts = {path.name: path.read_text() for path in (data / "config.d").iterdir()}
            self.assertEqual(sorted(parts), ["computer.yml", "database.yml", "redis.yml", "speech.yml", "telegram.yml"])
            old_lines = (old / "config.yml").read_text().splitlines()
            self.assertEqual(old_lines.pop(0), "---")
            self.assertEqual(sorted(old_lines), sorted("".join(parts.values()).splitlines()))
            for name, text in parts.items():
                keys = [line for line in text.splitlines() if line[:1] not in ("", " ", "#", "-")]
                self.assertEqual(keys, [name[:-len(".yml")] + ":"])
            self.assertIn("# Messages between computers\nredis:\n", parts["redis.yml"])
            self.assertTrue(parts["speech.yml"].endswith("- name: espeak\n    rate: 160\n  - name: say\n"))

        with self.subTest("the cache dropped"):
            self.assertTrue((old / "cache").is_dir())
            self.assertFalse(os.path.lexists(data / "cache"))

        with self.subTest("the logs moved, a symbolic link left"):
            self.assertEqual(os.readlink(data / "logs"), "var/log")
            for name in ("teleclaude.log", "archive/teleclaude-2024.log"):
                self.assertEqual((data / "var" / "log" / name).read_bytes(), (old / "logs" / name).read_bytes())
                self.assertEqual((data / "logs" / name).read_bytes(), (old / "logs" / name).read_bytes())

        with self.subTest("nothing secret open to others, nothing opened to its owner"):
            opened = 0
            for path in [*old.glob("people/*/credentials.yml"), old / "secrets", *(old / "secrets").rglob("*")]:
                before = stat.S_IMODE(path.stat().st_mode)
                self.assertEqual(stat.S_IMODE((data / path.relative_to(old)).stat().st_mode), before & ~0o077, path)
                opened += bool(before & 0o077)
            self.assertGreater(opened, 10)
            self.assertEqual(stat.S_IMODE((data / "config.d" / "redis.yml").stat().st_mode), 0o600)

        with self.subTest("every todo's state in YAML, with the content of its JSON"):
            states = sorted(old.glob("todos/*/state.json"))
            self.assertEqual(len(states), LARGE["todos"])
            for path in states:
                folder = data / path.parent.relative_to(old)
                self.assertEqual(sorted(os.listdir(folder)), ["requirements.md", "state.yaml"])
                value = read_yaml((folder / "state.yaml").read_text(encoding="utf-8"))
                self.assertEqual(json.dumps(value), json.dumps(json.loads(path.read_text())), path)

        with self.subTest("a column added and filled"):
            connection = sqlite3.connect(str(data / "teleclaude.db"))
            self.addCleanup(connection.close)
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            found = connection.execute("SELECT session_id, title, computer_id, created_at, computer_name FROM sessions"
                                       " ORDER BY session_id").fetchall()
            source = sqlite3.connect(str(old / "teleclaude.db"))
            self.addCleanup(source.close)
            names = dict(source.execute("SELECT id, name FROM computers"))
            sessions = source.execute("SELECT session_id, title, computer_id, created_at FROM sessions"
                                      " ORDER BY session_id").fetchall()
            self.assertEqual(found, [(*row, names.get(row[2], "unknown")) for row in sessions])
            self.assertEqual({row[4] for row in found}, {"laptop", "workstation", "server", "unknown"})

        with self.subTest("two lists merged without duplicates"):
            self.assertEqual(json.loads((data / "trusted_dirs.json").read_text()),
                             ["~/projects", "~/documents", "/srv/www", "~/notes", "~/scratch", "/opt/lab"])
            self.assertFalse((data / "local_trusted_dirs.json").exists())

        with self.subTest("people numbered, nothing else of theirs touched"):
            people = sorted(os.listdir(old / "people"))
            for number, name in enumerate(people, 1):
                self.assertEqual((data / "people" / name / "person.yml").read_text(),
                                 "id: %d\n%s" % (number, (old / "people" / name / "person.yml").read_text()))
            self.assertEqual(sorted(os.listdir(data / "people")), people)

        with self.subTest("nothing else came or went"):
            ours = {"settings.json", "trusted_dirs.json", "config.d", "var", "logs", "people", "secrets", "todos",
                    "teleclaude.db", "workspaces"}
            self.assertEqual({path.name for path in data.iterdir() if not is_telecs_own(path)}, ours)
            self.assertEqual([path for path, _ in entries(home.path) if path.name == "__pycache__"], [])

    # --- in steps

    def test_an_upgrade_in_two_steps_ends_in_the_same_tree_as_in_one(self):
        expected = self.upgraded()
        home = self.stage()
        first = self.succeeds(home.migrate_json("--to", "1.2.0"))
        self.assertEqual(list(first.states()), list(STORY[:6]))
        self.assertNotEqual(content(home.data), expected)
        second = self.succeeds(home.migrate_json("--from", "1.2.0", "--to", "2.0.0"))
        self.assertEqual(list(second.states()), list(STORY[6:]))
        self.assert_same(home, expected)
        self.assertEqual(self.recorded(home), list(STORY))

    def test_an_upgrade_version_by_version_ends_in_the_same_tree_as_in_one(self):
        expected = self.upgraded()
        home = self.stage()
        counts = []
        for version in ("1.1.0", "1.2.0", "2.0.0-rc.1", "2.0.0"):
            counts.append(len(self.succeeds(home.migrate_json("--to", version)).states()))
        self.assertEqual(counts, [3, 3, 2, 2])
        self.assert_same(home, expected)

    def test_an_upgrade_to_the_pre_release_leaves_the_release_pending(self):
        home = self.stage(**SMALL)
        self.assertEqual(list(self.succeeds(home.migrate_json("--to", "v2.0.0-rc.1")).states()), list(STORY[:8]))
        self.assertEqual(list(self.succeeds(home.migrate_json("--dry-run")).states()), list(STORY[8:]))

    # --- a failure in the middle

    def test_a_failure_in_the_middle_halts_names_the_migration_and_keeps_the_state(self):
        expected = self.upgraded()
        home = self.stage()
        slug = sorted(path.parent.name for path in home.data.glob("todos/*/state.json"))[HALF]
        damaged = home.data / "todos" / slug / "state.json"
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:40])
        at = STORY.index(TODO_STATES)

        result = home.migrate_json()
        self.assertEqual(result.code, 1, result)
        self.assertEqual(list(result.states()), list(STORY))
        self.assertEqual(list(result.states().values()), ["applied"] * at + ["failed"] + ["not_reached"] * (9 - at))
        error = result.document["error"]
        self.assertEqual((error["code"], error["id"], error["stage"]), ("migration_failed", TODO_STATES, "migrate"))
        self.assertIn(str(damaged), error["traceback"])
        self.assertIn("003_convert_todo_states.py", error["traceback"])
        self.assertTrue(pathlib.Path(error["log"]).is_file(), error)
        self.assertEqual(self.recorded(home), list(STORY[:at]))
        self.assertTrue((home.data / "config.d").is_dir())
        self.assertTrue((home.data / "local_trusted_dirs.json").exists())
        # What went before the damaged one is done, what comes after it is as it was.
        self.assertEqual(len(list(home.data.glob("todos/*/state.yaml"))), HALF)
        self.assertEqual(len(list(home.data.glob("todos/*/state.json"))), MIDDLING["todos"] - HALF)

        # Trying again without a repair fails at the same place, and says so to a person as well.
        again = home.migrate()
        self.assertEqual(again.code, 1, again)
        self.assertRegex(again.out, r"(?m)^ *failed +" + TODO_STATES)
        self.assertRegex(again.out, r"(?m)^ *not reached +" + STORY[at + 1])
        self.assertIn(TODO_STATES, again.err)
        self.assertIn(str(damaged), again.err)
        self.assertIn("hint:", again.err)
        self.assertEqual(self.recorded(home), list(STORY[:at]))

        damaged.write_bytes(whole)
        resumed = self.succeeds(home.migrate_json())
        self.assertEqual(list(resumed.states()), list(STORY[at:]))
        self.assert_same(home, expected)
        self.assertEqual(self.recorded(home), list(STORY))

    def test_one_version_is_debugged_with_from_x_to_x(self):
        expected = self.upgraded(**SMALL)
        home = self.stage(**SMALL)
        self.succeeds(home.migrate_json("--to", "1.1.0"))
        # Exactly 1.2.0: neither what is older (and applied), nor what is newer (and pending).
        dry = self.succeeds(home.migrate_json("--from", "1.2.0", "--to", "1.2.0", "--dry-run"))
        self.assertEqual(list(dry.states()), list(STORY[3:6]))
        run = home.migrate("--from", "1.2.0", "--to", "1.2.0", "-v")
        self.assertEqual(run.code, 0, run)
        self.assertIn("converted 2 todo states", run.out + run.err)
        self.assertEqual(self.recorded(home), list(STORY[:6]))
        again = self.succeeds(home.migrate_json("--from", "1.2.0", "--to", "1.2.0"))
        self.assertEqual(again.document["migrations"], [])
        self.assertEqual(list(self.succeeds(home.migrate_json()).states()), list(STORY[6:]))
        self.assert_same(home, expected)

    # --- effects that are there already

    def test_an_effect_that_is_there_already_is_recorded_as_already_present(self):
        expected = self.upgraded()
        home = self.stage()
        # An operator has dropped the cache and moved the logs by hand; the directory of work trees has gone.
        shutil.rmtree(home.data / "cache")
        (home.data / "var").mkdir(mode=0o700)
        (home.data / "var").chmod(0o700)
        (home.data / "logs").rename(home.data / "var" / "log")
        (home.data / "logs").symlink_to("var/log")
        (home.data / "workspaces").rmdir()
        present = {"1.1.0/003_drop_speech_cache.py", "1.2.0/001_move_logs.py"}
        result = self.succeeds(home.migrate_json())
        self.assertEqual(result.states(), {id: "already_present" if id in present else "applied" for id in STORY})
        self.assertEqual({entry["id"]: entry["outcome"] for entry in home.state()["history"]}, result.states())
        self.assert_same(home, expected)

    def test_a_home_whose_state_was_lost_after_the_upgrade_is_found_already_present(self):
        home = self.stage(**SMALL)
        self.succeeds(home.migrate_json())
        expected = content(home.data)
        home.state_file.unlink()
        self.assertEqual(set(self.succeeds(home.migrate_json()).states().values()), {"already_present"})
        self.assert_same(home, expected)

    # --- killed

    def test_python_killed_after_any_step_of_any_migration_leaves_nothing_that_a_rerun_does_not_mend(self):
        # Without the directory, the migration that is "already present" has something to do as well.
        def stage():
            home = self.stage(**SMALL)
            (home.data / "workspaces").rmdir()
            return home, KillingPython(home)

        home, python = stage()
        self.succeeds(home.migrate_json("--python", python.path))
        expected = content(home.data)
        points = python.points()
        self.assertEqual(sorted(points), sorted(STORY))
        self.assertEqual(python.killed(), [])

        for turn in range(max(map(len, points.values()))):
            # In each turn every migration that still has such a line dies once, each of them in a run of its own.
            home, python = stage()
            deaths = [(id, points[id][turn]) for id in STORY if turn < len(points[id])]
            for place, (id, line) in enumerate(deaths):
                with self.subTest(id=id, line=line, of=points[id][-1]):
                    python.plan({id: line})
                    result = home.migrate_json("--python", python.path)
                    self.assertEqual(python.killed(), [dead for dead, _ in deaths[:place + 1]])
                    self.assertEqual(result.code, 1, result)
                    self.assertEqual(result.document["error"]["id"], id)
                    self.assertEqual(result.states()[id], "failed")
                    self.assertEqual(self.recorded(home), list(STORY[:STORY.index(id)]))
            self.succeeds(home.migrate_json())
            self.assert_same(home, expected)
            self.assertEqual(self.recorded(home), list(STORY))

    def held_half_way(self):
        """(home, the todo, its state, the running telec): python waits in the middle of the todos, at a named pipe."""
        home = self.stage()
        slugs = sorted(path.parent.name for path in home.data.glob("todos/*/state.json"))
        gate = home.data / "todos" / slugs[HALF] / "state.json"
        whole, mode = gate.read_bytes(), stat.S_IMODE(gate.stat().st_mode)
        gate.unlink()
        os.mkfifo(gate)
        # Nothing may wait beside it: the tests ask for the python of the runner.
        process = home.start("migrate", "--json", "--no-prestart")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        previous = home.data / "todos" / slugs[HALF - 1] / "state.json"
        self.assertTrue(wait_until(lambda: not previous.exists()))

        def repair():
            gate.unlink()
            gate.write_bytes(whole)
            gate.chmod(mode)
        return home, process, repair

    def python_of(self, process):
        children = pathlib.Path("/proc/%d/task/%d/children" % (process.pid, process.pid))
        found = wait_until(lambda: children.read_text().split())
        self.assertEqual(len(found), 1)
        return int(found[0])

    def test_python_killed_from_outside_half_way_fails_the_run_and_the_next_one_finishes(self):
        expected = self.upgraded()
        home, process, repair = self.held_half_way()
        os.kill(self.python_of(process), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, err)
        document = json.loads(out)
        self.assertEqual(document["error"]["id"], TODO_STATES)
        self.assertIn("SIGKILL", json.dumps(document["error"]))
        self.assertEqual(len(list(home.data.glob("todos/*/state.yaml"))), HALF)
        repair()
        self.assertEqual(list(self.succeeds(home.migrate_json()).states()), list(STORY[STORY.index(TODO_STATES):]))
        self.assert_same(home, expected)

    def test_a_runner_killed_half_way_takes_its_python_along_and_the_next_run_finishes(self):
        expected = self.upgraded()
        home, process, repair = self.held_half_way()
        python = self.python_of(process)
        process.kill()
        process.communicate(timeout=60)
        self.assertTrue(wait_until(lambda: not alive(python)))
        self.assertEqual(self.recorded(home), list(STORY[:STORY.index(TODO_STATES)]))
        repair()
        self.assertEqual(list(self.succeeds(home.migrate_json("--lock-timeout", 60)).states()),
                         list(STORY[STORY.index(TODO_STATES):]))
        self.assert_same(home, expected)


if __name__ == "__main__":
    main("upgrade")
