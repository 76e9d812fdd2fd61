# SPDX-License-Identifier: MIT
"""Leaves the file x in HOME."""
import pathlib

FILE = pathlib.Path.home() / "x"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
