#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Starting ahead: the next migration's python is already there, and nobody can tell but by the clock.

Every script here runs in a chain and says which process it was (`note("pid", ...)`); a script that is told to looks
for the python that waits while it runs, so that each test knows whether one was there and whether it was used.
"""

import fcntl
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

PRELUDE = '''\
import os, signal, sys, time
# Those that it had before the script was begun.
LOADED_AT_START = set(list(sys.modules)[:list(sys.modules).index("telec_migration")])
HOME = os.environ["HOME"]
NAME = os.environ["TELEC_MIGRATION_ID"].split("/")[1][:3]


def note(key, value):
    with open(os.path.join(HOME, "notes"), "a") as file:
        file.write("%s %s %s\\n" % (NAME, key, value))


def waiting(seconds=10.0):
    """The pids of the runner's children but this one, once there are any."""
    end = time.monotonic() + seconds
    while True:
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == os.getppid() and int(pid) != os.getpid() and fields[0] != "Z":
                found.append(int(pid))
        if found or time.monotonic() > end:
            return found
        time.sleep(0.01)


def settle(pid, seconds=10.0):
    """Waits until the process has nothing left to do: it sleeps, and has used no time for a while."""
    end, before, since = time.monotonic() + seconds, None, time.monotonic()
    while time.monotonic() < end:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        now = (fields[0], fields[11], fields[12], fields[7])
        if now != before:
            before, since = now, time.monotonic()
        elif fields[0] == "S" and time.monotonic() - since > 0.3:
            return
        time.sleep(0.02)


def look():
    """Notes the one that waits, when it has come to rest."""
    pids = waiting()
    note("waiting", ",".join(map(str, pids)))
    for pid in pids:
        settle(pid)
    return pids


note("pid", os.getpid())
_DONE = os.path.join(HOME, "done-" + NAME)


def check():
    return os.path.exists(_DONE)


def done():
    with open(_DONE, "a") as file:
        file.write("once\\n")
    return True
'''

FIRST = '''
def migrate():
    pids = look()
    {body}
    return done()
'''

PLAIN = '''
def migrate():
    return done()
