#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs telec where nothing around it is as it should be: the interpreter, HOME, the environment, the descriptors, the
process itself, the current directory, the machine and the clock. surroundings.py has the table.

Every case is run for a person, once more with --json in a fresh home, and then again in good surroundings; and each time
this must hold, whatever the case:

- it ends by itself, within its bound, and not by a signal
- exit 0 means that everything is recorded, and what is said or recorded has its effect, once
- an error is one line that names the thing, and a next step; the document has the class that the table names
- where nothing could be run the state is byte for byte what it was; it is always whole, and modes are as they should be
- nothing is left beside the state, in the current directory, in TMPDIR or beside the scripts, and nothing is alive
- what is printed is text
- running it again in good surroundings is the repair

A case has *fired* when a probe, a program run in telec's place, has seen what the case is about, or where what it is about
is a file that was made. `--table` prints the table and runs nothing.
"""

import os
import re
import stat
import subprocess
import sys

import checker
import sweep
from checker import telec
from surroundings import CASES, IDS, CannotBeMade, Scene

SUITE = "surroundings"
CLASSES = {1: "migration_failed", 2: "usage", 5: "unrecorded", 65: "state_untrusted", 69: "no_python", 74: "io", 77: "unsafe"}
# Nothing but text reaches a terminal: no C0 but tab and line feed, no C1, no line separators, nothing that turns the direction.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def faults_of(case, scene, result, document):
    """Sentences about what is wrong after one run."""
    faults = []
    allowed = case.exit if isinstance(case.exit, tuple) else (case.exit,)
    if result.code is None or result.seconds > case.seconds:
        faults.append(f"not finished within {case.seconds:.0f} s ({result.seconds:.1f} s)")
    elif result.code not in allowed:
        faults.append(f"exit {result.code} instead of {case.exit}: {result.err[-400:]!r}")
    data = scene.state_bytes()
    try:
        applied = [] if data is None else checker.strict(data)["applied"]
    except ValueError as error:
        if data != scene.keep_state:
            return [*faults, f"the state does not read: {error}: {data[:80]!r}"]
        applied = []
    expected = case.recorded.get(result.code, IDS if result.code == 0 else scene.started_with)
    if applied != list(expected):
        faults.append(f"recorded is {applied} instead of {list(expected)}")
    if result.code not in (0, None) and expected == scene.started_with and data != scene.keep_state:
        faults.append("the state was touched")
    for id in IDS[1:]:
        count = case.effects.get(id, 1 if id in applied else 0)
        if scene.effect_count(id) != count:
            faults.append(f"{id} took effect {scene.effect_count(id)} times instead of {count}")
    for id in re.findall(r"^(?:applied|already present) +(\S+)", result.out, re.MULTILINE):
        if id not in applied:
            faults.append(f"said and not recorded: {id}")
    faults += faults_of_words(case, result)
    if document and case.document:
        faults += faults_of_document(case, result)
    faults += faults_of_disk(case, scene)
    if case.verify:
        faults += case.verify(scene, result)
    return faults


def faults_of_words(case, result):
    faults = []
    for name, text in (("stdout", result.out), ("stderr", result.err)):
        if UNPRINTABLE.search(text) or "\udc80" <= max(text, default="") <= "\udcff":
            faults.append(f"{name} is not text: {text[:200]!r}")
        if len(text) > 262144:
            faults.append(f"{len(text)} bytes on {name}")
    if checker.COMPLAINTS.search(result.err):
        faults.append("complaint: " + result.err[-300:])
    if not case.speaks or result.code in (0, None):
        return faults
    lines = [line for line in result.err.splitlines() if line.startswith("telec: error: ")]
    if len(lines) != 1:
        faults.append(f"{len(lines)} errors instead of one: {result.err[-400:]!r}")
    for piece in ("hint: ", *case.says):
        if piece not in result.err:
            faults.append(f"'{piece}' is not said: {result.err[-400:]!r}")
    return faults


def faults_of_document(case, result):
    try:
        value = result.document
        ok, error = value["ok"], value["error"]
    except (ValueError, KeyError, TypeError) as fault:
        return [f"no document: {fault!r}: {result.out[:200]!r}"]
    if ok != (result.code == 0) or (error is None) != ok:
        return [f"ok is {ok} with exit {result.code} and the error {error}"]
    expected = case.code or CLASSES.get(result.code)
    return [f"the class is {error['code']} instead of {expected}"] if error and error["code"] != expected else []


def faults_of_disk(case, scene):
    faults = []
    names = os.listdir(scene.data) if scene.data.is_dir() else []
    for name in names:
        if name not in ("migration_state.json", "migration_state.json.lock", "migration_state.json.old", "migration_logs", *case.left):
            faults.append(f"left behind: {name}")
        status = (scene.data / name).lstat()
        wanted = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        if stat.S_IMODE(status.st_mode) != wanted:
            faults.append(f"{name} has mode {stat.S_IMODE(status.st_mode):04o}")
    if not telec.wait_until(lambda: not checker.processes_of(scene.where), 10.0, 0.01):
        faults.append(f"alive: {checker.processes_of(scene.where)}")
    return faults


def faults_of_rerun(case, scene):
    """Running it again in good surroundings is the repair."""
    if case.mended:
        case.mended(scene)
    scene.give_back()
    result = scene.world.migrate(env={"HOME": os.fsencode(scene.where)})
    data = scene.state_bytes()
    applied = checker.strict(data)["applied"] if data else []
    counts = [scene.effect_count(id) for id in IDS[1:]]
    if result.code != 0 or sorted(applied) != IDS or counts != [1, 1]:
        return [f"the run in good surroundings ends with {result.code}, {applied}, {counts}: {result.err[-300:]!r}"]
    return []


def once(case, document):
    """One case, for a person or with a document: (fired, what is wrong)."""
    scene = Scene()
    try:
        named = case.prepare(scene)
        around = scene.around()
        fired = scene.probed(*case.probe) if case.probe else True
        result = scene.run("migrate", *(["--json"] if document else []), limit=case.seconds)
        faults = faults_of(case, scene, result, document)
        if named is not None and case.speaks and result.code not in (0, None) and str(named) not in result.err:
            faults.append(f"'{named}' is not named: {result.err[-400:]!r}")
        if scene.around() != around:
            faults.append(f"lies about: {sorted(set(scene.around()) ^ set(around))}")
        if case.doctor is not None and not document:
            looked = scene.run("migrate", "doctor", limit=case.seconds)
            if looked.code != case.doctor:
                faults.append(f"doctor ends with {looked.code} instead of {case.doctor}: {looked.out[-400:]!r}")
        if case.mended is not False and not faults:
            faults += faults_of_rerun(case, scene)
        return fired, faults
    finally:
        scene.close()


def table():
    """The cases as text, one a line."""
    for case in CASES:
        exits = " or ".join(map(str, case.exit if isinstance(case.exit, tuple) else (case.exit,)))
        print(f"{case.group:12}  {case.name:90}  exit {exits:8}  within {case.seconds:.0f} s")
    print(f"{len(CASES)} cases")


def main():
    parser = sweep.arguments(__doc__)
    parser.add_argument("--table", action="store_true", help="print the cases, and run nothing")
    options = parser.parse_args()
    if options.table:
        table()
        return
    tally = sweep.Tally(SUITE, options)
    groups = dict.fromkeys(case.group for case in CASES)
    # Those that wait for a time-out first: they sleep while others work.
    runs = [(case, document) for group in groups
            for case in sweep.chosen([case for case in CASES if case.group == group], options, group)
            for document in ((False, True) if case.both else (False,))
            if sweep.wanted(f"{case.group}: {case.name}", options)]
    runs.sort(key=lambda run: (run[0].seconds, ".000 s" in " ".join(run[0].says)), reverse=True)
    options.jobs *= 2

    def work(run):
        try:
            return run, once(*run), None
        except CannotBeMade as why:
            return run, None, str(why)
        except (OSError, subprocess.SubprocessError) as error:
            return run, (False, [f"it cannot be set up: {error!r}"]), None

    skipped = {}
    for (case, document), outcome, why in sweep.each(work, runs, options):
        if why:
            skipped.setdefault(why, set()).add(case.name)
            continue
        fired, faults = outcome
        label = case.name + (", with --json" if document else "")
        tally.add(case.group, label, fired, faults or ([] if fired else ["the probe does not see what the case is about"]))
    for why, names in sorted(skipped.items()):
        tally.skip(f"{len(names)} cases", why)
    for group in groups:
        if group in tally.parts:
            tally.parts.move_to_end(group)
            tally.part(group)["cases"] = len({case.name for case, _ in runs if case.group == group})
    tally.finish()


if __name__ == "__main__":
    sys.exit(main())
