# SPDX-License-Identifier: MIT
"""Leaves the file three in HOME."""
import pathlib

FILE = pathlib.Path.home() / "three"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
