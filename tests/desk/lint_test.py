#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`telec migrate lint`: each rule finds its fault, says the line, and leaves good scripts alone; nothing is executed."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

ID = "1.1.0/001_one.py"
CHECK = "def check():\n    return True\n"
MIGRATE = "def migrate():\n    return True\n"
GOOD = CHECK + MIGRATE


# {what is wrong: (the script, {(rule, line)})}
FAULTS = {
    "no check()": (MIGRATE, {("no_check", 1)}),
    "no migrate()": (CHECK, {("no_migrate", 1)}),
    "a check() within another function": ("def f():\n    def check():\n        return True\n" + MIGRATE, {("no_check", 1)}),
    "a check() imported within a function": ("def f():\n    from os import path as check\n" + MIGRATE, {("no_check", 1)}),
    "a check() that is taken away": (GOOD + "del check\n", {("no_check", 1)}),
    "a check() for __main__ only": ("if __name__ == '__main__':\n    def check():\n        return True\n" + MIGRATE, {("no_check", 1)}),
    "a check() under a condition": ("import os\nif os.name == 'posix':\n    def check():\n        return True\n" + MIGRATE, {("conditional", 3)}),
    "a check() in a try": ("try:\n    import tomllib\n    def check():\n        return True\nexcept ImportError:\n    pass\n" + MIGRATE,
                           {("conditional", 3)}),
    "a check() in a loop": ("for x in ():\n    def check():\n        return True\n" + MIGRATE, {("conditional", 2)}),
    "one of two ways is wrong": ("import os\nif os.name == 'posix':\n    def check():\n        return 1\nelse:\n    def check():\n"
                                 "        return True\n" + MIGRATE, {("not_a_boolean", 4)}),
    "an async check()": ("async " + GOOD, {("wrong_shape", 1)}),
    "check() with an argument": ("def check(home):\n    return True\n" + MIGRATE, {("wrong_shape", 1)}),
    "migrate() with a keyword to give": (CHECK + "def migrate(*, home):\n    return True\n", {("wrong_shape", 3)}),
    "a lambda with an argument": ("check = lambda home: True\n" + MIGRATE, {("wrong_shape", 1)}),
    "a lambda that gives None": ("check = lambda: None\n" + MIGRATE, {("not_a_boolean", 1)}),
    "a value": ("check = True\n" + MIGRATE, {("wrong_shape", 1)}),
    "a typed value": ("check: bool = True\n" + MIGRATE, {("wrong_shape", 1)}),
    "another name for a wrong one": ("def _do(home):\n    return True\n" + CHECK + "migrate = _do\n", {("wrong_shape", 1)}),
    "a property": ("@property\n" + GOOD, {("wrong_shape", 2)}),
    "a context manager": ("import contextlib\n@contextlib.contextmanager\ndef check():\n    yield True\n" + MIGRATE, {("wrong_shape", 3)}),
    "a remembered check()": ("import functools\n@functools.lru_cache(None)\n" + GOOD, {("remembered", 3)}),
    "a generator": ("def check():\n    yield True\n" + MIGRATE, {("wrong_shape", 1)}),
    "a class": ("class check:\n    pass\n" + MIGRATE, {("wrong_shape", 1)}),
    "None at the end": ("def check():\n    if 1:\n        return True\n" + MIGRATE, {("not_a_boolean", 1)}),
    "returns 1": ("def check():\n    return 1\n" + MIGRATE, {("not_a_boolean", 2)}),
    "returns a list": ("def check():\n    return [x for x in 'a']\n" + MIGRATE, {("not_a_boolean", 2)}),
    "a bare return": ("def check():\n    return\n" + MIGRATE, {("not_a_boolean", 2)}),
    "not filled in": ("def check():\n    raise NotImplementedError('fill in check()')\n"
                      "def migrate():\n    print()\n    raise NotImplementedError\n", {("not_filled_in", 2), ("not_filled_in", 5)}),
    "a syntax error": ("def check(:\n", {("syntax", 1)}),
    "a NUL": ("x = '\0'\n" + GOOD, {("syntax", 1)}),
    "X | Y in an annotation": (GOOD + "def f(a: int | None): pass\n", {("newer_syntax", 5)}),
    "X | Y for isinstance": (GOOD + "isinstance(1, int | str)\n", {("newer_syntax", 5)}),
    "list[...] in an annotation": (GOOD + "def f() -> list[int]: pass\n", {("newer_syntax", 5)}),
    "list[...] for *args": (GOOD + "def f(*a: list[int]): pass\n", {("newer_syntax", 5)}),
    "list[...] elsewhere": (GOOD + "Row = dict[str, int]\n", {("newer_syntax", 5)}),
    "removeprefix": (GOOD + "x = 'a'.removeprefix('a')\n", {("newer_method", 5)}),
    "zip(strict=)": (GOOD + "zip('a', 'b', strict=True)\n", {("newer_method", 5)}),
    "functools.cache": ("import functools\n" + GOOD + "functools.cache(len)\n", {("newer_name", 6)}),
    "datetime.UTC": ("from datetime import UTC\n" + GOOD, {("newer_name", 1)}),
    "tomllib": ("import tomllib\n" + GOOD, {("newer_module", 1)}),
    "imp": ("import imp\n" + GOOD, {("removed_module", 1)}),
    "requests": ("import os, requests\n" + GOOD, {("not_standard", 1)}),
    "urllib.request": ("from urllib import request\n" + GOOD, {("network", 1)}),
    "socket": ("import socket\n" + GOOD, {("network", 1)}),
    "curl": ("import subprocess\n" + GOOD + "subprocess.run(['/usr/bin/curl', 'x'], check=True)\n", {("network", 6)}),
    "wget in a shell": ("import os\n" + GOOD + "os.system('wget x')\n", {("network", 6)}),
    "a relative import": ("from . import x\n" + GOOD, {("relative_import", 1)}),
    "a torn write": (GOOD + "def f(p):\n    with open(p, 'w') as file:\n        file.write('')\n", {("torn_write", 6)}),
    "write_text": (GOOD + "def f(p):\n    p.write_text('')\n", {("torn_write", 6)}),
    "mode= as a keyword": (GOOD + "def f(p):\n    open(p, mode='wb')\n", {("torn_write", 6)}),
    "O_TRUNC": ("import os\n" + GOOD + "def f(p):\n    os.open(p, os.O_WRONLY | os.O_TRUNC)\n", {("torn_write", 7)}),
    "another file is renamed": ("import os\n" + GOOD + "def f(p, n):\n    open(p, 'w')\n    os.replace(n, p)\n", {("torn_write", 7)}),
    "sys.exit": ("import sys\n" + GOOD + "sys.exit(0)\n", {("exits", 6)}),
    "input": (GOOD + "x = input()\n", {("reads_stdin", 5)}),
    "check() that writes": ("import os\ndef check():\n    os.mkdir('x')\n    return True\n" + MIGRATE, {("check_changes", 3)}),
    "check() that opens to write": ("def check():\n    open('x', 'a')\n    return True\n" + MIGRATE, {("check_changes", 2)}),
}

