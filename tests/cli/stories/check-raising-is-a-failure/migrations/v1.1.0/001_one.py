# SPDX-License-Identifier: MIT
"""Raises."""


def check():
    raise FileNotFoundError("settings.json is missing")


def migrate():
    return True
