#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs every broken or hostile script of cases.py, and checks what must hold whatever a script does.

The cases run a few at a time in a pool, each in a home of its own; the test methods only look at the outcomes, so that
a failure names its case. TELEC_TEST_JOBS sets how many run at once.
"""

import concurrent.futures
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import traceback
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import telec  # noqa: E402
from cases import ANY, BAD, CASES, FIRST, LAST, LOG_LIMIT  # noqa: E402

JOBS = int(os.environ.get("TELEC_TEST_JOBS", "4"))
SANITIZED = telec.is_sanitized()

DOCUMENT_KEYS = {"schema", "tool", "command", "ok", "dry_run", "range", "migrations", "problems", "error"}
ERROR_KEYS = {"code", "message", "hint", "id", "stage", "traceback", "log"}
OUTCOMES = {"applied", "already_present", "failed", "interrupted", "unrecorded", "not_reached"}
STATE_NAMES = {"migration_state.json", "migration_state.json.lock", "migration_state.json.old", "migration_logs"}
EFFECTS = {id: "effects/" + id.replace("/", "_") for id in (FIRST, LAST)} | {BAD: "effects/hostile"}

# What must never reach a terminal from a script: C0 but for line feed and tab, DEL, C1, line separators, and
# everything that changes the direction of the text.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def becomes_free(file):
    """Whether a lock is free; at once, but for a python that dies with its killed runner and still has its descriptor."""
    deadline = time.monotonic() + 60
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)


def strict_object(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key occurs twice")
    return value


def strict_json(data):
    """The value of one JSON document in UTF-8; anything else raises."""
    def refuse(name):
        raise ValueError(f"{name} is not JSON")
    value = json.loads(data.decode("utf-8"), object_pairs_hook=strict_object, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate by way of \ud800 fails here
    return value


class Process:
    """A running telec: its exit code, and the highest memory use of it alone, not of the python it waits for."""

    def __init__(self, command, home, env):
        self.out = open(home.path / "stdout", "wb+")
        self.err = open(home.path / "stderr", "wb+")
        self.begin = time.monotonic()
        # A session of its own: a script that kills "its group" must not be able to kill the tests.
        self.popen = subprocess.Popen(command, env=home.environment(**env), stdin=subprocess.DEVNULL, stdout=self.out,
                                      stderr=self.err, cwd=home.path, start_new_session=True)
        self.pid = self.popen.pid
        self.peak = 0

    def _field(self, name):
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
                for line in file:
                    if line.startswith(name + ":"):
                        return line.split()[1]
        except OSError:
            pass
        return None

    def status(self):
        return self._field("State")

    def finished(self):
        self.peak = max(self.peak, int(self._field("VmHWM") or 0))
        return self.popen.poll() is not None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds):
        """True when it ended in time."""
        while not self.finished():
            if time.monotonic() - self.begin > seconds:
                return False
            time.sleep(0.002)
        return True

    def streams(self):
        result = []
        for file in (self.out, self.err):
            file.seek(0)
            result.append(file.read())
            file.close()
        return result


class Run:
    """One run of one case: what came out, and everything that is wrong with it."""

    def __init__(self, case, home, program):
        self.case, self.home, self.program, self.complaints = case, home, program, []
        self.document = None

    def complain(self, text):
        self.complaints.append(text)

    def expect(self, what, found, expected):
        if found != expected:
            self.complain(f"{what}: {found!r} instead of {expected!r}")

    @property
    def stdout_text(self):
        return self.stdout.decode("utf-8", "replace")

    @property
    def stderr_text(self):
        return self.stderr.decode("utf-8", "replace")

    # --- running

    def start(self):
        command = [self.program, "migrate", *([] if self.case.text else ["--json"]), *self.case.args]
        process = Process(command, self.home, self.case.env)
        if self.case.during:
            self.case.during(self, process)
        if not process.wait(self.case.seconds):
            self.complain(f"still running after {self.case.seconds} s")
            process.signal(signal.SIGKILL)
            process.popen.wait()
        self.code = process.popen.returncode
        self.peak = process.peak
        self.seconds = time.monotonic() - process.begin
        self.check_processes()
        self.stdout, self.stderr = process.streams()

    def started(self):
        """Pids of the living processes of this case: their environment names its home, or they stand in it. A bare
        pid that a script wrote down is not enough: by now it may be somebody else's."""
        mark = f"HOME={self.home.home}".encode()
        pids = set()
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    mine = mark in file.read().split(b"\0")
                if (mine or os.readlink(f"/proc/{entry}/cwd") == str(self.home.home)) and telec.alive(int(entry)):
                    pids.add(int(entry))
            except OSError:
                pass
        return pids

    def noted(self):
        path = self.home.home / "pids"
        return {int(line) for line in path.read_text().split()} if path.exists() else set()

    def check_processes(self):
        if not telec.wait_until(lambda: not self.started(), 15.0, 0.02):
            rest = self.started()
            self.complain(f"processes {sorted(rest)} are alive 15 s after the end")
            for pid in rest:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass

    # --- looking

    def logs_of(self, id):
        """[(path, bytes)] of the logs of the attempts at `id`."""
        stem = id.rsplit("/", 1)[1].removesuffix(".py")
        if not self.home.logs.is_dir():
            return []
        return [(path, path.read_bytes()) for path in sorted(self.home.logs.iterdir()) if stem in path.name]

    def numbers(self, data):
        return re.findall(rb"\d[\d,]*", data)

    def effect_count(self, id):
        path = self.home.home / EFFECTS[id]
        return len(path.read_text().splitlines()) if path.exists() else 0

    def acceptable_states(self):
        return as_tuple(self.case.states)

    def look(self):
        case = self.case
        if case.exit is not ANY and self.code not in as_tuple(case.exit):
            self.complain(f"exit {self.code} instead of {case.exit}")
        if not SANITIZED and self.peak > case.memory * 1024:
            self.complain(f"the runner used {self.peak / 1024:.1f} MiB of memory, more than {case.memory}")
        for name, data in (("stdout", self.stdout), ("stderr", self.stderr)):
            if len(data) > 256 * 1024:
                self.complain(f"{len(data)} bytes on {name}")
        for piece in case.stderr:
            if piece not in self.stderr_text:
                self.complain(f"{piece!r} is not on stderr")
        if case.text:
            self.look_at_text()
        elif case.document:
            self.look_at_document()
        else:
            self.expect("stdout", self.stdout, b"")
        self.look_at_characters()
        if case.leftovers:
            pids = self.noted()
            if not pids:
                self.complain("the script left nothing behind")
            for pid in pids:
                if not re.search(rf"\b{pid}\b", self.stderr_text):
                    self.complain(f"the leftover {pid} is not named on stderr")
        self.look_at_effects()
        self.look_at_disk()
        if case.verify:
            self.complaints += case.verify(self)

    def look_at_characters(self):
        """Nothing that a script said is anything but text when it is shown, also as JSON."""
        for name, data in (("stdout", self.stdout), ("stderr", self.stderr)):
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError as error:
                self.complain(f"{name} is not UTF-8: {error}")
                continue
            found = UNPRINTABLE.search(text)
            if found:
                around = text[max(0, found.start() - 40):found.end() + 40]
                self.complain(f"{name} carries U+{ord(found.group()):04X}: {around!r}")

    def look_at_text(self):
        lines = self.stdout_text.splitlines()
        for id, state in self.acceptable_states()[0].items():
            words = state.replace("_", " ")
            if not any(line.lstrip().startswith(words) and id in line for line in lines):
                self.complain(f"no line says that {id} is {words}")

    def look_at_document(self):
        case = self.case
        try:
            self.document = document = strict_json(self.stdout)
        except ValueError as error:
            self.complain(f"stdout is not one JSON document: {error}")
            return
        self.expect("missing keys of the document", DOCUMENT_KEYS - set(document), set())
        self.expect("ok", document.get("ok"), self.code == 0)
        found = {entry["id"]: entry["state"] for entry in document.get("migrations", [])}
        if not set(found.values()) <= OUTCOMES:
            self.complain(f"unknown states: {found}")
        if case.states is not ANY and found not in self.acceptable_states():
            self.complain(f"states {found} instead of {case.states}")
        if list(found) != sorted(found):
            self.complain(f"order: {list(found)}")
        error = document.get("error")
        if case.code is None:
            self.expect("error", error, None)
        elif error is None:
            if case.code is not ANY:
                self.complain("there is no error")
        else:
            self.expect("missing keys of the error", ERROR_KEYS - set(error), set())
            message = error.get("message") or ""
            if case.code is not ANY:
                self.expect("error.code", error.get("code"), case.code)
            if case.stage is not ANY and error.get("stage") not in as_tuple(case.stage):
                self.complain(f"error.stage: {error.get('stage')!r} instead of {case.stage!r}")
            if case.error_id is not ANY:
                self.expect("error.id", error.get("id"), case.error_id)
            for piece in case.message:
                if piece not in message:
                    self.complain(f"{piece!r} is not in error.message {message[:400]!r}")
            if not message or len(message) > 16384:
                self.complain(f"error.message has {len(message)} characters")
            self.look_at_log(error)

    def look_at_log(self, error):
        if not self.case.log:
            return
        path = pathlib.Path(error.get("log") or "/nonexistent")
        if not path.is_file():
            self.complain(f"there is no log {path}")
            return
        data = path.read_bytes()
        if len(data) > LOG_LIMIT:
            self.complain(f"the log has {len(data)} bytes")
        if path.stat().st_mode & 0o777 != 0o600:
            self.complain(f"the log has mode {path.stat().st_mode & 0o777:o}")
        for piece in self.case.log:
            if piece not in data:
                self.complain(f"{piece!r} is not in the log")

    def look_at_effects(self):
        """What was said is what happened: an effect for everything applied, none for what was not reached."""
        states = self.acceptable_states()[0]
        if self.document:
            states = {entry["id"]: entry["state"] for entry in self.document["migrations"]}
        for id, state in (states if isinstance(states, dict) else {}).items():
            if id not in EFFECTS:
                continue
            expected = self.case.effects.get(id, 1 if state in ("applied", "already_present", "unrecorded") else 0)
            if self.effect_count(id) != expected:
                self.complain(f"{id} is {state} and took effect {self.effect_count(id)} times instead of {expected}")

    def expected_record(self):
        if self.case.recorded is not None:
            return list(self.case.recorded)
        if self.document:
            states = {entry["id"]: entry["state"] for entry in self.document["migrations"]}
        else:
            states = self.acceptable_states()[0]
        return [id for id, state in states.items() if state in ("applied", "already_present")]

    def look_at_disk(self):
        home = self.home
        if not self.case.tampered:
            try:
                data = home.state_file.read_bytes() if home.state_file.exists() else b'{"applied": [], "history": []}'
                state = strict_json(data)
                self.expect("applied in the state", state["applied"], self.expected_record())
                self.look_at_history(state)
                self.look_for_proof(state["applied"])
            except (ValueError, KeyError, TypeError, OSError) as error:
                self.complain(f"the state cannot be read: {error!r}")
            if home.state_file.exists() and home.state_file.stat().st_mode & 0o777 != 0o600:
                self.complain(f"the state has mode {home.state_file.stat().st_mode & 0o777:o}")
        if home.data.is_dir():
            names = set(os.listdir(home.data))
            extra = {name for name in names - STATE_NAMES - set(self.case.left) if not name.endswith(".mine")}
            if extra:
                self.complain(f"left behind: {sorted(extra)}")
        if home.lock_file.is_file():
            with open(home.lock_file, "rb") as file:
                if not becomes_free(file):
                    self.complain("the lock is still held")

    def look_at_history(self, state):
        said = {entry["id"]: entry["state"] for entry in self.document["migrations"]} if self.document else {}
        ids = [entry["id"] for entry in state.get("history", [])]
        self.expect("ids in the history", ids, state["applied"])
        for entry in state.get("history", []):
            if entry["id"] in said:
                self.expect(f"outcome of {entry['id']}", entry["outcome"], said[entry["id"]])
            if not re.fullmatch("[0-9a-f]{64}", entry.get("sha256") or ""):
                self.complain(f"digest of {entry['id']}: {entry.get('sha256')!r}")
            source = self.sources.get(entry["id"])
            if source and self.case.kind != "H15" and hashlib.sha256(source).hexdigest() != entry.get("sha256"):
                self.complain(f"digest of {entry['id']} is not that of the script")

    def look_for_proof(self, applied):
        for id in applied:
            proof = (self.case.proofs or {}).get(id, EFFECTS.get(id))
            if proof and not (self.home.home / proof).exists():
                self.complain(f"{id} is recorded, and {proof} is not there")

    def run_again(self):
        code, states = self.case.again
        result = self.home.migrate_json(*self.case.args)
        if result.code != code:
            self.complain(f"again: exit {result.code} instead of {code}: {result}")
        elif states is not ANY:
            self.expect("again: states", result.states(), states)
            self.look_for_proof(self.home.applied())
            for id in (FIRST, BAD, LAST):
                self.expect(f"again: effects of {id}", self.effect_count(id), 1)

    def describe(self):
        head = 3000
        return (f"exit {self.code}, {self.peak / 1024:.1f} MiB\n--- stdout\n{self.stdout_text[:head]}\n"
                f"--- stderr\n{self.stderr_text[:head]}")


