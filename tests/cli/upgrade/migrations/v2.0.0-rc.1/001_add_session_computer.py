# SPDX-License-Identifier: MIT
"""teleclaude.db: sessions gets the column computer_name, filled from computers, 'unknown' where that has no such row.

Column and values arrive in one transaction. A run that is killed inside leaves a journal beside the database, and
SQLite rolls back as soon as the next one opens it for writing, which is migrate(), not check().
"""

import os
import sqlite3
import urllib.parse

_DATABASE = os.path.expanduser("~/.teleclaude/teleclaude.db")
_COLUMN = "computer_name"


def _columns(connection):
    return [row[1] for row in connection.execute("PRAGMA table_info(sessions)")]


def _interrupted():
    try:
        return os.path.getsize(_DATABASE + "-journal") > 0
    except FileNotFoundError:
        return False


def check():
    if not os.path.exists(_DATABASE):
        return True  # the service makes a new one, with the column
    if _interrupted():
        return False
    connection = sqlite3.connect("file:%s?mode=ro" % urllib.parse.quote(_DATABASE), uri=True)
    try:
        columns = _columns(connection)
        if not columns:
            return True
        if _COLUMN not in columns:
            return False
        return connection.execute("SELECT 1 FROM sessions WHERE computer_name IS NULL LIMIT 1").fetchone() is None
    finally:
        connection.close()


def migrate():
    if not os.path.exists(_DATABASE):
        return True
    # isolation_level=None: the module opens no transaction of its own, so the one below is the only one.
    connection = sqlite3.connect(_DATABASE, timeout=10, isolation_level=None)
    try:
        # EXTRA also syncs the directory after the journal is gone: what is committed then survives a power cut.
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("BEGIN IMMEDIATE")
        columns = _columns(connection)
        if columns and _COLUMN not in columns:
            connection.execute("ALTER TABLE sessions ADD COLUMN computer_name TEXT")
        if columns:
            connection.execute(
                "UPDATE sessions SET computer_name = coalesce("
                "(SELECT name FROM computers WHERE computers.id = sessions.computer_id), 'unknown')"
                " WHERE computer_name IS NULL")
        connection.execute("COMMIT")
    finally:
        connection.close()
    return True
