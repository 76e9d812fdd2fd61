#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Migrations trees as people, editors and accidents leave them.

For each tree: which ids a dry run lists, in order, and which problems it shows, of which kind, at which path. What is
well named is run whatever lies beside it; what is nearly well named is never passed over in silence; the rest is
nobody's business. One test per row of the table below.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import telec  # noqa: E402

GOOD = "v1.1.0/001_one.py"
ONE = ["1.1.0/001_one.py"]
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# What a row may put in the place of a file's text.
DIRECTORY, PIPE, SOCKET = "directory", "pipe", "socket"


class Link(str):
    """A symbolic link to this."""


def place(tree, path, what):
    """Makes PATH (text, or bytes where the name is not UTF-8) in the tree."""
    full = os.path.join(os.fsencode(tree), path if isinstance(path, bytes) else path.encode())
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if what is DIRECTORY:
        os.makedirs(full, exist_ok=True)
    elif what is PIPE:
        os.mkfifo(full)
    elif what is SOCKET:
        here = os.getcwd()
        os.chdir(os.path.dirname(full))  # the path of a socket is short
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.basename(full))
        finally:
            os.chdir(here)
    elif isinstance(what, Link):
        os.symlink(what, full)
    else:
        with open(full, "wb") as file:
            file.write((what or telec.GOOD.format(name="misplaced")).encode())


def files(*paths):
    return {path: None for path in paths}


# Rows of the table with one thing wrong.


def misnamed(path, shown=None):
    return {path: None}, None, {("misnamed_file", shown or path)}


def misnamed_directory(name, shown=None):
    return {name + "/001_x.py": None}, None, {("misnamed_directory", shown or name)}


def not_regular(what):
    return {"v1.1.0/002_a.py": what}, None, {("not_a_regular_file", "v1.1.0/002_a.py")}


def not_a_directory(what):
    return {"v1.2.0": what}, None, {("not_a_directory", "v1.2.0")}


PRE_RELEASES = ["-0", "--", "-A", "-alpha", "-alpha.1", "-alpha.beta", "-beta", "-beta.2", "-beta.11", "-rc.1", ""]
LONG = "002_" + "x" * 248 + ".py"


