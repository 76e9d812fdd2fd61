#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/tour.md is what a person who types its commands really sees."""

import difflib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import telec  # noqa: E402
import tour  # noqa: E402


class Tour(unittest.TestCase):
    def test_the_page_is_what_the_commands_print(self):
        written = (telec.ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
        taken = tour.page(tour.steps())
        difference = "\n".join(difflib.unified_diff(written.splitlines(), taken.splitlines(), "docs/tour.md", "a new tour", lineterm=""))
        self.assertEqual(difference, "", "take it anew: python3 tests/desk/tour.py > docs/tour.md")

    def test_it_has_ten_commands(self):
        self.assertEqual(len(tour.STEPS), 10)


if __name__ == "__main__":
    telec.main("tour")
