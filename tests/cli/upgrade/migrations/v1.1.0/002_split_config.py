# SPDX-License-Identifier: MIT
"""config.yml becomes config.d/SECTION.yml, one file for each of its top-level keys.

The text is cut, not parsed and written anew, so comments, quoting and order survive. A comment goes with the key
that it stands above. config.yml is removed last: while it is there, every part can be made again from it.
"""

import os
import re

_HOME = os.path.expanduser("~/.teleclaude")
_WHOLE = os.path.join(_HOME, "config.yml")
_PARTS = os.path.join(_HOME, "config.d")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(\s|$)")


def _sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def _sections(text):
    sections, name, waiting = {}, None, ""
    for line in text.splitlines(keepends=True):
        key = _KEY.match(line)
        if key:
            name = key.group(1)
            if name in sections:
                raise ValueError("%s: two sections named %r" % (_WHOLE, name))
            sections[name] = waiting + line
            waiting = ""
        elif line.strip() in ("", "---") or line.startswith("#"):
            waiting += "" if line.strip() == "---" else line
        elif name is None:
            raise ValueError("%s: text before the first section: %r" % (_WHOLE, line.strip()))
        else:
            sections[name] += waiting + line
            waiting = ""
    if name is not None:
        sections[name] += waiting
    return sections


def check():
    return not os.path.exists(_WHOLE)


def migrate():
    if check():
        return True
    with open(_WHOLE, encoding="utf-8", newline="") as file:
        sections = _sections(file.read())
    mode = os.stat(_WHOLE).st_mode & 0o7777
    os.makedirs(_PARTS, mode=0o700, exist_ok=True)
    for name, text in sections.items():
        path = os.path.join(_PARTS, name + ".yml")
        with open(path + ".new", "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".new", path)
    # The parts must be on the disk, names and all, before what they were made from goes.
    _sync_directory(_PARTS)
    _sync_directory(_HOME)
    os.unlink(_WHOLE)
    _sync_directory(_HOME)
    print("split config.yml into", ", ".join(name + ".yml" for name in sections))
    return True
