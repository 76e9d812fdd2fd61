# SPDX-License-Identifier: MIT
"""Talks."""
import sys

DONE = False


def check():
    print("checking")
    return DONE


def migrate():
    global DONE
    print("working")
    print("to stderr", file=sys.stderr)
    DONE = True
    return True
