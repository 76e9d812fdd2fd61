# SPDX-License-Identifier: MIT
"""Leaves the file x-y in HOME."""
import pathlib

FILE = pathlib.Path.home() / "x-y"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
