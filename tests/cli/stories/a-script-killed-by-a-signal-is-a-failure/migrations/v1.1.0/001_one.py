# SPDX-License-Identifier: MIT
"""Kills itself."""
import os
import signal


def check():
    return False


def migrate():
    os.kill(os.getpid(), signal.SIGKILL)
