#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the sweeps share: the points of a run as pairs (system call, occurrence), a pool of workers, and the tally.

strace counts an injection per system call name and per process, so "the n-th call of the run" cannot be asked for; the
pairs of a baseline trace can. Every injected run has to prove that its injection fired.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import checker

STRACE = shutil.which("strace")
# A shell that starts a suite with & has it ignore SIGINT, and so would every telec that the suite starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
_CALL = re.compile(r"^(\d+ +)?(\w+)\(")
_NOT_A_POINT = ("execve",)  # the first one is strace's own start: it cannot be hit


def need_strace(suite):
    """Visible skip where strace is missing or may not trace."""
    probe = STRACE and subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0
    if not probe:
        print(f"skipped: {suite}: strace is not installed or may not trace here")
        print(f"{suite}: 0 passed, 0 failed, 1 skipped")
        sys.exit(77)


def calls_of(trace):
    """The calls of a trace in order: [(name, occurrence)], occurrences counted from 1 per name."""
    counts = collections.Counter()
    calls = []
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = _CALL.match(line)
            if match:
                name = match.group(2)
                counts[name] += 1
                calls.append((name, counts[name], line))
            if ".profraw" in line:
                calls.clear()  # a build for coverage opens the file of its counters: not the program yet
    return calls


def stable_points(traces):
    """The pairs that every one of the baselines has, in the order of the first."""
    calls = [calls_of(trace) for trace in traces]
    common = set.intersection(*({(name, n) for name, n, _ in one} for one in calls))
    return [(name, n) for name, n, _ in calls[0] if (name, n) in common and name not in _NOT_A_POINT]


def baseline(world, start, options=(), runs=3, env=None):
    """The points of an undisturbed run from one start state."""
    traces = []
    for i in range(runs):
        with checker.Disposable(world, start) as place:
            trace = world.folder / f"base-{abs(hash((start, options)))}-{i}"
            result = place.run(prefix=[STRACE, "-qq", "-o", str(trace)], options=options, env=env)
            if result.code != 0:
                raise SystemExit(f"the baseline fails: {result!r}")
            traces.append(trace)
    return stable_points(traces)


def injected(place, name, injection, options=(), env=None, timeout=60):
    """A run with one injection; (result, fired)."""
    trace = place.root / "trace"
    result = place.run(prefix=[STRACE, "-qq", "-o", str(trace), "-e", "trace=" + name, "-e", f"inject={name}:{injection}"],
                       options=options, env=env, timeout=timeout)
    text = trace.read_text("utf-8", "replace") if trace.exists() else ""
    if "signal=" in injection:
        signal_name = "SIG" + re.search(r"signal=(\w+)", injection).group(1)
        fired = f"killed by {signal_name}" in text or f"--- {signal_name} " in text
        if signal_name != "SIGKILL":
            # A signal that the program reads from a signalfd is never delivered: the call was reached, that is all.
            fired = fired or len(re.findall(rf"^{name}\(", text, re.MULTILINE)) >= int(re.search(r"when=(\d+)", injection).group(1))
    else:
        fired = "(INJECTED)" in text
    return result, fired


class Tally:
    """Points tried, fired and broken of one suite; prints them and writes them down."""

    def __init__(self, suite, options):
        self.suite = suite
        self.options = options
        self.began = self.told = time.monotonic()
        self.parts = collections.OrderedDict()
        self.broken = []
        self.skips = []
        self.extra = {}  # figures of the suite's own, for the report

    def part(self, name):
        return self.parts.setdefault(name, {"tried": 0, "fired": 0, "broken": 0})

    def add(self, part, label, fired, broken):
        row = self.part(part)
        row["tried"] += 1
        row["fired"] += bool(fired)
        if time.monotonic() - self.told > 60:
            self.told = time.monotonic()
            print(f"{self.suite}: {part}: {row['tried']} tried so far", flush=True)
        if broken:
            row["broken"] += 1
            self.broken.append((part, label, broken))
            if len(self.broken) <= 40:
                print(f"BROKEN {part}: {label}: " + "; ".join(broken), flush=True)

    def skip(self, what, why):
        self.skips.append((what, why))
        print(f"skipped: {what}: {why}", flush=True)

    def finish(self):
        failed = len(self.broken)
        tried = sum(row["tried"] for row in self.parts.values())
        missed = sum(row["tried"] - row["fired"] for row in self.parts.values())
        for name, row in self.parts.items():
            print(f"{self.suite}: {name}: {row['tried']} points tried, {row['fired']} fired, {row['broken']} broke an invariant")
        seconds = time.monotonic() - self.began
        print(f"{self.suite}: seed {self.options.seed}, {seconds:.0f} s")
        if self.options.report:
            document = {"suite": self.suite, "seed": self.options.seed, "sample": self.options.sample, "seconds": round(seconds, 1),
                        "machine": machine(), "parts": self.parts, "skipped": self.skips, **self.extra,
                        "broken": [{"part": part, "label": label, "invariants": texts} for part, label, texts in self.broken]}
            pathlib.Path(self.options.report).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        line = f"{self.suite}: {tried - failed} passed, {failed} failed"
        if self.skips or missed:
            line += f", {len(self.skips) + missed} skipped"
        print(line)
        if tried == 0 and self.skips:
            sys.exit(77)
        sys.exit(1 if failed or tried == 0 or missed > max(2, tried // 50) else 0)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=0, help="this many points of each part, chosen by the seed (0: all)")
    parser.add_argument("--jobs", type=int, default=max(1, min(2, os.cpu_count() or 1)))
    parser.add_argument("--report", help="write the figures to this file, as JSON")
    parser.add_argument("--only", action="append", help="only the parts whose name contains this")
    return parser


def chosen(points, options, salt=""):
    """A sample by the seed, or everything."""
    if not options.sample or len(points) <= options.sample:
        return list(points)
    picked = random.Random(f"{options.seed} {salt}").sample(range(len(points)), options.sample)
    return [points[i] for i in sorted(picked)]


def wanted(part, options):
    return not options.only or any(word in part for word in options.only)


def each(work, items, options):
    """Runs work(item) for all, `--jobs` at a time; results as they come."""
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def said_by(*command):
    """The first line that a program prints; None where there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return None
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if lines else None


def content(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def machine():
    """What a figure depends on, and what was tried."""
    temporary = tempfile.gettempdir()
    return {"date": time.strftime("%Y-%m-%d", time.gmtime()), "telec": said_by(checker.telec.binary(), "--version"),
            "commit": os.environ.get("TELEC_COMMIT") or said_by("git", "-C", str(checker.telec.ROOT), "describe", "--always", "--dirty"),
            "kernel": platform.release(), "architecture": platform.machine(), "cpus": os.cpu_count(), "uid": os.geteuid(),
            "python": platform.python_version(), "strace": STRACE and said_by(STRACE, "-V"),
            "file system": said_by("stat", "-f", "-c", "%T", temporary),
            "mkfs": [text for text in (said_by("mkfs.ext4", "-V"), said_by("mkfs.xfs", "-V")) if text],
            "protected": {name: content(f"/proc/sys/fs/protected_{name}") for name in ("symlinks", "hardlinks", "regular", "fifos")}}
