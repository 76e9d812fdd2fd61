#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/tally.py DIR...: sums up what meson's tests in these build directories said of themselves.

Prints each suite's own line (`NAME: N passed, N failed[, N skipped]`), as it stands in meson's log, with what failed
below it, and last of all `total: N passed, N failed[, N skipped]`. Fails when a test failed, when a suite printed no
such line, or when nothing ran. Runs no test.
"""

import json
import pathlib
import re
import sys

# How doctest, unittest and the sweeps begin the line that names what failed.
CAUSE = re.compile(r"(?:TEST CASE: |FAIL: |ERROR: |BROKEN ).*|\S+:\d+: (?:FATAL )?ERROR: .*")
CAUSES_SHOWN = 12
LINE = re.compile(r"[\w.-]+: (\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


def own_line(text):
    """The last line by which a suite sums itself up; None when there is none."""
    matches = [match for match in map(LINE.fullmatch, text.splitlines()) if match]
    return matches[-1] if matches else None


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add_directory(self, directory):
        print(f"{directory}:")
        tests = read_log(pathlib.Path(directory, "meson-logs", "testlog.json"))
        if not tests:
            self.add_problem(f"no test ran in {directory}")
        for test in tests:
            self.add_test(test)

    def add_test(self, test):
        name, result = test["name"], test["result"]
        line = own_line(test.get("stdout") or "")
        if line is None:
            self.add_problem(f"{name} ended with {result} and printed no summary line")
            return
        print(line.group())
        passed, failed, skipped = (int(number or 0) for number in line.groups())
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.show_causes(test)
        if failed == 0 and result not in ("OK", "SKIP"):
            self.add_problem(f"{name} ended with {result} although its line names no failure")
        elif failed != 0 and result == "OK":
            self.add_problem(f"{name} ended well although its line names a failure")
        elif passed + failed + skipped == 0:
            self.add_problem(f"{name} ran nothing")

    def show_causes(self, test):
        """Once more what failed: of a long log, often the end alone is kept."""
        text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
        causes = list(dict.fromkeys(line for line in text.splitlines() if CAUSE.match(line)))
        for line in causes[:CAUSES_SHOWN]:
            print("    " + line[:400])
        if len(causes) > CAUSES_SHOWN:
            print(f"    and {len(causes) - CAUSES_SHOWN} more, in the suite's output above")

    def add_problem(self, message):
        self.failed += 1
        print(f"failed: {message}")

    def close(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"total: {self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 0 if self.passed and not self.failed else 1


def read_log(path):
    """One value per test that ended; empty when the log is missing."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def main():
    tally = Tally()
    for directory in sys.argv[1:]:
        tally.add_directory(directory)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
