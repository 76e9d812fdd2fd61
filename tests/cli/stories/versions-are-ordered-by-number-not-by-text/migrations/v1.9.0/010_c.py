# SPDX-License-Identifier: MIT
"""Leaves the file c in HOME."""
import pathlib

FILE = pathlib.Path.home() / "c"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
