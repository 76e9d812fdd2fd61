# SPDX-License-Identifier: MIT
"""Fails."""


def check():
    return False


def migrate():
    print("half way")
    raise ValueError("no colour")
