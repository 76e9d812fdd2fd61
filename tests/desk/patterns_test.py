#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The patterns of docs/writing-migrations.md: each script is killed at every line that its migrate() executes, and the
next run must bring the home to the same end as a run that nobody disturbed. They also pass `lint`.

One pattern that is known to be wrong shows that the test would notice.
"""

import pathlib
import re
import sqlite3
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

ID = "1.3.0/001_pattern.py"
PAGE = telec.ROOT / "docs" / "writing-migrations.md"
PATTERNS = dict(re.findall(r"<!-- pattern: (\w+) -->\n```python\n(.*?)```\n", PAGE.read_text(encoding="utf-8"), re.DOTALL))

# Runs a script as telec does, and dies at the Nth line that is executed below migrate(), in the script itself or in
# shutil; exits with 7 where there is none such.
KILLER = """\
import os, signal, sys
path, kill_at = sys.argv[1], int(sys.argv[2])
with open(path) as file:
    code = compile(file.read(), path, "exec")
module = {"__name__": "pattern", "__file__": path}
exec(code, module)
lines = 0
library_lines = 0

def trace(frame, event, argument):
    global lines, library_lines
    if frame.f_code.co_filename not in (path, shutil_path):
        return None
    if event == "line":
        if frame.f_code.co_filename == shutil_path:
            library_lines += 1
            if library_lines % 7:  # of the library's lines every seventh will do: there are hundreds
                return trace
        lines += 1
        if lines == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace

import shutil
shutil_path = shutil.__file__
if not module["check"]():
    sys.settrace(trace)
    module["migrate"]()
    sys.settrace(None)
sys.exit(7)
"""


def furnish(data):
    """What each pattern finds."""
    data.mkdir(mode=0o700)
    (data / "config.json").write_text('{"poll_ms": 2500, "other": [1, 2]}')
    (data / "logs" / "old").mkdir(parents=True)
    for name in ("a.log", "old/b.log"):
        (data / "logs" / name).write_text(name * 10)
    database = sqlite3.connect(data / "sessions.db")
    database.execute("CREATE TABLE sessions (id INTEGER)")
    database.executemany("INSERT INTO sessions VALUES (?)", [(1,), (2,)])
    database.commit()
    database.close()
    (data / "secrets").mkdir(mode=0o755)
    for name in ("one", "two", "three"):
        (data / "secrets" / name).write_text(name)
        (data / "secrets" / name).chmod(0o644)


def picture(data):
    """Everything below, but for telec's own files: {path: (mode, content)}; a database by what it says."""
    result = {}
    for path in sorted(data.rglob("*")):
        name = str(path.relative_to(data))
        if name.startswith("migration_") or name.endswith("-journal"):
            continue
        if name == "sessions.db":
            database = sqlite3.connect(path)
            result[name] = list(database.iterdump())
            database.close()
        else:
            result[name] = (stat.S_IMODE(path.stat().st_mode), path.read_bytes() if path.is_file() else None)
    return result


def kill_everywhere(case, source):
    """The kill points after which the next run did not come to the same end; how many points there were."""
    def fresh():
        home = telec.Home()
        case.addCleanup(home.close)
        furnish(home.data)
        return home, home.add(ID, source)

    home, _ = fresh()
    result = home.migrate()
    case.assertEqual(result.code, 0, result)
    expected = picture(home.data)
    wrong = []
    point = 0
    while True:
        point += 1
        home, script = fresh()
        killed = subprocess.run([telec.PYTHON, "-I", "-B", "-c", KILLER, str(script), str(point)], env=home.environment(),
                                cwd=home.home, capture_output=True, timeout=60)
        if killed.returncode == 7:
            return wrong, point - 1
        case.assertEqual(killed.returncode, -9, killed.stderr.decode())
        result = home.migrate()
        if result.code != 0 or picture(home.data) != expected or home.applied() != [ID]:
            wrong.append((point, result))
        home.close()


class Patterns(unittest.TestCase):
    def test_the_page_has_the_four_that_are_promised(self):
        self.assertEqual(set(PATTERNS), {"file", "directory", "sqlite", "permissions"})

    def test_a_wrong_pattern_would_be_noticed(self):
        wrong, points = kill_everywhere(self, PATTERNS["file"].replace('temporary = _CONFIG + ".new"', "temporary = _CONFIG"))
        self.assertGreater(points, 5)
        self.assertTrue(wrong)

    def test_a_script_with_a_helper_can_be_run_by_hand_as_the_page_says(self):
        command = re.search(r"^  ```sh\n(  cd && python3 .*?)  ```\n", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE).group(1)
        # As it stands in the page, indented: that is what is copied.
        with telec.Home() as home:
            home.add("1.3.0/_helper.py", "def answer():\n    return True\n")
            home.add(ID, "import _helper\n\n\ndef check():\n    return _helper.answer()\n")
            command = re.sub(r"/path/of/\S+", str(home.tree / f"v{ID}"), command)
            result = subprocess.run(["sh", "-c", command], env={"HOME": str(home.path), "PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=60)
            self.assertEqual((result.stdout, result.stderr), ("True\n", ""))
            self.assertFalse(list(home.tree.rglob("__pycache__")))


def add(name, source):
    def survives(self):
        wrong, points = kill_everywhere(self, source)
        self.assertGreater(points, 2)
        self.assertEqual(wrong, [], f"{len(wrong)} of {points} kill points")

    def lints(self):
        with telec.Home() as home:
            home.add(ID, source)
            result = home.run("migrate", "lint")
            self.assertEqual(result.code, 0, result)

    setattr(Patterns, f"test_{name}_survives_a_kill_at_every_line", survives)
    setattr(Patterns, f"test_{name}_has_no_findings", lints)


for pattern_name, pattern_source in PATTERNS.items():
    add(pattern_name, pattern_source)

if __name__ == "__main__":
    telec.main("patterns")
