# SPDX-License-Identifier: MIT
"""Leaves the file two in HOME."""
import pathlib

FILE = pathlib.Path.home() / "two"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
