# SPDX-License-Identifier: MIT
"""todos/SLUG/state.json becomes todos/SLUG/state.yaml, with the same content, for every todo.

One todo after the other, in the order of their names: the YAML is on the disk before its JSON goes, so a todo always
has one whole state, and a run that is cut short goes on with the todos that still have a state.json.
"""

import json
import os
import re

_TODOS = os.path.expanduser("~/.teleclaude/todos")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # not strings, to one YAML reader or another
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _scalar(value):
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
        mantissa, e, exponent = repr(value).partition("e")
        return mantissa + ("" if "." in mantissa else ".0") + e + exponent  # without a dot, 1e+16 would be a string
    if isinstance(value, str):
        if _PLAIN.match(value) and value.lower() not in _WORDS:
            return value
        # A JSON string is a YAML string once the few characters are escaped that YAML does not print.
        return _UNPRINTABLE.sub(lambda found: "\\u%04x" % ord(found.group()), json.dumps(value, ensure_ascii=False))
    return "{}" if isinstance(value, dict) else "[]"  # the empty ones: the others are blocks


def _block(value, indent):
    """The lines of a value: of a mapping or a list that is not empty, or the one line of any other."""
    if isinstance(value, dict) and value:
        entries = [(_scalar(key) + ":", inner) for key, inner in value.items()]
    elif isinstance(value, list) and value:
        entries = [("-", inner) for inner in value]
    else:
        yield indent + _scalar(value)
        return
    for head, inner in entries:
        if isinstance(inner, (dict, list)) and inner:
            yield indent + head
            yield from _block(inner, indent + "  ")
        else:
            yield indent + head + " " + _scalar(inner)


def _sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def _folders():
    """The todos that still have a state.json, in the order of their names."""
    try:
        names = sorted(os.listdir(_TODOS))
    except FileNotFoundError:
        return
    for name in names:
        folder = os.path.join(_TODOS, name)
        if os.path.exists(os.path.join(folder, "state.json")):
            yield folder


def _convert(folder):
    old, new = os.path.join(folder, "state.json"), os.path.join(folder, "state.yaml")
    try:
        with open(old, encoding="utf-8") as file:
            text = "\n".join(_block(json.load(file), "")) + "\n"
            mode = os.fstat(file.fileno()).st_mode & 0o7777
        data = text.encode("utf-8")
    except ValueError as error:
        raise ValueError("%s: %s" % (old, error)) from None
    with open(new + ".new", "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new + ".new", new)
    _sync_directory(folder)
    os.unlink(old)
    _sync_directory(folder)


def check():
    return next(_folders(), None) is None


def migrate():
    count = 0
    for folder in _folders():
        _convert(folder)
        count += 1
    print("converted", count, "todo states")
    return True
