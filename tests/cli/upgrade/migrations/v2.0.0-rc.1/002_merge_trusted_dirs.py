# SPDX-License-Identifier: MIT
"""local_trusted_dirs.json is merged into trusted_dirs.json: each directory once, in the order of its first mention.

The merged list is written first and the second file removed last; merging a list that was merged already adds nothing.
"""

import json
import os

_HOME = os.path.expanduser("~/.teleclaude")
_MAIN = os.path.join(_HOME, "trusted_dirs.json")
_LOCAL = os.path.join(_HOME, "local_trusted_dirs.json")


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except FileNotFoundError:
        return []
    if not isinstance(value, list):
        raise ValueError("%s: expected a list, found %s" % (path, type(value).__name__))
    return value


def _sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def check():
    return not os.path.exists(_LOCAL)


def migrate():
    if check():
        return True
    merged = []
    for entry in _read(_MAIN) + _read(_LOCAL):
        if entry not in merged:
            merged.append(entry)
    temporary = _MAIN + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), os.stat(_MAIN if os.path.exists(_MAIN) else _LOCAL).st_mode & 0o7777)
        file.write(json.dumps(merged, indent=2, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, _MAIN)
    _sync_directory(_HOME)
    os.unlink(_LOCAL)
    _sync_directory(_HOME)
    return True
