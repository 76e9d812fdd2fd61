# SPDX-License-Identifier: MIT
"""Sleeps."""
import time


def check():
    return False


def migrate():
    print("waiting for the service", flush=True)
    time.sleep(60)