'''

TREE_PYTHON = pathlib.Path("/usr/bin/python3")


def make_interpreter(folder):
    """A python3 of our own below `folder`, which a migration may change: a copy of the program, and a standard library
    of links into the system's, but for what is to be changed. None where this system's cannot be had in this way."""
    facts = subprocess.run([str(TREE_PYTHON), "-I", "-c", "import os,sys;print(os.path.realpath(sys.executable));"
                            "print(os.path.dirname(os.__file__));print('python%d.%d'%sys.version_info[:2])"],
                           stdout=subprocess.PIPE, check=False)
    if facts.returncode != 0:
        return None
    program, library, name = facts.stdout.decode().split()
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / name).mkdir(parents=True)
    shutil.copy2(program, folder / "bin" / name)
    (folder / "bin" / "python3").symlink_to(name)
    for entry in os.scandir(library):
        if entry.name in ("sitecustomize.py", "__pycache__"):
            continue
        target = folder / "lib" / name / entry.name
        if entry.name in ("json", "textwrap.py"):
            (shutil.copytree if entry.is_dir() else shutil.copy2)(entry.path, target)
        else:
            target.symlink_to(entry.path)
    python = folder / "bin" / "python3"
    said = subprocess.run([str(python), "-I", "-c", "import sys, site; print(sys.prefix); print(site.getsitepackages()[0])"],
                          stdout=subprocess.PIPE, check=False).stdout.decode().split()
    if len(said) != 2 or said[0] != str(folder):
        return None
    pathlib.Path(said[1]).mkdir(parents=True, exist_ok=True)
    time.sleep(0.1)  # older than the moment that counts as just now
    return python, pathlib.Path(said[1]), folder / "lib" / name


class Chain(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)
        self.count = 0

    def add(self, body, prelude=True, imports=""):
        self.count += 1
        return self.home.add(f"1.0.0/{self.count:03}_step.py", imports + (PRELUDE if prelude else "") + body)

    def first(self, body="pass"):
        return self.add(FIRST.format(body=body))

    def notes(self):
        """{(step, key): [values]}"""
        found = {}
        path = self.home.home / "notes"
        for line in path.read_text().splitlines() if path.exists() else []:
            step, key, value = line.split(" ", 2)
            found.setdefault((int(step), key), []).append(value)
        return found

    def noted(self, step, key):
        return self.notes().get((step, key), [None])[0]

    def run_all(self, *args, code=0, **options):
        result = self.home.migrate(*args, **options)
        self.assertEqual(result.code, code, result)
        if code == 0:
            self.assertEqual(len(self.home.applied()), self.count, result)
            for step in range(1, self.count + 1):
                self.assertEqual((self.home.home / f"done-{step:03}").read_text(), "once\n")
        return result

    def assert_used(self, step):
        """The python that waited during the step before is the one that ran this one."""
        self.assertEqual(self.noted(step - 1, "waiting"), self.noted(step, "pid"), self.notes())

    def assert_dropped(self, step):
        """One waited during the step before, and another ran this one."""
        self.assertTrue(self.noted(step - 1, "waiting"), "nothing was started ahead, so nothing was tested")
        self.assertNotEqual(self.noted(step - 1, "waiting"), self.noted(step, "pid"))
        self.assertFalse(telec.alive(int(self.noted(step - 1, "waiting"))))


class HeldUp:
    """While it lasts, whoever executes `path` has to wait: until the lease is given up, or the kernel takes it away
    after 45 seconds (fcntl(2))."""

    def __init__(self, path):
        self.path = path
        self.waited = False

    def __enter__(self):
        self.before = signal.signal(signal.SIGIO, lambda *_: setattr(self, "waited", True))
        self.file = open(self.path, "rb")
        # The last python that began with it may have it open for another moment.
        if not telec.wait_until(self.take):
            raise AssertionError(f"no lease on {self.path}")
        return self

    def take(self):
        try:
            fcntl.fcntl(self.file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except BlockingIOError:
            return False
        return True

    def __exit__(self, *_):
        self.file.close()
        signal.signal(signal.SIGIO, self.before)


def needs_two_cores(test):
    return unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one core: nothing is started ahead")(test)


@needs_two_cores
class OneWaits(Chain):
    def test_the_next_python_starts_while_a_migration_runs_and_is_the_one_that_is_used(self):
        self.first()
        self.first()
        self.first("note('last', 'yes')")
        self.run_all("--timeout", "60")
        self.assert_used(2)
        self.assert_used(3)
        for step in (1, 2):
            self.assertEqual(len(self.noted(step, "waiting").split(",")), 1, "exactly one waits")
        self.assertEqual(self.noted(3, "waiting"), "", "none is started for what does not come")

    def test_the_first_two_start_together(self):
        log = self.home.path / "log"
        python = self.home.path / "python"
        python.write_text(f'#!/bin/sh\necho begins >>{log}\nsleep 4\necho goes on >>{log}\nexec {TREE_PYTHON} "$@"\n')
        python.chmod(0o755)
        time.sleep(0.1)  # beside one that has just changed none is started
        self.add(PLAIN)
        self.add(PLAIN)
        self.run_all("--python", python)
        self.assertEqual(log.read_text().splitlines()[:2], ["begins", "begins"])

    def test_every_migration_has_a_fresh_python(self):
        for _ in range(6):
            self.add(PLAIN)
        self.run_all()
        self.assertEqual(len({self.noted(step, "pid") for step in range(1, 7)}), 6)

    def test_every_script_may_use_all_processors(self):
        for _ in range(8):
            self.add("def migrate():\n    note('processors', sorted(os.sched_getaffinity(0)))\n    return done()\n")
        self.run_all()
        self.assertEqual({self.noted(step, "processors") for step in range(1, 9)}, {str(sorted(os.sched_getaffinity(0)))})

    def test_no_prestart_turns_it_off(self):
        self.add("def migrate():\n    note('waiting', waiting(1.0))\n    return done()\n")
        self.add(PLAIN)
        self.run_all("--no-prestart")
        self.assertEqual(self.noted(1, "waiting"), "[]")

    def test_nothing_is_started_ahead_for_a_single_migration(self):
        self.add("def migrate():\n    note('waiting', waiting(1.0))\n    return done()\n")
        self.run_all()
        self.assertEqual(self.noted(1, "waiting"), "[]")

    def test_only_what_is_pending_is_started_ahead(self):
        self.add(PLAIN)
        self.add("def migrate():\n    note('waiting', waiting(1.0))\n    return done()\n")
        self.home.write_state({"applied": ["1.0.0/001_step.py"]})
        result = self.home.migrate()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.noted(2, "waiting"), "[]")

    def test_on_one_core_nothing_is_started_ahead(self):
        self.add("def migrate():\n    note('waiting', waiting(1.0))\n    return done()\n")
        self.add(PLAIN)
        core = min(os.sched_getaffinity(0))
        self.run_all(preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        self.assertEqual(self.noted(1, "waiting"), "[]")

    def test_a_migration_that_kills_its_own_group_does_not_reach_it(self):
        self.first("signal.signal(signal.SIGTERM, signal.SIG_IGN); os.killpg(0, signal.SIGTERM)")
        self.add(PLAIN)
        self.run_all()
        self.assert_used(2)

    def test_ending_what_a_migration_left_running_spares_it(self):
        self.first("import subprocess; note('left', subprocess.Popen(['sleep', '600'], start_new_session=True).pid)")
        self.add(PLAIN)
        result = self.run_all()
        self.assertIn("it left processes running, they were ended", result.err)
        self.assertFalse(telec.alive(int(self.noted(1, "left"))))
        self.assert_used(2)

    def test_what_it_runs_with_is_its_own(self):
        self.first()
        self.add('''
