# SPDX-License-Identifier: MIT
"""Raises two calls deep."""


def rename(settings):
    return settings["colour"]


def check():
    return False


def migrate():
    rename({})
    return True
