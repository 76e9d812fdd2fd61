# SPDX-License-Identifier: MIT
"""The files people/NAME/person.yml: found in the order of the names, read, and replaced as a whole or not at all.

A helper for the migrations of this directory. Its name is not NNN_description.py, so it is no migration itself.
"""

import os
import re

_PEOPLE = os.path.expanduser("~/.teleclaude/people")
_NUMBER = re.compile(r"^id: *([0-9]+) *$", re.MULTILINE)


def persons():
    """(path, text) of every person."""
    for name in sorted(os.listdir(_PEOPLE)) if os.path.isdir(_PEOPLE) else []:
        path = os.path.join(_PEOPLE, name, "person.yml")
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="") as file:
                yield path, file.read()


def number(text):
    """The person's id; None when there is none."""
    found = _NUMBER.search(text)
    return int(found.group(1)) if found else None


def replace(path, text):
    """Puts text in the place of the file: on the disk, whole, before the old one goes. The mode stays."""
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), os.stat(path).st_mode & 0o7777)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)
