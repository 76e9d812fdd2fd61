#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The broken and hostile scripts of tests/cli/hostile with figures: each one's outcome, time and memory beside its bounds.

`scripts/test` runs the same cases, and there they pass or fail; this run takes the floods at their full size, a gigabyte
each, and writes down what was measured. A case has *fired* when the run came to the outcome that its row names, and
*broken* when anything else that the row or the invariants of tests/cli/hostile ask for did not hold. `--table` prints the
rows and runs nothing.
"""

import dataclasses
import sys

import sweep
from checker import telec

sys.path.insert(0, str(telec.ROOT / "tests" / "cli" / "hostile"))
import cases  # noqa: E402
import hostile_test  # noqa: E402

SUITE = "scripts"
GRACE = 2.0  # between SIGTERM and SIGKILL
CLASSES = {
    "H1": "never ends", "H2": "leaves processes behind", "H3": "says too much", "H4": "says what is no text", "H5": "lies about its success",
    "H6": "exits", "H7": "spoils its descriptors and its interpreter", "H8": "signals its group and the runner", "H9": "crashes",
    "H10": "answers with something else than True or False", "H11": "is not a migration", "H12": "has a check() that is wrong",
    "H13": "changes its process", "H14": "changes the state", "H15": "changes the tree", "H16": "wants a terminal",
    "H17": "starts a service", "H18": "depends on how it is loaded",
}
FLOODS = {"1 GB on stdout": ([1], True), "256 MB on stderr": ([2], True), "256 MB on both streams in turn": ([1, 2], True),
          "one line of 256 MB": ([1], False)}


def whole(case):
    """The case at its full size."""
    if case.name not in FLOODS:
        return case
    descriptors, lines = FLOODS[case.name]
    return dataclasses.replace(case, name=case.name.replace("256 MB", "1 GB"), seconds=120, verify=cases.cut_is_said(1000 << 20),
                               sources=cases.sandwich(cases.flood(descriptors, 1, line=lines)))


ALL = [whole(case) for case in cases.CASES]


def outcome(case):
    """What must come of it, in words."""
    exits = " or ".join(str(code) for code in hostile_test.as_tuple(case.exit))
    states = case.states if isinstance(case.states, dict) else {}
    bad = states.get(cases.BAD)
    if isinstance(case.states, tuple):
        bad = " or ".join(dict.fromkeys(str(one.get(cases.BAD)) for one in case.states))
    stage = "" if case.stage is cases.ANY else " at " + " or ".join(map(str, hostile_test.as_tuple(case.stage)))
    return f"exit {exits}" + (f", {bad}" if bad else "") + (stage if case.code else "")


def table():
    for case in ALL:
        print(f"{case.kind:4} {case.name:70} {outcome(case):50} {case.seconds:4.0f} s {case.memory:3} MiB")
    kinds = {case.kind for case in ALL}
    print(f"{len(ALL)} scripts in {len(kinds)} classes")


def overrun(case, run):
    """How long after the limit, and the grace where SIGTERM did not help, a script was gone; None without a time-out."""
    if case.code != "timeout" or not run.document or not run.document.get("error"):
        return None
    limit = float(case.args[case.args.index("--timeout") + 1])
    taken = next(entry["seconds"] for entry in run.document["migrations"] if entry["id"] == run.document["error"]["id"])
    return taken - limit - (GRACE if taken >= limit + GRACE else 0)


def main():
    parser = sweep.arguments(__doc__)
    parser.add_argument("--table", action="store_true", help="print the table, and run nothing")
    options = parser.parse_args()
    if options.table:
        table()
        return
    tally = sweep.Tally(SUITE, options)
    rows, overruns, peaks = [], [], []
    for kind, words in CLASSES.items():
        part = f"{kind} {words}"
        some = sweep.chosen([case for case in ALL if case.kind == kind], options, part)
        if not sweep.wanted(part, options):
            continue

        def work(case):
            complaints = hostile_test.run_case(case)
            return case, hostile_test.run_case.measured.get(case.name), complaints

        for case, run, complaints in sweep.each(work, some, options):
            came = run is not None and (case.exit is cases.ANY or run.code in hostile_test.as_tuple(case.exit))
            tally.add(part, case.name, came, complaints.splitlines()[:3] if complaints else [])
            if run is None:
                continue
            late = overrun(case, run)
            if late is not None:
                overruns.append(late)
            if not hostile_test.SANITIZED:
                peaks.append((run.peak / 1024, case.name))
            rows.append({"class": kind, "script": case.name, "outcome": outcome(case), "bound s": case.seconds, "bound MiB": case.memory,
                         "s": round(run.seconds, 2), "MiB": round(run.peak / 1024, 1)})
    rows.sort(key=lambda row: (int(row["class"][1:]), row["script"]))
    floods = [peak for peak, name in peaks if "1 GB" in name]
    if overruns:
        print(f"{SUITE}: {len(overruns)} time-outs, overrun by {max(overruns):.3f} s at most")
    if floods:
        print(f"{SUITE}: {len(floods)} floods of 1 GB, {max(floods):.1f} MiB of memory at most")
    tally.extra = {"rows": rows, "time-outs": len(overruns), "overrun s": round(max(overruns, default=0), 3),
                   "flood MiB": round(max(floods, default=0), 1), "peak MiB": round(max(peaks, default=(0, ""))[0], 1)}
    tally.finish()


if __name__ == "__main__":
    sys.exit(main())
