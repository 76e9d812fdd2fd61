#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The invariants that hold after whatever is done to a run of telec, and the small world they are checked in.

A World is a tree of three migrations and what a run without faults makes of it. A Place is one home in that world, put
into one of the start states. `broken_after` looks at a Place after an injected run, `broken_after_rerun` runs telec once
more without a fault and looks again. Both return sentences, each beginning with the invariant that it breaks:

I1  the state file is absent, or reads as strict JSON without duplicate keys
I2  it is byte for byte one of the versions that a run without faults commits (times and outcomes masked)
I3  every recorded migration has its effect on disk
I4  every migration that was said to be applied is recorded
I5  no record that was there before is gone
I6  a rerun without faults ends well, in the same state, with each effect applied once
I7  after it the directory holds the state, the lock, at most the old generation, and the logs; nothing else
I8  nothing that the run started is alive and no lock is held, within ten seconds (a write to a slow disk outlasts SIGKILL)
I9  the exit status is not 0 while something pending is not recorded
I10 an error names the operation, the path, the reason and the next step
I11 modes and owners are as they should be
I12 no sanitizer, and nothing else of the C++ runtime, has complained

It never judges a run by its speed.
"""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

IDS = ("1.1.0/001_first.py", "1.1.0/002_there.py", "1.2.0/001_loud.py")
STARTS = ("absent", "empty", "one recorded", "stale leftovers")

_SCRIPT = '''\
import os
import time

_ASLEEP = os.path.join(os.environ["HOME"], "asleep-{name}")
_FOLDER = os.path.join(os.environ["HOME"], "effects")
_EFFECT = os.path.join(_FOLDER, "{name}")


def check():
    try:
        with open(_EFFECT) as file:
            return file.read().endswith("applied\\n")
    except FileNotFoundError:
        return False


def migrate():
    if {loud}:
        for _ in range(256):
            os.write(1, b"x" * 1023 + b"\\n")
    while os.path.exists(_ASLEEP):
        open(_ASLEEP + "-now", "w").close()
        time.sleep(0.01)
    with open(_EFFECT, "a") as file:
        file.write("applied\\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(_FOLDER, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return True
'''

_SAID = re.compile(r"^(?:applied|already present) +(\S+)", re.MULTILINE)
COMPLAINTS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|terminate called|Assertion|"
                         r"corrupted|this is a bug of telec")


def effect_name(id):
    return id.replace("/", "_")


def masked(data):
    """The state's bytes without what may differ between two runs that did the same."""
    text = data.decode("utf-8", "surrogateescape")
    text = re.sub(r'"at": "[^"]*"', '"at": "-"', text)
    text = re.sub(r'"seconds": [0-9.]+', '"seconds": 0', text)
    text = re.sub(r'"user": "[^"]*"', '"user": "-"', text)  # a number where the account cannot be looked up
    return re.sub(r'"outcome": "(applied|already_present)"', '"outcome": "-"', text)


def strict(data):
    """The state as a value; raises ValueError for anything that is not strict JSON of the right shape."""
    def pairs(items):
        value = dict(items)
        if len(value) != len(items):
            raise ValueError("duplicate keys")
        return value

    def constant(name):
        raise ValueError(name)

    value = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
    if not isinstance(value, dict) or not isinstance(value.get("applied"), list):
        raise ValueError("no list of applied ids")
    return value


def processes_of(home):
    """Processes that were started for this home: {pid: command line}."""
    mark = b"HOME=" + os.fsencode(str(home)) + b"\0"
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if mark not in file.read() + b"\0":
                    continue
            if telec.alive(int(entry)):
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    found[int(entry)] = file.read().replace(b"\0", b" ").decode("utf-8", "replace")[:100]
        except OSError:
            continue
    return found


