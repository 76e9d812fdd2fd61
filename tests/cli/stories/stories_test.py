#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plays every story beside this file and compares what was printed and recorded, byte for byte.

A story is a directory, named after what it shows:

    cmd          one shell line each; `$ LINE` sets something up (it must succeed) and does not count as a command;
                 lines that begin with # say what is shown
    migrations/  the tree, may be left out
    home/        what HOME holds before, may be left out
    before.json  the state file before, may be left out
    out, err     what the lines printed, each below its own `$ LINE`
    exit         the exit code of each command, in order
    after.json   the state file afterwards; left out when there must be none

Lines run in a copy of the story, with `telec` on PATH and the copy's path in $TMP. What varies from run to run
(seconds, times, hashes, pids, versions, host, user, paths) is masked. TELEC_TEST_UPDATE=1 rewrites out, err, exit and
after.json instead of comparing them: read the difference before it is kept.
"""

import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import telec  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
UPDATE = os.environ.get("TELEC_TEST_UPDATE") == "1"
EXPECTED = ("out", "err", "exit", "after.json")

MASKS = [
    (re.compile(r"\b\d+\.\d+ s\b"), "0.000 s"),
    (re.compile(r'("seconds": ?)\d[\d.e+-]*'), r"\g<1>0.000"),
    (re.compile(r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?(\.\d+)?Z?"), "<time>"),
    (re.compile(r"\b\d{8}T\d{6}Z-([-.\w]+)-\d+\.log\b"), r"<time>-\1-<pid>.log"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<sha256>"),
    (re.compile(r"\b(pid|process) \d+"), r"\1 <pid>"),
    (re.compile(r"\b\d+ (?=\(sleep\))"), "<pid> "),
    (re.compile(r'("(?:python|telec|user|host)": ?)"[^"]*"'), r'\1"<varies>"'),
    (re.compile(r"\btelec \d+\.\d+\.\d+[-.\w]*"), "telec <version>"),
    # How python underlines the failing part of a line differs between its versions.
    (re.compile(r"(?m)^[\s|>]*[~^]+[ ~^]*\n"), ""),
    (re.compile(r"\\n[\s|>]*[~^]+[ ~^]*(?=\\n)"), ""),
]


def mask(text, home):
    text = text.replace(str(home.path), "$TMP")
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def complete(text):
    return text if not text or text.endswith("\n") else text + "\n(no newline at the end)\n"


def play(story, home):
    """Runs the story's lines in `home`: {name of the expected file: its text, or None for no file}."""
    bin_dir = home.path / "bin"
    bin_dir.mkdir()
    (bin_dir / "telec").symlink_to(telec.binary())
    for source, target in ((story / "migrations", home.tree), (story / "home", home.home)):
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            # A checkout's modes follow the umask of whoever made it.
            subprocess.run(["chmod", "-R", "u+rwX,go-w", str(target)], check=True)
    if (story / "before.json").exists():
        home.write_state((story / "before.json").read_bytes())

    environment = home.environment(TMP=str(home.path))
    environment["PATH"] = f"{bin_dir}:{environment['PATH']}"
    out, err, codes = "", "", ""
    for line in (story / "cmd").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        command = line[2:] if line.startswith("$ ") else line
        process = subprocess.run(["/bin/sh", "-c", command], cwd=home.path, env=environment, stdin=subprocess.DEVNULL,
                                 capture_output=True, timeout=240)
        streams = [complete(data.decode("utf-8", "surrogateescape")) for data in (process.stdout, process.stderr)]
        if line != command:
            if process.returncode != 0:
                raise AssertionError(f"{story.name}: set-up line failed: {line}\n{streams[0]}{streams[1]}")
            if streams[0] + streams[1] == "":
                continue
        else:
            codes += f"{process.returncode}\n"
        out += f"$ {command}\n{streams[0]}"
        err += f"$ {command}\n{streams[1]}"

    left = sorted(path.name for path in home.data.glob("*.tmp")) if home.data.is_dir() else []
    if left:
        raise AssertionError(f"{story.name}: temporary files were left behind: {left}")
    after = home.state_file.read_bytes().decode("utf-8", "surrogateescape") if home.state_file.is_file() else None
    return {"out": mask(out, home), "err": mask(err, home), "exit": codes,
            "after.json": None if after is None else mask(after, home)}


def read(path):
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else None


def write(path, text):
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


def difference(name, expected, actual):
    if expected is None or actual is None:
        return f"{name}: expected {'no such file' if expected is None else 'this file'}, got\n{actual}"
    lines = difflib.unified_diff(expected.splitlines(), actual.splitlines(), f"{name} (expected)", f"{name} (actual)",
                                 lineterm="")
    return "\n".join(line.encode("utf-8", "backslashreplace").decode() for line in lines) or f"{name}: line ends differ"


class Stories(unittest.TestCase):
    """One test per directory; they are added below."""


def add_story(story):
    def test(self):
        with telec.Home() as home:
            actual = play(story, home)
        if UPDATE:
            for name in EXPECTED:
                write(story / name, actual[name])
            return
        differences = []
        for name in EXPECTED:
            expected = read(story / name)
            if expected != actual[name]:
                differences.append(difference(name, expected, actual[name]))
        if differences:
            self.fail(f"{story.name}\n" + "\n".join(differences))

    test.__name__ = "test_" + story.name.replace("-", "_").replace(".", "_")
    setattr(Stories, test.__name__, test)


for directory in sorted(HERE.iterdir()):
    if (directory / "cmd").is_file():
        add_story(directory)

if __name__ == "__main__":
    os.umask(0o022)
    if UPDATE:
        print("stories: what is expected is being rewritten, nothing is compared; read the difference")
    telec.main("stories")
