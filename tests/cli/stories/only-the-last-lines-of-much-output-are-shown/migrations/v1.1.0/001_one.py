# SPDX-License-Identifier: MIT
"""Prints a lot."""


def check():
    return False


def migrate():
    for number in range(1000):
        print("line", number)
    return False
