#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/coverage.py EXPORT [RESULT]: the branches that `llvm-cov export` counted, file by file, and whether they are enough.

A branch is one condition of the source that came out one way: `if (a && b)` has four. What a template or an inline
function was compiled for several times counts once. Prints each that was never taken, and writes RESULT for
scripts/trust. Fails when fewer were taken than are asked for: all of those that decide whether something was applied
and saved, and 95 of 100 of the rest.
"""

import collections
import json
import os
import re
import sys

WHOLE = ("src/system/state_file.cpp", "src/system/lock_file.cpp", "src/judgement.cpp", "src/plan.cpp")
OVERALL = 95.0
# Where a switch goes when no case is met: nowhere, because each names all values of its enumeration (-Wswitch).
SWITCH = re.compile(r"\bswitch \($")
# Not in telec: the build's own tool, and the faults of the test-only program.
LEFT_OUT = ("src/write_from_table.cpp", "src/system/mutant.cpp", "src/system/mutant.hpp")


def percent(taken, total):
    return 100.0 * taken / total if total else 100.0


def branches_of(export, root):
    """{file: {(line, column, way): times}} of what lies in src/, and {file: lines}."""
    files, texts = collections.defaultdict(collections.Counter), {}
    for function in export["data"][0]["functions"]:
        names = [os.path.relpath(os.path.join(root, name), root) for name in function["filenames"]]
        for line, column, _, _, true, false, file, *_ in function["branches"]:
            name = names[file]
            if not name.startswith("src/") or name in LEFT_OUT:
                continue
            if name not in texts:
                with open(name, encoding="utf-8") as source:
                    texts[name] = source.read().splitlines()
            if not SWITCH.search(texts[name][line - 1][:column - 1]):
                files[name][line, column, "true"] += true
                files[name][line, column, "false"] += false
    return files, texts


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files, texts = branches_of(json.load(file), os.getcwd())
    counts = {name: (sum(1 for times in branches.values() if times), len(branches)) for name, branches in files.items()}
    for name, branches in sorted(files.items()):
        for (line, column, way), times in sorted(branches.items()):
            if not times:
                text = texts[name][line - 1]
                print(f"{name}:{line}:{column}: never {way}: {text[column - 1:].strip()}")
    for name, (some, all_) in sorted(counts.items(), key=lambda item: percent(*item[1])):
        if some != all_:
            print(f"{percent(some, all_):5.1f} %  {some:4} of {all_:4}  {name}")
    taken, total = (sum(pair[i] for pair in counts.values()) for i in (0, 1))
    short = [f"{name}: {percent(*counts[name]):.1f} % instead of 100" for name in WHOLE if counts[name][0] != counts[name][1]]
    if percent(taken, total) < OVERALL:
        short.append(f"all: {percent(taken, total):.1f} % instead of {OVERALL:.0f}")
    notes = [f"{percent(taken, total):.1f} % of all branches"]
    notes += [f"{name}: {percent(*counts[name]):.1f} %" for name in WHOLE]
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump({"tried": total, "broke": total - taken, "notes": notes}, file, indent=1)
    for text in short:
        print("too few: " + text)
    print(f"coverage: {taken} of {total} branches, {percent(taken, total):.1f} %")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
