# SPDX-License-Identifier: MIT
"""Takes from group and others every right to secrets/, to all that is below it, and to people/NAME/credentials.yml.

Only rights are taken, none is given: a file that its owner had made read-only stays so.
"""

import glob
import os
import stat

_HOME = os.path.expanduser("~/.teleclaude")


def _open_to_others():
    """The directories and regular files that must be private and are not; symbolic links are not followed."""
    paths = sorted(glob.glob(os.path.join(glob.escape(_HOME), "people", "*", "credentials.yml")))
    secrets = os.path.join(_HOME, "secrets")
    paths.append(secrets)
    for folder, folders, files in os.walk(secrets):
        paths += [os.path.join(folder, name) for name in sorted(folders + files)]
    for path in paths:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and mode & 0o077:
            yield path


def check():
    return next(_open_to_others(), None) is None


def migrate():
    count = 0
    for path in list(_open_to_others()):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        os.fchmod(file, stat.S_IMODE(os.fstat(file).st_mode) & ~0o077)
        os.fsync(file)
        os.close(file)
        count += 1
    print("made", count, "private")
    return True
