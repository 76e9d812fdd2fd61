#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs/trust.md from what the suites wrote: FOLDER/SUITE.json. Prints it.

Every figure comes from those files. The table of bugs is kept here: a bug is added with the case that shows it.
"""

import json
import pathlib
import sys

# suite -> what it does, and how much of it was asked for: (a part's beginning, the least number of its points)
SUITES = {
    "kill": ("SIGKILL at the system calls of a run, and polite signals", [("runner, ", 1), ("python ", 1000), ("rerun killed", 2000)]),
    "power": ("power cuts after the lock", [("ext4", 1000), ("xfs", 300)]),
    "errors": ("system calls that fail, limits, full disks, allocations", [("once", 400), ("for ever", 400), ("allocation", 100)]),
    "concurrency": ("2, 10 and 50 runners on one home", [("2 runners", 100), ("10 runners", 100), ("50 runners", 100)]),
    "mutants": ("the test-only program with one fault at a time", [("mutants", 12)]),
    "safety": ("a second uid, as root", [("refused", 30)]),
    "state_flips": ("every truncation and every byte of a state file", []),
    "surroundings": ("interpreter, HOME, environment, descriptors, process, directory, machine, clock", []),
    "scripts": ("broken and hostile scripts", []),
}
OTHERS = {"fuzz": "libFuzzer", "coverage": "branch coverage", "tsan": "thread sanitizer", "valgrind": "valgrind"}

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
    ("the first allocations of a run fail: `terminate called`, SIGABRT", "`errors_test.py --only allocation`, numbers 1 and 5",
     "`out of memory`, exit 74"),
    ("no memory for the probe's bytes: the probe was left behind as a temporary file", "`errors_test.py --only allocation`, number 190",
     "they are asked for before there is a file"),
    ("no memory for the probe's name when it is to be removed: the probe was left behind", "`errors_test.py --only allocation`, numbers 257 and 258",
     "it is removed by the name that it was made with"),
    ("no memory while root looks through a version's directory: `terminate called`, SIGABRT, because the iterators of libstdc++ cannot say so",
     "`errors_test.py --only allocation`, numbers 198 to 245", "`out of memory`, exit 74"),
    ("a verdict `failed` without a message gave an error without words", "`tests/fuzz/corpus/verdict/found-no-message`",
     "`no reason was given`"),
    ("a script that stops the python that is being started ahead before it executes anything hung the run: its word was waited for without a limit",
     "`tests/speed/prestart_test.py`, `test_stopped_before_its_first_word`", "the wait has a limit, and a fresh python is started"),
    ("`TZ` names a pipe: the run hung before its first word, because the C library reads that file for the time of day",
     "`surroundings_test.py --only 'TZ names a pipe'`", "the time is made without `TZ`"),
    ("stdout is not to be waited for (`O_NONBLOCK`, set by whoever shares it) and full for a moment: the rest of the output was lost",
     "`surroundings_test.py --only 'takes nothing for a while'`", "it is waited for"),
    ("an account whose line has more than 4 KiB was taken for none: without HOME the run was refused",
     "`surroundings_test.py --only '20 KB'`", "a line of any length is read"),
    ("nothing can be removed from the state's directory (`chattr +a`): the probe stayed, the scripts ran, and the commit failed",
     "`surroundings_test.py --only 'chattr +a'`", "the probe notices it: exit 74, and nothing has run"),
    ("with 64 KiB of stack the run died of SIGSEGV", "`surroundings_test.py --only '64 KiB of stack'`", "large buffers are not on the stack"),
    ("no more processes, no descriptors, no `/dev/null`: `no usable python3`, with the advice to name another one",
     "`surroundings_test.py --only 'no more processes'`, `--only '/dev/null is not there'`", "exit 74, and the step that helps"),
    ("an interpreter that prints 64 MB of zeros took a gigabyte of memory from `telec migrate doctor`, and one that hangs a minute",
     "`surroundings_test.py --only 'prints 100 MB'`, `--only 'nobody set a limit'`", "bounded, and 10 seconds as for a run"),
    ("an interpreter that complains with 80 MB was quoted whole by `lint` and `doctor`; one that prints 80 MB was said not to have read within a minute",
     "`tests/system/script_reader_test.cpp`, `what calls itself python`, `a stderr of any length`", "the last line of the last 1,000 bytes; what it did is said"),
    ("with 228 to 316 KiB of data `terminate called without an active exception`, SIGABRT: there was no memory for the exception either",
     "`errors_test.py --only 'data ladder'`", "`out of memory`, exit 74"),
    ("a number of 60 digits and more in the state's `seconds` was printed from behind the end of a buffer",
     "`tests/unit/text_test.cpp`, `attempt_test.cpp`", "what cannot be a duration is none"),
    ("a commit wrote a state larger than what is read, or with too many keys: the next run refused it",
     "`tests/system/state_file_test.cpp`, `would be too large`", "refused before a script runs"),
    ("a commit that failed, or was killed, between removing the generation before and linking the new one left none",
     "`tests/system/failing_calls_test.cpp`, `can be neither linked nor copied`", "it is replaced by rename, never removed first"),
    ("`verify --recheck` and `rebuild` that waited for the lock went by what they had read before",
     "`tests/desk/verbs_test.py`, `run_while_another`", "read under the lock"),
    ("without /proc, what a script left running was neither ended nor told of",
     "`surroundings_test.py --only '/proc is not there'`", "it is said that nothing can be found there"),
    ("a runner that was stopped past the time limit (Ctrl-Z) called a script that had ended in time timed out, and signalled a process group that was reaped",
     "`tests/cli/runs/signals_test.py`, `was_stopped`", "what has ended is not ended again"),
    ("a python that was started ahead did not see a directory that a `.pth` had named before it was there, a module beside those that `sitecustomize` imports, or the file of `TZ`",
     "`tests/speed/prestart_test.py`, `WhatThePredecessorLeft`", "each is in the fingerprint"),
    ("a script got another module, or one that it never imported, by whether it was started ahead",
     "`tests/speed/prestart_test.py`, `ItImports`", "only its first statements are looked at, and only while they are imports"),
    ("an entry of `sys.path` that is no text, a module that finds its attributes itself, an interpreter whose path needs escapes: exit 69 where a run without starting ahead went well",
     "`tests/speed/prestart_test.py`, `what_cannot_be_said`", "nothing is started ahead, then"),
    ("a start that prints more than a pipe holds cost two seconds for each migration",
     "`tests/speed/prestart_test.py`, `not_ready_in_time`", "after the first, none is started ahead"),
    ("an interpreter that closes its streams and stays hung `lint` and `doctor`; one that leaves something behind held them up for a minute",
     "`tests/system/script_reader_test.cpp`, `what it started and left`", "they end with their python, in 10 seconds at most"),
]

CANNOT = [
    ("Network file systems", "no NFS in the kernel of the machine; the promise is for local file systems"),
    ("systemd as PID 1 of the machine", "`tests/packaging/units_test.py` boots it in a container instead"),
    ("device-mapper (dm-flakey, dm-log-writes)", "not in the kernel; the shutdown ioctl of ext4 and XFS takes its place, at system calls, not at sectors"),
    ("Torn sectors, disks that lie about a flush", "need hardware or a virtual machine"),
    ("btrfs", "has no shutdown ioctl in this kernel"),
    ("Real quotas", "not in the kernel; EDQUOT by injection only"),
    ("A 32-bit python3, a python3 of 3.6 or 3.7", "not on the machine: a program for another processor and one that says so of itself stand in"),
    ("A wall clock of one's own", "the kernel gives none to a process: a library loaded before libc stands in, for the runner alone"),
]


LIMITS = [
    ("a killed runner takes its python with it",
     "a python3 to which `setcap`, setuid or setgid grants privileges: the kernel takes the death signal from it (prctl(2)). The lock still keeps a second run out until it has ended"),
    ("nothing that a script starts is left running",
     "where /proc is not mounted; it is said"),
    ("starting ahead changes nothing but the time",
     "what the code of a `.pth` or `sitecustomize` reads beside modules, and shared libraries, where a migration changes them: `--no-prestart`"),
]


def load(folder, suite):
    path = folder / f"{suite}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
    print()


def grouped(number):
    return f"{number:,}"


def machine_lines(documents):
    """Where and on what it was measured; one line, or one for each different machine."""
    seen = {}
    for suite, document in documents.items():
        facts = document.get("machine")
        if facts:
            seen.setdefault(json.dumps(facts, sort_keys=True), []).append(suite)
    for text, suites in seen.items():
        facts = json.loads(text)
        protected = ", ".join(f"`fs.protected_{name}` {value}" for name, value in facts.get("protected", {}).items())
        print(f"- {', '.join(suites)}: {facts.get('date')}, {facts.get('telec')} ({facts.get('commit')}); Linux {facts['kernel']}, "
              f"{facts.get('architecture')}, {facts['cpus']} cores, uid {facts.get('uid')}; temporary files on {facts.get('file system')}; "
              f"python {facts['python']}, {facts['strace']}, {', '.join(facts.get('mkfs', []))}; {protected}.")
    print()


def figures(documents):
    rows = []
    for suite, (words, _) in SUITES.items():
        document = documents.get(suite)
        if document is None:
            rows.append((f"**{suite}**", words, "not run", "", "", ""))
            continue
        parts = document["parts"].values()
        total = [grouped(sum(row[key] for row in parts)) for key in ("tried", "fired", "broken")]
        seed = "none" if document["seed"] is None else document["seed"]
        rows.append((f"**{suite}**", words, *(f"**{number}**" for number in total),
                     f"{seed}" + (f", samples of {document['sample']}" if document["sample"] else "")))
        if suite in ("scripts", "surroundings"):
            for part, row in document["parts"].items():
                count = f", {row['cases']} cases" if "cases" in row else ""
                rows.append(("", part + count, grouped(row["tried"]), grouped(row["fired"]), row["broken"], ""))
            continue
        for part, row in document["parts"].items():
            rows.append(("", part, grouped(row["tried"]), grouped(row["fired"]), row["broken"], ""))
    table(("suite", "what", "tried", "fired", "broke", "seed"), rows)


def shortfalls(documents):
    """What was asked for and not reached."""
    for suite, (_, wanted) in SUITES.items():
        document = documents.get(suite)
        for beginning, least in wanted if document else ():
            count = sum(row["tried"] for part, row in document["parts"].items() if part.startswith(beginning) and "no-op" not in part)
            if count < least:
                yield f"{suite}: {beginning}: {count} points instead of {least}"


def details(documents):
    kill, concurrency, scripts = (documents.get(suite) for suite in ("kill", "concurrency", "scripts"))
    errors, flips = documents.get("errors"), documents.get("state_flips")
    if kill and "random times" in kill["parts"]:
        print(f"- Kills at random times: {grouped(kill['parts']['random times'].get('kills', 0))} in {kill['parts']['random times']['tried']} rounds.")
    if errors:
        count = sum(errors["parts"].get(part, {}).get("fired", 0) for part in ("once", "for ever"))
        print(f"- Injected errors that fired: {grouped(count)}, besides {grouped(errors['parts'].get('allocation', {}).get('tried', 0))} failed "
              "allocations.")
    if concurrency:
        killed, stopped = concurrency["parts"].get("holder killed while ten wait"), concurrency["parts"].get("holder stopped")
        if killed:
            print(f"- The holder of the lock is killed while ten wait: the next one goes on after {killed['median ms']} ms (median), "
                  f"{killed['maximum ms']} ms at most.")
        if stopped:
            print(f"- The holder of the lock is stopped: `--lock-timeout` is overrun by {stopped['overrun ms']} ms at most.")
    if scripts:
        print(f"- {scripts['time-outs']} scripts that never end: gone {scripts['overrun s'] * 1000:.0f} ms at most after their time-out (and the two "
              "seconds of grace, where SIGTERM does not help).")
        print(f"- A gigabyte of output, on stdout, on stderr, on both, in one line: {scripts['flood MiB']} MiB of memory at most in the runner; "
              f"{scripts['peak MiB']} MiB for any script.")
    if flips:
        refused, same = (sum(row[key] for row in flips["parts"].values()) for key in ("refused", "the same ids"))
        print(f"- A state file of twenty ids, cut or changed in one byte: {grouped(refused)} times refused, {grouped(same)} times the same ids, never others.")
    print()


def others(documents):
    for suite, words in OTHERS.items():
        document = documents.get(suite)
        if document is None:
            print(f"- {words}: not run.")
            continue
        if suite == "coverage":
            print(f"- {words}: {grouped(document['tried'] - document['broke'])} of {grouped(document['tried'])} branches were taken.")
        else:
            print(f"- {words}: {grouped(document['tried'])} tried, {document['broke']} broke.")
        for note in document.get("notes", []):
            print(f"  - {note}")
    print()


def main():
    folder = pathlib.Path(sys.argv[1])
    documents = {suite: document for suite in [*SUITES, *OTHERS] if (document := load(folder, suite)) is not None}
    print("# What was tried, and what came of it\n")
    print("Written by `scripts/trust` from its own results; run it to repeat them. `tests/trust/checker.py` has the invariants.\n")
    print("## Where\n")
    machine_lines(documents)
    print("## Figures\n")
    print("*Tried*: points of the part. *Fired*: runs whose disturbance is proven to have taken place. *Broke*: runs after which an")
    print("invariant did not hold. A point that did not fire within a few tries (how often a run waits differs from one to the next)")
    print("proves nothing, and is counted as such.\n")
    figures(documents)
    details(documents)
    missing = list(shortfalls(documents))
    if missing:
        print("Fewer than there should be:\n")
        for text in missing:
            print("- " + text)
        print()
    others(documents)
    grid = documents.get("mutants", {"parts": {}})["parts"].get("mutants", {}).get("table")
    if grid:
        print("## Which suite notices which fault\n")
        print("Each fault is a switch of a program that is built for this alone. A dot: that suite's cases do not notice it.\n")
        names = list(next(iter(grid.values())))
        table(("fault", *names), [(mutant, *(row.get(name, "") for name in names)) for mutant, row in grid.items()])
    print("## Bugs that these suites found, or would find now\n")
    table(("what was wrong", "the case", "now"), FOUND)
    broken = [(suite, one["part"], one["label"], "; ".join(one["invariants"])) for suite, document in documents.items()
              for one in document.get("broken", [])]
    if broken:
        print("## Broken in this run\n")
        table(("suite", "part", "point", "invariants"), broken)
    print("## Where a promise ends\n")
    table(("promise", "but for"), LIMITS)
    print("## What cannot be tried on this machine\n")
    table(("what", "why"), CANNOT)
    skips = [f"{suite}: {what}: {why}" for suite, document in documents.items() for what, why in document.get("skipped", [])]
    if skips:
        print("Skipped in this run:\n")
        for text in skips:
            print("- " + text)
        print()
    rows = documents.get("scripts", {}).get("rows")
    if rows:
        print("## Hostile scripts\n")
        print("What each script must come to, the bounds of its time and memory, and what was measured. The bound of the time is there to")
        print("catch a hang; a time-out has a bound of its own, above.\n")
        table(("class", "script", "outcome", "s, at most", "s", "MiB, at most", "MiB"),
              [(row["class"], row["script"], row["outcome"], f"{row['bound s']:.0f}", row["s"], row["bound MiB"], row["MiB"]) for row in rows])


if __name__ == "__main__":
    main()
