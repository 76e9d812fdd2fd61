# SPDX-License-Identifier: MIT
"""Two ways to look at a home: by what it holds, and by all that a write would change. And a reader for its YAML."""

import hashlib
import json
import os
import pathlib
import sqlite3
import stat


def entries(root):
    """(path, lstat) of root and of every path below it, in order."""
    yield pathlib.Path(root), os.lstat(root)
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = pathlib.Path(folder, name)
            yield path, os.lstat(path)


def is_telecs_own(path):
    return path.name.startswith("migration_state.json") or "migration_logs" in path.parts


def rows(database):
    connection = sqlite3.connect("file:%s?mode=ro" % database, uri=True)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def content(data):
    """{path: kind, mode and content} of a ~/.teleclaude, without what telec keeps there.

    The database counts by its rows: that two ways lead to the same bytes is not promised by SQLite."""
    found = {}
    for path, status in entries(data):
        if is_telecs_own(path.relative_to(data)):
            continue
        kind, mode = stat.S_IFMT(status.st_mode), oct(stat.S_IMODE(status.st_mode))
        if stat.S_ISLNK(status.st_mode):
            seen = (kind, os.readlink(path))
        elif stat.S_ISDIR(status.st_mode):
            seen = (kind, mode)
        elif path.suffix == ".db":
            seen = (kind, mode, "\n".join(rows(path)))
        else:
            seen = (kind, mode, path.read_bytes())
        found[str(path.relative_to(data))] = seen
    return found


def exact(root):
    """All that a write would change, of everything below root: inode, mode, size, times and bytes."""
    found = {}
    for path, status in entries(root):
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else None
        found[str(path)] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
                            digest)
    return found


def read_yaml(text):
    """The value of a block of YAML: mappings, lists, and scalars that are plain words or written as in JSON."""
    lines = [(len(line) - len(line.lstrip(" ")), line.strip(" ")) for line in text.split("\n") if line.strip(" ")]

    def scalar(word):
        if word in (".nan", ".inf", "-.inf"):
            return float(word.replace(".", ""))
        if word[0] in "\"[{-0123456789" or word in ("true", "false", "null"):
            return json.loads(word)
        if word.lower() in ("yes", "no", "on", "off", "y", "n", "~", "true", "false", "null"):
            raise ValueError("%r is a string to some readers of YAML only" % word)
        return word

    def key_of(line):
        if line.startswith('"'):
            key, end = json.JSONDecoder().raw_decode(line)
        else:
            end = line.index(":")
            key = line[:end]
        if line[end] != ":":
            raise ValueError("expected ':' in %r" % line)
        return key, line[end + 1:].strip(" ")

    def block(indent):
        is_list = lines[0][1].split(" ")[0] == "-"
        value = [] if is_list else {}
        while lines and lines[0][0] == indent:
            line = lines.pop(0)[1]
            key, rest = (None, line[1:].strip(" ")) if is_list else key_of(line)
            inner = scalar(rest) if rest else block(lines[0][0])
            if is_list:
                value.append(inner)
            elif key in value:
                raise ValueError("duplicate key %r" % key)
            else:
                value[key] = inner
        return value

    value = block(0)
    if lines:
        raise ValueError("left over: %r" % lines[0][1])
    return value
