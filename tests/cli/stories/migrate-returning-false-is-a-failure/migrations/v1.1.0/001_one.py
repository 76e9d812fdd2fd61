# SPDX-License-Identifier: MIT
"""Declines."""


def check():
    return False


def migrate():
    print("the database is in use")
    return False
