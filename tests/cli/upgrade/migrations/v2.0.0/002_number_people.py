# SPDX-License-Identifier: MIT
"""Gives every people/NAME/person.yml a top-level `id`, a number, in the order of the names.

An id that is there stays, and numbering goes on above the highest one: a run that was cut short ends like any other.
The files are read and written by _people.py, a helper beside this script.
"""

import _people


def check():
    return all(_people.number(text) is not None for _, text in _people.persons())


def migrate():
    last = max((_people.number(text) or 0 for _, text in _people.persons()), default=0)
    for path, text in _people.persons():
        if _people.number(text) is None:
            last += 1
            _people.replace(path, "id: %d\n%s" % (last, text))
    return True
