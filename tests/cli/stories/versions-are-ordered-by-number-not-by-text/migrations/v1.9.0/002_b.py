# SPDX-License-Identifier: MIT
"""Leaves the file b in HOME."""
import pathlib

FILE = pathlib.Path.home() / "b"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
