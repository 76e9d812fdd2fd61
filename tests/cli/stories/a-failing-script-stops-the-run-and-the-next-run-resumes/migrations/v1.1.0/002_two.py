# SPDX-License-Identifier: MIT
"""Fails."""


def check():
    return False


def migrate():
    print("reading the settings")
    raise KeyError("colour")
