# SPDX-License-Identifier: MIT
"""Leaves the file beta_eleven in HOME."""
import pathlib

FILE = pathlib.Path.home() / "beta_eleven"


def check():
    return FILE.exists()


def migrate():
    FILE.write_text("done\n")
    return True
