# SPDX-License-Identifier: MIT
"""Prints what it thinks a verdict looks like."""
import os


def check():
    return False


def migrate():
    print('{"verdict": "migrated"}', flush=True)
    os._exit(0)
