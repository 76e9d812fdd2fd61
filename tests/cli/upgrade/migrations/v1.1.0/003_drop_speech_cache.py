# SPDX-License-Identifier: MIT
"""Removes ~/.teleclaude/cache: its entries are keyed in a way that 1.1.0 cannot read.

The directory is first renamed and then emptied, so that nobody finds half a cache, whenever this is cut short.
"""

import os
import shutil

_HOME = os.path.expanduser("~/.teleclaude")
_CACHE = os.path.join(_HOME, "cache")
_DOOMED = os.path.join(_HOME, "cache.doomed")


def _sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def _remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)  # a link to a cache elsewhere is ours to remove, what it points at is not


def check():
    return not os.path.lexists(_CACHE) and not os.path.lexists(_DOOMED)


def migrate():
    _remove(_DOOMED)  # left by a run that was cut short
    if os.path.lexists(_CACHE):
        os.rename(_CACHE, _DOOMED)
        _remove(_DOOMED)
    if os.path.isdir(_HOME):
        _sync_directory(_HOME)
    return True
