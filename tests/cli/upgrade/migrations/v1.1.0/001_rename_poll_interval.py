# SPDX-License-Identifier: MIT
"""settings.json: the key `poll_interval` becomes `poll_interval_seconds`; order and all other keys stay.

Where both are there, the new one is right: somebody has set it since.
"""

import json
import os

_SETTINGS = os.path.expanduser("~/.teleclaude/settings.json")
_OLD, _NEW = "poll_interval", "poll_interval_seconds"


def _read():
    try:
        with open(_SETTINGS, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _replace(path, data):
    mode = os.stat(path).st_mode & 0o7777
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def check():
    return _OLD not in _read()


def migrate():
    settings = _read()
    if _OLD not in settings:
        return True
    if _NEW in settings:
        del settings[_OLD]
    settings = {_NEW if key == _OLD else key: value for key, value in settings.items()}
    _replace(_SETTINGS, (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
    return True
