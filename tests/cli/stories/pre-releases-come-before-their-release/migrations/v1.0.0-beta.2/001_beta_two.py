# SPDX-License-Identifier: MIT
"""Leaves the file beta_two in HOME."""
import pathlib

FILE = pathlib.Path.home() / "beta_two"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