def migrate():
    note("id", os.environ["TELEC_MIGRATION_ID"]); note("argv", sys.argv[0]); note("file", __file__)
    note("path", sys.path[-1]); note("cwd", os.getcwd()); note("stdin", repr(sys.stdin.read()))
    print("this is the second")
    note("session", os.getsid(0) == os.getpid()); note("fds", sorted(map(int, os.listdir("/proc/self/fd")))[:5])
    return done()
''')
        self.run_all("-v")
        self.assert_used(2)
        path = str(self.home.tree / "v1.0.0" / "002_step.py")
        self.assertEqual(self.noted(2, "id"), "1.0.0/002_step.py")
        self.assertEqual(self.noted(2, "argv"), path)
        self.assertEqual(self.noted(2, "file"), path)
        self.assertEqual(self.noted(2, "path"), os.path.dirname(path))
        self.assertEqual(self.noted(2, "cwd"), str(self.home.home))
        self.assertEqual(self.noted(2, "stdin"), "''")
        self.assertEqual(self.noted(2, "session"), "True")
        logs = list(self.home.logs.glob("*002_step*"))
        self.assertEqual(len(logs), 1)
        self.assertIn("this is the second", logs[0].read_text())


@needs_two_cores
class ItImports(Chain):
    def had(self, imports, *names):
        """Which of the modules the second script had, when it was begun, where it begins like this."""
        if not hasattr(sys, "stdlib_module_names"):
            self.skipTest("this python3 cannot tell which modules are the standard library's (3.10 and newer can)")
        self.first("note('early', os.path.exists(os.path.join(HOME, 'executed')))")
        self.add(f"open(os.path.join(HOME, 'executed'), 'w').close()\nnote('had', [n for n in {names} if n in LOADED_AT_START])\n" + PLAIN,
                 imports=imports)
        self.run_all()
        self.assert_used(2)
        self.assertEqual(self.noted(1, "early"), "False")
        return eval(self.noted(2, "had"))

    def test_it_imports_what_the_next_script_imports_first_and_executes_none_of_it(self):
        had = self.had('''\"\"\"What it says:
