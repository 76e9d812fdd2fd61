#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What migrations/README.md asks of every script, held against the shipped ones and those of the upgrade story; and
what make_home.py promises.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "support"))
from killing_python import KillingPython  # noqa: E402
from looking import content, exact  # noqa: E402
from make_home import make_home  # noqa: E402
from story import MIGRATIONS, PRESENT, SMALL, STORY  # noqa: E402
from telec import Home, PYTHON, ROOT, main  # noqa: E402


class Contract(unittest.TestCase):
    """What migrations/README.md asks of every script, held against the ten here and against the shipped ones."""

    # check, migrate, check, migrate once more; after each of them one line with its value, and a wait for an answer.
    STEPS = '''
import os, sys
path, pipe = sys.argv[1], os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.path.append(os.path.dirname(path))
module = type(sys)("migration")
module.__file__ = path
exec(compile(open(path, "rb").read(), path, "exec"), module.__dict__)
for step in (module.check, module.check, module.migrate, module.check, module.migrate, module.check):
    print(step(), file=pipe, flush=True)
    sys.stdin.readline()
'''

    def each(self, home, tree):
        """(script, [(value of the step, exact() of the home after it)...]) of each; the first is from before."""
        for script in tree:
            before = (None, exact(home.home))
            process = subprocess.Popen([PYTHON, "-IBc", self.STEPS, str(script)], env={"HOME": str(home.home)},
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            with process:
                seen = [before]
                for line in process.stdout:
                    seen.append((line.strip(), exact(home.home)))
                    process.stdin.write("\n")
                    process.stdin.flush()
                err = process.stderr.read()
            self.assertEqual(process.returncode, 0, err)
            yield script, seen

    def assert_keeps_it(self, home, tree):
        changed = 0
        for script, seen in self.each(home, tree):
            with self.subTest(script=script.name):
                values, homes = zip(*seen)
                self.assertIn(values[1], ("True", "False"))
                self.assertEqual(values[2], values[1], "check() changed its mind")
                self.assertEqual(values[3:], ("True",) * 4)
                for before, after in ((0, 1), (1, 2), (3, 4), (5, 6)):
                    self.assertEqual(homes[before], homes[after], "check() wrote")
                if values[1] == "False":
                    changed += 1
                    self.assertNotEqual(homes[2], homes[3], "migrate() did nothing, and check() is True all the same")
                self.assertEqual(homes[4], homes[5], "a second migrate() wrote")
        return changed

    def test_check_writes_nothing_and_says_true_after_migrate_and_a_second_migrate_changes_nothing(self):
        with Home() as home:
            make_home(home.data, **SMALL)
            self.assertEqual(self.assert_keeps_it(home, [MIGRATIONS / ("v" + id) for id in STORY]), len(STORY) - 1)

    def test_the_shipped_migrations_keep_the_contract_on_a_home_that_is_new(self):
        shipped = sorted((ROOT / "migrations").glob("v*/[0-9][0-9][0-9]_*.py"))
        with Home() as home:
            self.assertGreater(self.assert_keeps_it(home, shipped), 0)

    def test_on_a_home_that_is_new_the_ten_find_nothing_to_convert(self):
        with Home() as home:
            result = home.migrate_json(env={"TELEC_MIGRATIONS_DIR": str(MIGRATIONS)})
            self.assertEqual(result.code, 0, result)
            applied = {id for id, state in result.states().items() if state == "applied"}
            self.assertEqual(applied, {"1.2.0/001_move_logs.py", PRESENT})


class Shipped(unittest.TestCase):
    """The tree that is installed, on the homes that are out there."""

    ENVIRONMENT = {"TELEC_MIGRATIONS_DIR": str(ROOT / "migrations")}

    def test_it_applies_to_a_new_home_and_then_has_nothing_to_do(self):
        with Home() as home:
            result = home.migrate_json(env=self.ENVIRONMENT)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.document["problems"], [])
            self.assertEqual(set(result.states().values()), {"applied"})
            self.assertIn("0.1.0/001_describe_home.py", result.states())
            self.assertIn("migration_state.json", (home.data / "MIGRATIONS.txt").read_text())
            before = exact(home.path)
            self.assertEqual(home.migrate_json(env=self.ENVIRONMENT).document["migrations"], [])
            self.assertEqual(exact(home.path), before)

    def test_it_applies_to_a_home_that_holds_only_the_state_file(self):
        with Home() as home:
            home.write_state({"applied": []})
            result = home.migrate_json(env=self.ENVIRONMENT)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(set(result.states().values()), {"applied"})

    def test_a_note_of_the_users_own_is_left_alone(self):
        with Home() as home:
            home.data.mkdir(mode=0o700)
            (home.data / "MIGRATIONS.txt").write_text("mine")
            result = home.migrate_json(env=self.ENVIRONMENT)
            self.assertEqual(result.states()["0.1.0/001_describe_home.py"], "already_present")
            self.assertEqual((home.data / "MIGRATIONS.txt").read_text(), "mine")

    def test_killed_after_any_of_its_steps_it_is_mended_by_a_rerun(self):
        id = "0.1.0/001_describe_home.py"

        def stage():
            home = Home()
            self.addCleanup(home.close)
            shutil.copytree(ROOT / "migrations", home.tree, dirs_exist_ok=True)
            return home, KillingPython(home)

        home, python = stage()
        self.assertEqual(home.migrate("--only", id, "--python", python.path).code, 0)
        expected = content(home.data)
        for line in python.points()[id]:
            with self.subTest(line=line):
                home, python = stage()
                python.plan({id: line})
                self.assertEqual(home.migrate("--only", id, "--python", python.path).code, 1)
                self.assertEqual(python.killed(), [id])
                self.assertEqual(home.migrate("--only", id).code, 0)
                self.assertEqual(content(home.data), expected)


class Generator(unittest.TestCase):
    def test_the_same_seed_gives_the_same_home_whatever_the_umask_and_another_seed_another_one(self):
        with tempfile.TemporaryDirectory() as folder:
            found = []
            for number, (umask, seed) in enumerate(((0o022, 1), (0o077, 1), (0o022, 2))):
                path = pathlib.Path(folder, str(number))
                command = [PYTHON, "-IB", str(HERE / "make_home.py"), str(path), "--todos", "20", "--seed", str(seed)]
                subprocess.run(command, check=True, preexec_fn=lambda umask=umask: os.umask(umask))
                found.append(content(path))
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])

    def test_a_directory_that_is_not_empty_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "kept").write_text("kept")
            run = subprocess.run([PYTHON, "-IB", str(HERE / "make_home.py"), folder], stderr=subprocess.PIPE, text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn("not empty", run.stderr)
            self.assertEqual(os.listdir(folder), ["kept"])


if __name__ == "__main__":
    main("contract")