# name -> (what lies beside one good script, the ids listed, the problems {(kind, path)})
# Nothing but the good script is listed where the ids are left out.
TREES = {
    # file names in a version directory
    "one digit": misnamed("v1.1.0/1_a.py"),
    "two digits": misnamed("v1.1.0/01_a.py"),
    "four digits": misnamed("v1.1.0/0001_a.py"),
    "twenty digits": misnamed("v1.1.0/99999999999999999999_a.py"),
    "a dash for the underscore": misnamed("v1.1.0/001-x.py"),
    "a dot for the underscore": misnamed("v1.1.0/001.x.py"),
    "a blank for the underscore": misnamed("v1.1.0/001 x.py"),
    "nothing for the underscore": misnamed("v1.1.0/001x.py"),
    "no description": misnamed("v1.1.0/001_.py"),
    "only a number": misnamed("v1.1.0/001.py"),
    "only two underscores": (files("v1.1.0/002__.py"), ONE + ["1.1.0/002__.py"], set()),
    "a dash in the description": misnamed("v1.1.0/001_rename-keys.py"),
    "a dot in the description": misnamed("v1.1.0/001_a.b.py"),
    "a blank in the description": misnamed("v1.1.0/001_a b.py"),
    "a blank before the ending": misnamed("v1.1.0/001_a .py"),
    "an umlaut in the description": misnamed("v1.1.0/001_\u00e4.py"),
    "a copy by a desktop": misnamed("v1.1.0/001_one (copy).py"),
    "Arabic digits": misnamed("v1.1.0/\u0660\u0660\u0662_a.py"),
    "fullwidth digits": misnamed("v1.1.0/\uff10\uff10\uff12_a.py"),
    "a digit of another alphabet after two of ours": misnamed("v1.1.0/00\u0662_a.py"),
    "a newline in a name": misnamed("v1.1.0/002_a\nb.py", re.compile(r"^v1\.1\.0/002_a(\n|\\n|\\x0a)b\.py$")),
    "an escape in a name": misnamed("v1.1.0/002_\x1b[2J.py", re.compile(r"^v1\.1\.0/002_(\x1b|\\x1b)\[2J\.py$")),
    "a right-to-left override in a name": misnamed("v1.1.0/002_\u202eyp.py",
                                                   re.compile(r"^v1\.1\.0/002_(\u202e|\\u202e)yp\.py$")),
    "invalid UTF-8 in a name": misnamed(b"v1.1.0/002_\xff\xfe.py", re.compile(r"^v1\.1\.0/002_.+\.py$")),
    "a name of 255 bytes": (files("v1.1.0/" + LONG), ONE + ["1.1.0/" + LONG], set()),
    ".PY": misnamed("v1.1.0/002_a.PY"),
    ".Py": misnamed("v1.1.0/002_a.Py"),
    "capitals": (files("v1.1.0/002_ABC.py"), ONE + ["1.1.0/002_ABC.py"], set()),
    "digits in the description": (files("v1.1.0/002_003.py"), ONE + ["1.1.0/002_003.py"], set()),
    "a directory with a near name": ({"v1.1.0/2_a.py": DIRECTORY}, None, {("misnamed_file", "v1.1.0/2_a.py")}),

    # what has a good name and is no regular file
    "a pipe": not_regular(PIPE),
    "a socket": not_regular(SOCKET),
    "a directory": not_regular(DIRECTORY),
    "a link to a script beside it": not_regular(Link("001_one.py")),
    "a link out of the tree": not_regular(Link("/etc/passwd")),
    "a link to nothing": not_regular(Link("nothing")),
    "a link to itself": not_regular(Link("002_a.py")),

    # numbers
    "000 and 999": (files("v1.1.0/000_a.py", "v1.1.0/999_b.py"), ["1.1.0/000_a.py"] + ONE + ["1.1.0/999_b.py"], set()),
    "gaps": (files("v1.1.0/005_a.py", "v1.1.0/100_b.py"), ONE + ["1.1.0/005_a.py", "1.1.0/100_b.py"], set()),
    "one number twice": (files("v1.1.0/001_two.py"), ONE + ["1.1.0/001_two.py"],
                         {("duplicate_number", "v1.1.0/001_two.py")}),
    "one number three times": (files("v1.1.0/001_b.py", "v1.1.0/001_a.py"), ["1.1.0/001_a.py", "1.1.0/001_b.py"] + ONE,
                               {("duplicate_number", "v1.1.0/001_b.py"), ("duplicate_number", "v1.1.0/001_one.py")}),
    "case twins": (files("v1.1.0/001_ONE.py"), ["1.1.0/001_ONE.py"] + ONE, {("duplicate_number", "v1.1.0/001_one.py")}),
    "one number in two versions": (files("v1.2.0/001_one.py"), ONE + ["1.2.0/001_one.py"], set()),
    "a number taken by what is no file": ({"v1.1.0/001_zzz.py": DIRECTORY}, None,
                                          {("not_a_regular_file", "v1.1.0/001_zzz.py")}),

    # nobody's business in a version directory
    "compiled": (files("v1.1.0/002_a.pyc", "v1.1.0/002_a.pyo"), None, set()),
    "backups of editors": (files("v1.1.0/002_a.py~", "v1.1.0/.002_a.py.swp", "v1.1.0/#002_a.py#",
                                 "v1.1.0/002_a.py.orig", "v1.1.0/002_a.py.bak"), None, set()),
    "a lock of an editor": ({"v1.1.0/.#002_a.py": Link("ada@box.123")}, None, set()),
    "a cache": (files("v1.1.0/__pycache__/001_one.cpython-311.pyc", "v1.1.0/__pycache__/002_a.py"), None, set()),
    "a package": (files("v1.1.0/__init__.py", "__init__.py"), None, set()),
    "words": (files("v1.1.0/README", "v1.1.0/README.md", "v1.1.0/001_notes.txt", "v1.1.0/1.md"), None, set()),
    "helpers": (files("v1.1.0/_helper.py", "v1.1.0/helper.py", "v1.1.0/Helper2.py", "v1.1.0/a001_b.py"), None, set()),
    "a package of helpers": (files("v1.1.0/helpers/__init__.py", "v1.1.0/helpers/001_x.py"), None, set()),
    "hidden": (files("v1.1.0/.001_a.py", "v1.1.0/.DS_Store"), None, set()),
    "data": (files("v1.1.0/001_data.json", "v1.1.0/001_data.sql", "v1.1.0/001_py", "v1.1.0/001"), None, set()),
    "a directory with a number": ({"v1.1.0/001": DIRECTORY}, None, set()),

    # version directories
    "no v": misnamed_directory("1.2.0"),
    "a capital V": misnamed_directory("V1.2.0"),
    "two numbers": misnamed_directory("v1.2"),
    "one number": misnamed_directory("v1"),
    "four numbers": misnamed_directory("v1.2.3.4"),
    "a leading zero": misnamed_directory("v01.2.3"),
    "a leading zero beside the good one": misnamed_directory("v01.1.0"),
    "build metadata": misnamed_directory("v1.2.3+build"),
    "build metadata of a pre-release": misnamed_directory("v1.2.3-rc.1+5"),
    "a leading zero in a pre-release": misnamed_directory("v1.2.3-01"),
    "an empty pre-release": misnamed_directory("v1.2.3-"),
    "an empty part of a pre-release": misnamed_directory("v1.2.3-a..b"),
    "an underscore in a pre-release": misnamed_directory("v1.2.3-rc_1"),
    "a pre-release without its dash": misnamed_directory("v1.2.3rc1"),
    "a letter for a number": misnamed_directory("v1.x.0"),
    "a comma for a dot": misnamed_directory("v1,2,0"),
    "a blank after the version": misnamed_directory("v1.2.0 "),
    "a newline after the version": misnamed_directory("v1.2.0\n", re.compile(r"^v1\.2\.0(\n|\\n|\\x0a)$")),
    "a date": misnamed_directory("2026-11-22"),
    "a copy of a version": (files("v1.1.0 (copy)/001_one.py", "v1.1.0.bak/001_one.py"), None,
                            {("misnamed_directory", "v1.1.0 (copy)"), ("misnamed_directory", "v1.1.0.bak")}),
    "a zero version": (files("v0.0.0/001_x.py"), ["0.0.0/001_x.py"] + ONE, set()),
    "numbers above 2^64": (
        files("v18446744073709551616.0.0/001_x.py", "v18446744073709551615.0.0/001_x.py", "v2.0.0/001_x.py"),
        ONE + ["2.0.0/001_x.py", "18446744073709551615.0.0/001_x.py", "18446744073709551616.0.0/001_x.py"], set()),
    "a pre-release that is a number above 2^64": (
        files("v1.1.0-18446744073709551616/001_x.py", "v1.1.0-2/001_x.py"),
        ["1.1.0-2/001_x.py", "1.1.0-18446744073709551616/001_x.py"] + ONE, set()),
    "pre-releases": (files(*(f"v1.0.0{pre}/001_x.py" for pre in sorted(PRE_RELEASES))),
                     [f"1.0.0{pre}/001_x.py" for pre in PRE_RELEASES] + ONE, set()),
    "a version without scripts": ({"v1.2.0": DIRECTORY}, None, set()),
    "a version with only a helper": (files("v1.2.0/helper.py"), None, set()),
    "a version inside a version": (files("v1.1.0/v1.2.0/001_x.py"), None, set()),
    "a file with the name of a version": not_a_directory(None),
    "a pipe with the name of a version": not_a_directory(PIPE),
    "a link to a version": not_a_directory(Link("v1.1.0")),
    "a link out of the tree with the name of a version": not_a_directory(Link("/etc")),
    "a link to nothing with the name of a version": not_a_directory(Link("nothing")),
    "a link to itself with the name of a version": not_a_directory(Link("v1.2.0")),
    "a link with a near name": ({"v1.2": Link("v1.1.0")}, None, {("misnamed_directory", "v1.2")}),
    "a link called latest": ({"latest": Link("v1.1.0")}, None, set()),

    # the top
    "a script at the top": misnamed("001_x.py"),
    "a near script at the top": misnamed("1-x.py"),
    "nobody's business at the top": (
        files("README.md", "helper.py", ".gitkeep", "docs/001_x.py", "versions/001_x.py", "__pycache__/001_x.py",
              ".git/001_x.py", ".v1.2.0/001_x.py", "v/001_x.py", "vendor/v1.2.0/001_x.py", "conftest.py", "1.2.0.txt"),
        None, set()),
    "many at once": (
        {**files("v1.1.0/2_a.py", "1.2.0/001_x.py", "v1.1.0/001_a.py"), "v1.3.0": PIPE, "v1.1.0/004_p.py": PIPE},
        ["1.1.0/001_a.py"] + ONE,
        {("misnamed_file", "v1.1.0/2_a.py"), ("misnamed_directory", "1.2.0"), ("not_a_directory", "v1.3.0"),
         ("not_a_regular_file", "v1.1.0/004_p.py"), ("duplicate_number", "v1.1.0/001_one.py")}),
}


