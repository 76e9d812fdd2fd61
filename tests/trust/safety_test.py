#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Root is careful: nothing runs as root, and nothing is written by root, where somebody else has a say.

Needs root, for a second uid. Each case prepares a home and a tree of root's, spoils one thing, and looks at the exit
status, at the message, at whether a script ran, and at whether anything was created.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import sweep
from checker import telec

SUITE = "safety"
OTHER = 4242
GROUP = 4343

SCRIPT = """\
import os

_EFFECT = os.path.join(os.environ["HOME"], "effect")


def check():
    return os.path.exists(_EFFECT)


def migrate():
    with open(_EFFECT, "w") as file:
        file.write(f"{os.geteuid()}\\n")
    return True
"""


class Case:
    """A home, a tree, an interpreter and a state directory, all root's and all as they should be."""

    def __init__(self):
        self.world = telec.Home()
        os.chmod(self.world.path, 0o755)
        self.path = self.world.path
        self.home = self.world.home
        self.data = self.world.data
        self.tree = self.world.tree
        self.version = self.tree / "v1.0.0"
        self.script = self.world.add("1.0.0/001_x.py", SCRIPT)
        self.data.mkdir(mode=0o700)
        self.bin = self.path / "bin"
        self.bin.mkdir()
        self.python = self.bin / "python3"
        shutil.copy2(os.path.realpath("/usr/bin/python3"), self.python)
        self.options = []
        self.env = {}
        self.prefix = []

    def run(self):
        return subprocess.run([*self.prefix, telec.binary(), "migrate", *map(str, self.options)],
                              env=self.world.environment(**self.env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, cwd="/", check=False)


def own(path, uid=OTHER):
    os.chown(path, uid, 0, follow_symlinks=False)


def link_instead(path, target):
    """Moves `path` to `target` and leaves a link; returns the target."""
    target.parent.mkdir(exist_ok=True)
    shutil.move(str(path), str(target))
    path.symlink_to(target)
    return target


CASES = []


def refused(title, reason):
    """A case that must end with 77, the spoiled path and the reason in the message."""
    def register(spoil):
        CASES.append((title, 77, reason, spoil))
        return spoil
    return register


def allowed(title):
    def register(prepare):
        CASES.append((title, 0, None, prepare))
        return prepare
    return register


# --- the migrations

@refused("the migrations directory belongs to somebody else", "belongs to uid 4242")
def _(c):
    own(c.tree)
    return c.tree


@refused("the migrations directory can be written by a group", "its group (gid 4343)")
def _(c):
    os.chown(c.tree, 0, GROUP)
    os.chmod(c.tree, 0o775)
    return c.tree


@refused("the migrations directory can be written by all", "every user")
def _(c):
    os.chmod(c.tree, 0o777)
    return c.tree


@refused("the migrations directory is sticky and can be written by all", "every user")
def _(c):
    os.chmod(c.tree, 0o1777)
    return c.tree


@refused("a directory above the migrations belongs to somebody else", "belongs to uid 4242")
def _(c):
    above = c.path / "above"
    above.mkdir()
    shutil.move(str(c.tree), str(above / "migrations"))
    own(above)
    c.options += ["--migrations-dir", above / "migrations"]
    return above


@refused("a directory above the migrations can be written by all", "every user")
def _(c):
    above = c.path / "above"
    above.mkdir()
    shutil.move(str(c.tree), str(above / "migrations"))
    os.chmod(above, 0o777)
    c.options += ["--migrations-dir", above / "migrations"]
    return above


@refused("the migrations directory is a link into a place of somebody else", "belongs to uid 4242")
def _(c):
    target = link_instead(c.tree, c.path / "theirs" / "migrations")
    own(target.parent)
    return target.parent


@refused("the link to the migrations directory belongs to somebody else", "belongs to uid 4242")
def _(c):
    link_instead(c.tree, c.path / "elsewhere" / "migrations")
    own(c.tree)
    return c.tree


@refused("a version directory belongs to somebody else", "belongs to uid 4242")
def _(c):
    own(c.version)
    return c.version


@refused("a version directory can be written by all", "every user")
def _(c):
    os.chmod(c.version, 0o777)
    return c.version


@refused("a version directory is sticky and can be written by all", "every user")
def _(c):
    os.chmod(c.version, 0o1777)
    return c.version


@refused("the script belongs to somebody else", "belongs to uid 4242")
def _(c):
    own(c.script)
    return c.script


@refused("the script can be written by a group", "its group (gid 4343)")
def _(c):
    os.chown(c.script, 0, GROUP)
    os.chmod(c.script, 0o664)
    return c.script


@refused("the script can be written by all", "every user")
def _(c):
    os.chmod(c.script, 0o666)
    return c.script


@refused("a later script can be written by all: the first does not run either", "every user")
def _(c):
    later = c.world.add("2.0.0/001_y.py", SCRIPT)
    os.chmod(later, 0o666)
    return later


@refused("a module beside the script can be written by all", "every user")
def _(c):
    helper = c.version / "helper.py"
    helper.write_text("x = 1\n")
    os.chmod(helper, 0o666)
    return helper


@refused("a module in a package beside the script belongs to somebody else", "belongs to uid 4242")
def _(c):
    package = c.version / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    own(package / "__init__.py")
    return package / "__init__.py"


@refused("a module beside the script is a link to somebody else's", "belongs to uid 4242")
def _(c):
    theirs = c.path / "theirs.py"
    theirs.write_text("x = 1\n")
    own(theirs)
    (c.version / "helper.py").symlink_to(theirs)
    return theirs


# --- the interpreter

@refused("the interpreter belongs to somebody else", "belongs to uid 4242")
def _(c):
    own(c.python)
    c.options += ["--python", c.python]
    return c.python


@refused("the interpreter can be written by all", "every user")
def _(c):
    os.chmod(c.python, 0o777)
    c.options += ["--python", c.python]
    return c.python


@refused("the interpreter lies in a directory that all can write", "every user")
def _(c):
    os.chmod(c.bin, 0o777)
    c.env["TELEC_PYTHON"] = str(c.python)
    return c.bin


@refused("the interpreter is a link to somebody else's", "belongs to uid 4242")
def _(c):
    own(c.python)
    (c.path / "mine").mkdir()
    (c.path / "mine" / "python3").symlink_to(c.python)
    c.options += ["--python", c.path / "mine" / "python3"]
    return c.python


@refused("the interpreter is reached through a directory link in somebody else's place", "belongs to uid 4242")
def _(c):
    theirs = c.path / "theirs"
    theirs.mkdir()
    (theirs / "bin").symlink_to(c.bin)
    own(theirs)
    c.options += ["--python", theirs / "bin" / "python3"]
    return theirs


@refused("the interpreter found on PATH is somebody else's", "belongs to uid 4242")
def _(c):
    own(c.python)
    c.env["PATH"] = str(c.bin)
    c.options += ["--python", "python3"]
    return c.python


@refused("the interpreter that is to read the scripts alone is somebody else's", "belongs to uid 4242")
def _(c):
    c.python.unlink()
    c.python.write_text(f"#!/bin/sh\nid -u > {c.home}/effect\n")
    c.python.chmod(0o755)
    own(c.python)
    c.options += ["lint", "--python", c.python]
    return c.python


# --- the state and the home

@refused("the home belongs to somebody else", "belongs to uid 4242")
def _(c):
    own(c.home)
    return c.home


@refused("the state directory belongs to somebody else", "belongs to uid 4242")
def _(c):
    own(c.data)
    return c.data


@refused("the state directory can be written by all", "every user")
def _(c):
    os.chmod(c.data, 0o777)
    return c.data


@refused("the state directory can be written by a group", "its group (gid 4343)")
def _(c):
    os.chown(c.data, 0, GROUP)
    os.chmod(c.data, 0o770)
    return c.data


@refused("the state directory is a link into somebody else's place", "belongs to uid 4242")
def _(c):
    target = link_instead(c.data, c.path / "theirs" / "data")
    own(target.parent)
    return target.parent


@refused("the state directory is to be created in somebody else's place", "belongs to uid 4242")
def _(c):
    theirs = c.path / "theirs"
    theirs.mkdir()
    own(theirs)
    c.options += ["--state-file", theirs / "new" / "state.json"]
    return theirs


@refused("the state file belongs to somebody else", "belongs to uid 4242")
def _(c):
    c.world.write_state({"applied": ["1.0.0/001_x.py"]})
    own(c.world.state_file)
    return c.world.state_file


@refused("the state file can be written by all", "every user")
def _(c):
    c.world.write_state({"applied": ["1.0.0/001_x.py"]})
    os.chmod(c.world.state_file, 0o666)
    return c.world.state_file


@refused("the state file can be written by a group", "its group (gid 4343)")
def _(c):
    c.world.write_state({"applied": []})
    os.chown(c.world.state_file, 0, GROUP)
    os.chmod(c.world.state_file, 0o660)
    return c.world.state_file


@refused("the lock is a link to somebody else's file", "is a symbolic link")
def _(c):
    theirs = c.path / "theirs"
    theirs.write_text("mine\n")
    own(theirs)
    c.world.lock_file.symlink_to(theirs)
    return c.world.lock_file


# --- what must keep working

@allowed("root in its own home, with a tree below a sticky directory")
def _(_c):
    pass


@allowed("links of root's into places of root's")
def _(c):
    link_instead(c.tree, c.path / "elsewhere" / "migrations")
    link_instead(c.data, c.path / "elsewhere" / "data")
    (c.version / "helper.py").symlink_to("001_x.py")


@allowed("files of a group that may only read them")
def _(c):
    for path in (c.tree, c.version, c.script):
        os.chown(path, 0, GROUP)


@allowed("somebody else in his own home, with the scripts of root")
def _(c):
    for path in (c.home, c.data):
        os.chown(path, OTHER, OTHER)
    c.prefix = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]