import graphlib
\"\"\"
from __future__ import annotations
import json, sqlite3 as database  # and a remark
from shutil import (
    copy,
)
import urllib.parse
import logging
import csv
''', "json", "sqlite3", "shutil", "urllib.parse", "copy", "graphlib", "logging", "csv")
        self.assertEqual(had, ["json", "sqlite3", "shutil", "urllib.parse"])

    def test_a_statement_behind_what_the_script_says_of_itself_is_one_too(self):
        self.home.add("1.0.0/helper.py", "")
        self.assertEqual(self.had("'''What it says'''; import helper\nimport json\n", "json", "helper"), [])

    def test_a_line_that_ends_as_on_an_old_mac_is_one_too(self):
        self.home.add("1.0.0/helper.py", "")
        self.assertEqual(self.had("import csv\rimport helper\nimport json\n", "csv", "json", "helper"), ["csv"])

    def test_a_module_that_looks_at_the_machine_is_not_imported(self):
        self.assertEqual(self.had("import csv, uuid\n", "csv", "uuid"), ["csv"])

    def test_what_comes_after_anything_else_is_not_imported(self):
        for other in ("import helper", "X = 1", "import json; import helper", "if True:\n    import json", "import \\\n    json"):
            with self.subTest(other):
                self.setUp()
                self.home.add("1.0.0/helper.py", "")
                self.assertEqual(self.had(f"import csv\n{other}\nimport json\n", "csv", "json", "helper"), ["csv"])

    def test_a_module_that_the_script_has_in_the_place_of_a_standard_one_is_the_one_it_gets(self):
        vendored = self.home.path / "vendored"
        vendored.mkdir()
        (vendored / "graphlib.py").write_text("")
        self.first()
        self.add("note('file', graphlib.__file__)\n" + PLAIN, imports=f"import sys\nsys.path.insert(0, {str(vendored)!r})\nimport graphlib\n")
        self.run_all()
        self.assert_used(2)
        self.assertEqual(self.noted(2, "file"), str(vendored / "graphlib.py"))

    def test_a_script_that_does_not_compile_fails_as_it_does_cold(self):
        self.first()
        self.add("def check(:\n", prelude=False)
        warm = self.home.migrate_json()
        shutil.rmtree(self.home.data)
        for path in list(self.home.home.glob("done-*")):
            path.unlink()
        cold = self.home.migrate_json("--no-prestart")
        self.assertEqual(warm.code, 1)
        for key in ("code", "message", "stage", "traceback", "id"):
            self.assertEqual(warm.document["error"][key], cold.document["error"][key])

    def test_a_warning_of_the_compiler_is_said_once(self):
        self.first()
        self.add("X = 1 is 1\n" + PLAIN)
        result = self.run_all("-v")
        self.assertEqual((result.out + result.err).count("SyntaxWarning"), 1, result)


@needs_two_cores
class WhatThePredecessorLeft(Chain):
    def interpreter(self):
        made = make_interpreter(self.home.path / "python")
        if made is None:
            self.skipTest("no interpreter of our own can be made from /usr/bin/python3")
        return made

    def venv(self):
        folder = self.home.path / "venv"
        made = subprocess.run([str(TREE_PYTHON), "-m", "venv", "--without-pip", str(folder)], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if made.returncode != 0:
            self.skipTest("python3 -m venv does not work here (Debian: python3-venv)")
        time.sleep(0.1)
        return folder / "bin" / "python3", next(folder.glob("lib/python3*/site-packages")), folder

    def test_with_an_unchanged_venv_it_is_used(self):
        python, _, _ = self.venv()
        self.first()
        self.add(PLAIN)
        self.run_all("--python", python)
        self.assert_used(2)

    def test_a_pth_file_is_seen(self):
        python, packages, folder = self.venv()
        (folder / "more").mkdir()
        (folder / "more" / "left_behind.py").write_text("VALUE = 7\n")
        self.first(f"open({str(packages / 'left.pth')!r}, 'w').write({str(folder / 'more')!r})")
        self.add("import left_behind\ndef migrate():\n    return done()\n")
        self.run_all("--python", python)
        self.assert_dropped(2)

    def test_a_pth_file_that_is_changed_in_place_to_the_same_size_and_time_is_seen(self):
        python, packages, folder = self.venv()
        for name in ("one", "two"):
            (folder / name).mkdir()
            (folder / name / "left_behind.py").write_text(f"VALUE = '{name}'\n")
        pth = packages / "left.pth"
        pth.write_text(str(folder / "one"))
        time.sleep(0.1)
        self.first(f"p = {str(pth)!r}; s = os.stat(p); f = open(p, 'r+'); f.write({str(folder / 'two')!r}); f.close(); "
                   "os.utime(p, ns=(s.st_atime_ns, s.st_mtime_ns))")
        self.add("import left_behind\nnote('value', left_behind.VALUE)\n" + PLAIN)
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "value"), "two")
        self.assert_dropped(2)

    def test_a_package_is_seen(self):
        python, packages, _ = self.venv()
        self.first(f"os.mkdir({str(packages / 'left')!r}); open({str(packages / 'left' / '__init__.py')!r}, 'w').close()")
        self.add("import left\n" + PLAIN)
        self.run_all("--python", python)
        self.assert_dropped(2)

    def test_a_site_directory_that_was_not_there_is_seen(self):
        python, packages, _ = self.interpreter()
        packages.rmdir()
        time.sleep(0.1)
        self.first(f"os.makedirs({str(packages)!r}); open({str(packages / 'left.py')!r}, 'w').close()")
        self.add("import left\n" + PLAIN)
        self.run_all("--python", python)
        self.assert_dropped(2)

    def test_a_site_directory_that_the_first_takes_away_at_once_is_seen(self):
        # The two that start together have both begun, and telec is stopped, before either of them can say what its
        # start depends on. Whatever the first may do before telec goes on, the second must not be the one of before.
        python, packages, library = self.interpreter()
        marks = self.home.path / "marks"
        marks.mkdir()
        (packages / "left.pth").write_text("import sys; sys.left = 7\n")
        (library / "sitecustomize.py").write_text(f"""
import os, signal, time

def is_first(name):
    try:
        os.close(os.open({str(marks)!r} + name, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False

if is_first("/one"):
    end = time.monotonic() + 20
    while not os.path.exists({str(marks)!r} + "/stopped") and time.monotonic() < end:
        time.sleep(0.01)
elif is_first("/two"):
    telec = os.getppid()
    os.kill(telec, signal.SIGSTOP)
    if os.fork() == 0:
        time.sleep(3)
        os.kill(telec, signal.SIGCONT)
        os._exit(0)
    is_first("/stopped")
""")
        time.sleep(0.1)
        self.first(f"import shutil; shutil.rmtree({str(packages)!r})")
        self.add("note('left', getattr(sys, 'left', None))\n" + PLAIN)
        self.run_all("--python", python)
        self.assertTrue((marks / "stopped").exists(), "they did not start together, so nothing was tested")
        self.assertEqual(self.noted(2, "left"), "None")
        self.assert_dropped(2)

    def test_no_module_of_a_directory_before_the_standard_librarys_runs_ahead(self):
        python, packages, folder = self.venv()
        (folder / "vendor").mkdir()
        (folder / "vendor" / "csv.py").write_text("import os\nREADER = os.getpid()\n"
                                                  "open(os.environ['HOME'] + '/imported', 'a').write('x')\n")
        (packages / "vendor.pth").write_text(f"import sys; sys.path.insert(0, {str(folder / 'vendor')!r})\n")
        time.sleep(0.1)
        self.first(f"note('early', os.path.exists(HOME + '/imported'))")
        self.add("note('file', csv.__file__)\n" + PLAIN, imports="import csv\n")
        self.run_all("--python", python)
        self.assert_used(2)
        self.assertEqual(self.noted(1, "early"), "False")
        self.assertEqual(self.noted(2, "file"), str(folder / "vendor" / "csv.py"))

    def test_one_whose_path_is_its_own_is_never_used(self):
        python, packages, folder = self.venv()
        (packages / "own.pth").write_text(f"import os, sys; sys.path.append('{folder}/of-%d' % os.getpid())\n")
        time.sleep(0.1)
        self.first()
        self.add(FIRST.format(body="pass"))
        self.add(PLAIN)
        self.run_all("--python", python)
        self.assert_dropped(2)

    def test_a_sitecustomize_is_seen(self):
        python, _, library = self.interpreter()
        self.first(f"open({str(library / 'sitecustomize.py')!r}, 'w').write('import sys; sys.left = 7')")
        self.add("note('left', getattr(sys, 'left', None))\n" + PLAIN)
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "left"), "7")
        self.assert_dropped(2)

    def test_a_sitecustomize_that_is_changed_in_place_is_seen(self):
        python, _, library = self.interpreter()
        (library / "sitecustomize.py").write_text("import sys; sys.left = 1")
        time.sleep(0.1)
        self.first(f"open({str(library / 'sitecustomize.py')!r}, 'r+').write('import sys; sys.left = 77')")
        self.add("note('left', getattr(sys, 'left', None))\n" + PLAIN)
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "left"), "77")
        self.assert_dropped(2)

    def test_a_directory_that_a_pth_file_had_named_before_it_was_there_is_seen(self):
        python, packages, folder = self.venv()
        (packages / "left.pth").write_text(f"# a remark\n{folder / 'more'}\n")
        time.sleep(0.1)
        self.first(f"os.mkdir({str(folder / 'more')!r}); open({str(folder / 'more' / 'left_behind.py')!r}, 'w').close()")
        self.add("import left_behind\n" + PLAIN)
        self.run_all("--python", python)
        self.assert_dropped(2)

    def test_a_module_of_a_package_that_is_loaded_at_the_start_is_seen(self):
        python, packages, library = self.interpreter()
        (packages / "hooks").mkdir()
        (packages / "hooks" / "__init__.py").write_text("")
        (library / "sitecustomize.py").write_text(f"import sys\nsys.path.append({str(packages)!r})\n"
                                                  "try:\n    import hooks.local\nexcept ImportError:\n    pass\n")
        subprocess.run([str(python), "-I", "-c", "pass"], check=True)  # leaves its __pycache__
        time.sleep(0.1)
        self.first(f"open({str(packages / 'hooks' / 'local.py')!r}, 'w').write('import sys; sys.left = 7')")
        self.add("note('left', getattr(sys, 'left', None))\n" + PLAIN)
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "left"), "7")
        self.assert_dropped(2)

    def test_a_time_zone_of_one_s_own_is_seen(self):
        # tzfile(5), version 1: one type, nine hours east of Greenwich.
        zone = b"TZif" + bytes(16) + struct.pack(">6i", 0, 0, 0, 0, 1, 4) + struct.pack(">ibb", 9 * 3600, 0, 0) + b"JST\0"
        path = self.home.path / "zone"
        self.first(f"open({str(path)!r}, 'wb').write({zone!r})")
        self.add("note('zone', time.tzname[0])\n" + PLAIN)
        self.run_all(env={"TZ": f":{path}"})
        self.assertEqual(self.noted(2, "zone"), "JST")
        self.assert_dropped(2)

    def test_an_upgraded_interpreter_is_seen(self):
        python, _, _ = self.interpreter()
        real = python.resolve()
        self.first(f"import shutil; shutil.copy2({str(real)!r}, {str(real) + '.new'!r}); os.rename({str(real) + '.new'!r}, {str(real)!r})")
        self.add("note('inode', os.stat('/proc/self/exe').st_ino)\n" + PLAIN)
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "inode"), str(real.stat().st_ino))
        self.assert_dropped(2)

    def test_a_link_that_names_another_interpreter_is_seen(self):
        python, _, _ = self.interpreter()
        other = python.with_name("other")
        shutil.copy2(python.resolve(), other)
        time.sleep(0.1)
        self.first(f"os.symlink('other', {str(python) + '.new'!r}); os.rename({str(python) + '.new'!r}, {str(python)!r})")
        self.add("note('inode', os.stat('/proc/self/exe').st_ino)\n" + PLAIN)
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "inode"), str(other.stat().st_ino))
        self.assert_dropped(2)

    def test_a_changed_pyvenv_cfg_is_seen(self):
        python, _, folder = self.venv()
        self.first(f"p = {str(folder / 'pyvenv.cfg')!r}; t = open(p).read(); "
                   "open(p, 'w').write(t.replace('include-system-site-packages = false', 'include-system-site-packages = true'))")
        self.add("note('path', len(sys.path))\n" + PLAIN)
        self.add("note('path', len(sys.path))\n" + PLAIN)
        self.run_all("--python", python)
        self.assert_dropped(2)
        self.assertEqual(self.noted(2, "path"), self.noted(3, "path"))

    def test_a_standard_module_that_it_had_imported_is_seen_anew(self):
        python, _, library = self.interpreter()
        self.first(f"open({str(library / 'json' / '__init__.py')!r}, 'a').write('LEFT = 7')")
        self.add("note('left', getattr(json, 'LEFT', None))\n" + PLAIN, imports="import json\n")
        self.run_all("--python", python)
        self.assertEqual(self.noted(2, "left"), "7")
        self.assert_dropped(2)

    def test_another_home_in_the_place_of_the_old_one_is_seen(self):
        state = self.home.path / "state"
        state.mkdir(mode=0o700)
        home = self.home.home
        self.first(f"import shutil; os.rename({str(home)!r}, {str(home) + '.was'!r}); shutil.copytree({str(home) + '.was'!r}, {str(home)!r})")
        self.add("note('cwd', os.stat('.').st_ino)\n" + PLAIN)
        self.run_state(state)
        self.assertEqual(self.noted(2, "cwd"), str(home.stat().st_ino))
        self.assert_dropped(2)

    def run_state(self, state):
        result = self.home.migrate("--state-file", state / "migration_state.json")
        self.assertEqual(result.code, 0, result)

    def test_changed_bytes_are_what_runs(self):
        self.first("p = __file__.replace('001', '002'); t = open(p).read(); open(p, 'w').write(t.replace('OLD', 'NEW'))")
        self.add("import json\nnote('text', 'OLD')\n" + PLAIN)
        result = self.run_all()
        self.assertEqual(self.notes()[(2, "text")], ["NEW"], result)
        self.assert_dropped(2)

    def test_a_script_that_is_gone_at_its_turn_is_refused(self):
        self.first("os.unlink(__file__.replace('001', '002'))")
        self.add(PLAIN)
        result = self.run_all(code=1)
        self.assertIn("002_step.py", result.err)
        self.assertFalse(telec.alive(int(self.noted(1, "waiting"))))


@needs_two_cores
class ItCostsAColdStartAtMost(Chain):
    def test_killed_while_it_waits(self):
        self.first("os.kill(pids[0], signal.SIGKILL)")
        self.add(PLAIN)
        self.run_all()
        self.assert_dropped(2)

    def test_stopped_while_it_waits(self):
        self.first("os.kill(pids[0], signal.SIGSTOP)")
        self.add(PLAIN)
        result = self.run_all()
        self.assert_dropped(2)
        self.assertLess(result.seconds, 30)

    def test_stopped_before_its_first_word(self):
        self.add('''