def matches(expected, actual):
    kind, path = expected
    return kind == actual[0] and (path.search(actual[1]) if isinstance(path, re.Pattern) else path == actual[1])


class Trees(unittest.TestCase):
    """One test per tree; they are added below."""

    def check(self, home, ids, problems):
        listed = home.migrate_json("--dry-run")
        self.assertEqual(listed.code, 0, listed)
        document = listed.document
        self.assertEqual([entry["id"] for entry in document["migrations"]], ids, listed)
        found = [(problem["kind"], problem["path"]) for problem in document["problems"]]
        self.assertEqual(len(found), len(problems), f"each problem once\n{listed}")
        for problem in problems:
            self.assertTrue(any(matches(problem, actual) for actual in found), f"no {problem} in {found}")
        self.assertTrue(all(problem["message"] for problem in document["problems"]), listed)

        status = home.run("migrate", "status", "--json")
        self.assertEqual(status.code, 0, status)
        self.assertEqual([entry["id"] for entry in status.document["migrations"]], ids, "status sees the same tree")
        self.assertEqual(status.document["problems"], document["problems"], "status sees the same problems")

        text = home.migrate("--dry-run")
        lines = text.err.splitlines()
        shown = [line for line in lines if line.startswith("telec: problem: ")]
        self.assertEqual(len(shown), len(problems), f"one line each\n{text}")
        self.assertTrue(all(line.isprintable() for line in lines), f"nothing steers the terminal\n{text.err!r}")
        self.assertEqual(text.code, 0, text)

        strict = home.migrate("--strict", "--json")
        self.assertEqual(strict.code, 65 if problems else 0, strict)
        if problems:
            self.assertEqual(strict.document["error"]["code"], "tree_untrusted")
            self.assertEqual((home.effects(), home.state()), ({}, None), "nothing ran")
            run = home.migrate()
            self.assertEqual(run.code, 0, run)
        self.assertEqual(sorted(home.applied()), sorted(ids), "what is listed is what runs")


