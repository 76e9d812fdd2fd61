# SPDX-License-Identifier: MIT
"""Starts what outlives it."""
import subprocess

DONE = False


def check():
    return DONE


def migrate():
    global DONE
    subprocess.Popen(["sleep", "60"], start_new_session=True)
    DONE = True
    return True
