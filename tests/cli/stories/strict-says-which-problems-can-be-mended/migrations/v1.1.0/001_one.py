# SPDX-License-Identifier: MIT
"""Leaves the file one in HOME."""
import pathlib

FILE = pathlib.Path.home() / "one"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