def add_tree(name, beside, ids, problems):
    def test(self):
        with telec.Home() as home:
            place(home.tree, GOOD, None)
            for path, what in beside.items():
                place(home.tree, path, what)
            self.check(home, ONE if ids is None else ids, problems)

    test.__name__ = "test_" + name
    setattr(Trees, test.__name__, test)


for row, (content, listed_ids, shown_problems) in TREES.items():
    add_tree(row, content, listed_ids, shown_problems)


class Whole(unittest.TestCase):
    """The migrations directory itself, its rights, its size, and what happens to it during a run."""

    def refused(self, home, code, name, *args):
        """Every verb refuses the tree with `code`, in words that hold `name`, and does nothing."""
        for verb in (("migrate",), ("migrate", "--dry-run"), ("migrate", "status"), ("migrate", "status", "--check")):
            result = home.run(*verb, *args)
            self.assertEqual(result.code, code, result)
            self.assertIn(str(name), result.err, result)
            self.assertTrue(result.err.startswith("telec: error: "), result)
            self.assertNotIn("nothing to do", result.out + result.err)
            self.assertFalse(home.data.exists(), result)
        result = home.migrate_json(*args)
        self.assertEqual((result.code, result.document["ok"], result.document["migrations"]), (code, False, []), result)
        self.assertEqual(result.document["error"]["code"], {65: "tree_untrusted", 74: "io", 77: "unsafe"}[code])

    def test_a_missing_tree_is_an_error(self):
        with telec.Home() as home:
            home.tree.rmdir()
            self.refused(home, 65, home.tree)

    def test_a_tree_that_is_a_file_is_an_error(self):
        with telec.Home() as home:
            home.tree.rmdir()
            home.tree.write_text("")
            self.refused(home, 65, home.tree)

    def test_a_tree_that_is_a_pipe_is_an_error_and_does_not_hang(self):
        with telec.Home() as home:
            home.tree.rmdir()
            os.mkfifo(home.tree)
            self.refused(home, 65, home.tree)

    def test_a_tree_below_a_file_is_an_error(self):
        with telec.Home() as home:
            (home.path / "file").write_text("")
            self.refused(home, 65, home.path / "file", "--migrations-dir", home.path / "file" / "migrations")

    def test_a_tree_that_is_a_link_to_nothing_is_an_error(self):
        with telec.Home() as home:
            home.tree.rmdir()
            home.tree.symlink_to("nothing")
            self.refused(home, 65, home.tree)

    def test_a_tree_that_is_a_link_to_itself_is_an_error(self):
        with telec.Home() as home:
            home.tree.rmdir()
            home.tree.symlink_to(home.tree)
            self.refused(home, 74, home.tree)

    def test_a_tree_whose_name_is_too_long_is_an_error(self):
        with telec.Home() as home:
            self.refused(home, 74, "xxx", "--migrations-dir", "x" * 5000)

    def test_a_tree_named_through_a_link_is_used(self):
        with telec.Home() as home:
            home.add(ONE[0])
            (home.path / "current").symlink_to("migrations")
            result = home.migrate("--migrations-dir", "current")
            self.assertEqual((result.code, home.applied()), (0, ONE), result)

    def test_a_tree_with_blanks_newlines_and_foreign_bytes_in_its_name_is_used(self):
        with telec.Home() as home:
            home.add(ONE[0])
            odd = os.fsencode(home.path) + b"/a b\n\xff'\""
            os.rename(home.tree, odd)
            result = home.migrate("--migrations-dir", os.fsdecode(odd))
            self.assertEqual((result.code, home.applied()), (0, ONE), result)

    def test_a_relative_tree_is_used(self):
        with telec.Home() as home:
            home.add(ONE[0])
            result = home.migrate("--migrations-dir", "./home/../migrations//")
            self.assertEqual((result.code, home.applied()), (0, ONE), result)

    def test_an_empty_tree_is_nothing_to_do(self):
        with telec.Home() as home:
            result = home.migrate()
            self.assertEqual((result.code, result.err), (0, ""), result)
            self.assertFalse(home.data.exists())

    def test_ten_thousand_scripts_are_listed_in_order(self):
        with telec.Home() as home:
            ids = []
            for minor in range(20):
                folder = home.tree / f"v1.{minor}.0"
                folder.mkdir()
                for number in range(500):
                    (folder / f"{number:03}_x.py").touch()
                    ids.append(f"1.{minor}.0/{number:03}_x.py")
            begin = time.monotonic()
            result = home.migrate_json("--dry-run")
            self.assertEqual(result.code, 0)
            self.assertEqual([entry["id"] for entry in result.document["migrations"]], ids)
            self.assertEqual(result.document["problems"], [])
            self.assertLess(time.monotonic() - begin, 60)

    def test_ten_thousand_problems_are_all_in_the_document(self):
        with telec.Home() as home:
            home.add(ONE[0])
            folder = home.tree / "v1.1.0"
            for number in range(10000):
                (folder / f"{number:05}_x.py").touch()
            result = home.migrate_json("--dry-run")
            self.assertEqual(result.code, 0)
            self.assertEqual(len(result.document["problems"]), 10000)

    def test_a_script_that_vanishes_during_the_run_stops_it(self):
        with telec.Home() as home:
            home.add("1.1.0/001_remover.py", """\
                import os
                VICTIM = os.path.join(os.path.dirname(__file__), "002_victim.py")
                def check():
                    return not os.path.exists(VICTIM)
                def migrate():
                    os.remove(VICTIM)
                    return True
                """)
            home.add("1.1.0/002_victim.py")
            home.add("1.2.0/001_after.py")
            result = home.migrate()
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("002_victim.py", result.err)
            self.assertEqual(home.applied(), ["1.1.0/001_remover.py"])
            self.assertEqual(home.effects(), {})

    def test_a_script_that_becomes_a_pipe_during_the_run_stops_it(self):
        with telec.Home() as home:
            home.add("1.1.0/001_replacer.py", """\
                import os, stat
                VICTIM = os.path.join(os.path.dirname(__file__), "002_victim.py")
                def check():
                    return stat.S_ISFIFO(os.lstat(VICTIM).st_mode)
                def migrate():
                    os.remove(VICTIM)
                    os.mkfifo(VICTIM)
                    return True
                """)
            home.add("1.1.0/002_victim.py")
            result = home.migrate()
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("002_victim.py", result.err)
            self.assertEqual(home.applied(), ["1.1.0/001_replacer.py"])

    def test_a_script_that_becomes_a_link_during_the_run_stops_it(self):
        with telec.Home() as home:
            home.add("1.1.0/001_replacer.py", """\
                import os
                VICTIM = os.path.join(os.path.dirname(__file__), "002_victim.py")
                def check():
                    return os.path.islink(VICTIM)
                def migrate():
                    os.rename(VICTIM, VICTIM + ".moved")
                    os.symlink("002_victim.py.moved", VICTIM)
                    return True
                """)
            home.add("1.1.0/002_victim.py")
            result = home.migrate()
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("002_victim.py", result.err)
            self.assertEqual(home.applied(), ["1.1.0/001_replacer.py"])
            self.assertEqual(home.effects(), {})

    def test_a_huge_script_is_an_error_and_not_a_hang(self):
        with telec.Home() as home:
            with open(home.add(ONE[0], "#"), "wb") as file:
                file.truncate(1 << 32)
            result = home.migrate()
            self.assertEqual(result.code, 1, result)
            self.assertIn("001_one.py", result.err)
            self.assertLess(result.seconds, 60)
            self.assertIsNone(home.state())

    def test_a_tree_that_others_can_write_is_refused(self):
        for what in ("", "v1.1.0", GOOD):
            with self.subTest(what=what or "the tree"), telec.Home() as home:
                home.add(ONE[0])
                (home.tree / what).chmod(0o777)
                result = home.migrate_json()
                self.assertEqual(result.code, 77, result)
                self.assertEqual(result.document["error"]["code"], "unsafe")
                self.assertEqual(home.effects(), {})
                if not what:  # a listing looks at no version and no script
                    dry = home.migrate_json("--dry-run")
                    self.assertEqual((dry.code, dry.document["error"]["code"]), (77, "unsafe"))
                    self.assertEqual(dry.states(), {ONE[0]: "pending"})

    def test_a_tree_that_others_can_write_is_listed_where_nothing_is_pending(self):
        with telec.Home() as home:
            home.add(ONE[0])
            self.assertEqual(home.migrate().code, 0)
            home.tree.chmod(0o777)
            for verb in (("migrate",), ("migrate", "--dry-run"), ("migrate", "status")):
                self.assertEqual(home.run(*verb).code, 0, verb)

    def test_a_tree_refused_by_strict_leaves_no_trace(self):
        with telec.Home() as home:
            home.add(ONE[0])
            (home.tree / "v1.1.0" / "2_x.py").touch()
            self.assertEqual(home.migrate("--strict").code, 65)
            self.assertFalse(home.data.exists(), "no directory, no lock")

    def test_strict_refuses_a_problem_even_where_nothing_is_pending(self):
        with telec.Home() as home:
            home.add(ONE[0])
            self.assertEqual(home.migrate("--strict").code, 0)
            (home.tree / "v1.1.0" / "2_x.py").touch()
            for verb in (("migrate",), ("migrate", "--dry-run"), ("migrate", "status")):
                self.assertEqual(home.run(*verb, "--strict").code, 65, verb)

    def test_quiet_still_shows_what_is_wrong_with_the_tree(self):
        with telec.Home() as home:
            home.add(ONE[0])
            (home.tree / "v1.1.0" / "2_x.py").touch()
            for verb in (("migrate", "--dry-run"), ("migrate", "status"), ("migrate",)):
                result = home.run(*verb, "-q")
                # Quiet status still names what is pending.
                expected = "1.1.0/001_one.py  pending\n" if "status" in verb else ""
                self.assertEqual((result.code, result.out), (0, expected), result)
                self.assertIn("telec: problem: v1.1.0/2_x.py: ", result.err, f"{verb}: never passed over in silence")


