# SPDX-License-Identifier: MIT
"""Makes ~/.teleclaude/workspaces, where 2.0.0 keeps its work trees.

Late versions of 1.0 made it already on first use, so on most homes check() is True at once.
"""

import os

_HOME = os.path.expanduser("~/.teleclaude")
_WORKSPACES = os.path.join(_HOME, "workspaces")


def check():
    return os.path.isdir(_WORKSPACES)


def migrate():
    os.makedirs(_WORKSPACES, mode=0o700, exist_ok=True)
    directory = os.open(_HOME, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)
    return True
