# SPDX-License-Identifier: MIT
"""Leaves."""
import os


def check():
    return False


def migrate():
    os._exit(0)
