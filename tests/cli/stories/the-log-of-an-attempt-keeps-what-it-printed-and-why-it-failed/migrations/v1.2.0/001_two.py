# SPDX-License-Identifier: MIT
"""Talks and fails."""


def check():
    return False


def migrate():
    print("working")
    raise ValueError("no colour")