class Place:
    """One home of a World, and the runs in it."""

    def __init__(self, world, root, start, home=None):
        self.world = world
        self.root = pathlib.Path(root)  # where the runs' streams and traces go
        self.start = start
        self.home = pathlib.Path(home) if home else self.root / "home"
        self.data = self.home / ".teleclaude"
        self.state_file = self.data / "migration_state.json"
        self.lock_file = self.data / "migration_state.json.lock"
        self.effects = self.home / "effects"

    def fill(self):
        self.home.mkdir(mode=0o700)
        self.effects.mkdir()
        (self.effects / effect_name(IDS[1])).write_text("applied\n")
        if self.start != "absent":
            self.data.mkdir(mode=0o700)
        if self.start in ("one recorded", "stale leftovers"):
            self._put(self.state_file, self.world.versions[1])
            (self.effects / effect_name(IDS[0])).write_text("applied\n")
        if self.start == "stale leftovers":
            self._put(self.data / "migration_state.json.tmp", b'{"applied": ["torn')
            self._put(self.data / "migration_state.json.old", b'{"applied": []}\n')
            self._put(self.data / "migration_state.json.old.tmp", b'{"appl')
            self._put(self.lock_file, b"999999999\n2026-01-01T00:00:00Z\n1.1.0/001_first.py\n")
        return self

    @staticmethod
    def _put(path, data):
        path.write_bytes(data)
        path.chmod(0o600)

    @property
    def recorded_at_start(self):
        return [IDS[0]] if self.start in ("one recorded", "stale leftovers") else []

    def put_to_sleep(self, id):
        """The script `id` sleeps where it would have its effect, until it is woken up."""
        (self.home / f"asleep-{effect_name(id)}").touch()

    def is_asleep(self, id):
        return (self.home / f"asleep-{effect_name(id)}-now").exists()

    def wake(self, id):
        (self.home / f"asleep-{effect_name(id)}").unlink()

    def environment(self, **extra):
        return telec.Home.environment(self, **extra)

    @property
    def tree(self):
        return self.world.tree

    def command(self, *options):
        return [self.world.binary, "migrate", *options]

    def run(self, prefix=(), options=(), timeout=60, env=None, command=None, **popen):
        """One run to its end, behind `prefix` (strace and its options). The streams go to files: a pipe would be kept
        open by whatever outlives the run."""
        out_path, err_path = self.root / "out", self.root / "err"
        with open(out_path, "wb") as out, open(err_path, "wb") as err:
            process = subprocess.Popen([*prefix, *(command or self.command(*options))], env=self.environment(**(env or {})),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=str(self.root), **popen)
            begin = time.monotonic()
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                code = None
                for pid in [process.pid, *processes_of(self.home)]:  # with strace alone, what it traces would go on
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                process.wait()
        return telec.Result(code, out_path.read_text("utf-8", "surrogateescape"),
                            err_path.read_text("utf-8", "surrogateescape"), time.monotonic() - begin)

    def state_bytes(self):
        try:
            return self.state_file.read_bytes()
        except FileNotFoundError:
            return None

    def applied(self):
        data = self.state_bytes()
        return [] if data is None else strict(data)["applied"]

    def effect_count(self, id):
        try:
            return (self.effects / effect_name(id)).read_text().count("applied\n")
        except FileNotFoundError:
            return 0

    # --- the invariants

    def broken_after(self, result, killed=False, polite=False):
        """What the run that just ended broke. `killed`: it was killed, so it could neither speak nor exit. `polite`: it
        was asked to stop, which is a reason for an error without path and operation."""
        broken = []
        if result.code is None:
            broken.append("I8 the run hung")
        data = self.state_bytes()
        applied = []
        if data is not None:
            try:
                applied = strict(data)["applied"]
            except ValueError as error:
                broken.append(f"I1 the state does not read: {error}: {data[:80]!r}")
            else:
                if masked(data) not in self.world.masked_versions:
                    broken.append(f"I2 the state is none of the committed versions: {applied}")
        if data is None and self.recorded_at_start:
            broken.append("I5 the state file is gone")
        broken += [f"I3 recorded without its effect: {id}" for id in applied if self.effect_count(id) < 1]
        broken += [f"I4 said but not recorded: {id}" for id in _SAID.findall(result.out) if id not in applied]
        broken += [f"I5 no longer recorded: {id}" for id in self.recorded_at_start if id not in applied]
        if result.code == 0 and list(applied) != list(IDS):
            broken.append(f"I9 exit 0, but recorded is only {applied}")
        if result.code not in (0, None) and not killed:
            broken += self._faulty_error(result, polite)
        broken += self._modes()
        broken += self._still_there()
        if COMPLAINTS.search(result.err):
            broken.append("I12 " + COMPLAINTS.search(result.err).group(0))
        return broken

    def _faulty_error(self, result, polite):
        if polite:
            return []
        lines = [line for line in result.err.splitlines() if line.startswith("telec: error: ")]
        broken = []
        if len(lines) != 1:
            return [f"I10 {len(lines)} errors instead of one, exit {result.code}: {result.err[-300:]!r}"]
        if "hint: " not in result.err:
            broken.append("I10 no next step: " + lines[0])
        if not re.search(r"'[^']+'|\d+\.\d+\.\d+/\d{3}_\w+\.py|stdout|python|out of memory", lines[0]):
            broken.append("I10 no path: " + lines[0])
        return broken

    def _modes(self):
        broken = []
        paths = [self.data, self.state_file, self.lock_file, self.data / "migration_state.json.old",
                 self.data / "migration_state.json.tmp", self.data / "migration_state.json.old.tmp", self.data / "migration_logs"]
        for path in paths:
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            wanted = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
            if stat.S_IMODE(status.st_mode) != wanted or status.st_uid != os.geteuid():
                broken.append(f"I11 {path.name}: mode {stat.S_IMODE(status.st_mode):04o}, uid {status.st_uid}")
        return broken

    def lock_is_free(self):
        try:
            fd = os.open(self.lock_file, os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        finally:
            os.close(fd)

    def _still_there(self):
        if not telec.wait_until(self.lock_is_free, 10.0, 0.002):
            return [f"I8 the lock is held after ten seconds: {processes_of(self.home)}"]
        if not telec.wait_until(lambda: not processes_of(self.home), 10.0, 0.01):
            return [f"I8 alive after ten seconds: {processes_of(self.home)}"]
        return []

    def broken_after_rerun(self, options=()):
        result = self.run(options=options)
        broken = self.broken_after(result)
        if result.code != 0:
            broken.append(f"I6 the rerun ends with {result.code}: {result.err[-300:]!r}")
        data = self.state_bytes()
        if data is None or masked(data) != self.world.masked_versions[-1]:
            broken.append(f"I6 the rerun does not end in the same state: {data and data[:200]!r}")
        for id in IDS:
            if self.effect_count(id) != 1:
                broken.append(f"I6 the effect of {id} was applied {self.effect_count(id)} times")
        names = set(os.listdir(self.data)) if self.data.is_dir() else set()
        allowed = {"migration_state.json", "migration_state.json.lock", "migration_state.json.old", "migration_logs"}
        if names - allowed:
            broken.append(f"I7 left behind: {sorted(names - allowed)}")
        for name in ("migration_state.json", "migration_state.json.lock"):
            if name not in names:
                broken.append(f"I7 missing: {name}")
        return [text if text.startswith(("I6", "I7")) else text + " (rerun)" for text in broken]


class World:
    """The migrations, and the versions of the state that a run without faults commits, one after the other."""

    def __init__(self, folder=None, binary=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="telec-trust-", dir=folder))
        self.binary = binary or telec.binary()
        self.tree = self.folder / "migrations"
        self.tree.mkdir()
        self.versions = []
        self._make()

    def _make(self):
        versions = [None]
        for id in IDS:
            path = self.tree / ("v" + id)
            path.parent.mkdir(exist_ok=True)
            path.write_text(_SCRIPT.format(name=effect_name(id), loud=id == IDS[2]))
            with Disposable(self, "absent") as place:
                result = place.run()
                if result.code != 0:
                    raise SystemExit(f"the run without faults fails: {result!r}")
                versions.append(place.state_bytes())
        self.versions = versions
        self.masked_versions = [masked(data) for data in versions if data is not None]

    def place(self, start, home=None):
        """A fresh home in a start state, `home` where it is not to be just anywhere."""
        return Place(self, tempfile.mkdtemp(prefix="p", dir=self.folder), start, home).fill()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Disposable:
    """A Place for one `with`."""

    def __init__(self, world, start, home=None):
        self.place = world.place(start, home)

    def __enter__(self):
        return self.place

    def __exit__(self, *_):
        dispose(self.place)


def dispose(place):
    for pid in processes_of(place.home):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    shutil.rmtree(place.root, ignore_errors=True)
    shutil.rmtree(place.home, ignore_errors=True)
