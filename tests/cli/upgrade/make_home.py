#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a home of TeleClaude 1.0.0, as an operator who has used it for a year would have it.

The same numbers and seed give the same names, bytes and modes, whatever the umask. It writes below the given
directory and nowhere else, and refuses one that is not empty.

    make_home.py DIRECTORY [--todos N] [--people N] [--sessions N] [--seed N]
"""

import argparse
import json
import os
import pathlib
import random
import sqlite3
import sys

_FIRST = ("Ada", "Alan", "Barbara", "Dennis", "Donald", "Edsger", "Frances", "Grace", "Hedy", "Jean", "John", "Ken",
          "Lynn", "Margaret", "Niklaus", "Radia", "Sophie", "Tony", "Zo\u00eb", "\u0141ukasz")
_VERBS = ("add", "cache", "drop", "fix", "harden", "index", "merge", "mirror", "rename", "retry", "split", "trace")
_THINGS = ("agent", "banner", "bridge", "daemon", "digest", "hook", "inbox", "pane", "queue", "session", "speech",
           "tunnel", "voice", "webhook")
_WORDS = ("after", "all", "be", "before", "checked", "each", "is", "kept", "must", "needed", "only", "once", "reply",
          "restart", "seen", "sent", "stays", "the", "then", "until", "when")
_COMPUTERS = ("laptop", "workstation", "server")

# Values that a careless converter gets wrong; each of them is in some todo's state.
_AWKWARD = ("", "yes", "No", "null", "~", "1.0", "0x1f", "- dash", "key: value", "#5", "tab\there", "two\nlines",
            "quote \" and \\ slash", "trailing ", "\u00fcml\u00e4ut", "\U0001f680 away", "\x7f\x85\u2028", "{brace}",
            0, -1, 2 ** 53 + 1, 0.1, 1e16, 1e-7, True, False, None, [], {}, [[]], [[1, [2, {"deep": []}]]],
            {"": {"nested": {"empty": {}}}})

_CONFIG = """\
---
# TeleClaude configuration
computer:
  name: laptop  # must be unique among your computers
  role: development
  trusted:
    - laptop
    - server

# Where sessions are kept
database:
  path: ${HOME}/.teleclaude/teleclaude.db

telegram:
  supergroup: -1001234567890
  topics:
  # one topic for each session
    per_session: true

# Messages between computers
redis:
  enabled: true
  url: "redis://localhost:6379/0"
speech:
  enabled: false
  services:
  - name: espeak
    rate: 160
  - name: say
