# SPDX-License-Identifier: MIT
"""Talks and is fine."""
DONE = False


def check():
    print("looking")
    return DONE


def migrate():
    global DONE
    DONE = True
    return True