GOOD_SCRIPTS = {
    "the shortest": GOOD,
    "not for every system": "import os\ndef check():\n    if os.name == 'nt':\n        raise NotImplementedError\n    return True\n" + MIGRATE,
    "raises at the end": "def check():\n    raise OSError\n" + MIGRATE,
    "if and else": "def check():\n    if 1:\n        return True\n    else:\n        return False\n" + MIGRATE,
    "try and except": "def check():\n    try:\n        return True\n    except OSError:\n        return False\n" + MIGRATE,
    "lambdas": "check = lambda: True\nmigrate = lambda home=1, *rest, **more: True\n",
    "arguments that may be left out": "def check(home=None, *rest, strict=False):\n    return True\n" + MIGRATE,
    "another name": "def _same():\n    return True\ncheck = migrate = _same\n",
    "made by something else": "import functools\ndef _do(x):\n    return True\ncheck = functools.partial(_do, 1)\n" + MIGRATE,
    "a decorator that may change everything": "def _given(function):\n    return lambda: function(1)\n@_given\n"
                                              "def check(home):\n    return 1\n" + MIGRATE,
    "both ways of a condition": "import os\nif os.name == 'posix':\n    def check():\n        return True\nelse:\n"
                                "    def check():\n        return False\n" + MIGRATE,
    "the other way raises": "import os\nif os.name == 'posix':\n    def check():\n        return True\nelse:\n"
                            "    raise OSError\n" + MIGRATE,
    "defined, and again under a condition": GOOD + "if 1 > 0:\n    def check():\n        return False\n",
    "both ways of a try": "try:\n    from _helper import check\nexcept ImportError:\n    def check():\n        return True\n" + MIGRATE,
    "in a with": "import contextlib\nwith contextlib.suppress(OSError):\n    def check():\n        return True\n" + MIGRATE,
    "an inner function with arguments": "def check():\n    def one(x):\n        return 1\n    return bool(one(1))\n" + MIGRATE,
    "the idiom": GOOD + "import os\ndef f(p):\n    n = p + '.new'\n    with open(n, 'w') as file:\n        file.write('')\n"
                        "    os.replace(n, p)\n",
    "the idiom of pathlib": GOOD + "def f(p, n):\n    n.write_text('')\n    n.replace(p)\n",
    "a file in a directory that is renamed": GOOD + "import os\ndef f(new, old):\n    open(os.path.join(new, 'x'), 'w')\n    os.rename(new, old)\n",
    "nowhere": GOOD + "import os\nopen(os.devnull, 'w')\n",
    "postponed annotations": "from __future__ import annotations\n" + GOOD + "def f(a: int | None) -> list[int]: pass\n",
    "annotations of local variables": GOOD + "def f():\n    a: list[int] = []\n",
    "types that are no types": GOOD + "def f(list, a, b):\n    list = [1]\n    return list[0], a | b\n",
    "tomllib in a try": "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\n" + GOOD,
    "str.replace in check()": "def check():\n    return 'a'.replace('a', 'b') == 'b'\n" + MIGRATE,
    "reading": GOOD + "def f(p):\n    with open(p) as file:\n        return file.read()\n",
    "appending and exclusive": GOOD + "def f(p):\n    open(p, 'a')\n    open(p, 'x')\n",
    "a program of the system": "import subprocess\n" + GOOD + "subprocess.run(['systemctl', 'stop', 'x'], check=True)\n",
    "imported names": "from _helper import check, migrate\n",
    "everything imported": "from _helper import *\n",
}

