# SPDX-License-Identifier: MIT
"""Leaves a note in ~/.teleclaude that says what the files of `telec migrate` are, for whoever looks in there.

A note that is there already, whatever it says, is left alone. The example to copy from: see ../README.md.
"""

import os

_HOME = os.path.expanduser("~/.teleclaude")
_NOTE = os.path.join(_HOME, "MIGRATIONS.txt")
_TEXT = """\
Files that `telec migrate` keeps here:

migration_state.json       which migrations were applied to this directory, and when
migration_state.json.old   the same, before the last of them
migration_state.json.lock  held while a run is under way; it is never in the way and need not be deleted
migration_logs/            what the migrations printed

`telec migrate status` shows them in a readable form. Do not edit them while a run is under way.
"""


def _sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def check():
    return os.path.lexists(_NOTE)


def migrate():
    if check():
        return True
    os.makedirs(_HOME, mode=0o700, exist_ok=True)
    # The name of the temporary file is fixed: what a run that was killed has left is written over, not left behind.
    temporary = _NOTE + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(_TEXT)
        file.flush()
        os.fsync(file.fileno())  # the bytes are on the disk before the name shows them
    os.rename(temporary, _NOTE)  # the whole note or none, at any moment
    _sync_directory(_HOME)  # and so is the name, before this is called done
    return True