def run_case(case, program=None):
    """The complaints about one case as text; empty when all is well."""
    with telec.Home() as home:
        run = Run(case, home, program or telec.binary())
        run.sources = {}
        for id, source in case.sources.items():
            path = home.add(id, source() if callable(source) else source)
            run.sources[id] = path.read_bytes() if path.stat().st_size < 1 << 20 else None
        if case.before:
            case.before(run)
        run.start()
        try:
            run.look()
            if case.again:
                run.run_again()
        except Exception:
            run.complain(traceback.format_exc())
        run_case.measured[case.name] = run
        return "\n".join([*run.complaints, run.describe()]) if run.complaints else ""


run_case.measured = {}  # name -> the Run, for its seconds, its peak and its document
POOL = concurrent.futures.ThreadPoolExecutor(JOBS)
FUTURES = {}


def setUpModule():
    if not [argument for argument in sys.argv[1:] if not argument.startswith("-")]:  # all of them
        # Those that wait for a time-out first: they sleep while others work.
        for case in sorted(CASES, key=lambda case: "--timeout" not in case.args):
            FUTURES[case.name] = POOL.submit(run_case, case)


def tearDownModule():
    POOL.shutdown(cancel_futures=True)
    if run_case.measured:
        peak, name = max((run.peak, name) for name, run in run_case.measured.items() if run.program == telec.binary())
        print(f"highest memory use of a runner: {peak / 1024:.1f} MiB ({name})" +
              (", not checked in a sanitizer's build" if SANITIZED else ""))


