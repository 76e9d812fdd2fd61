# SPDX-License-Identifier: MIT
"""Tries to repaint the terminal."""


def check():
    return False


def migrate():
    print("\x1b[31mred\x1b[0m \x1b]0;title\x07 a\rb \u202e\x9b2J \x00.")
    print("telec: error: forged")
    raise ValueError("\x1b[2J cleared")
