# SPDX-License-Identifier: MIT
"""What every black-box test needs: a throw-away home, a tree of migrations, and a way to run telec on them.

Only the standard library and the system's python3. The program under test is named by TELEC_BINARY.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("TELEC_TEST_PYTHON", "/usr/bin/python3")


# Whoever runs the tests may ignore these, as nohup and a shell's "&" do; a telec below would then ignore them too.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


def binary():
    name = os.environ.get("TELEC_BINARY")
    if not name:
        sys.exit("TELEC_BINARY is not set: it names the telec to test, as in TELEC_BINARY=build/telec")
    return os.path.abspath(name)


def is_sanitized():
    """Whether the program under test was built with a sanitizer: it makes system calls of its own, and needs terabytes."""
    program = pathlib.Path(binary()).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


# LeakSanitizer cannot work in a traced process, and ends it with an error of its own. And it looks from a child process at
# exit: a test that kills children may hit that one, and then it waits for ever.
WITHOUT_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


class Result:
    """How one run ended: exit code (negative: signal), both streams, and how long it took in seconds."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    @property
    def document(self):
        return json.loads(self.out)

    def states(self):
        """{id: state} of the JSON document on stdout."""
        return {entry["id"]: entry["state"] for entry in self.document["migrations"]}

    def __repr__(self):
        return f"exit {self.code} after {self.seconds:.3f} s\n--- out\n{self.out}\n--- err\n{self.err}"


# A well-behaved migration: its effect is one line appended to `effects/NAME` below the home, so a second
# effect would be seen as a second line.
GOOD = '''\
import os

_EFFECT = os.path.join(os.environ["HOME"], "effects", "{name}")


def check():
    return os.path.exists(_EFFECT)


def migrate():
    os.makedirs(os.path.dirname(_EFFECT), exist_ok=True)
    with open(_EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''


class Home:
    """A temporary HOME with its own migrations tree. Use as a context manager, or call close()."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="telec-test-"))
        self.home = self.path / "home"
        self.home.mkdir(mode=0o700)
        self.data = self.home / ".teleclaude"
        self.state_file = self.data / "migration_state.json"
        self.lock_file = self.data / "migration_state.json.lock"
        self.old_file = self.data / "migration_state.json.old"
        self.logs = self.data / "migration_logs"
        self.tree = self.path / "migrations"
        self.tree.mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        subprocess.run(["chmod", "-R", "u+rwx", str(self.path)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.path, ignore_errors=True)

    # --- the tree

    def add(self, id, source=None):
        """Writes migration `1.1.0/001_name.py`; without source, a good one whose effect is counted."""
        version, name = id.split("/", 1)
        folder = self.tree / ("v" + version)
        folder.mkdir(exist_ok=True)
        text = GOOD.format(name=id.replace("/", "_")) if source is None else source
        if isinstance(text, str):
            text = textwrap.dedent(text)
        path = folder / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
        return path

    def add_all(self, *ids):
        for id in ids:
            self.add(id)

    def effects(self):
        """{id with '/' as '_': how many times it was applied}"""
        folder = self.home / "effects"
        if not folder.is_dir():
            return {}
        return {entry.name: len(entry.read_text().splitlines()) for entry in folder.iterdir()}

    # --- the state

    def write_state(self, value):
        self.data.mkdir(mode=0o700, exist_ok=True)
        data = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
        self.state_file.write_bytes(data)
        self.state_file.chmod(0o600)

    def state(self):
        """The state file as a value; None when there is none."""
        return json.loads(self.state_file.read_text()) if self.state_file.exists() else None

    def applied(self):
        return (self.state() or {}).get("applied", [])

    # --- running

    def environment(self, **extra):
        env = {"HOME": str(self.home), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "LANG": "C.UTF-8", "TELEC_MIGRATIONS_DIR": str(self.tree)}
        # A sanitizer or coverage build is steered by these; nothing else of the caller's gets in.
        for name, value in os.environ.items():
            if name.startswith(("ASAN_", "UBSAN_", "LSAN_", "TSAN_", "GCOV_")):
                env[name] = value
        env.update({name: value for name, value in extra.items() if value is not None})
        for name, value in extra.items():
            if value is None:
                env.pop(name, None)
        return env

    def run(self, *args, env=None, timeout=120, stdin=subprocess.DEVNULL, **options):
        """telec ARGS, to its end. `env`: {name: value or None to unset}."""
        begin = time.monotonic()
        process = subprocess.run([binary(), *map(str, args)], env=self.environment(**(env or {})), stdin=stdin,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=str(self.path), **options)
        seconds = time.monotonic() - begin
        return Result(process.returncode, process.stdout.decode("utf-8", "surrogateescape"),
                      process.stderr.decode("utf-8", "surrogateescape"), seconds)

    def migrate(self, *args, **options):
        return self.run("migrate", *args, **options)

    def migrate_json(self, *args, **options):
        return self.run("migrate", "--json", *args, **options)

    def start(self, *args, env=None, **options):
        """telec ARGS in the background: a Popen with both streams piped."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([binary(), *map(str, args)], env=self.environment(**(env or {})),
                                stdin=subprocess.DEVNULL, cwd=str(self.path), **options)


def wait_until(condition, seconds=30.0, step=0.005):
    """Polls until condition() is true; its value, or False when the time is up. The time is for what never happens: on a
    busy machine what should happen at once may take seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            return False
        time.sleep(step)


def alive(pid):
    """Is there a process `pid` that is not a zombie?"""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


class _Tally(unittest.TextTestResult):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.passed = 0
        self.subtests_failed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def children_of(pid):
    """The pids of its children, in the order in which they were started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def strace_works():
    return shutil.which("strace") is not None and subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                                                                 stderr=subprocess.DEVNULL).returncode == 0


def main(suite):
    """Runs the calling module's tests and prints one summary line, `SUITE: N passed, N failed[, N skipped]`."""
    module = sys.modules["__main__"]
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    verbosity = 2 if "-v" in sys.argv[1:] else 1
    result = unittest.TextTestRunner(resultclass=_Tally, verbosity=verbosity, stream=sys.stderr).run(tests)
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    line = f"{suite}: {result.passed} passed, {failed} failed"
    if result.skipped:
        line += f", {len(result.skipped)} skipped"
    print(line)
    sys.exit(1 if failed or result.passed == 0 else 0)


def is_pending(pid, number):
    """Has this process not taken this signal yet?"""
    with open(f"/proc/{pid}/status") as file:
        masks = [line.split()[1] for line in file if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def wait_as_a_person_does():
    """Between two signals that are to be two requests: the same one at once is one."""
    time.sleep(0.15)