def migrate():
    pids = waiting()
    os.kill(pids[0], signal.SIGSTOP)
    note("waiting", pids[0])
    return done()
''')
        self.add(PLAIN)
        self.run_all()
        self.assert_dropped(2)

    def test_held_up_before_it_is_executed(self):
        home = self.home.home
        wrapper = self.home.path / "python3"
        wrapper.write_text(f'#!/bin/sh\nexec {TREE_PYTHON} "$@"\n')
        wrapper.chmod(0o755)
        time.sleep(0.1)
        # The third is started when the turn of the second has come; the first does not end before that would have to
        # wait.
        for marks in (("begun", "held-up"), ("running", "let-go")):
            self.add(f"""
def migrate():
    open({str(home / marks[0])!r}, "w").close()
    while not os.path.exists({str(home / marks[1])!r}):
        time.sleep(0.01)
    return done()
""")
        self.add(PLAIN)
        process = self.home.start("migrate", "--python", wrapper)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.assertTrue(telec.wait_until((home / "begun").exists, 30))
        with HeldUp(wrapper) as held:
            (home / "held-up").touch()
            self.assertTrue(telec.wait_until(lambda: held.waited, 30), "nothing was started ahead, so nothing was tested")
            self.assertTrue(telec.wait_until((home / "running").exists, 30))
            second = int(self.noted(2, "pid"))
            given_up = telec.wait_until(lambda: telec.children_of(process.pid) == [second], 30)
        self.assertTrue(given_up, "it is still waited for")
        (home / "let-go").touch()
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(len(self.home.applied()), 3)

    def at_its_start(self, text):
        """An interpreter of our own that does this whenever it is started."""
        made = make_interpreter(self.home.path / "python")
        if made is None:
            self.skipTest("no interpreter of our own can be made from /usr/bin/python3")
        python, _, library = made
        (library / "sitecustomize.py").write_text(text)
        time.sleep(0.1)
        return python

    def test_where_one_is_not_ready_in_time_none_is_started_any_more(self):
        python = self.at_its_start("print('x' * 100000)\n")
        for _ in range(3):
            self.add("def migrate():\n    note('waiting', waiting(0.5))\n    return done()\n")
        self.add(PLAIN)
        self.run_all("--python", python)
        # The second has one beside it: it was started when the turn of the second had come.
        self.assertNotEqual(self.noted(1, "waiting"), "[]")
        self.assertEqual(self.noted(3, "waiting"), "[]")

    def test_what_cannot_be_said_of_a_start_is_no_fault(self):
        ways = {"an entry of sys.path that is no text": "import sys, pathlib; sys.path.append(pathlib.Path('/nowhere'))",
                "a module that finds its attributes itself": "import sys, types\nclass Lazy(types.ModuleType):\n    def __getattribute__(self, name):\n"
                                                             "        raise ImportError(name)\nsys.modules['lazy'] = Lazy('lazy')\n"}
        for name, text in ways.items():
            with self.subTest(name):
                self.setUp()
                python = self.at_its_start(text)
                self.add(PLAIN, imports="import json\n")
                self.add(PLAIN, imports="import json\n")
                self.run_all("--python", python)

    def test_an_interpreter_whose_path_cannot_be_said_runs_cold(self):
        made = make_interpreter(self.home.path / 'py"thon')
        if made is None:
            self.skipTest("no interpreter of our own can be made from /usr/bin/python3")
        for _ in range(3):
            self.add(PLAIN, imports="import json\n")
        self.run_all("--python", made[0])

    def test_one_that_hangs_at_its_start(self):
        made = make_interpreter(self.home.path / "python")
        if made is None:
            self.skipTest("no interpreter of our own can be made from /usr/bin/python3")
        python, _, library = made
        marker = self.home.path / "hang"
        (library / "sitecustomize.py").write_text(
            f"import os, time\ntry:\n    os.unlink({str(marker)!r})\nexcept OSError:\n    pass\nelse:\n    time.sleep(600)\n")
        time.sleep(0.1)
        self.first(f"open({str(marker)!r}, 'w').close()")
        self.first()
        self.add(PLAIN)
        result = self.run_all("--python", python)
        self.assertFalse(marker.exists())
        self.assert_dropped(3)
        self.assertLess(result.seconds, 60)

    def test_noise_on_its_channel(self):
        # As root or as the same user a script can write into another process' descriptors; the nonce keeps it out.
        self.first("open('/proc/%d/fd/1' % pids[0], 'wb', buffering=0).write(b'noise in the output\\n')")
        self.add(PLAIN)
        self.run_all()
        self.assert_used(2)


class ColdStart(Chain):
    def test_a_slow_start_is_not_taken_from_the_time_of_the_script(self):
        wrapper = self.home.path / "python3"
        wrapper.write_text(f'#!/bin/sh\nsleep 5\nexec {TREE_PYTHON} "$@"\n')
        wrapper.chmod(0o755)
        self.add(PLAIN)
        self.run_all("--python", wrapper, "--timeout", "4")

    def test_one_that_is_never_executed_ends_the_run_and_the_message_says_so(self):
        wrapper = self.home.path / "python3"
        wrapper.write_text(f'#!/bin/sh\nexec {TREE_PYTHON} "$@"\n')
        wrapper.chmod(0o755)
        self.add(PLAIN)
        with HeldUp(wrapper):
            result = self.home.migrate("--python", wrapper)
        self.assertEqual(result.code, 69, result)
        self.assertIn(f"cannot execute '{wrapper}': not done after 10.000 s", result.err)
        self.assertEqual(self.home.applied(), [])
        self.run_all("--python", wrapper)


@needs_two_cores
class NothingIsLeft(Chain):
    def waited(self):
        return int(self.noted(1, "waiting"))

    def gone(self, pid):
        return telec.wait_until(lambda: not telec.alive(pid))

    def test_after_a_failure(self):
        self.first("raise ValueError('no')")
        self.add(PLAIN)
        self.run_all(code=1)
        self.assertFalse(telec.alive(self.waited()))
        self.assertEqual(self.noted(2, "pid"), None)

    def test_after_a_time_limit(self):
        self.first("time.sleep(600)")
        self.add(PLAIN)
        self.run_all("--timeout", "8", code=1)
        self.assertFalse(telec.alive(self.waited()))

    def slow_run(self):
        self.first("""note('slow', 1)
    end = time.monotonic() + 60
    while not os.path.exists(os.path.join(HOME, 'go')) and time.monotonic() < end:
        time.sleep(0.01)
    note('through', 1)""")
        self.add(PLAIN)
        process = self.home.start("migrate")
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.assertTrue(telec.wait_until(lambda: self.noted(1, "slow"), 60))
        self.assertTrue(telec.alive(self.waited()))
        return process

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        self.assertIn(b"finishing", process.stderr.readline())

    def test_after_one_ctrl_c(self):
        process = self.slow_run()
        self.interrupt(process)
        (self.home.home / "go").touch()
        self.assertEqual(process.wait(60), 130)
        self.assertEqual(self.noted(1, "through"), "1")
        self.assertFalse(telec.alive(self.waited()))
        self.assertEqual(self.home.applied(), ["1.0.0/001_step.py"])

    def test_after_two_ctrl_c(self):
        process = self.slow_run()
        self.interrupt(process)
        telec.wait_as_a_person_does()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 130)
        self.assertFalse(telec.alive(self.waited()))
        self.assertEqual(self.home.applied(), [])

    def test_after_the_runner_was_killed(self):
        process = self.slow_run()
        process.kill()
        process.wait(60)
        self.assertTrue(self.gone(self.waited()))
        self.assertTrue(self.gone(int(self.noted(1, "pid"))))
        (self.home.home / "go").touch()
        again = self.home.migrate("--lock-timeout", "60")
        self.assertEqual(again.code, 0, again)

    def test_nobody_else_runs_while_it_lives(self):
        # It has the lock: a stopped one that outlives its killed runner would otherwise wake up beside another run.
        self.first("note('locked', [os.readlink('/proc/%d/fd/4' % pid) for pid in pids])")
        self.add(PLAIN)
        self.run_all()
        self.assertEqual(self.noted(1, "locked"), str([str(self.home.lock_file)]))


if __name__ == "__main__":
    telec.main("prestart")
