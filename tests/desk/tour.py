#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes the tour of docs/tour.md in a throw-away home and prints the page, with the real output of each command.

    TELEC_BINARY=build/telec python3 tests/desk/tour.py > docs/tour.md

What differs from run to run (times, seconds, hosts, free space) is replaced by examples;
`tour_test.py` compares the page with a new tour.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

FIRST_TRY = '''\
"""Rename the config key poll_ms to poll_seconds."""

import json
import os

_CONFIG = os.path.expanduser("~/.teleclaude/config.json")


def _read():
    with open(_CONFIG, encoding="utf-8") as file:
        return json.load(file)


def check():
    """True when there is nothing to rename."""
    return not os.path.exists(_CONFIG) or "poll_ms" not in _read()


def migrate():
    config = _read()
    config["poll_seconds"] = config.pop("poll_ms") / 1000
    print("renaming poll_ms in", _CONFIG)
    with open(_CONFIG, "w", encoding="utf-8") as file:
        json.dump(config, file)
'''

SECOND_TRY = FIRST_TRY.replace('''\
    with open(_CONFIG, "w", encoding="utf-8") as file:
        json.dump(config, file)
''', '''\
    temporary = _CONFIG + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(config, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, _CONFIG)
''')

THIRD_TRY = SECOND_TRY + "    return True\n"

SCRIPT = "migrations/v1.3.0/001_rename_poll_ms.py"
ID = "1.3.0/001_rename_poll_ms.py"

# (what is said, what is written to the script before, the command)
STEPS = [
    ("Is this machine ready? `doctor` looks, and changes nothing.", None, "telec migrate doctor"),
    ("Begin a migration. The next number and the shape of the file come from `new`.", None,
     'telec migrate new "rename poll_ms" --version 1.3.0'),
    ("Fill in `check()` and `migrate()`. This is a first try, with two mistakes in it:", FIRST_TRY, "telec migrate lint"),
    ("`lint` found both without running anything. The torn write is mended as it says; the missing return is overlooked, to see what "
     "happens. What would run?", SECOND_TRY, "telec migrate --dry-run"),
    ("Run it.", None, "telec migrate"),
    ("The run stopped and says why. Nothing was recorded; the attempt is in the log.", None, f"telec migrate log {ID}"),
    ("Was the config changed? `verify --recheck` asks `check()`, and only `check()`.", None, "telec migrate verify --recheck"),
    ("It was: the effect is there, but not recorded. With `return True` at the end of `migrate()`, and the config put back "
     "as it was, run it again with its output.", THIRD_TRY, "telec migrate -v"),
    ("Once more has nothing to do: it is safe to run at any time.", None, "telec migrate"),
    ("And this is what a person who comes later sees.", None, "telec migrate status"),
]

MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\dZ"), r"2026-11-22\g<1>07:30:00Z"),
    (re.compile(r"\d{8}T\d{6}Z-(\S+?)-\d+\.log"), r"20261122T073000Z-\1-4711.log"),
    (re.compile(r"\b\d+\.\d{3} s\b"), "0.042 s"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "5f0c" + "0" * 60),
    (re.compile(r"by \S+@\S+, python \S+, telec \S+"), "by ada@box, python 3.11.2, telec 0.1.0"),
    (re.compile(r"/\S+, found by itself: python [\d.]+"), "/usr/bin/python3, found by itself: python 3.11.2"),
    (re.compile(r"(disk +)\S+, \d+ [MG]iB free"), r"\1ext4, 40 GiB free"),
]


def masked(text, home):
    text = text.replace(f"{home.home}/.teleclaude", "~/.teleclaude").replace(str(home.home), "~").replace(f"{home.path}/", "")
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def steps():
    """[(said, source or None, command, output, exit code)]"""
    taken = []
    with telec.Home() as home:
        bin_dir = home.path / "bin"
        bin_dir.mkdir()
        (bin_dir / "telec").symlink_to(telec.binary())
        environment = home.environment(TELEC_MIGRATIONS_DIR=str(home.tree))
        environment["PATH"] = f"{bin_dir}:{environment['PATH']}"
        home.data.mkdir(mode=0o700)
        config = home.data / "config.json"
        for said, source, command in STEPS:
            config_before = '{"poll_ms": 2500}'
            if not config.exists() or source is THIRD_TRY:
                config.write_text(config_before)
            if source is not None:
                (home.path / SCRIPT).write_text(source, encoding="utf-8")
            result = subprocess.run(["/bin/sh", "-c", command], cwd=home.path, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            taken.append((said, source, command, masked(result.stdout.decode(), home), result.returncode))
    return taken


def page(taken):
    out = textwrap.dedent("""\
        # A tour in ten commands

        From nothing to a migration that was debugged and has run. Each block is what the command really printed
        (`tests/desk/tour.py` takes the tour and writes this page; the tests compare it). The tree is `migrations/`, named by
        `TELEC_MIGRATIONS_DIR`; the home has a `~/.teleclaude/config.json` with `{"poll_ms": 2500}`.
        """)
    for number, (said, source, command, output, code) in enumerate(taken, 1):
        out += f"\n## {number}. `{command}`\n\n" + "\n".join(textwrap.wrap(said, 118, break_on_hyphens=False)) + "\n"
        if source is FIRST_TRY:
            out += f"\n```python\n{source}```\n"
        out += f"\n```console\n$ {command}\n{output}```\n"
        if code:
            out += f"\nExit status {code}.\n"
    return out + "\nThe contract, and the patterns that survive a kill at any line: [writing-migrations.md](writing-migrations.md).\n"


if __name__ == "__main__":
    sys.stdout.write(page(steps()))
