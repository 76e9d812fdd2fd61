# SPDX-License-Identifier: MIT
"""Leaves the file a in HOME."""
import pathlib

FILE = pathlib.Path.home() / "a"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
