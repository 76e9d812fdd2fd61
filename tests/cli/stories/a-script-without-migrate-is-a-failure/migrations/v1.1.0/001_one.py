# SPDX-License-Identifier: MIT
"""Has no migrate()."""


def check():
    return False
