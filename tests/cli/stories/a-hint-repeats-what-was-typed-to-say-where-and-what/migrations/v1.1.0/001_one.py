# SPDX-License-Identifier: MIT
"""Fails."""


def check():
    return False


def migrate():
    return False
