#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs/trust.md from what the suites wrote: FOLDER/SUITE.json and FOLDER/SUITE.log. Prints it.

The figures come from the files alone. The table of bugs is kept here: a bug is added with the case that shows it.
"""

import datetime
import json
import pathlib
import re
import sys

import sweep

FOUND = [
    ("`read` of the script's output fails (`EIO`, `ENOMEM`): nobody emptied the pipe, and the script waited until its time was up",
     "`errors_test.py --only once`, `read`", "the script is ended, the migration has failed, the reason is named"),
    ("an error of `epoll_ctl`, `epoll_create1` or `timerfd_create` was reported as `unexpected: ... this is a bug of telec`",
     "`errors_test.py --only once`, `epoll_ctl`", "judged as a failed migration with the reason"),
    ("`ioctl(FIONBIO)` on the pidfd fails: the end of the script went unnoticed until its time was up",
     "`errors_test.py --only once`, `ioctl`", "the runner asks by `waitid` instead"),
    ("the script cannot be handed to python (`write`, `EDQUOT`): `python did not start within 10 s`, without the reason",
     "`errors_test.py --only once`, `write`", "the reason is named, at once"),
    ("a failed `fcntl(F_DUPFD_CLOEXEC)` was reported as `Bad file descriptor`", "`errors_test.py --only once`, `fcntl`", "the reason is named"),
    ("`stat` fails before a commit (`EIO`, `EACCES`): the message said that the directory or the lock had been replaced",
     "`errors_test.py --only once`, `newfstatat`", "`cannot look at ...` and the reason"),
    ("a leftover temporary file cannot be removed (`EROFS`, `EACCES`): the message was `File exists`",
     "`errors_test.py --only once`, `unlinkat`", "`cannot remove what an earlier run left` and the reason"),
    ("the first allocations of a run fail: `terminate called`, SIGABRT", "`errors_test.py --only allocation`, number 1 and 5",
     "`out of memory`, exit 74"),
    ("no memory for the probe's bytes: the probe was left behind as a temporary file", "`errors_test.py --only allocation`, number 190",
     "they are asked for before there is a file"),
    ("a verdict `failed` without a message gave an error without words", "`tests/fuzz/corpus/verdict/found-no-message`",
     "`no reason was given`"),
]

CANNOT = [
    ("Network file systems", "no NFS in the kernel of the machine; the promise is for local file systems"),
    ("systemd as PID 1", "not on the machine: unit files are not run"),
    ("device-mapper (dm-flakey, dm-log-writes)", "not in the kernel; the shutdown ioctl of ext4 and XFS takes its place, at system calls, not at sectors"),
    ("Torn sectors, disks that lie about a flush", "need hardware or a virtual machine"),
    ("btrfs", "has no shutdown ioctl in this kernel"),
    ("Real quotas", "not in the kernel; EDQUOT by injection only"),
]


def load(folder, suite):
    path = folder / f"{suite}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def last_line(folder, suite):
    path = folder / f"{suite}.log"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return next((line for line in reversed(lines) if re.match(r"\w+: \d+ passed", line)), None)


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def main():
    folder = pathlib.Path(sys.argv[1])
    facts = sweep.machine()
    print("# What was tried, and what came of it\n")
    print("Written by `scripts/trust` from its own results; run it to repeat them. `tests/trust/checker.py` has the invariants.\n")
    print(f"{datetime.date.today().isoformat()}; Linux {facts['kernel']}, {facts['cpus']} cores, python {facts['python']}, {facts['strace']}.\n")
    print("## Figures\n")
    print("*Tried*: points of the part. *Fired*: runs whose injection is proven to have taken place. *Broke*: runs after which an")
    print("invariant did not hold.\n")
    rows, seeds, skips, extra = [], [], [], []
    for suite in ("kill", "power", "errors", "concurrency", "mutants"):
        document = load(folder, suite)
        if document is None:
            rows.append((suite, "(not run)", "", "", ""))
            continue
        seeds.append(f"{suite} {document['seed']}" + (f" (samples of {document['sample']})" if document["sample"] else ""))
        total = [0, 0, 0]
        for part, row in document["parts"].items():
            rows.append((suite, part, row["tried"], row["fired"], row["broken"]))
            total = [total[0] + row["tried"], total[1] + row["fired"], total[2] + row["broken"]]
            extra += [f"{suite}, {part}: {key} {value}" for key, value in row.items()
                      if key not in ("tried", "fired", "broken", "table")]
        rows.append((f"**{suite}**", f"all, {document['seconds']:.0f} s", *(f"**{number}**" for number in total)))
        skips += [f"{suite}: {what}: {why}" for what, why in document["skipped"]]
    table(("suite", "part", "tried", "fired", "broke"), rows)
    print("Seeds: " + ", ".join(seeds) + ".\n")
    for text in extra:
        print("- " + text)
    print()
    for suite in ("state_flips", "safety", "fuzz"):
        print(f"- {suite}: " + (last_line(folder, suite) or "not run"))
    print()
    mutants = load(folder, "mutants")
    grid = (mutants or {"parts": {}})["parts"].get("mutants", {}).get("table")
    if grid:
        print("## Which suite notices which fault\n")
        names = list(next(iter(grid.values())))
        table(("fault", *names), [(mutant, *(row.get(name, "") for name in names)) for mutant, row in grid.items()])
    print("## Bugs that these suites found\n")
    table(("what was wrong", "the case", "now"), FOUND)
    print("## What cannot be tried on this machine\n")
    table(("what", "why"), CANNOT)
    if skips:
        print("Skipped in this run:\n")
        for text in skips:
            print("- " + text)


if __name__ == "__main__":
    main()
