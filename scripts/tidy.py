#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/tidy.py BUILD-DIR: runs clang-tidy over every C++ file that BUILD-DIR compiles from src/ and tests/.

One clang-tidy per core. A file that was clean is not looked at again until its text, a header that it includes, its
compile command, .clang-tidy or clang-tidy itself has changed: BUILD-DIR/tidy/ remembers. Fails on any finding.
BUILD-DIR has to be up to date. Changes no source.
"""

import concurrent.futures
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Where a check is wrong about code that is right: pattern of files -> checks not made there.
EXCEPT = {
    # Input is hostile on purpose, locks are held by variables that nobody reads, and nothing is fast.
    "tests/*": "-performance-*,-bugprone-string-literal-with-embedded-nul,-misc-misleading-bidirectional,"
               "-clang-analyzer-deadcode.DeadStores",
}

# The compile commands are the build's own, often g++'s.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-ignored-optimization-argument",
         "--extra-arg=-Qunused-arguments"]


class Unit:
    """One compilation of one file, as compile_commands.json names it."""

    def __init__(self, build, entry):
        self.path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        self.command = entry.get("command") or " ".join(entry["arguments"])
        self.output = entry.get("output", "")
        self.name = self.path.relative_to(ROOT).as_posix()
        self.stamp = build / "tidy" / (self.name.replace("/", "_") + ".clean")
        self.key = None

    @property
    def arguments(self):
        checks = [checks for pattern, checks in EXCEPT.items() if fnmatch.fnmatch(self.name, pattern)]
        return [f"--checks={','.join(checks)}"] if checks else []

    def is_clean(self):
        try:
            return self.stamp.read_text() == self.key
        except FileNotFoundError:
            return False


def units(build):
    """Every file once, also when two targets compile it."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        parts = path.relative_to(ROOT).parts if ROOT in path.parents else ("",)
        if parts[0] in ("src", "tests"):
            unit = Unit(build, entry)
            found.setdefault(unit.name, unit)
    return [found[name] for name in sorted(found)]


def headers(build):
    """{object file: the files it was compiled from}, as ninja remembers from the compiler."""
    found, current = {}, None
    listing = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        start = re.match(r"(\S+): #deps", line)
        if start:
            current = found.setdefault(start[1], [])
        elif line.startswith(" ") and current is not None:
            current.append((build / line.strip()).resolve())
    return found


class Prints:
    """A short print of each file: of its text for ours, of its size and time for a library's."""

    def __init__(self):
        self.known = {}

    def of(self, path):
        if path not in self.known:
            if ROOT in path.parents:
                self.known[path] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                status = path.stat()
                self.known[path] = f"{status.st_size} {status.st_mtime_ns}"
        return f"{path} {self.known[path]}\n"


def add_keys(build, wanted):
    common = hashlib.sha256()
    common.update(subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout)
    common.update((ROOT / ".clang-tidy").read_bytes())
    included, prints = headers(build), Prints()
    for unit in wanted:
        key = common.copy()
        key.update("\0".join([unit.command, *EXTRA, *unit.arguments]).encode())
        for path in [unit.path, *included.get(unit.output, [])]:
            key.update(prints.of(path).encode())
        unit.key = key.hexdigest()


def look_at(build, unit):
    begin = time.monotonic()
    run = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), *EXTRA, *unit.arguments, str(unit.path)],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode == 0:
        unit.stamp.write_text(unit.key)
    # stderr only counts the warnings of other people's headers, unless clang-tidy could not run at all.
    findings = run.stdout.strip() or (run.stderr.strip() if run.returncode else "")
    findings = re.sub(rf"(?:{build}/\.\./|{ROOT}/|(?<!\S)\.\./(?=src/|tests/))", "", findings)
    return run.returncode == 0, findings, time.monotonic() - begin


def main():
    build = (ROOT / sys.argv[1]).resolve()
    (build / "tidy").mkdir(exist_ok=True)
    everything = units(build)
    add_keys(build, everything)
    todo = [unit for unit in everything if not unit.is_clean()]
    # The longest first, as far as their size tells, so that no core is left with one at the end.
    todo.sort(key=lambda unit: -unit.path.stat().st_size)
    print(f"clang-tidy: {len(todo)} of {len(everything)} files to look at", flush=True)
    failed, seen = 0, set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = {pool.submit(look_at, build, unit): unit for unit in todo}
        for number, run in enumerate(concurrent.futures.as_completed(runs), 1):
            good, findings, seconds = run.result()
            failed += not good
            print(f"[{number}/{len(todo)}] {runs[run].name} {seconds:.1f} s{'' if good else ', findings:'}", flush=True)
            if findings and not good and findings not in seen:
                seen.add(findings)
                print(findings, flush=True)
    print(f"clang-tidy: {len(everything)} files, {failed} with findings", flush=True)
    return 1 if failed or not everything else 0


if __name__ == "__main__":
    sys.exit(main())
