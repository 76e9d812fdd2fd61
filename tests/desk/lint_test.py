#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`telec migrate lint`: each rule finds its fault, says the line, and leaves good scripts alone; nothing is executed."""

import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

ID = "1.1.0/001_one.py"
CHECK = "def check():\n    return True\n"
MIGRATE = "def migrate():\n    return True\n"
GOOD = CHECK + MIGRATE


class Lint(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def lint(self, *args, code=None):
        result = self.home.run("migrate", "lint", "--json", *args)
        findings = result.document["findings"]
        self.assertEqual(result.code, code if code is not None else (4 if findings else 0), result)
        return findings

    def found(self, source):
        """{(rule, line)} for one script."""
        self.home.add(ID, source)
        return {(finding["rule"], finding["line"]) for finding in self.lint()}

    def test_each_fault_is_found_with_its_line(self):
        cases = {
            "no check()": (MIGRATE, {("no_check", 1)}),
            "no migrate()": (CHECK, {("no_migrate", 1)}),
            "an async check()": ("async " + GOOD, {("wrong_shape", 1)}),
            "check() with an argument": ("def check(home):\n    return True\n" + MIGRATE, {("wrong_shape", 1)}),
            "a generator": ("def check():\n    yield True\n" + MIGRATE, {("wrong_shape", 1)}),
            "a class": ("class check:\n    pass\n" + MIGRATE, {("wrong_shape", 1)}),
            "None at the end": ("def check():\n    if 1:\n        return True\n" + MIGRATE, {("not_a_boolean", 1)}),
            "returns 1": ("def check():\n    return 1\n" + MIGRATE, {("not_a_boolean", 2)}),
            "a bare return": ("def check():\n    return\n" + MIGRATE, {("not_a_boolean", 2)}),
            "a syntax error": ("def check(:\n", {("syntax", 1)}),
            "a NUL": ("x = '\0'\n" + GOOD, {("syntax", 1)}),
            "X | Y in an annotation": (GOOD + "def f(a: int | None): pass\n", {("newer_syntax", 5)}),
            "list[...] in an annotation": (GOOD + "def f() -> list[int]: pass\n", {("newer_syntax", 5)}),
            "removeprefix": (GOOD + "x = 'a'.removeprefix('a')\n", {("newer_method", 5)}),
            "tomllib": ("import tomllib\n" + GOOD, {("newer_module", 1)}),
            "imp": ("import imp\n" + GOOD, {("removed_module", 1)}),
            "requests": ("import os, requests\n" + GOOD, {("not_standard", 1)}),
            "urllib.request": ("from urllib import request\n" + GOOD, {("network", 1)}),
            "a relative import": ("from . import x\n" + GOOD, {("relative_import", 1)}),
            "a torn write": (GOOD + "def f(p):\n    with open(p, 'w') as file:\n        file.write('')\n", {("torn_write", 6)}),
            "write_text": (GOOD + "def f(p):\n    p.write_text('')\n", {("torn_write", 6)}),
            "mode= as a keyword": (GOOD + "def f(p):\n    open(p, mode='wb')\n", {("torn_write", 6)}),
            "sys.exit": ("import sys\n" + GOOD + "sys.exit(0)\n", {("exits", 6)}),
            "input": (GOOD + "x = input()\n", {("reads_stdin", 5)}),
            "check() that writes": ("import os\ndef check():\n    os.mkdir('x')\n    return True\n" + MIGRATE, {("check_changes", 3)}),
        }
        for name, (source, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(self.found(source), expected)

    def test_syntax_that_3_8_does_not_have_is_found_where_this_python_has_it(self):
        rules = {rule for rule, _ in self.found(GOOD + "match 1:\n    case _:\n        pass\n")}
        self.assertEqual(rules, {"newer_syntax"} if sys.version_info >= (3, 10) else {"syntax"})

    def test_good_scripts_have_no_findings(self):
        cases = {
            "the shortest": GOOD,
            "raises at the end": "def check():\n    raise OSError\n" + MIGRATE,
            "if and else": "def check():\n    if 1:\n        return True\n    else:\n        return False\n" + MIGRATE,
            "try and except": "def check():\n    try:\n        return True\n    except OSError:\n        return False\n" + MIGRATE,
            "the idiom": GOOD + "import os\ndef f(p):\n    n = p + '.new'\n    with open(n, 'w') as file:\n        file.write('')\n"
                                "    os.replace(n, p)\n",
            "the idiom of pathlib": GOOD + "def f(p, n):\n    n.write_text('')\n    n.replace(p)\n",
            "postponed annotations": "from __future__ import annotations\n" + GOOD + "def f(a: int | None) -> list[int]: pass\n",
            "tomllib in a try": "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\n" + GOOD,
            "str.replace in check()": "def check():\n    return 'a'.replace('a', 'b') == 'b'\n" + MIGRATE,
            "reading": GOOD + "def f(p):\n    with open(p) as file:\n        return file.read()\n",
            "appending and exclusive": GOOD + "def f(p):\n    open(p, 'a')\n    open(p, 'x')\n",
            "imported names": "from _helper import check, migrate\n",
        }
        self.home.add("1.1.0/_helper.py", GOOD)
        for name, source in cases.items():
            with self.subTest(name):
                self.assertEqual(self.found(source), set())

    def test_the_shipped_migrations_have_no_findings(self):
        self.assertEqual(self.lint(telec.ROOT / "migrations"), [])

    def test_near_misses_and_duplicates_are_findings(self):
        self.home.add("1.1.0/001_a.py", GOOD)
        self.home.add("1.1.0/001_b.py", GOOD)
        self.home.add("1.1.0/2_c.py", GOOD)
        (self.home.tree / "1.3.0").mkdir()
        self.assertEqual({finding["rule"] for finding in self.lint()}, {"duplicate_number", "misnamed_file", "misnamed_directory"})

    def test_another_tree_makes_numbers_late_or_taken_and_notices_rewritten_ones(self):
        self.home.add("1.1.0/001_same.py", GOOD)
        self.home.add("1.1.0/002_changed.py", GOOD)
        self.home.add("1.2.0/001_last.py", GOOD)
        self.home.add("1.1.0/005_removed.py", GOOD)
        other = self.home.path / "other"
        shutil.copytree(self.home.tree, other)
        (self.home.tree / "v1.1.0" / "005_removed.py").unlink()
        self.home.add("1.1.0/001_same.py", GOOD.replace("\n", "\r\n"))
        self.home.add("1.1.0/002_changed.py", GOOD + "# another\n")
        self.home.add("1.1.0/003_late.py", GOOD)
        self.home.add("1.2.0/001_mine.py", GOOD)
        self.home.add("1.2.0/002_fine.py", GOOD)
        found = {(finding["rule"], finding["path"]) for finding in self.lint("--against", other)}
        self.assertEqual(found - {("duplicate_number", "v1.2.0/001_mine.py")},
                         {("changed_against", "v1.1.0/002_changed.py"), ("arrives_late", "v1.1.0/003_late.py"),
                          ("number_taken", "v1.2.0/001_mine.py"), ("removed_against", "v1.1.0/005_removed.py")})

    def test_nothing_of_a_script_is_executed(self):
        self.home.add(ID, "import os\nos.mkdir(os.path.dirname(__file__) + '/executed')\n" + GOOD)
        self.home.add("1.1.0/002_two.py", "import _beside\n" + GOOD)
        self.home.add("1.1.0/_beside.py", "import os\nos.mkdir(os.path.dirname(__file__) + '/executed')\n")
        self.lint()
        self.home.run("migrate", "doctor")
        self.assertFalse((self.home.tree / "v1.1.0" / "executed").exists())
        self.assertFalse(list(self.home.tree.rglob("__pycache__")))

    def test_text_says_path_line_rule_why_and_how(self):
        self.home.add(ID, GOOD + "def f(p):\n    open(p, 'w')\n")
        lines = self.home.run("migrate", "lint").out.splitlines()
        self.assertTrue(lines[0].startswith("v1.1.0/001_one.py:6: torn_write: "))
        self.assertIn("        os.replace(temporary, PATH)", lines)
        self.assertEqual(lines[-1], "1 script: 1 finding")


if __name__ == "__main__":
    telec.main("lint")
