# SPDX-License-Identifier: MIT
"""The migrations of the upgrade story, in their order."""

import pathlib

MIGRATIONS = pathlib.Path(__file__).resolve().parent / "migrations"
STORY = (
    "1.1.0/001_rename_poll_interval.py",
    "1.1.0/002_split_config.py",
    "1.1.0/003_drop_speech_cache.py",
    "1.2.0/001_move_logs.py",
    "1.2.0/002_tighten_secrets.py",
    "1.2.0/003_convert_todo_states.py",
    "2.0.0-rc.1/001_add_session_computer.py",
    "2.0.0-rc.1/002_merge_trusted_dirs.py",
    "2.0.0/001_create_workspaces.py",
    "2.0.0/002_number_people.py",
)
PRESENT = "2.0.0/001_create_workspaces.py"  # the generated home has its directory already
TODO_STATES = "1.2.0/003_convert_todo_states.py"

# Numbers for make_home.py: where the size is the point, where a half-way must be found, where many homes are needed.
LARGE = {"todos": 300, "people": 30, "sessions": 200}
MIDDLING = {"todos": 60, "people": 25, "sessions": 200}
SMALL = {"todos": 2, "people": 2, "sessions": 20}
