#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The hostile table once more with --no-prestart. The hostile suite runs every case with the next python started ahead,
the case between two good scripts; here the very same table holds without. So the outcome is the same both ways."""

import dataclasses
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "cli" / "hostile")]
import cases  # noqa: E402

cases.CASES[:] = [dataclasses.replace(case, args=type(case.args)([*case.args, "--no-prestart"])) for case in cases.CASES]

import hostile_test  # noqa: E402
import telec  # noqa: E402
from hostile_test import Hostile, setUpModule, tearDownModule  # noqa: E402, F401

if __name__ == "__main__":
    assert all("--no-prestart" in case.args for case in hostile_test.CASES)
    telec.main("cold")
