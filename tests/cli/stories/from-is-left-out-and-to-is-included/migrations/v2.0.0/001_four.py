# SPDX-License-Identifier: MIT
"""Leaves the file four in HOME."""
import pathlib

FILE = pathlib.Path.home() / "four"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
