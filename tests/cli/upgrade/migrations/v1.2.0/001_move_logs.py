# SPDX-License-Identifier: MIT
"""~/.teleclaude/logs becomes ~/.teleclaude/var/log, and `logs` a symbolic link to it for whoever knows the old name.

Between the two steps `logs` is missing for a moment. A service that made it anew in that moment loses nothing: what
is in it then is moved to var/log under a name that is free there.
"""

import os

_HOME = os.path.expanduser("~/.teleclaude")
_OLD = os.path.join(_HOME, "logs")
_VAR = os.path.join(_HOME, "var")
_NEW = os.path.join(_VAR, "log")
_TARGET = "var/log"


def _sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def _free(name):
    path, number = os.path.join(_NEW, name), 0
    while os.path.lexists(path):
        number += 1
        path = os.path.join(_NEW, "%s.%d" % (name, number))
    return path


def check():
    return os.path.islink(_OLD) and os.readlink(_OLD) == _TARGET and os.path.isdir(_NEW)


def migrate():
    if check():
        return True
    if os.path.islink(_OLD):
        print("%s is already a symbolic link, to %s: make it a directory or remove it" % (_OLD, os.readlink(_OLD)))
        return False
    os.makedirs(_VAR, mode=0o700, exist_ok=True)
    if os.path.isdir(_OLD) and not os.path.lexists(_NEW):
        os.rename(_OLD, _NEW)
    os.makedirs(_NEW, mode=0o700, exist_ok=True)
    if os.path.isdir(_OLD):
        for name in sorted(os.listdir(_OLD)):
            os.rename(os.path.join(_OLD, name), _free(name))
        os.rmdir(_OLD)
    _sync_directory(_NEW)
    _sync_directory(_VAR)
    os.symlink(_TARGET, _OLD)
    _sync_directory(_HOME)
    return True