class Hostile(unittest.TestCase):
    maxDiff = None


def method_for(case):
    def method(self):
        complaints = FUTURES[case.name].result() if case.name in FUTURES else run_case(case)
        if complaints:
            self.fail(complaints)
    method.__name__ = "test_" + case.kind + "_" + re.sub(r"\W+", "_", case.name).strip("_")
    method.__doc__ = f"{case.kind}: {case.name}"
    return method


# Stands in for telec: does everything right for three good scripts, and then what {fault} says.
FAKE = '''\
#!/usr/bin/python3
import hashlib, json, os, sys, time

home = os.environ["HOME"]
tree = os.environ["TELEC_MIGRATIONS_DIR"]
data = os.path.join(home, ".teleclaude")
path = os.path.join(data, "migration_state.json")
ids = ["1.1.0/001_before.py", "1.1.0/002_hostile.py", "1.1.0/003_after.py"]
os.umask(0o077)
os.makedirs(os.path.join(home, "effects"))
os.makedirs(data)
history = []
for id in ids:
    effect = os.path.join(home, "effects", "hostile" if "hostile" in id else id.replace("/", "_"))
    with open(effect, "w") as file:
        file.write("applied\\n")
    with open(os.path.join(tree, "v" + id), "rb") as file:
        history.append({{"id": id, "outcome": "applied", "sha256": hashlib.sha256(file.read()).hexdigest()}})
state = {{"schema": 1, "applied": list(ids), "history": history}}
document = {{"schema": 1, "tool": "fake", "command": "migrate", "ok": True, "dry_run": False, "range": {{}},
            "problems": [], "migrations": [{{"id": id, "state": "applied"}} for id in ids], "error": None}}
code = 0
after = ""
open(path + ".lock", "w").close()
with open(path, "w") as file:
    json.dump(state, file)
{fault}
with open(path, "w") as file:
    json.dump(state, file)
print(json.dumps(document, ensure_ascii=False), flush=True)
sys.stdout.buffer.write(after.encode("utf-8", "surrogateescape"))
sys.exit(code)
'''