class AsAnotherUser(unittest.TestCase):
    """What root can always read and others cannot; skipped where nobody else can run telec."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("running as another user needs root")
        if shutil.which("setpriv") is None:
            raise unittest.SkipTest("running as another user needs setpriv")
        if cls.run_as(None, "--version").returncode != 0:
            raise unittest.SkipTest("another user cannot execute the telec under test")

    @staticmethod
    def run_as(home, *args):
        if home:
            subprocess.run(["chown", "-R", "-h", "65534:65534", str(home.path)], check=True)
        return subprocess.run([*AS_NOBODY, telec.binary(), *args], env=home.environment() if home else {},
                              cwd=home.path if home else "/", capture_output=True, text=True, timeout=60, check=False)

    def stopped(self, home, name, path, mode):
        path.chmod(mode)
        for verb in (("migrate",), ("migrate", "--dry-run"), ("migrate", "status")):
            process = self.run_as(home, *verb)
            self.assertEqual(process.returncode, 74, process)
            self.assertIn(name, process.stderr)
            self.assertIn("ermission denied", process.stderr)
            self.assertEqual(home.effects(), {})
            self.assertFalse(home.data.exists())

    def test_a_tree_that_may_not_be_read_is_an_error(self):
        for mode in (0o000, 0o300):
            with self.subTest(mode=oct(mode)), telec.Home() as home:
                home.add(ONE[0])
                self.stopped(home, str(home.tree), home.tree, mode)

    def test_a_version_that_may_not_be_read_is_an_error_and_never_an_empty_one(self):
        for mode in (0o000, 0o300):
            with self.subTest(mode=oct(mode)), telec.Home() as home:
                home.add(ONE[0])
                home.add("1.2.0/001_two.py")
                self.stopped(home, "v1.2.0", home.tree / "v1.2.0", mode)

    def test_a_script_that_may_not_be_read_stops_the_run_there(self):
        with telec.Home() as home:
            home.add(ONE[0])
            home.add("1.2.0/001_two.py").chmod(0)
            home.add("1.3.0/001_three.py")
            process = self.run_as(home, "migrate")
            self.assertIn(process.returncode, (1, 74), process)
            self.assertIn("1.2.0/001_two.py", process.stderr)
            self.assertIn("ermission denied", process.stderr)
            self.assertEqual(home.applied(), ONE)
            self.assertEqual(list(home.effects()), ["1.1.0_001_one.py"])

    def test_a_tree_of_root_is_run_by_a_user(self):
        with telec.Home() as home:
            home.add(ONE[0])
            subprocess.run(["chown", "-R", "65534:65534", str(home.path)], check=True)
            subprocess.run(["chown", "-R", "0:0", str(home.tree)], check=True)
            process = subprocess.run([*AS_NOBODY, telec.binary(), "migrate"], env=home.environment(), cwd=home.path,
                                     capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((process.returncode, home.applied()), (0, ONE), process)


if __name__ == "__main__":
    os.umask(0o022)
    telec.main("tree")
