# SPDX-License-Identifier: MIT
"""Leaves the file alpha in HOME."""
import pathlib

FILE = pathlib.Path.home() / "alpha"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
