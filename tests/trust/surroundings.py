# SPDX-License-Identifier: MIT
"""The table of surroundings in which nothing is as it should be, and what telec must make of each of them.

Every entry is one Case; surroundings_test.py runs them and says what must hold for all. Broken state files and trees are
not repeated here: tests/cli/inputs has them, one test per row of its tables.
"""

import ctypes
import dataclasses
import fcntl
import functools
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import checker
import sweep
from checker import telec

OTHER = 4242  # a uid without an account
BEFORE, FIRST, SECOND = "0.9.0/001_before.py", "1.0.0/001_a.py", "1.0.0/002_b.py"
IDS = [BEFORE, FIRST, SECOND]
REAL = os.path.realpath(telec.PYTHON)

# The second one looks around: whatever surrounds the runner, a script finds what is promised.
SCRIPT = '''\
import json, os, signal, stat, sys, textwrap

_EFFECT = os.path.join(os.environ["HOME"], "effects", "{name}")


def _look():
    allowed = ("HOME", "USER", "LOGNAME", "PATH", "TZ", "LANG", "LANGUAGE", "TELEC_VERSION", "TELEC_MIGRATION_ID",
               # what a shell that stands in for python3 sets by itself
               "PWD", "OLDPWD", "SHLVL", "_")
    found = [name for name in os.environ if name not in allowed and not name.startswith("LC_")]
    assert not found, "the environment has " + repr(found)
    assert os.environ["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", os.environ["PATH"]
    mask = os.umask(0o077)
    assert mask == 0o077, "the umask is %o" % mask
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert not blocked, "blocked: " + repr(blocked)
    kept = [number for number in (1, 2, 3, 15, 17) if signal.getsignal(number) is signal.SIG_IGN]
    assert not kept, "ignored: " + repr(kept)
    assert os.fstat(0).st_rdev == os.makedev(1, 3) or not stat.S_ISCHR(os.fstat(0).st_mode), "stdin is not the null device"
    assert sys.stdin.read() == "", "there is something on stdin"
    numbers = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    others = [number for number in numbers if int(number) > 4 and os.path.exists("/proc/self/fd/" + number)]
    assert not others, "open: " + repr(others)
    assert os.getcwd() == os.path.realpath(os.environ["HOME"]), os.getcwd()
    assert sys.flags.isolated and sys.dont_write_bytecode
    assert os.path.dirname(os.path.dirname(json.__file__)) == os.path.dirname(os.__file__), json.__file__


def check():
    return os.path.exists(_EFFECT)


def migrate():
    if {looks}:
        _look()
    os.makedirs(os.path.dirname(_EFFECT), exist_ok=True)
    with open(_EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''


class CannotBeMade(Exception):
    """These surroundings cannot be made on this machine, or by this user."""


def root_only(what):
    if os.geteuid() != 0:
        raise CannotBeMade(f"{what}: needs root")


@dataclasses.dataclass
class Case:
    group: str
    name: str
    prepare: object               # called with the Scene; may return what the message has to name
    exit: object = 0              # an exit status, or a tuple where more than one is right
    says: tuple = ()              # pieces of stderr
    recorded: dict = dataclasses.field(default_factory=dict)  # exit status -> ids; default: with 0 all, else none more
    code: object = None           # the class of the error in the document; default: by the exit status
    seconds: float = 30.0         # no run takes longer; a hang is what this is for
    probe: object = None          # (command, pattern): run in telec's place, it must print this
    document: bool = True         # stdout takes what is written to it
    speaks: bool = True           # stderr takes what is written to it
    mended: object = None         # called with the Scene before the run in good surroundings; False: there is none
    doctor: object = None         # the exit status of `telec migrate doctor`, where it is asked
    verify: object = None         # called with the Scene and the result: a list of what is wrong
    effects: dict = dataclasses.field(default_factory=dict)  # id -> how often, where not as recorded
    both: bool = True             # with a document as well
    left: tuple = ()              # names beside the state that cannot but be left


CASES = []


def case(group, name, exit=0, **options):
    """Registers the decorated setup as a case."""
    def register(prepare):
        CASES.append(Case(group, name, prepare, exit, **options))
        return prepare
    return register


def simple(group, name, prepare, exit=0, **options):
    CASES.append(Case(group, name, prepare, exit, **options))


@functools.cache
def namespaces(*options):
    """Can there be a mount namespace, and what `options` of unshare(1) ask for, and can something be mounted in it?"""
    command = ["unshare", "-m", *options, "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Scene:
    """One home with three migrations, the first of them recorded, and all that a case may change about a run in it."""

    def __init__(self):
        self.world = telec.Home()
        self.path = self.world.path
        self.path.chmod(0o755)
        self.where = self.world.home      # HOME
        self.tree = self.world.tree
        self.bin = self.path / "bin"
        self.cwd = self.path / "cwd"
        self.tmp = self.path / "tmp"
        for folder in (self.bin, self.cwd, self.tmp):
            folder.mkdir()
        self.nowhere = self.path / "nowhere"
        self.python = self.bin / "python3"
        self.env = {"TMPDIR": str(self.tmp)}
        self.options = []
        self.prefix = []
        self.steps = []                   # called in the child before it executes
        self.pass_fds = ()
        self.stdin = self.stdout = self.stderr = None
        self.environment = None           # all of it, instead of env
        self.raw = None                   # the same as texts, as only execve(2) takes them
        self.enter = str(self.cwd)        # the current directory
        self.during = None                # called with the process while it runs
        self.undo = []                    # called at the end
        for id in IDS:
            self.world.add(id, SCRIPT.format(name=id.replace("/", "_"), looks=id == SECOND))
        self.world.write_state({"schema": 1, "applied": [BEFORE], "history": [{"id": BEFORE, "outcome": "marked"}]})
        self.keep_state = self.state_bytes()
        self.started_with = [BEFORE]

    # --- for the setups

    @property
    def data(self):
        return self.where / ".teleclaude"

    @property
    def state_file(self):
        return self.data / "migration_state.json"

    def no_state(self):
        """Begins without a state."""
        shutil.rmtree(self.world.data)
        self.keep_state = None
        self.started_with = []

    def move_home(self, where):
        """HOME with all that is in it is `where` from now on."""
        shutil.move(str(self.world.home), where)
        self.where = pathlib.Path(where)
        self.env["HOME"] = where

    def stand_in(self, text):
        """What is started as python3 is this shell script; `real` in it is the real one."""
        self.python.write_text("#!/bin/sh\nreal=" + telec.PYTHON + "\n" + text)
        self.python.chmod(0o755)
        self.named(self.python)

    def named(self, path):
        """The interpreter is PATH; gives PATH, which a message has to name."""
        self.options += ["--python", str(path)]
        return path

    def as_other(self, *also):
        """As a user without an account, whose the home is."""
        root_only("another uid")
        if shutil.which("setpriv") is None:
            raise CannotBeMade("another uid: needs setpriv")
        for path in (self.where, *self.where.rglob("*"), *also):
            os.chown(path, OTHER, OTHER, follow_symlinks=False)
        self.prefix = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", *self.prefix]
        for folder in (self.cwd, self.tmp):
            folder.chmod(0o777)

    def in_mounts(self, script, *more):
        """Behind `script` in a mount namespace of its own; $at in it is this scene's path."""
        root_only("mounting")
        if not namespaces(*more):
            raise CannotBeMade("namespaces: " + " ".join(["unshare -m", *more]) + " fails here")
        self.prefix = ["unshare", "-m", *more, "sh", "-ec", f'at=$1; shift; {script}; exec "$@"', "sh", str(self.path), *self.prefix]

    def clock(self, start, step=0):
        library = os.environ.get("TELEC_ODD_CLOCK")
        if not library:
            raise CannotBeMade("another wall clock: needs the library that TELEC_ODD_CLOCK names")
        self.env.update({"LD_PRELOAD": library, "ODD_CLOCK": str(start), "ODD_CLOCK_STEP": str(step)})

    # --- running

    def start(self, command, stdout, stderr):
        if self.raw is not None:
            arguments, texts = ([item.encode() for item in items] for items in (command, self.raw))
            call = ctypes.CDLL(None).execve, (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)
            call += ((ctypes.c_char_p * (len(texts) + 1))(*texts, None),)

        def before():
            for step in self.steps:
                step()
            if self.raw is not None:
                os.chdir(self.enter)
                call[0](arguments[0], call[1], call[2])
                os._exit(99)

        environment = self.environment if self.environment is not None else self.world.environment(**self.env)
        return subprocess.Popen([*self.prefix, *command], env=environment, cwd=self.enter, preexec_fn=before, pass_fds=self.pass_fds,
                                stdin=subprocess.DEVNULL if self.stdin is None else self.stdin, stdout=stdout, stderr=stderr)

    def run(self, *words, limit=10.0):
        """telec WORDS in these surroundings; a Result, its code None where it did not end in time."""
        begin = time.monotonic()
        with open(self.path / "out", "wb") as out, open(self.path / "err", "wb") as err:
            process = self.start([telec.binary(), *words, *self.options], out if self.stdout is None else self.stdout,
                                 err if self.stderr is None else self.stderr)
            if self.during:
                self.during(process)
            try:
                code = process.wait(2 * limit)
            except subprocess.TimeoutExpired:
                code = None
                for pid in [process.pid, *checker.processes_of(self.where)]:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                process.wait()
        seconds = time.monotonic() - begin
        read = [(self.path / name).read_bytes().decode("utf-8", "surrogateescape") for name in ("out", "err")]
        return telec.Result(code, *read, seconds)

    def probed(self, command, pattern):
        """Does a program in telec's place see what the case is about?"""
        with open(self.path / "probe", "wb") as out:
            try:
                self.start(command, out, subprocess.DEVNULL).wait(20)
            except (subprocess.TimeoutExpired, OSError):
                return False
        return re.search(pattern, (self.path / "probe").read_text("utf-8", "replace"), re.MULTILINE) is not None

    # --- looking

    def give_back(self):
        """What another user was given is root's again."""
        if os.geteuid() == 0:
            for path in (self.where, *self.where.rglob("*")):
                os.chown(path, 0, 0, follow_symlinks=False)

    def state_bytes(self):
        try:
            return self.state_file.read_bytes()
        except OSError:
            return None

    def effect_count(self, id):
        try:
            return len((self.where / "effects" / id.replace("/", "_")).read_text().splitlines())
        except OSError:
            return 0

    def around(self):
        """What lies about and must not change."""
        found = []
        for folder in (self.cwd, self.tmp, self.tree):
            if folder.is_dir():
                found += sorted(str(path) for path in folder.rglob("*"))
        return found

    def close(self):
        for action in reversed(self.undo):
            action()
        self.world.close()


# --- interpreter

STARTED = dict(exit=69, code="no_python", doctor=4)

for _name, _make in {
        "is not there": lambda s: None,
        "is a directory": lambda s: s.python.mkdir(),
        "is a link to nothing": lambda s: s.python.symlink_to("nothing"),
        "is a link to itself": lambda s: s.python.symlink_to("python3"),
        "may not be executed": lambda s: s.python.write_text("#!/bin/sh\n"),
        "is a pipe": lambda s: os.mkfifo(s.python, 0o755),
}.items():
    def _(s, make=_make):
        make(s)
        return s.named(s.python)
    simple("interpreter", "--python " + _name, _, says=("--python names", "3.8 or newer"), **STARTED)

    def _(s, make=_make):
        make(s)
        s.env["TELEC_PYTHON"] = str(s.python)
        return s.python
    simple("interpreter", "TELEC_PYTHON " + _name, _, says=("TELEC_PYTHON names", "3.8 or newer"), **STARTED)


@case("interpreter", "--python is a socket", **STARTED)
def _(s):
    folder = os.open(s.bin, os.O_PATH)
    s.undo.append(lambda: os.close(folder))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/python3")  # the path of a socket is short
    return s.named(s.python)


simple("interpreter", "--python is a device", lambda s: s.named("/dev/null"), **STARTED)
simple("interpreter", "--python is below a file", lambda s: s.named("/etc/passwd/python3"), **STARTED)
simple("interpreter", "--python is a name of 5,000 bytes", lambda s: s.named("/" + "x" * 5000), **STARTED)
simple("interpreter", "--python is a path of 5,000 bytes", lambda s: s.named("/x" * 2500), **STARTED)
simple("interpreter", "--python is a word that PATH does not have", lambda s: s.named("python3.99"), **STARTED)
simple("interpreter", "--python is a word with an escape sequence", lambda s: s.named("py\x1b[2Jthon") and None, says=("py\\x1b[2Jthon",), **STARTED)

for _name, _bytes, _why in [
        ("is empty", b"", "Exec format error"),
        ("is text", b"hello\n", "Exec format error"),
        ("names an interpreter that is not there", b"#!/nonexistent/python3\n", "No such file or directory"),
        ("names a directory as its interpreter", b"#!/etc\n", "Permission denied"),
        ("names itself as its interpreter", b"#!%s\n", "Too many levels of symbolic links"),
        ("is noise", bytes(range(1, 256)) * 8, "Exec format error"),
        ("is zeros", bytes(4096), "Exec format error"),
        ("is the beginning of a program", b"\x7fELF\x02\x01\x01" + bytes(57), "Exec format error"),
        ("is a program for another processor", b"@other", "Exec format error")]:
    def _(s, content=_bytes):
        if content == b"@other":
            with open(REAL, "rb") as file:
                content = bytearray(file.read(4096))
            content[18:20] = b"\xf3\x00" if content[18:20] != b"\xf3\x00" else b"\x3e\x00"  # RISC-V, or x86-64
        elif b"%s" in content:
            content = content % os.fsencode(s.python)
        s.python.write_bytes(content)
        s.python.chmod(0o755)
        return s.named(s.python)
    simple("interpreter", _name, _, says=("cannot execute", _why), **STARTED)

# One line of the protocol is all that a stand-in would have to say, if the nonce did not make it a lie.
HELLO = '{"nonce": "0123456789abcdef0123456789abcdef", "event": "hello", "python": "3.11.2", "supported": true}'
APPLIED = '{"nonce": "0123456789abcdef0123456789abcdef", "event": "verdict", "verdict": "applied"}'
BARE = '{"event": "hello", "python": "3.11.2", "supported": true}\\n{"event": "verdict", "verdict": "applied"}'

for _name, _text, _why in [
        ("exits with 0 and says nothing", "exit 0", "exited with status 0"),
        ("exits with 1", "exit 1", "exited with status 1"),
        ("exits with 127", "exit 127", "exited with status 127"),
        ("exits with 255", "exit 255", "exited with status 255"),
        ("dies of SIGSEGV", "kill -SEGV $$", "killed by SIGSEGV"),
        ("dies of SIGABRT", "kill -ABRT $$", "killed by SIGABRT"),
        ("dies of SIGKILL", "kill -KILL $$", "killed by SIGKILL"),
        ("dies of SIGTERM", "kill -TERM $$", "killed by SIGTERM"),
        ("prints garbage", "head -c 5000 /dev/urandom; exit 0", "exited with status 0"),
        ("prints 100 MB", "head -c 100000000 /dev/zero; exit 0", "exited with status 0"),
        ("prints a hello and a verdict", f"printf '%s\\n%s\\n' '{HELLO}' '{APPLIED}'; exit 0", "exited with status 0"),
        ("says a hello and a verdict without a nonce", f"printf '{BARE}\\n' >&3; exit 0", "exited with status 0"),
        ("says a hello and a verdict with another nonce", f"printf '%s\\n%s\\n' '{HELLO}' '{APPLIED}' >&3; exit 0", "exited with status 0"),
        ("says garbage where the verdict belongs", "head -c 5000 /dev/urandom >&3; exit 0", "exited with status 0"),
        ("says 10 MB where the verdict belongs", "head -c 10000000 /dev/zero >&3; exit 0", "exited with status 0"),
        ("repeats its order where the verdict belongs", "head -c 2000 <&3 >&3; exit 0", "exited with status 0"),
        ("leaves python to a background process", '"$real" "$@" & exit 0', "exited with status 0"),
        ("is a shell that cannot exec", "exec /nonexistent/python3", "exited with status 127"),
        ("has no verdict's descriptor", 'exec "$real" "$@" 3>&-', "exited with status 1"),
        ("has no lock's descriptor", 'exec "$real" "$@" 4>&-', "exited with status 1"),
        ("is one that cannot compile anything", 'exec "$real" -I -c "import sys; sys.exit(70)"', "exited with status 70")]:
    # A doctor asks otherwise: it has no verdict's descriptor, and no lock's.
    simple("interpreter", _name, lambda s, text=_text: s.stand_in(text + "\n"), says=("python ", _why, "--python"),
           **{**STARTED, "doctor": None if "$@" in _text else 4})

for _name, _text in [("hangs", "exec sleep 60"), ("hangs and ignores SIGTERM", "trap '' TERM; sleep 60; sleep 60"),
                     ("stops itself", "kill -STOP $$"), ("hangs with a child", "sleep 60 & sleep 60"),
                     ("reads its order for ever", "exec cat <&3 >/dev/null")]:
    # --timeout is the script's: a python has ten seconds to come up.
    def _(s, text=_text):
        s.stand_in(text + "\n")
        s.options += ["--timeout", "1"]
    simple("interpreter", _name, _, says=("did not start within 10.000 s",), exit=69, seconds=40)


@case("interpreter", "hangs, and nobody set a limit", exit=69, says=("did not start within 10.000 s",), seconds=40, both=False, doctor=4)
def _(s):
    s.stand_in("exec sleep 60\n")


for _name, _version, _exit in [("is python 2.7", "2, 7, 18", 69), ("is python 3.6", "3, 6, 15", 69), ("is python 3.7", "3, 7, 17", 69),
                               ("is python 3.8", "3, 8, 0", 0), ("is python 4", "4, 0, 0", 0)]:
    def _(s, version=_version):
        # All options as they come, and a line in front of the program: "-c" and the program are the last two.
        s.stand_in('for last; do :; done\nexec "$real" -I -B -X utf8 -X faulthandler -c "import sys; sys.version_info = '
                   f'({version}, \\"final\\", 0)\n$last"\n')
    simple("interpreter", _name, _, exit=_exit, says=("too old", "3.8") if _exit else ())

for _program in ("/bin/true", "/bin/false", "/bin/sh", "/bin/cat", "/usr/bin/env", "/usr/bin/perl", "/bin/sleep"):
    def _(s, program=_program):
        if not os.path.exists(program):
            raise CannotBeMade(program + " is not installed")
        s.named(program)
    simple("interpreter", "is " + _program, _, says=("exited with status",), **STARTED)

simple("interpreter", "is telec itself", lambda s: s.named(telec.binary()) and None, says=("exited with status 2",), **STARTED)

for _name, _text in [("is a shell script that execs python", 'exec "$real" "$@"'),
                     ("is a shell script that execs twice", 'exec /bin/sh -c \'exec "$0" "$@"\' "$real" "$@"'),
                     ("is a shell script that waits for python", '"$real" "$@"\nexit $?'),
                     ("takes two seconds to begin", 'sleep 2; exec "$real" "$@"'),
                     ("has BASH_ENV and ENV set by the caller", 'exec "$real" "$@"')]:
    def _(s, text=_text):
        s.stand_in(text + "\n")
        (s.path / "evil").write_text("exit 66\n")
        s.env.update({"BASH_ENV": str(s.path / "evil"), "ENV": str(s.path / "evil")})
    simple("interpreter", _name, _, doctor=0, seconds=40)

for _name, _text in [("prints before it begins", 'echo hello; echo hello >&2; exec "$real" "$@"'),
                     ("prints 1 MB before it begins", 'head -c 1000000 /dev/zero; exec "$real" "$@"')]:
    simple("interpreter", _name, lambda s, text=_text: s.stand_in(text + "\n"))

for _name, _text, _why in [
        ("exits with 3 after the verdict", '"$real" "$@"\nexit 3', "exited with status 3 after its verdict"),
        ("dies after the verdict", '"$real" "$@"\nkill -KILL $$', "killed by SIGKILL after its verdict"),
        ("has no standard output", 'exec "$real" "$@" >&-', "without a verdict"),
        ("says more after the verdict", '"$real" "$@"\nhead -c 2000000 /dev/zero >&3\nexit 0', "verdict")]:
    # Its effect is there, and its check() was True; what is not in order is the process that says so.
    simple("interpreter", _name, lambda s, text=_text: s.stand_in(text + "\n"), exit=1, says=(_why, FIRST),
           effects={FIRST: 0 if "no standard" in _name else 1})


@case("interpreter", "is a virtual environment's", doctor=0)
def _(s):
    (s.path / "venv" / "bin").mkdir(parents=True)
    (s.path / "venv" / "pyvenv.cfg").write_text(f"home = {os.path.dirname(telec.PYTHON)}\ninclude-system-site-packages = false\n")
    (s.path / "venv" / "bin" / "python3").symlink_to(telec.PYTHON)
    s.named(s.path / "venv" / "bin" / "python3")


@case("interpreter", "is named by a relative path", doctor=0)
def _(s):
    (s.cwd / "bin").mkdir()
    (s.cwd / "bin" / "python3").symlink_to(telec.PYTHON)
    s.options += ["--python", "bin/python3"]


for _name, _file in [("blanks and quotes in its path", "a 'b\" c"), ("a newline in its path", "a\nb"), ("an escape in its path", "a\x1b[2Jb"),
                     ("bytes that are not UTF-8 in its path", b"a\xff\xfeb"), ("an option for a name", "-c")]:
    def _(s, name=_file):
        path = os.path.join(os.fsencode(s.bin), name if isinstance(name, bytes) else name.encode())
        os.symlink(telec.PYTHON, path)
        s.env["TELEC_PYTHON"] = path
    simple("interpreter", _name, _, doctor=0)

simple("interpreter", "TELEC_PYTHON is empty", lambda s: s.env.update(TELEC_PYTHON=""), doctor=0)


@case("interpreter", "--python is good and TELEC_PYTHON is not", doctor=0)
def _(s):
    s.env["TELEC_PYTHON"] = "/nonexistent"
    s.named(telec.PYTHON)


simple("interpreter", "PATH is not set", lambda s: s.env.update(PATH=None), doctor=0, probe=(["/usr/bin/env"], r"\ATELEC|\A(?!.*^PATH=)"))
simple("interpreter", "PATH is empty", lambda s: s.env.update(PATH=""), doctor=0, probe=(["/usr/bin/env"], r"^PATH=$"))

for _name, _element in [("an empty element", ""), ("a dot", "."), ("a relative element", "bin"), ("two dots", ".."), ("only colons", "::")]:
    def _(s, element=_element):
        for folder in (s.cwd, s.cwd / "bin", s.path):
            folder.mkdir(exist_ok=True)
            (folder / "odd-python").symlink_to(telec.PYTHON)
        s.env["PATH"] = element + ":/nonexistent"
        s.options += ["--python", "odd-python"]
    simple("interpreter", f"PATH has {_name}: the current directory is not searched", _, says=("odd-python",), **STARTED)

for _name, _make in {
        "a directory of that name": lambda path: path.mkdir(),
        "a file that may not be executed": lambda path: path.write_text("#!/bin/sh\n"),
        "a link to nothing": lambda path: path.symlink_to("nothing"),
        "a link to itself": lambda path: path.symlink_to(path.name),
        "a pipe": lambda path: os.mkfifo(path, 0o755)}.items():
    def _(s, make=_make):
        (s.path / "first").mkdir()
        make(s.path / "first" / "odd-python")
        (s.bin / "odd-python").symlink_to(telec.PYTHON)
        s.env["PATH"] = f"{s.path}/first:{s.bin}"
        s.options += ["--python", "odd-python"]
    simple("interpreter", f"PATH has {_name} first: the next one is taken", _, doctor=0)


@case("interpreter", "PATH has 10,000 elements", doctor=0)
def _(s):
    (s.bin / "odd-python").symlink_to(telec.PYTHON)
    s.env["PATH"] = ":".join(f"/nonexistent{i}" for i in range(10000))[:100000] + f":{s.bin}"
    s.options += ["--python", "odd-python"]


@case("interpreter", "PATH has first a directory that all may write to, as root", exit=77, says=("every user",))
def _(s):
    root_only("root's care")
    s.bin.chmod(0o777)
    (s.bin / "odd-python").symlink_to(telec.PYTHON)
    s.env["PATH"] = f"{s.bin}:/usr/bin"
    s.options += ["--python", "odd-python"]
    return s.bin


@case("interpreter", "lies on a file system mounted noexec", **STARTED)
def _(s):
    s.in_mounts('mount -t tmpfs -o noexec none "$at/bin"; printf "#!/bin/sh\\n" > "$at/bin/python3"; chmod 755 "$at/bin/python3"')
    return s.named(s.python)


@case("interpreter", "lies in a directory that may not be entered", **STARTED)
def _(s):
    s.python.symlink_to(telec.PYTHON)
    s.as_other()
    s.bin.chmod(0o700)
    return s.named(s.python)


@case("interpreter", "may be executed and not read", doctor=0)
def _(s):
    root_only("another uid")
    shutil.copy2(REAL, s.python)
    s.python.chmod(0o711)
    s.as_other()
    s.named(s.python)


SPOILS = '\n\ndef migrate():\n    {spoil}\n    os.makedirs(os.path.dirname(_EFFECT), exist_ok=True)\n    open(_EFFECT, "w").write("applied\\n")\n    return True\n'
for _name, _spoil, _exit in [("vanishes", "os.unlink({python!r})", 69), ("may not be executed any more", "os.chmod({python!r}, 0o644)", 69),
                             ("is replaced by one that exits", "open({python!r}, 'w').write('#!/bin/sh\\nexit 0\\n')", 69)]:
    for _ahead in ("--no-prestart", "--timeout=20"):
        def _(s, spoil=_spoil, ahead=_ahead):
            s.stand_in('exec "$real" "$@"\n')
            (s.tree / ("v" + FIRST)).write_text(SCRIPT.format(name=FIRST.replace("/", "_"), looks=False) +
                                                SPOILS.format(spoil=spoil.format(python=str(s.python))))
            s.options += [ahead]
        # Started ahead, the second one may be under way already: it is as good as it was.
        simple("interpreter", f"{_name} during the run" + ("" if "no" in _ahead else ", the next one started ahead"), _,
               exit=_exit if "no" in _ahead else (0, _exit), recorded={_exit: [BEFORE, FIRST]})


@case("interpreter", "works the first time and never again", exit=69, recorded={69: [BEFORE, FIRST]}, says=("exited with status 9",))
def _(s):
    s.stand_in(f'[ ! -e {s.path}/used ] || exit 9\ntouch {s.path}/used\nexec "$real" "$@"\n')
    s.options += ["--no-prestart"]


# --- HOME

for _name, _value in [("empty", ""), ("relative", "home"), ("a dot", "."), ("a tilde", "~"), ("a relative way up", "../home"),
                      ("a blank", " "), ("an escape sequence", "\x1b[2J")]:
    simple("home", f"HOME is {_name}", lambda s, value=_value: s.env.update(HOME=value), exit=2,
           says=("HOME is '", "not an absolute path", "set HOME"))


@case("home", "HOME is not set, and the uid has no account", exit=2, says=("HOME is not set", str(OTHER)))
def _(s):
    s.as_other()
    s.env["HOME"] = None


def account(s, line):
    """The accounts are these, in a mount namespace of its own; and the real home of whoever runs this is out of reach."""
    (s.path / "passwd").write_text(line + "\n")
    (s.path / "switch").write_text("passwd: files\n")
    s.in_mounts('mount --bind "$at/passwd" /etc/passwd; mount --bind "$at/switch" /etc/nsswitch.conf; mount -t tmpfs none /root')


@case("home", "HOME is not set: the account's is taken")
def _(s):
    account(s, f"root:x:0:0:root:{s.where}:/bin/sh")
    s.env["HOME"] = None


@case("home", "HOME is not set, and the account's is relative", exit=2, says=("HOME is not set", "has no home"))
def _(s):
    account(s, "root:x:0:0:root:home:/bin/sh")
    s.env["HOME"] = None


@case("home", "HOME is not set, and there is no account of that uid", exit=2, says=("HOME is not set", "has no home"))
def _(s):
    account(s, "ada:x:1:1:ada:/home/ada:/bin/sh")
    s.env["HOME"] = None


@case("home", "HOME is not set, and the account's line has 20 KB")
def _(s):
    account(s, f"root:x:0:0:{'x' * 20000}:{s.where}:/bin/sh")
    s.env["HOME"] = None


@case("home", "HOME is another one than the account's")
def _(s):
    account(s, "root:x:0:0:root:/nonexistent:/bin/sh")


def homeless(name, make, exit=74, **options):
    """HOME is a path where nothing can be recorded, and what was recorded in the good one stays as it is."""
    def prepare(s):
        home = make(s)
        s.env["HOME"] = str(home)
        return home
    simple("home", name, prepare, exit, **options)


def made(path, how):
    how(path)
    return path


homeless("HOME does not exist", lambda s: s.nowhere)
homeless("HOME is in a directory that does not exist", lambda s: s.nowhere / "a" / "b")
homeless("HOME is a file", lambda s: made(s.path / "file", lambda path: path.write_text("x")))
homeless("HOME is below a file", lambda s: made(s.path / "file", lambda path: path.write_text("x")) / "home")
homeless("HOME is a pipe", lambda s: made(s.path / "pipe", os.mkfifo))
homeless("HOME is the null device", lambda s: "/dev/null")
homeless("HOME is a link to nothing", lambda s: made(s.path / "link", lambda path: path.symlink_to("nothing")))
homeless("HOME is a link to itself", lambda s: made(s.path / "link", lambda path: path.symlink_to("link")))
homeless("HOME is a name of 300 bytes", lambda s: s.path / ("x" * 300), says=("File name too long",))
homeless("HOME is a path of 5,000 bytes", lambda s: "/x" * 2500, says=("File name too long",))
homeless("HOME is a path of 100,000 bytes", lambda s: "/x" * 50000, says=("File name too long",))
homeless("HOME is /proc", lambda s: "/proc")
homeless("HOME is /sys", lambda s: "/sys")


@case("home", "HOME is / and may not be written to", exit=74, says=("Permission denied",))
def _(s):
    s.as_other()
    s.env["HOME"] = "/"
    return "/.teleclaude"


@case("home", "HOME lies on a read-only file system", exit=74, says=("Read-only file system", "mount it for writing"))
def _(s):
    (s.path / "mnt").mkdir()
    s.in_mounts('mount -t tmpfs none "$at/mnt"; mkdir "$at/mnt/home"; mount -o remount,ro "$at/mnt"')
    s.env["HOME"] = str(s.path / "mnt" / "home")
    return s.path / "mnt" / "home"


for _mode, _exit in ((0o000, 74), (0o100, 74), (0o400, 74), (0o500, 74), (0o600, 74), (0o300, 74), (0o700, 0)):
    def _(s, mode=_mode):
        s.no_state()
        s.as_other()
        s.where.chmod(mode)
        return s.where
    simple("home", f"HOME has mode {_mode:04o}, and nothing is recorded yet", _, exit=_exit,
           says=("Permission denied",) if _exit else (), mended=lambda s: s.where.chmod(0o700))

for _name, _file in [("a blank", "a b"), ("a newline", "a\nb"), ("a tab", "a\tb"), ("quotes", "a'b\"c"), ("a dollar", "$(touch x)`touch y`"),
                     ("a backslash", "a\\b"), ("an escape sequence", "a\x1b[2Jb"), ("a right-to-left override", "a\u202eb"),
                     ("letters of another alphabet", "\u0434\u043e\u043c"), ("bytes that are not UTF-8", b"a\xff\xfeb"), ("a leading dash", "-rf"),
                     ("a percent sign and braces", "%s%n{}"), ("a colon", "a:b"), ("an equals sign", "a=b"), ("250 bytes", "x" * 250)]:
    def _(s, name=_file):
        s.move_home(os.fsdecode(os.path.join(os.fsencode(s.path), name if isinstance(name, bytes) else name.encode())))
    simple("home", f"HOME has {_name} in its name", _)

for _name, _tail in [("ends in a slash", "/"), ("ends in three slashes", "///"), ("has a dot in it", "/./"), ("goes up and down", "/../home"),
                     ("begins with two slashes", None)]:
    simple("home", f"HOME {_name}", lambda s, tail=_tail: s.env.update(HOME=f"{s.where}{tail}" if tail else "/" + str(s.where)))


@case("home", "HOME is a link")
def _(s):
    (s.path / "link").symlink_to("home")
    s.env["HOME"] = str(s.path / "link")


def deep_home(s, length):
    here = os.open(s.path, os.O_RDONLY)
    names = []
    left = length - len(str(s.path)) - 1
    while left > 0:
        name = "x" * min(200, left if left <= 200 else left - 2)
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        names.append(name)
        left -= len(name) + 1
    os.close(here)
    return s.path / "/".join(names)


@case("home", "HOME is a path of 3,900 bytes")
def _(s):
    s.no_state()
    s.where = deep_home(s, 3900)
    s.env["HOME"] = str(s.where)


@case("home", "HOME is a path of 4,090 bytes, too long with what is below", exit=74, says=("File name too long",))
def _(s):
    s.env["HOME"] = str(deep_home(s, 4090))


@case("home", "HOME has the bits setgid and sticky")
def _(s):
    s.where.chmod(0o3700)


# --- environment

ENV = ["/usr/bin/env"]

simple("environment", "nothing but HOME and the tree", lambda s: setattr(s, "environment", {
    "HOME": str(s.where), "TELEC_MIGRATIONS_DIR": str(s.tree)}), probe=(ENV, r"\A(HOME=.*\n|TELEC_MIGRATIONS_DIR=.*\n){2}\Z"))


@case("environment", "nothing at all, and no account", exit=2, says=("HOME is not set",), probe=(ENV, r"\A\Z"))
def _(s):
    s.as_other()
    s.prefix += ["/usr/bin/env", "-i"]
    s.options += ["--migrations-dir", str(s.tree)]


for _count, _size in ((10000, 10), (15, 100000), (1, 130000)):
    simple("environment", f"{_count} variables of {_size} bytes", lambda s, count=_count, size=_size: s.env.update(
        {f"X{i}": "x" * size for i in range(count)}), probe=(["/bin/sh", "-c", "env | grep -c ^X"], rf"^{_count}$"))


@case("environment", "HOME twice: the first one counts", probe=(["/bin/cat", "/proc/self/environ"], "HOME=.*\0HOME=/nonexistent"))
def _(s):
    s.raw = [f"HOME={s.where}", "HOME=/nonexistent", f"TELEC_MIGRATIONS_DIR={s.tree}", "PATH=/usr/bin:/bin"]


@case("environment", "entries without a name, and without an equals sign", probe=(["/bin/cat", "/proc/self/environ"], "noequals\0=x"))
def _(s):
    s.raw = [f"HOME={s.where}", "noequals", "=x", f"TELEC_MIGRATIONS_DIR={s.tree}", "PATH=/usr/bin:/bin", ""]


for _name, _variables in {
        "LANG=C": {"LANG": "C"}, "LC_ALL=POSIX": {"LC_ALL": "POSIX"}, "LANG=tr_TR.UTF-8": {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
        "LANG=de_DE.ISO-8859-1": {"LANG": "de_DE.ISO-8859-1", "LC_ALL": "de_DE"},
        "LANG=ja_JP.SJIS": {"LC_ALL": "ja_JP.SJIS"}, "no locale at all": {"LANG": None},
        "LC_ALL is a way out of the locales": {"LC_ALL": "../../../../etc/passwd"},
        "LC_ALL has 100 KB": {"LC_ALL": "x" * 100000}, "LANG is not UTF-8": {"LANG": b"\xff\xfe"},
        "LC_NUMERIC has a comma for the point": {"LC_NUMERIC": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"},
        "TZ=UTC+25": {"TZ": "UTC+25"}, "TZ is garbage": {"TZ": "\x01%s/../x"}, "TZ names a file that is none": {"TZ": ":/etc/passwd"},
        "TZ has 100 KB": {"TZ": "x" * 100000}, "TZ names an endless file": {"TZ": ":/dev/zero"},
        "NO_COLOR, TERM and COLUMNS are garbage": {"NO_COLOR": "\x1b", "TERM": "\x1b[2J", "COLUMNS": "-1"},
        "TELEC_STATE_FILE is empty": {"TELEC_STATE_FILE": ""},
        "MALLOC_CHECK_ and MALLOC_PERTURB_": {"MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165"},
        "GLIBC_TUNABLES": {"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.tcache_count=0"},
        "GCONV_PATH, LOCPATH, NLSPATH": {"GCONV_PATH": "/tmp", "LOCPATH": "/tmp", "NLSPATH": "/tmp/%N"},
        "LD_BIND_NOW and LD_LIBRARY_PATH": {"LD_BIND_NOW": "1", "LD_LIBRARY_PATH": "/nonexistent:"},
        "LD_WARN and LD_VERBOSE": {"LD_WARN": "1", "LD_VERBOSE": "1"},
        "USER, LOGNAME and USERNAME lie": {"USER": "nobody\x1b", "LOGNAME": "../..", "USERNAME": "x"},
        "SHELL, PAGER, EDITOR are traps": {"SHELL": "/bin/false", "PAGER": "/bin/false", "EDITOR": "/bin/false"},
        "XDG directories do not exist": {"XDG_CONFIG_HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent", "XDG_RUNTIME_DIR": "/nonexistent"},
        "IFS, PS4 and SHELLOPTS": {"IFS": "/", "PS4": "$(touch x)", "SHELLOPTS": "xtrace"},
        "a proxy and a host that do not exist": {"http_proxy": "http://nonexistent.invalid:1", "HOSTALIASES": "/nonexistent"},
        "SUDO_USER, PKEXEC_UID": {"SUDO_USER": "ada", "SUDO_UID": "1000", "PKEXEC_UID": "1000"},
        "PYTHONHOME is wrong": {"PYTHONHOME": "/nonexistent"}, "PYTHONPLATLIBDIR is wrong": {"PYTHONPLATLIBDIR": "nonexistent"},
        "PYTHONEXECUTABLE is wrong": {"PYTHONEXECUTABLE": "/nonexistent"},
        "PYTHONINSPECT": {"PYTHONINSPECT": "1"}, "PYTHONVERBOSE and PYTHONDEBUG": {"PYTHONVERBOSE": "3", "PYTHONDEBUG": "3"},
        "PYTHONWARNINGS=error": {"PYTHONWARNINGS": "error"}, "PYTHONMALLOC=debug": {"PYTHONMALLOC": "debug"},
        "PYTHONIOENCODING=utf-16": {"PYTHONIOENCODING": "utf-16"}, "PYTHONUTF8=0": {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        "PYTHONOPTIMIZE=2": {"PYTHONOPTIMIZE": "2"}, "PYTHONHASHSEED is garbage": {"PYTHONHASHSEED": "x"},
        "PYTHONTRACEMALLOC is garbage": {"PYTHONTRACEMALLOC": "x"}, "PYTHONPYCACHEPREFIX": {"PYTHONPYCACHEPREFIX": "/nonexistent"},
}.items():
    simple("environment", _name, lambda s, variables=_variables: s.env.update(variables))

for _variable in ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE"):
    @case("environment", f"{_variable} leads to modules that exit")
    def _(s, variable=_variable):
        evil = s.path / "evil"
        for folder in (evil, evil / "lib" / "python3.11" / "site-packages"):
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("json.py", "textwrap.py", "sitecustomize.py", "usercustomize.py", "evil.pth"):
                (folder / name).write_text("import os; os._exit(0)\n")
        s.env[variable] = str(evil / "json.py" if variable == "PYTHONSTARTUP" else evil)


@case("environment", "LD_PRELOAD names a library that is not there")
def _(s):
    s.env["LD_PRELOAD"] = "/nonexistent.so"


@case("environment", "TZ names a pipe, for which python waits", exit=69, says=("did not start within 10.000 s",), seconds=18)
def _(s):
    os.mkfifo(s.path / "zone")
    s.env["TZ"] = f":{s.path}/zone"


for _name, _value in [("does not exist", "/nonexistent"), ("is a file", "/etc/passwd"), ("is empty", ""), ("is relative", "tmp"),
                      ("is /", "/"), ("has 100 KB", "/x" * 50000), ("is not UTF-8", b"/\xff")]:
    simple("environment", f"TMPDIR {_name}: it is not used", lambda s, value=_value: s.env.update(
        {name: value for name in ("TMPDIR", "TMP", "TEMP")}))

for _name, _make, _exit in [("is a directory", lambda s: s.where, 65), ("is a device", lambda s: "/dev/null", 65),
                            ("is in a directory that does not exist", lambda s: s.nowhere / "a" / "state.json", 74),
                            ("is below a file", lambda s: "/etc/passwd/state.json", 74)]:
    def _(s, make=_make):
        named = make(s)
        s.env["TELEC_STATE_FILE"] = str(named)
        return named if _exit == 65 else os.path.dirname(str(named))
    simple("environment", f"TELEC_STATE_FILE {_name}", _, exit=_exit)

simple("environment", "TELEC_STATE_FILE ends in a slash", lambda s: s.env.update(TELEC_STATE_FILE="/x/"), exit=2, says=("has no file name",))
simple("environment", "TELEC_STATE_FILE is /", lambda s: s.env.update(TELEC_STATE_FILE="/"), exit=2, says=("has no file name",))


@case("environment", "TELEC_STATE_FILE is two dots", exit=65, says=("it is a directory",))
def _(s):
    below = s.cwd / "below"
    below.mkdir()
    s.enter = str(below)
    s.env["TELEC_STATE_FILE"] = ".."


# --- descriptors

LIST = ["/bin/ls", "-l", "/proc/self/fd"]


def swallow(master):
    """Reads a terminal to its end."""
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        os.close(master)


def ignored(number):
    """What SigIgn of /proc/self/status looks like: bit NUMBER - 1 is set."""
    digit = (number - 1) // 4
    having = "".join(f"{value:x}" for value in range(16) if value >> ((number - 1) % 4) & 1)
    return rf"^SigIgn:\s+[0-9a-f]+[{having}][0-9a-f]{{{digit}}}$"


def pending_child():
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
    os.kill(os.getpid(), signal.SIGCHLD)


def spared(s):
    pid = int((s.path / "child").read_text())
    faults = [] if telec.alive(pid) else ["a child that was there before is gone"]
    if telec.alive(pid):
        os.kill(pid, signal.SIGKILL)
    return faults


def closed(*numbers):
    def prepare(s):
        s.steps.append(lambda: [os.close(number) for number in numbers])
    return prepare


for _numbers in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)):
    _out = 1 in _numbers
    simple("descriptors", "closed: " + ", ".join(map(str, _numbers)), closed(*_numbers), exit=74 if _out else 0,
           recorded={74: IDS}, says=("cannot write to stdout", "recorded all the same") if _out else (), document=not _out,
           speaks=2 not in _numbers, code="io")


def opened(what, flags=os.O_RDWR):
    return lambda s: os.open(what(s) if callable(what) else what, flags, 0o600)


def from_stream(name, stdin=None, stdout=None, stderr=None, **options):
    """The streams are made by these; the descriptor is this process' until the run is over."""
    def prepare(s):
        for stream, make in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
            if make:
                fd = make(s)
                setattr(s, stream, fd)
                s.undo.append(lambda fd=fd: os.close(fd))
    if stdout:
        options = {"exit": 74, "recorded": {74: IDS}, "says": ("cannot write to stdout",), "document": False, **options}
    options.setdefault("speaks", stderr is None)
    simple("descriptors", name, prepare, **options)


def broken_pipe(_s):
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def broken_socket(_s):
    here, there = socket.socketpair()
    there.close()
    return here.detach()


def gone_terminal(_s):
    master, slave = pty.openpty()
    os.close(master)
    return slave


from_stream("stdin is a directory", stdin=opened("/", os.O_RDONLY))
from_stream("stdin may only be written to", stdin=opened(lambda s: s.path / "sink", os.O_WRONLY | os.O_CREAT))
from_stream("stdin is a pipe that says nothing", stdin=lambda s: os.open(made(s.path / "pipe", os.mkfifo), os.O_RDWR))
from_stream("stdin is an endless file", stdin=opened("/dev/zero", os.O_RDONLY))
from_stream("stdin is a terminal that is gone", stdin=gone_terminal)
from_stream("stdin is the state file", stdin=opened(lambda s: s.state_file, os.O_RDWR))
from_stream("stdout is full", stdout=opened("/dev/full"), says=("cannot write to stdout", "No space left on device"))
from_stream("stdout is a pipe that nobody reads from any more", stdout=broken_pipe, says=("cannot write to stdout", "Broken pipe"))
from_stream("stdout may only be read", stdout=opened("/dev/null", os.O_RDONLY), says=("cannot write to stdout", "Bad file descriptor"))
from_stream("stdout is a directory", stdout=opened("/", os.O_RDONLY))
from_stream("stdout is a terminal that is gone", stdout=gone_terminal, says=("cannot write to stdout", "Input/output error"))
from_stream("stdout is a socket whose other end is gone", stdout=broken_socket, says=("cannot write to stdout", "Broken pipe"))
from_stream("stderr is full", stderr=opened("/dev/full"))
from_stream("stderr is a pipe that nobody reads from any more", stderr=broken_pipe)
from_stream("stderr may only be read", stderr=opened("/dev/null", os.O_RDONLY))
from_stream("stderr is a terminal that is gone", stderr=gone_terminal)
from_stream("stdout and stderr are full", stdout=opened("/dev/full"), stderr=opened("/dev/full"))


@case("descriptors", "stdout is a pipe that takes nothing for a while, and says so instead of waiting", document=False)
def _(s):
    reading, writing = os.pipe()
    for fd in (reading, writing):
        os.set_blocking(fd, False)
    try:
        while True:
            os.write(writing, b"." * 4096)
    except BlockingIOError:
        pass
    s.stdout = writing

    def empty(process):
        def drain():
            time.sleep(0.5)
            taken = b""
            while process.poll() is None or not taken.endswith(b"\n"):
                try:
                    taken += os.read(reading, 65536)
                except BlockingIOError:
                    time.sleep(0.01)
                if process.poll() not in (None, 0):
                    break
            s.drained = taken
        s.drainer = threading.Thread(target=drain)
        s.drainer.start()
    s.during = empty
    s.undo += [lambda: os.close(reading), lambda: os.close(writing), lambda: s.drainer.join(5)]


for _name, _rows in [("of 80 columns", (24, 80)), ("of one column", (1, 1)), ("of no size", (0, 0)), ("of 65,535 columns", (65535, 65535))]:
    def _(s, size=_rows):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        s.env["TERM"] = "xterm"
        s.stdout = s.stderr = slave
        threading.Thread(target=swallow, args=(master,), daemon=True).start()
        s.undo.append(lambda: os.close(slave))
    simple("descriptors", f"stdout and stderr are a terminal {_name}", _, document=False, speaks=False)


@case("descriptors", "stdout and stderr are the state file, to be appended to", document=False)
def _(s):
    # What is printed lands in the generation before: each commit makes a new file.
    fd = os.open(s.state_file, os.O_WRONLY | os.O_APPEND)
    s.stdout = s.stderr = fd
    s.undo.append(lambda: os.close(fd))


@case("descriptors", "stdout is the state file, emptied by the shell", exit=65, says=("empty",), both=False, mended=False)
def _(s):
    fd = os.open(s.state_file, os.O_WRONLY | os.O_TRUNC)
    s.keep_state = b""
    s.started_with = []
    s.stdout = fd
    s.undo.append(lambda: os.close(fd))
    return s.state_file


for _count in (5, 100, 1000):
    def _(s, count=_count):
        fds = [os.open("/dev/null", os.O_RDWR) for _ in range(count)]
        s.pass_fds = tuple(fds)
        s.steps.append(raise_limit)
        s.undo += [lambda fd=fd: os.close(fd) for fd in fds]
    simple("descriptors", f"{_count} more are inherited", _, probe=(["/bin/sh", "-c", "ls /proc/self/fd | wc -l"], rf"^{_count + 4}$|^{_count + 5}$"))


@case("descriptors", "the highest number that there can be is inherited", probe=(["/bin/ls", "/proc/self/fd"], r"^\d{3,}$"))
def _(s):
    s.steps.append(raise_limit)
    s.prefix += [telec.PYTHON, "-c", "import os, sys, resource; os.dup2(1, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], "
                 "1 << 20) - 1); os.execv(sys.argv[1], sys.argv[1:])"]


@case("descriptors", "the state, the lock and the tree are open already", probe=(LIST, "migration_state.json"))
def _(s):
    fds = [os.open(path, flags, 0o600) for path, flags in (
        (s.state_file, os.O_RDWR), (s.data / "migration_state.json.lock", os.O_RDWR | os.O_CREAT), (s.data, os.O_RDONLY), (s.tree, os.O_RDONLY))]
    s.pass_fds = tuple(fds)
    s.undo += [lambda fd=fd: os.close(fd) for fd in fds]


@case("descriptors", "all are taken but four", exit=74, says=("Too many open files", "ulimit -n"))
def _(s):
    s.steps.append(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7)))


# --- process

STATUS = ["/bin/cat", "/proc/self/status"]


def step(group, name, action, **options):
    simple(group, name, lambda s: s.steps.append(action), **options)


def raise_limit():
    """As many descriptors as the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


for _mask in (0o000, 0o002, 0o022, 0o277, 0o777):
    step("process", f"umask {_mask:04o}", lambda mask=_mask: os.umask(mask), probe=(STATUS, rf"^Umask:\s+{_mask:04o}$"))

for _signal in ("SIGCHLD", "SIGPIPE", "SIGALRM", "SIGUSR1", "SIGXFSZ", "SIGTTOU"):
    step("process", f"{_signal} is ignored", lambda number=getattr(signal, _signal): signal.signal(number, signal.SIG_IGN),
         probe=(STATUS, ignored(getattr(signal, _signal))))
step("process", "SIGINT, SIGQUIT and SIGHUP are ignored, as nohup and a shell's & do",
     lambda: [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)],
     probe=(STATUS, r"^SigIgn:\s+[0-9a-f]*7$"))
step("process", "every signal that can be is ignored",
     lambda: [signal.signal(number, signal.SIG_IGN) for number in signal.valid_signals() if number not in (9, 19)],
     probe=(STATUS, r"^SigIgn:\s+fffffffe"))
step("process", "every signal is blocked", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()),
     probe=(STATUS, r"^SigBlk:\s+fffffffe"))
step("process", "SIGTERM, SIGCHLD and SIGALRM are blocked", lambda: signal.pthread_sigmask(
    signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)), probe=(STATUS, r"^SigBlk:\s+0*16000$"))
step("process", "SIGCHLD is blocked and one is waiting", pending_child, probe=(STATUS, r"^(ShdPnd|SigPnd):\s+0*10000$"))


@case("process", "a SIGALRM is due in an hour", probe=(["/bin/true"], ""))
def _(s):
    s.steps.append(lambda: signal.setitimer(signal.ITIMER_REAL, 3600))


step("process", "leader of a session of its own", os.setsid)
step("process", "in a process group of its own", lambda: os.setpgid(0, 0))
step("process", "nice 19", lambda: os.nice(19), probe=(["/usr/bin/nice"], "^19$"))
step("process", "on one processor", lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}), probe=(["/usr/bin/nproc"], "^1$"))
step("process", "scheduled when nobody else is", lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)), seconds=30)
step("process", "may not gain privileges", lambda: ctypes.CDLL(None).prctl(38, 1, 0, 0, 0), probe=(STATUS, r"^NoNewPrivs:\s+1$"))
step("process", "may not be dumped", lambda: ctypes.CDLL(None).prctl(4, 0, 0, 0, 0))
step("process", "its parent's death is to kill it, and the parent lives", lambda: ctypes.CDLL(None).prctl(1, 9, 0, 0, 0))
step("process", "it is the subreaper already", lambda: ctypes.CDLL(None).prctl(36, 1, 0, 0, 0))
for _flag, _name in ((0x0040000, "without address randomization"), (0x0020000, "on a kernel that calls itself 2.6"), (0x0008, "as on a 32-bit machine"), (0x0100000, "with page zero mapped")):
    step("process", f"personality: {_name}", lambda flag=_flag: ctypes.CDLL(None).personality(flag),
         probe=(["/bin/cat", "/proc/self/personality"], f"{_flag:x}$"))

for _name, _kind, _limit in [("no core files", "CORE", 0), ("endless core files", "CORE", -1), ("no locked memory", "MEMLOCK", 0),
                             ("64 KiB of stack", "STACK", 65536),
                             ("an endless stack", "STACK", -1), ("64 descriptors", "NOFILE", 64)]:
    step("process", f"limit: {_name}", lambda kind=getattr(resource, "RLIMIT_" + _kind), limit=_limit: resource.setrlimit(kind, (limit, limit)))


@case("process", "limit: no more processes", exit=74, says=("cannot fork for python", "Resource temporarily unavailable", "ulimit -u"))
def _(s):
    s.as_other()
    s.prefix += ["prlimit", "--nproc=1:1"]


@case("process", "limit: 1 MiB of data, too little for python", exit=69, says=("before it could load anything",))
def _(s):
    s.prefix += ["prlimit", "--data=1000000:1000000"]


@case("process", "it has become a process with children of its own: they are spared", verify=lambda s, _: spared(s))
def _(s):
    s.prefix += ["sh", "-c", f'env -i sleep 30 <&- >&- 2>&- & echo $! > {s.path}/child; exec "$@"', "sh"]


@case("process", "children of its own end while it runs")
def _(s):
    s.prefix += ["sh", "-c", 'for i in 0.01 0.02 0.03 0.05 0.08 0.1 0.2; do sleep $i & done; exec "$@"', "sh"]


@case("process", "a zombie of its own is there")
def _(s):
    s.prefix += ["sh", "-c", 'true & sleep 0.1; exec "$@"', "sh"]


@case("process", "it is started under strace", probe=(["/bin/cat", "/proc/self/status"], r"^TracerPid:\s+[1-9]"))
def _(s):
    if sweep.STRACE is None:
        raise CannotBeMade("a tracer: strace is not installed")
    s.prefix += [sweep.STRACE, "-qq", "-f", "-o", "/dev/null", "-e", "trace=none"]


def written_elsewhere(s, _):
    """No network, and nothing opened for writing, made, moved or removed but in the directory of the state."""
    faults = []
    for line in (s.path / "trace").read_text("utf-8", "replace").splitlines():
        name = line.split("(", 1)[0]
        if " = -1 " in line:
            continue
        if name in ("socket", "connect", "bind") and "AF_UNIX" not in line:
            faults.append("network: " + line[:200])
        changes = name not in ("openat", "open") or re.search(r"O_WRONLY|O_RDWR|O_CREAT", line)
        if name not in ("socket", "connect", "bind") and changes and str(s.data) not in line and '"/dev/null"' not in line:
            faults.append("elsewhere: " + line[:200])
    return faults or ([] if "renameat" in (s.path / "trace").read_text() else ["nothing was traced"])


@case("process", "its calls are watched: no network, and nothing written but in the directory of the state", verify=written_elsewhere)
def _(s):
    if sweep.STRACE is None:
        raise CannotBeMade("a tracer: strace is not installed")
    s.prefix += [sweep.STRACE, "-qq", "-y", "-s", "4096", "-o", str(s.path / "trace"), "-e", "signal=none", "-e", "trace=socket,connect,bind,open,openat,creat,mkdir,"
                 "mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,truncate,mknod,mknodat"]


@case("process", "a uid without an account", probe=(["/usr/bin/id", "-u"], f"^{OTHER}$"),
      verify=lambda s, _: [] if b'"user": "%d"' % OTHER in s.state_bytes() else ["the record does not name the uid"])
def _(s):
    s.as_other()


@case("process", "the largest uid", probe=(["/usr/bin/id", "-u"], "^4294967294$"))
def _(s):
    s.as_other()
    s.prefix = [word.replace(str(OTHER), "4294967294") for word in s.prefix]
    for path in (s.where, *s.where.rglob("*")):
        os.chown(path, 4294967294, 4294967294)


@case("process", "root without capabilities", probe=(STATUS, r"^CapEff:\s+0+$"))
def _(s):
    root_only("root without capabilities")
    s.prefix += ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@case("process", "another effective uid than the real one", probe=(STATUS, rf"^Uid:\s+0\s+{OTHER}"))
def _(s):
    s.as_other()
    s.prefix = ["setpriv", f"--euid={OTHER}"]


@case("process", "sixty-four groups")
def _(s):
    root_only("groups")
    s.prefix += ["setpriv", "--groups=" + ",".join(str(5000 + i) for i in range(64))]


# --- directory

@case("directory", "the current directory was removed", probe=(["/bin/readlink", "/proc/self/cwd"], "deleted"))
def _(s):
    gone = s.path / "gone"
    s.prefix += ["sh", "-c", f'mkdir {gone}; cd {gone}; rmdir {gone}; exec "$@"', "sh"]


for _option, _exit, _code in (("--migrations-dir", 65, "tree_untrusted"), ("--state-file", 74, None), ("--python", 69, None)):
    def _(s, option=_option):
        gone = s.path / "gone"
        s.prefix += ["sh", "-c", f'mkdir {gone}; cd {gone}; rmdir {gone}; exec "$@"', "sh"]
        s.options += [option, "relative/thing"]
        return "relative"
    simple("directory", f"the current directory was removed, and {_option} is relative to it", _, exit=_exit, code=_code)


@case("directory", "the current directory may not be entered", probe=(["/bin/sh", "-c", "cd . || echo no"], "no"))
def _(s):
    s.as_other()
    s.prefix = ["sh", "-c", f'cd {s.cwd}; chmod 0 {s.cwd}; exec "$@"', "sh", *s.prefix]
    s.undo.append(lambda: s.cwd.chmod(0o700))


@case("directory", "the current directory has a path of 6,000 bytes", probe=(["/bin/sh", "-c", "readlink /proc/self/cwd || echo long"], "^long$"))
def _(s):
    s.prefix += [telec.PYTHON, "-c", "import os, sys\nfor _ in range(30):\n    os.makedirs('x' * 200, exist_ok=True)\n    os.chdir('x' * 200)\n"
                 "os.execv(sys.argv[1], sys.argv[1:])"]
    s.enter = str(s.path / "deep")
    os.mkdir(s.enter)


@case("directory", "the current directory is below the tree, and named like a module")
def _(s):
    for name in ("json.py", "os.py", "encodings"):
        (s.cwd / name).write_text("raise SystemExit(0)\n")


for _where in ("/", "/proc", "/dev"):
    simple("directory", f"the current directory is {_where}", lambda s, where=_where: setattr(s, "enter", where),
           probe=(["/bin/readlink", "/proc/self/cwd"], f"^{_where}$"))


@case("directory", "the current directory is on a full file system")
def _(s):
    (s.path / "full").mkdir()
    s.in_mounts('mount -t tmpfs -o size=4k none "$at/full"; cd "$at/full"; head -c 100000 /dev/zero > filler 2>/dev/null || true')


# --- machine

def mounts(name, script, *more, **options):
    simple("machine", name, lambda s: s.in_mounts(script, *more), **options)


mounts("/proc is not there", "umount -l /proc", probe=(["/bin/ls", "/proc"], r"\A\Z"), says=("/proc is not mounted here",))
mounts("/sys is not there", "umount -l /sys")
mounts("/proc shows nothing of others", "mount -t proc -o hidepid=2 none /proc")
mounts("everything but the home may only be read", 'mount --bind "$at" "$at"; mount -o remount,ro,bind /', probe=(
    ["/bin/sh", "-c", "touch /tmp/x /var/x /etc/x 2>&1"], "Read-only file system"))
mounts("the tree may only be read", 'mount --bind "$at/migrations" "$at/migrations"; mount -o remount,ro,bind "$at/migrations"')
mounts("/tmp, /var/tmp and /dev/shm are not there", 'mkdir -p "$at/none"; mount --bind "$at" /mnt; for d in /var/tmp /dev/shm; do '
       'if [ -d $d ]; then mount -t tmpfs -o size=4k,mode=000 none $d; fi; done')
mounts("/dev/null is not there", 'mount -t tmpfs none /dev', exit=74, says=("cannot open '/dev/null' for python", "No such file or directory"))
mounts("/dev/urandom and /dev/random are not there", 'touch "$at/x"; mount --bind "$at/x" /dev/urandom; mount --bind "$at/x" /dev/random; rm -f "$at/x" || true')
mounts("/etc is empty", "mount -t tmpfs none /etc", probe=(["/bin/ls", "/etc"], r"\A\Z"))
mounts("the accounts are noise", 'head -c 4096 /dev/urandom > "$at/noise"; mount --bind "$at/noise" /etc/passwd; mount --bind "$at/noise" /etc/nsswitch.conf')
mounts("the name of the machine is empty", 'hostname "" 2>/dev/null || printf "" > /proc/sys/kernel/hostname', "-u")
mounts("the name of the machine has 64 bytes", "hostname " + "x" * 64, "-u", probe=(["/bin/hostname"], "^x{64}$"))
mounts("the name of the machine is not text", "printf 'a\\033[2J\\377\\n' > /proc/sys/kernel/hostname", "-u")
mounts("there is no network", "true", "-n", probe=(["/bin/cat", "/proc/net/dev"], r"\A(?!.*eth)"))
mounts("it is process 1 of its namespace", "true", "-p", "-f", "--mount-proc", probe=(["/bin/sh", "-c", "echo $$"], "^1$"))
mounts("no shared memory and no semaphores", "true", "-i")


@case("machine", "root is an ordinary user outside, and nothing is root's", exit=77, says=("belongs to uid 65534",), probe=(["/bin/cat", "/proc/self/uid_map"], rf"^\s+0\s+{OTHER}\s+1$"))
def _(s):
    s.as_other()
    s.prefix += ["unshare", "-U", "-r"]
    if subprocess.run([*s.prefix, "true"], capture_output=True, check=False).returncode != 0:
        raise CannotBeMade("the kernel gives no user namespace here, as in a chroot")
    # / and the tree are nobody's in there: not this root's, and so not safe.
    return "/"


def attribute(name, flag, which, exit, **options):
    def prepare(s):
        path = which(s)
        if subprocess.run(["chattr", "+" + flag, str(path)], capture_output=True, check=False).returncode != 0:
            raise CannotBeMade(f"the attribute {flag}: chattr fails here")
        s.undo.append(lambda: subprocess.run(["chattr", "-" + flag, str(path)], check=False))
        s.attributed = (path, flag)
        return path if exit else None
    simple("machine", name, prepare, exit, mended=lambda s: subprocess.run(
        ["chattr", "-" + s.attributed[1], str(s.attributed[0])], check=False), **options)


attribute("the directory of the state cannot be changed (chattr +i)", "i", lambda s: s.data, 74, says=("Operation not permitted",))
attribute("in the directory of the state nothing can be removed (chattr +a)", "a", lambda s: s.data, 74,
          says=("Operation not permitted", "chattr -ia"))
attribute("the state file cannot be changed (chattr +i)", "i", lambda s: s.state_file, 74, says=("Operation not permitted", "chattr -ia"))
attribute("the state file can only be appended to (chattr +a)", "a", lambda s: s.state_file, 74, says=("Operation not permitted", "chattr -ia"))
attribute("the tree cannot be changed (chattr +i)", "i", lambda s: s.tree / "v1.0.0", 0)

# --- clock

for _name, _start, _step in [("1970", 0, 0), ("before 1970", -1000000000, 0), ("the last second of 32 bits", 2**31 - 1, 1), ("2038", 2**31, 0),
                             ("2106", 2**32, 0), ("a leap day", 1709164800, 0), ("the year 9999", 253402300799, 0), ("the year 10000", 253402300800, 0),
                             ("the year 292,277,026,596", 2**63 - 1, 0), ("backwards by a day with every look", 1700000000, -86400),
                             ("forwards by a year with every look", 1700000000, 31536000), ("backwards into 1969", 10, -20)]:
    simple("clock", f"the wall clock: {_name}", lambda s, start=_start, step=_step: s.clock(start, step),
           probe=([telec.PYTHON, "-c", "import ctypes; t = ctypes.CDLL(None).time; t.restype = ctypes.c_int64; a, b = t(None), t(None); "
                   "print(b - a or a)"], rf"^{_step or _start}$"))


def slow(s):
    (s.tree / ("v" + FIRST)).write_text("import time\n\n\ndef check():\n    time.sleep(60)\n\n\ndef migrate():\n    pass\n")
    s.options += ["--timeout", "1"]


for _name, _start, _step in [("stands still", 1700000000, 0), ("goes back by an hour with every look", 1700000000, -3600)]:
    def _(s, start=_start, step=_step):
        s.clock(start, step)
        slow(s)
    simple("clock", f"the wall clock {_name}: --timeout ends it all the same", _, exit=1, code="timeout", says=("not finished after 1.000 s",), mended=False)

# As the probes begin to count: the machine itself may have been up for a minute or for a year.
UPTIME = int(float(pathlib.Path("/proc/uptime").read_text(encoding="ascii").split()[0]))

for _seconds in (0, 86400, 2**31, 2**32, 4 * 10**9):
    for _what, _more in (("", None), (", and --timeout", slow)):
        def _(s, seconds=_seconds, more=_more):
            root_only("a time namespace")
            if subprocess.run(["unshare", "-T", "--monotonic", "1", "true"], capture_output=True, check=False).returncode != 0:
                raise CannotBeMade("a time namespace: unshare -T fails here")
            s.prefix += ["unshare", "-T", "-f", "--monotonic", str(seconds), "--boottime", str(seconds)]
            if more:
                more(s)
        simple("clock", f"the machine seems to be up {_seconds:,} seconds longer{_what}", _, exit=1 if _more else 0,
               code="timeout" if _more else None, says=("not finished after 1.000 s",) if _more else (), mended=False if _more else None,
               probe=(["/bin/sh", "-c", f"read -r up _ < /proc/uptime; longer=$((${{up%.*}} - {UPTIME} - {_seconds})); "
                       "[ $longer -ge 0 ] && [ $longer -lt 3600 ] && echo so"], "^so$"))


@case("clock", "what is recorded is of the year 2999")
def _(s):
    s.world.write_state({"schema": 1, "applied": [BEFORE], "history": [{"id": BEFORE, "outcome": "marked", "at": "2999-01-01T00:00:00Z"}]})
    s.keep_state = s.state_bytes()


names = [(one.group, one.name) for one in CASES]
assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