"""


def _write(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    path.chmod(mode)


def _write_json(path, value):
    _write(path, json.dumps(value, indent=2) + "\n")


def _sentence(rng):
    return " ".join(rng.choice(_WORDS) for _ in range(rng.randint(4, 12))).capitalize() + "."


def _time(rng):
    day, minute = rng.randint(1, 28), rng.randint(0, 59)
    return "2025-%02d-%02dT%02d:%02d:00Z" % (rng.randint(1, 12), day, rng.randint(0, 23), minute)


def _settings(root):
    _write(root / "config.yml", _CONFIG, 0o600)
    _write_json(root / "settings.json", {"version": "1.0.0", "theme": "dark", "poll_interval": 2.5,
                                         "language": "fran\u00e7ais", "pinned": ["inbox", "queue"]})
    _write_json(root / "trusted_dirs.json", ["~/projects", "~/documents", "/srv/www", "~/notes"])
    _write_json(root / "local_trusted_dirs.json", ["/srv/www", "~/scratch", "~/projects", "/opt/lab", "~/scratch"])


def _people(root, rng, count):
    for index in range(count):
        first = _FIRST[index % len(_FIRST)]
        name = first if index < len(_FIRST) else "%s-%d" % (first, index // len(_FIRST) + 1)
        folder = root / "people" / name.lower()
        _write(folder / "person.yml",
               "name: %s\nlanguage: %s\nnotify:\n  telegram: %s\n  # an id of another kind\n  id: %d\n"
               % (name, rng.choice(("en", "nl", "pl")), rng.choice(("true", "false")), rng.randint(1000, 9999)))
        _write(folder / "credentials.yml", "telegram_token: %032x\n" % rng.getrandbits(128),
               rng.choice((0o644, 0o600, 0o440)))


def _todos(root, rng, count):
    slugs = set()
    while len(slugs) < count:
        slugs.add("%s-%s-%s" % (rng.choice(_VERBS), rng.choice(_THINGS), rng.randint(1, 9 + count // 20)))
    for index, slug in enumerate(sorted(slugs)):
        state = {
            "schema_version": 1,
            "phase": rng.choice(("pending", "ready", "in_progress", "done")),
            "breakdown": {"assessed": rng.random() < 0.5,
                          "todos": rng.sample(sorted(slugs), rng.randint(0, min(3, count)))},
            "readiness": {"score": rng.randint(1, 10), "at": _time(rng), "confidence": round(rng.random(), 3),
                          "blockers": [{"text": _sentence(rng), "since": _time(rng)}
                                       for _ in range(rng.randint(0, 2))]},
            "note": _AWKWARD[index % len(_AWKWARD)],
        }
        _write_json(root / "todos" / slug / "state.json", state)
        _write(root / "todos" / slug / "requirements.md", "# %s\n\n%s\n" % (slug, _sentence(rng)))
    _write(root / "todos" / "roadmap.md", "# Roadmap\n\n" + "".join("- %s\n" % slug for slug in sorted(slugs)))


def _database(root, rng, count):
    path = root / "teleclaude.db"
    path.touch(mode=0o600)
    connection = sqlite3.connect(str(path))
    with connection:
        connection.execute("CREATE TABLE computers (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        connection.execute("CREATE TABLE sessions (session_id TEXT PRIMARY KEY, title TEXT, computer_id INTEGER,"
                           " created_at TEXT NOT NULL)")
        connection.executemany("INSERT INTO computers VALUES (?, ?)", enumerate(_COMPUTERS, 1))
        # One in ten belongs to a computer that has been forgotten since.
        connection.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?)", [
            ("%016x" % rng.getrandbits(64), _sentence(rng), 99 if index % 10 == 3 else rng.randint(1, len(_COMPUTERS)),
             _time(rng)) for index in range(count)])
    connection.close()
    path.chmod(0o600)


def _secrets_logs_and_cache(root, rng):
    _write(root / "secrets" / "redis.key", "%064x\n" % rng.getrandbits(256))
    _write(root / "secrets" / "computers" / "server.pem", "%0128x\n" % rng.getrandbits(512), 0o640)
    _write(root / "secrets" / "computers" / "laptop.pem", "%0128x\n" % rng.getrandbits(512), 0o400)
    lines = ["%s INFO %s\n" % (_time(rng), _sentence(rng)) for _ in range(400)]
    _write(root / "logs" / "teleclaude.log", "".join(lines[:200]))
    _write(root / "logs" / "archive" / "teleclaude-2024.log", "".join(lines[200:]))
    for _ in range(60):
        key = "%016x" % rng.getrandbits(64)
        _write(root / "cache" / "speech" / key[:2] / (key + ".wav"), bytes(rng.getrandbits(8) for _ in range(256)))
    (root / "workspaces").mkdir()


def make_home(directory, todos=300, people=30, sessions=200, seed=1):
    """Fills `directory` (a ~/.teleclaude; made when missing) with the data of version 1.0.0."""
    root = pathlib.Path(directory)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(root.iterdir()):
        raise FileExistsError("%s is not empty" % root)
    rng = random.Random(seed)
    _settings(root)
    _people(root, rng, people)
    _todos(root, rng, todos)
    _database(root, rng, sessions)
    _secrets_logs_and_cache(root, rng)
    for folder, folders, _ in os.walk(root):
        for name in folders:
            (pathlib.Path(folder) / name).chmod(0o755)
    (root / "workspaces").chmod(0o700)
    root.chmod(0o700)


def main():
    parser = argparse.ArgumentParser(description="make a home of TeleClaude 1.0.0")
    parser.add_argument("directory")
    for name, value in (("todos", 300), ("people", 30), ("sessions", 200), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=value, metavar="N")
    arguments = vars(parser.parse_args())
    try:
        make_home(**arguments)
    except OSError as error:
        sys.exit("make_home: %s" % error)


if __name__ == "__main__":
    main()