@allowed("somebody else with his own tree, which a group may write to")
def _(c):
    for path in (c.home, c.data, c.tree, c.version, c.script):
        os.chown(path, OTHER, GROUP)
    os.chmod(c.tree, 0o775)
    c.prefix = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]


@refused("somebody else, with a state directory that all can write", "every user")
def _(c):
    for path in (c.home, c.data):
        os.chown(path, OTHER, OTHER)
    os.chmod(c.data, 0o777)
    c.prefix = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]
    return c.data


def snapshot(folder):
    """Every file below, with owner, mode and content: what root must not touch."""
    found = {}
    for path in [folder, *sorted(pathlib.Path(folder).rglob("*"))]:
        status = path.lstat()
        found[str(path)] = (status.st_uid, status.st_mode, path.read_bytes() if path.is_file() and not path.is_symlink() else None)
    return found


def judge(code, reason, prepare):
    case = Case()
    try:
        spoiled = prepare(case)
        before = snapshot(case.home)
        result = case.run()
        faults = []
        if result.returncode != code:
            faults.append(f"exit {result.returncode} instead of {code}: {result.stderr!r}")
        effect = case.home / "effect"
        if code == 0:
            if not effect.exists():
                faults.append("the migration did not run")
            return faults
        if effect.exists():
            faults.append("a script ran, as uid " + effect.read_text().strip())
        if f"'{spoiled}'" not in result.stderr or reason not in result.stderr:
            faults.append(f"no path or reason ({spoiled}, {reason}): {result.stderr!r}")
        if "hint: " not in result.stderr:
            faults.append("no next step")
        after = snapshot(case.home)
        # The lock and its directory are root's own, in a directory that was found to be safe before.
        changed = [path for path in after if path not in before and not path.startswith(str(case.data))]
        changed += [path for path in before if after.get(path) != before[path] and path != str(case.data)]
        if changed:
            faults.append(f"something was created or changed: {changed}")
        return faults
    finally:
        case.world.close()


def main():
    options = sweep.arguments(__doc__).parse_args()
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        print(f"skipped: {SUITE}: needs root and setpriv, for a second uid")
        print(f"{SUITE}: 0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    tally = sweep.Tally(SUITE, options)
    for part, wanted in (("refused", 77), ("allowed", 0)):
        for title, code, reason, prepare in sweep.chosen([case for case in CASES if case[1] == wanted], options, part):
            if sweep.wanted(part + ": " + title, options):
                tally.add(part, title, True, judge(code, reason, prepare))
    tally.finish()


if __name__ == "__main__":
    main()