FAULTS = [
    ("a record that is missing", "del state['applied'][2], state['history'][2]", "applied in the state"),
    ("a record too many", "state['applied'].append('1.1.0/004_ghost.py')", "applied in the state"),
    ("a record without its effect", "os.unlink(effect)", "is not there"),
    ("a second effect", "open(effect, 'a').write('applied')", "took effect 2 times"),
    ("a wrong digest", "state['history'][1]['sha256'] = '0' * 64", "digest"),
    ("a record that says something else", "state['history'][1]['outcome'] = 'already_present'", "outcome of"),
    ("a temporary file", "open(path + '.tmp', 'w').close()", "left behind"),
    ("a state that others can read", "os.chmod(path, 0o644)", "has mode 644"),
    ("a process that is left", "os.fork() or (time.sleep(60), os._exit(0))", "are alive 15 s after the end"),
    ("a second document", "after = '{}'", "not one JSON document"),
    ("bytes that are no UTF-8", "after = '\\udcff'", "not UTF-8"),
    ("an escape sequence on stderr", "print('\\x1b[31m', file=sys.stderr)", "carries U+001B"),
    ("40 MiB of memory", "keep = bytearray(40 << 20); time.sleep(2)", "MiB of memory"),
    ("a wrong state", "document['migrations'][1]['state'] = 'failed'", "states"),
    ("a missing key", "del document['problems']", "missing keys"),
    ("a wrong exit code", "code = 1", "exit 1 instead of 0"),
    ("a run without an end", "time.sleep(20)", "still running"),
]


class TheseTestsCanFail(unittest.TestCase):
    """What the invariants look for is seen when it is there."""

    def complaints(self, fault, seconds=60.0):
        case = dataclasses.replace(next(case for case in CASES if case.name == "a __main__ guard"), seconds=seconds)
        with telec.Home() as home:
            program = home.path / "fake"
            program.write_text(FAKE.format(fault=fault))
            program.chmod(0o700)
            return run_case(case, str(program))

    def test_a_program_that_does_everything_right_passes(self):
        self.assertEqual(self.complaints("pass"), "")

    def test_each_fault_is_seen(self):
        for name, fault, complaint in FAULTS:
            with self.subTest(name):
                if "memory" in complaint and SANITIZED:
                    self.skipTest("memory is not checked in a sanitizer's build")
                self.assertIn(complaint, self.complaints(fault, 2.0 if complaint == "still running" else 60.0))


for _case in CASES:
    _method = method_for(_case)
    assert not hasattr(Hostile, _method.__name__), _method.__name__
    setattr(Hostile, _method.__name__, _method)


if __name__ == "__main__":
    telec.main("hostile")
