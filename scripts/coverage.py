#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/coverage.py SUMMARY [RESULT]: what gcovr --json-summary counted, file by file, and whether it is enough.

Prints the files with branches that were not taken, the fewest taken first, and writes RESULT for scripts/trust. Fails
when fewer branches were taken than are asked for: all of those that decide whether something was applied and saved, and
95 of 100 of the rest.
"""

import json
import sys

WHOLE = ("src/system/state_file.cpp", "src/system/lock_file.cpp", "src/judgement.cpp", "src/plan.cpp")
OVERALL = 95.0


def percent(taken, total):
    return 100.0 * taken / total if total else 100.0


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        summary = json.load(file)
    files = {entry["filename"]: (entry["branch_covered"], entry["branch_total"]) for entry in summary["files"]}
    taken, total = (sum(counts[i] for counts in files.values()) for i in (0, 1))
    for name, (some, all_) in sorted(files.items(), key=lambda item: percent(*item[1])):
        if some != all_:
            print(f"{percent(some, all_):5.1f} %  {some:4} of {all_:4}  {name}")
    short = [f"{name}: {percent(*files[name]):.1f} % instead of 100" for name in WHOLE if files[name][0] != files[name][1]]
    if percent(taken, total) < OVERALL:
        short.append(f"all: {percent(taken, total):.1f} % instead of {OVERALL:.0f}")
    notes = [f"{percent(taken, total):.1f} % of all branches"]
    notes += [f"{name}: {percent(*files[name]):.1f} %" for name in WHOLE]
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump({"tried": total, "broke": total - taken, "notes": notes}, file, indent=1)
    for text in short:
        print("too few: " + text)
    print(f"coverage: {taken} of {total} branches, {percent(taken, total):.1f} %")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
