# SPDX-License-Identifier: MIT
"""Leaves the file alpha_one in HOME."""
import pathlib

FILE = pathlib.Path.home() / "alpha_one"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
