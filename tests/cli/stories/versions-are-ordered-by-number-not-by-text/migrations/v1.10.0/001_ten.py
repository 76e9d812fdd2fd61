# SPDX-License-Identifier: MIT
"""Leaves the file ten in HOME."""
import pathlib

FILE = pathlib.Path.home() / "ten"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
