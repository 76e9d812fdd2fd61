# SPDX-License-Identifier: MIT
"""Does nothing."""


def check():
    return False


def migrate():
    return True