# {what: (lines, the one of them that is newer than 3.8)}
NEWER = {
    "match": ("match 1:\n    case _:\n        pass", 1),
    "match over many lines": ("x = 1\nmatch x:\n" + "    case 2:\n        pass\n" * 20, 2),
    "managers in parentheses": ("with (open('a') as a, open('b') as b): pass", 1),
    "managers in parentheses without a name": ("with (\n    open('a'),\n    open('b'),\n): pass", 1),
    "except*": ("try: pass\nexcept* OSError: pass", 1),
    "a decorator of another shape": ("x = [len]\n@x[0]\ndef f(): pass", 2),
    "a star in a subscript": ("x = y = ()\nx[*y]", 2),
    "a star in an annotation": ("y = ()\ndef f(*a: *y): pass", 2),
    "a star after in": ("y = ()\nfor x in *y, *y: pass", 2),
    "a type alias": ("type X = int", 1),
    "type parameters": ("def f[T](): pass", 1),
    "type parameters of a class": ("class X[T]: pass", 1),
    "the same quotes in an f-string": ("a = {}\nf'{a['x']}'", 2),
    "a backslash in an f-string": ("a = []\nf'{\"\\n\".join(a)}'", 2),
    "an f-string in one of the same quotes": ("a = 1\nf'{f'{a}'}'", 2),
    "other quotes in an f-string": ("a = {}\nf'{a[\"x\"]}' f\"{a['x']}\" f\"\"\"{a['x']}\"\"\"", None),
    "f'{a=}'": ("a = 1\nf'{a=}'", None),
    ":=": ("(a := 1)", None),
    "arguments by position only": ("def f(a, /): pass", None),
    "one manager in parentheses": ("with (open('a')): pass", None),
    "a tuple in with's place": ("with (open('a')) as a: pass", None),
    "a star in a for of a list": ("y = ()\nfor x in [*y, *y]: pass\nfor x in (*y, *y): pass", None),
}


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

    def found_in_each(self, sources, *args):
        """{name: {(rule, line)}} for many scripts, looked at in one go."""
        names = {}
        for number, (name, source) in enumerate(sources.items(), 1):
            self.home.add(f"1.1.0/{number:03}_case.py", source)
            names[f"v1.1.0/{number:03}_case.py"] = name
        found = {name: set() for name in sources}
        for finding in self.lint(*args):
            found[names[finding["path"]]].add((finding["rule"], finding["line"]))
        return found

    def test_each_fault_is_found_with_its_line(self):
        for name, found in self.found_in_each({name: source for name, (source, _) in FAULTS.items()}).items():
            with self.subTest(name):
                self.assertEqual(found, FAULTS[name][1])

    def test_every_rule_has_an_example(self):
        schema = json.loads((telec.ROOT / "docs" / "schema" / "lint.json").read_text())
        rules = set(schema["properties"]["findings"]["items"]["properties"]["rule"]["enum"])
        # These are about names, kinds of files and another tree, and have their own tests.
        others = {"duplicate_number", "misnamed_file", "misnamed_directory", "not_a_directory", "not_a_regular_file", "unreadable",
                  "changed_against", "arrives_late", "number_taken", "removed_against"}
        self.assertEqual({rule for _, found in FAULTS.values() for rule, _ in found} | {"newer_syntax"}, rules - others)

    def test_the_page_for_authors_has_every_rule(self):
        schema = json.loads((telec.ROOT / "docs" / "schema" / "lint.json").read_text())
        page = (telec.ROOT / "docs" / "writing-migrations.md").read_text(encoding="utf-8").split("## What lint looks for")[1].split("\n## ")[0]
        named = {rule for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for rule in re.findall(r"`(\w+)`", row)}
        self.assertEqual(named, set(schema["properties"]["findings"]["items"]["properties"]["rule"]["enum"]))

    def test_good_scripts_have_no_findings(self):
        self.home.add("1.1.0/_helper.py", GOOD)
        for name, found in self.found_in_each(GOOD_SCRIPTS).items():
            with self.subTest(name):
                self.assertEqual(found, set())

    def test_a_finding_that_is_meant_so_can_be_allowed_in_its_line_and_only_there(self):
        write = "def f(p, q):\n    open(p, 'w')  # lint: allow torn_write\n    open(q, 'w')\n"
        self.assertEqual(self.found(GOOD + write), {("torn_write", 7)})
        self.assertEqual(self.found(GOOD + write.replace("allow torn_write", "allow network, torn_write")), {("torn_write", 7)})
        self.assertEqual(self.found(GOOD + write.replace("allow torn_write", "allow network")), {("torn_write", 6), ("torn_write", 7)})

    def test_syntax_that_3_8_does_not_have_is_found_by_every_python(self):
        """3.8 itself says what it cannot read; the newer ones must come to the same."""
        pythons = [path for path in [telec.PYTHON, *(shutil.which(f"python3.{minor}") for minor in range(8, 20))] if path]
        tried = 0
        for python in dict.fromkeys(pythons):
            version = subprocess.run([python, "-I", "-c", "import sys; print(*sys.version_info[:2])"], env={"PATH": "/usr/bin:/bin"},
                                     capture_output=True, text=True).stdout.split()
            if not version:
                continue  # a shim that leads nowhere
            tried += 1
            sources = {name: GOOD + source + "\n" for name, (source, _) in NEWER.items()}
            for name, found in self.found_in_each(sources, "--python", python).items():
                with self.subTest(name, python=".".join(version)):
                    line = NEWER[name][1]
                    if {rule for rule, _ in found} != {"syntax"} or line is None:
                        self.assertEqual(found, {("newer_syntax", GOOD.count("\n") + line)} if line else set())
        self.assertGreater(tried, 0)

    def test_newer_syntax_hides_no_other_finding(self):
        self.assertEqual(self.found(GOOD + "with (open('a'), open('b')): pass\n'a'.removeprefix('a')\nRow = list[int]\n"),
                         {("newer_syntax", 5), ("newer_method", 6), ("newer_syntax", 7)})

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

    def test_findings_come_in_the_order_of_paths_and_of_lines(self):
        self.home.add("1.1.0/002_two.py", MIGRATE + "def f(p):\n    open(p, 'w')\n\n\nimport requests\nimport socket\n\n\ndef check(home):\n    return 1\n")
        self.home.add("1.1.0/001_one.py", GOOD)
        self.home.add("1.1.0/001_other.py", "import requests\n" + GOOD)
        self.home.add("1.1.0/3_near.py", GOOD)
        other = self.home.path / "other"
        shutil.copytree(self.home.tree, other)
        (other / "v1.1.0" / "000_gone.py").write_text(GOOD)
        for name in ("001_one.py", "001_other.py"):
            (other / "v1.1.0" / name).write_text(GOOD + "# another\n")
        found = [(finding["path"], finding["line"] or 0, finding["rule"]) for finding in self.lint("--against", other)]
        self.assertEqual(found, [("v1.1.0/000_gone.py", 0, "removed_against"), ("v1.1.0/001_one.py", 0, "changed_against"),
                                 ("v1.1.0/001_other.py", 0, "duplicate_number"), ("v1.1.0/001_other.py", 0, "changed_against"),
                                 ("v1.1.0/001_other.py", 1, "not_standard"),
                                 ("v1.1.0/002_two.py", 4, "torn_write"), ("v1.1.0/002_two.py", 7, "not_standard"),
                                 ("v1.1.0/002_two.py", 8, "network"), ("v1.1.0/002_two.py", 11, "wrong_shape"),
                                 ("v1.1.0/002_two.py", 12, "not_a_boolean"), ("v1.1.0/3_near.py", 0, "misnamed_file")])

    def test_quiet_is_empty_without_findings_and_has_each_finding(self):
        self.home.add(ID, GOOD)
        self.assertEqual(self.home.run("migrate", "lint", "-q").out, "")
        self.home.add(ID, MIGRATE)
        result = self.home.run("migrate", "lint", "-q")
        self.assertEqual((result.code, result.out), (4, "v1.1.0/001_one.py:1: no_check: the script has no check()\n"
                                                        "    write it as: def check(): ... return True or False\n"))

    def test_text_says_path_line_rule_why_and_how(self):
        self.home.add(ID, GOOD + "def f(p):\n    open(p, 'w')\n")
        lines = self.home.run("migrate", "lint").out.splitlines()
        self.assertTrue(lines[0].startswith("v1.1.0/001_one.py:6: torn_write: "))
        self.assertIn("        os.replace(temporary, PATH)", lines)
        self.assertEqual(lines[-1], "1 script: 1 finding")


if __name__ == "__main__":
    telec.main("lint")
