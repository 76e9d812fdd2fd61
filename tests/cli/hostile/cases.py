# SPDX-License-Identifier: MIT
"""The table of broken and hostile migration scripts, and what telec must make of each of them.

Every entry is one Case. It never runs anything itself: hostile_test.py does, and checks the invariants that hold for
every case as well. Most cases put one hostile script between two good ones, so that a false success, a lost
success and a run that goes on after a failure are all seen.
"""

import dataclasses
import hashlib
import json
import os
import signal
import time

FIRST = "1.1.0/001_before.py"
BAD = "1.1.0/002_hostile.py"
LAST = "1.1.0/003_after.py"

ANY = object()  # "the table does not say"

# What hostile scripts start with: a check() and a migrate() that are right, which a case then overrides, and a
# place where it leaves the pids of what it started. No script may ever be able to harm the machine that runs the
# tests, not even with a telec that does everything wrong: signals go to processes that the script has made sure of,
# never to -1, and whatever stays behind ends by itself.
PRELUDE = '''\
import os
import signal
import sys
import time

HOME = os.environ["HOME"]
DATA = os.path.join(HOME, ".teleclaude")
STATE = os.path.join(DATA, "migration_state.json")
LOCK = STATE + ".lock"
EFFECT = os.path.join(HOME, "effects", "hostile")

if not os.path.basename(os.path.dirname(HOME)).startswith("telec-test-"):
    raise AssertionError(f"{HOME} is not the home of a test")


def done():
    return os.path.exists(EFFECT)


def do():
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    with open(EFFECT, "a") as file:
        file.write("applied\\n")
    return True


def note(pid=None):
    with open(os.path.join(HOME, "pids"), "a") as file:
        file.write(f"{pid or os.getpid()}\\n")


def daemon(body=lambda: time.sleep(60)):
    """Leaves a process behind that is in a session of its own; returns when its pid is noted."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    grandchild = os.fork()
    if grandchild:
        note(grandchild)
        os._exit(0)
    body()
    os._exit(0)


def runner():
    """The pid of the runner of this very test; a script signals nobody whom it has not made sure of."""
    pid = os.getppid()
    with open(f"/proc/{pid}/environ", "rb") as file:
        if f"HOME={HOME}".encode() not in file.read().split(b"\\0") or pid == 1:
            raise AssertionError(f"{pid} is not the runner")
    return pid


def is_pending(number):
    """Has the runner not read this signal yet?"""
    with open(f"/proc/{runner()}/status") as file:
        lines = [line.split()[1] for line in file if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(int(line, 16) >> (number - 1) & 1 for line in lines)


def own_group():
    """Makes sure that a signal to the process group reaches nobody but this script and its children."""
    if os.getpgid(0) != os.getpid():
        raise AssertionError("the script has no process group of its own")
    return os.getpid()


def check():
    return done()


def migrate():
    return do()
'''

# A good migration that writes down what it sees of its process; two of them around a hostile one must see the same.
WITNESS = '''\
import json, locale, os, resource, signal

HOME = os.environ["HOME"]
EFFECT = os.path.join(HOME, "effects", "{name}")


def seen():
    environment = {{name: value for name, value in os.environ.items() if name != "TELEC_MIGRATION_ID"}}
    mask = os.umask(0)
    os.umask(mask)
    return {{
        "environment": environment,
        "cwd": os.getcwd(),
        "umask": mask,
        "limits": [resource.getrlimit(which) for which in range(10)],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "handlers": [str(signal.getsignal(number)) for number in (1, 2, 3, 13, 14, 15, 17)],
        "nice": os.nice(0),
        "uid": os.getresuid(),
        "locale": locale.setlocale(locale.LC_ALL),
        "session": os.getsid(0) == os.getpid() == os.getpgid(0),
        "stdin": os.fstat(0).st_rdev,
    }}


def check():
    return os.path.exists(EFFECT)


def migrate():
    path = os.path.join(HOME, "seen.json")
    mine = seen()
    if os.path.exists(path):
        with open(path) as file:
            theirs = json.load(file)
        mine = json.loads(json.dumps(mine))
        if mine != theirs:
            raise AssertionError(f"the process differs: {{mine}} instead of {{theirs}}")
    else:
        with open(path, "w") as file:
            json.dump(mine, file)
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    with open(EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''


@dataclasses.dataclass
class Case:
    name: str
    kind: str                  # H1 to H18
    sources: dict              # id -> text, bytes, None (a good one) or a function that makes one of these
    exit: object               # an exit code or a tuple of them
    states: object             # {id: state} of the document, or ANY, or a tuple of acceptable ones
    code: object = None        # error.code; None: no error
    stage: object = ANY        # error.stage, or a tuple of acceptable ones
    message: tuple = ()        # pieces that must be in error.message
    error_id: object = ANY
    args: tuple = ()
    env: dict = dataclasses.field(default_factory=dict)
    seconds: float = 60.0      # catches a hang; nothing is timed
    memory: int = 32           # MiB, the runner's own peak
    text: bool = False         # run without --json, and look at what reaches the terminal
    document: bool = True      # one JSON document is expected on stdout
    stderr: tuple = ()         # pieces that must be on stderr
    log: tuple = ()            # pieces (bytes) that must be in the failed attempt's log
    recorded: object = None    # ids in `applied` afterwards; default: those with applied and already_present
    proofs: object = None      # id -> path below HOME that proves it; default: the effect the script leaves
    effects: dict = dataclasses.field(default_factory=dict)  # id -> how often it was applied, where not as recorded
    left: tuple = ()           # names in the state's directory that would not be there otherwise
    tampered: bool = False     # the state on disk is the script's work: compared by `verify` only
    leftovers: bool = False    # the processes that are noted must be named on stderr
    before: object = None      # called with the run before it starts
    during: object = None      # called with the run and the process while it runs
    verify: object = None      # called with the run afterwards: a list of complaints
    again: object = None       # (exit, {id: state}) of a second run with the same arguments


CASES = []


def add(name, kind, sources, **options):
    CASES.append(Case(name, kind, sources, **options))


def script(text):
    return PRELUDE + text


def sandwich(source, **extra):
    return {FIRST: None, BAD: source, LAST: None, **extra}


def fails(name, kind, source, stage, *message, code="migration_failed", sources=None, **options):
    """The hostile script fails at `stage`; what came before is kept and what comes after is not run."""
    options.setdefault("exit", 1)
    options.setdefault("states", {FIRST: "applied", BAD: "failed", LAST: "not_reached"})
    options.setdefault("error_id", BAD)
    options.update(code=code, stage=stage, message=message)
    add(name, kind, sandwich(source) if sources is None else sources, **options)


def times_out(name, kind, source, stage, **options):
    options.setdefault("args", ("--timeout", "2"))
    fails(name, kind, source, stage, code="timeout", **options)


def passes(name, kind, source, sources=None, **options):
    """The script is odd, and right all the same."""
    options.setdefault("exit", 0)
    options.setdefault("states", {FIRST: "applied", BAD: "applied", LAST: "applied"})
    add(name, kind, sandwich(source) if sources is None else sources, **options)


def tampers(name, source, verify, **options):
    """The script changes what is the runner's own: nothing is overwritten, and it is said that it is not recorded."""
    options.setdefault("exit", 5)
    options.setdefault("states", {FIRST: "applied", BAD: "unrecorded", LAST: "not_reached"})
    options.setdefault("code", "unrecorded")
    options.setdefault("stage", "commit")
    options.setdefault("error_id", BAD)
    options.setdefault("sources", sandwich(script(source)))
    sources = options.pop("sources")
    options.setdefault("tampered", True)
    add(name, "H14", sources, verify=verify, **options)


# --- H1: never ends

times_out("check() loops for ever", "H1", script('''
def check():
    while True:
        pass
'''), "check")

times_out("migrate() loops for ever", "H1", script('''
def migrate():
    while True:
        pass
'''), "migrate")

times_out("migrate() sleeps for an hour", "H1", script('''
def migrate():
    time.sleep(3600)
'''), "migrate")

times_out("the script sleeps while it is loaded", "H1", script('''
time.sleep(3600)
'''), "load")

times_out("check() hangs only after migrate()", "H1", script('''
def check():
    if done():
        time.sleep(3600)
    return False
'''), "recheck", effects={BAD: 1})

times_out("migrate() stops itself with SIGSTOP", "H1", script('''
def migrate():
    os.kill(os.getpid(), signal.SIGSTOP)
    return do()
'''), "migrate")

times_out("migrate() stops its whole process group", "H1", script('''
def migrate():
    if os.fork() == 0:
        note()
        time.sleep(60)
        os._exit(0)
    os.killpg(own_group(), signal.SIGSTOP)
    return do()
'''), "migrate")

times_out("migrate() ignores SIGTERM", "H1", script('''
def migrate():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)
'''), "migrate")

times_out("migrate() blocks every signal", "H1", script('''
def migrate():
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    while True:
        time.sleep(60)
'''), "migrate")

times_out("a SIGTERM handler goes on as if nothing had been", "H1", script('''
def migrate():
    signal.signal(signal.SIGTERM, lambda *_: print("no"))
    while True:
        time.sleep(60)
'''), "migrate")

times_out("migrate() answers SIGTERM by returning True", "H1", script('''
class Enough(Exception):
    pass


def enough(*_):
    raise Enough


def migrate():
    signal.signal(signal.SIGTERM, enough)
    try:
        time.sleep(3600)
    except Enough:
        pass
    return do()
'''), ("migrate", "recheck", "verdict"), effects={BAD: 1})

times_out("a child of migrate() ignores SIGTERM too", "H1", script('''
def migrate():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        note()
        time.sleep(60)
        os._exit(0)
    while True:
        time.sleep(60)
'''), "migrate")

times_out("an atexit function sleeps for an hour", "H1", script('''
import atexit
atexit.register(time.sleep, 3600)
'''), ("recheck", "verdict"), effects={BAD: 1})

times_out("migrate() prints for ever", "H1", script('''
def migrate():
    block = b"still at it\\n" * 1000
    while True:
        os.write(1, block)
'''), "migrate")

times_out("migrate() waits for a child that never ends", "H1", script('''
def migrate():
    import subprocess
    subprocess.run(["sleep", "60"])
    return do()
'''), "migrate")

times_out("migrate() stands in a C function", "H1", script('''
def migrate():
    import ctypes
    while True:
        ctypes.CDLL(None).pause()
'''), "migrate")

# --- H2: leaves processes behind by accident

passes("a double-forked daemon keeps every descriptor", "H2", script('''
def migrate():
    daemon()
    return do()
'''), leftovers=True)

passes("a child is left in the script's own process group", "H2", script('''
def migrate():
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    note(child)
    return do()
'''), leftovers=True)

passes("a daemon ignores SIGTERM and SIGHUP", "H2", script('''
def stay():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(1)


def migrate():
    daemon(stay)
    return do()
'''), leftovers=True)

passes("a daemon has stopped itself", "H2", script('''
def migrate():
    daemon(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    return do()
'''), leftovers=True)

passes("a daemon without a single open descriptor", "H2", script('''
def bare():
    os.chdir("/")
    os.closerange(0, 256)
    time.sleep(60)


def migrate():
    daemon(bare)
    return do()
'''), leftovers=True)

passes("sixty children are left behind", "H2", script('''
def migrate():
    for _ in range(60):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        note(child)
    return do()
'''))

passes("a daemon that is a new process every 10 ms", "H2", script('''
def migrate():
    if os.fork() == 0:
        os.setsid()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            note()
            time.sleep(0.01)
        os._exit(0)
    time.sleep(0.05)
    return do()
'''))

passes("both sides of a fork return True", "H2", script('''
def migrate():
    if os.fork():
        os.wait()
        return do()
    return True
'''))

fails("the child of a fork returns True and the parent leaves", "H2", script('''
def migrate():
    if os.fork():
        while not done():
            time.sleep(0.01)
        time.sleep(0.3)
        os._exit(0)
    return do()
'''), "verdict", "verdict", effects={BAD: 1})

fails("a script that fails leaves a daemon", "H2", script('''
def migrate():
    daemon()
    raise RuntimeError("too late")
'''), "migrate", "RuntimeError", "too late", leftovers=True)

fails("a script that dies leaves a daemon with the pipe in its hand", "H2", script('''
def migrate():
    daemon()
    os.kill(os.getpid(), signal.SIGKILL)
'''), "migrate", "SIGKILL", leftovers=True)

times_out("a small fork bomb", "H2", script('''
def migrate():
    for _ in range(6):
        os.fork()
    note()
    time.sleep(60)
    os._exit(0)
'''), "migrate")

passes("multiprocessing by fork", "H2", script('''
def square(number):
    return number * number


def migrate():
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(square, [1, 2, 3]) == [1, 4, 9]
    return do()
'''))

# --- H3: says too much


LOG_LIMIT = 300 * 1024


def cut_is_said(least):
    """The log is bounded and says how many bytes it left out."""
    def verify(run):
        logs = run.logs_of(BAD)
        if not logs:
            return ["no log of the hostile script"]
        complaints = []
        for path, data in logs:
            if len(data) > LOG_LIMIT:
                complaints.append(f"log {path.name} has {len(data)} bytes")
            numbers = [int(text.replace(b",", b"")) for text in run.numbers(data)]
            if not any(number >= least for number in numbers):
                complaints.append(f"log {path.name} does not say how much was cut ({least} or more)")
        return complaints
    return verify


def flood(descriptors, gigabytes, line=True):
    end = 'b"\\n"' if line else 'b"x"'
    writes = "\n        ".join(f"os.write({number}, block)" for number in descriptors)
    return script(f'''
def migrate():
    block = b"x" * 65535 + {end}
    for _ in range({int(gigabytes * 16384 / len(descriptors))}):
        {writes}
    return do()
''')


passes("1 GB on stdout", "H3", flood([1], 1), seconds=60, verify=cut_is_said(1000 << 20))
passes("256 MB on stderr", "H3", flood([2], 0.25), seconds=60, verify=cut_is_said(250 << 20))
passes("256 MB on both streams in turn", "H3", flood([1, 2], 0.25), seconds=60, verify=cut_is_said(250 << 20))
passes("one line of 256 MB", "H3", flood([1], 0.25, line=False), seconds=60, verify=cut_is_said(250 << 20))

fails("100 MB, and then an exception", "H3", script('''
def migrate():
    print("the very first line", flush=True)
    block = b"noise\\n" * 10000
    for _ in range(1700):
        os.write(1, block)
    print("the very last line", flush=True)
    raise RuntimeError("after the flood")
'''), "migrate", "after the flood", log=(b"the very first line", b"the very last line"), seconds=60)

passes("100,000 writes of one byte", "H3", script('''
def migrate():
    for _ in range(100000):
        os.write(1, b".")
    return do()
'''), seconds=60)

passes("output from Python and from C at once", "H3", script('''
def migrate():
    import ctypes
    library = ctypes.CDLL(None)
    for number in range(1000):
        print("python", number)
        library.puts(b"from C")
    library.fflush(None)
    return do()
'''))

fails("an exception of 100 MB", "H3", script('''
def migrate():
    raise RuntimeError("mark" + "y" * 100_000_000)
'''), "migrate", "RuntimeError", "mark", seconds=60)

fails("a chain of 2,000 causes", "H3", script('''
def migrate():
    previous = None
    for number in range(2000):
        error = ValueError(f"link {number} " + "z" * 1000)
        error.__cause__ = previous
        previous = error
    raise previous
'''), "migrate", "ValueError", "link 1999", seconds=60)

fails("a class name of a million letters", "H3", script('''
def migrate():
    raise type("E" * 1_000_000, (Exception,), {})("text")
'''), "migrate", "EEEE")

fails("30,000 nested frames in the traceback", "H3", script('''
def migrate():
    sys.setrecursionlimit(100_000)

    def down(depth):
        if depth == 0:
            raise RuntimeError("at the bottom")
        down(depth - 1)
    down(30_000)
'''), "migrate", "at the bottom", seconds=60)

# --- H4: text that is not plain text. Each one once for the program and once for the person who reads.

ODD_TEXTS = [
    ("invalid UTF-8 in the output", 'os.write(1, b"\\xff\\xfe\\x80 broken \\xc3\\n")', '"plain"', "plain"),
    ("NUL bytes in the output", 'os.write(1, b"a\\0b\\0\\n")', '"plain"', "plain"),
    ("escape sequences in the output", 'os.write(1, b"\\x1b[2J\\x1b]0;title\\x07\\x9b31m\\n")', '"plain"', "plain"),
    ("carriage returns and backspaces in the output", 'os.write(1, b"safe\\rEVIL\\b\\b\\b\\n")', '"plain"', "plain"),
    ("bidirectional overrides in the output", 'print("\\u202e\\u2066\\u200f reversed")', '"plain"', "plain"),
    ("escape sequences in the exception", "pass", '"mark \\x1b[31m\\x1b]0;t\\x07 red \\x1b[2J"', "mark"),
    ("bidirectional overrides and C1 in the exception", "pass", '"mark \\u202e\\x85\\x9b31m\\u2028 end"', "mark"),
    ("lone surrogates in the exception", "pass", '"mark \\ud800 \\udcff end"', "mark"),
    ("a NUL byte in the exception", "pass", '"mark\\0hidden"', "mark"),
]
for _name, _print, _text, _mark in ODD_TEXTS:
    _source = script(f'''
def migrate():
    {_print}
    raise RuntimeError({_text})
''')
    fails(_name + " (JSON)", "H4", _source, "migrate", "RuntimeError", _mark)
    fails(_name + " (text)", "H4", _source, ANY, text=True, stderr=(_mark,))


def no_forged_line(run):
    lines = run.stdout_text.splitlines() + run.stderr_text.splitlines()
    return [f"forged line {line!r}" for line in lines
            if line.startswith(("telec: error: forged", "applied 9.9.9", "telec: forged"))]


FORGED = script('''
def migrate():
    print("telec: error: forged by the output")
    print("applied 9.9.9/001_forged.py 0.001")
    sys.stdout.flush()
    raise RuntimeError("x\\ntelec: error: forged by the exception\\napplied 9.9.9/001_forged.py 0.001")
''')
fails("forged lines of telec's own (text)", "H4", FORGED, ANY, text=True, verify=no_forged_line)
fails("forged lines of telec's own (JSON)", "H4", FORGED, "migrate", "RuntimeError", verify=no_forged_line)

# --- H5: pretends to have succeeded

PRETEND = '''
RIGHT = '"event": "verdict", "verdict": "applied", "stage": "recheck"}'
LIES = ['{"nonce": "", ' + RIGHT, '{"nonce": "00000000000000000000000000000000", ' + RIGHT, '{' + RIGHT,
        '{"nonce": null, ' + RIGHT, '[' + RIGHT + ']', 'applied', 'true', 'ok']


def lie(descriptors):
    for descriptor in descriptors:
        for text in LIES:
            try:
                os.write(descriptor, text.encode() + b"\\n")
            except OSError:
                pass

'''

fails("a verdict on stdout, then an exception", "H5", script(PRETEND + '''
def migrate():
    lie([1])
    raise RuntimeError("not so")
'''), "migrate", "RuntimeError", "not so")

fails("a verdict on stdout and stderr, then os._exit(0)", "H5", script(PRETEND + '''
def migrate():
    lie([1, 2])
    os._exit(0)
'''), "verdict", "verdict")

fails("a verdict without the nonce on every descriptor, then os._exit(0)", "H5", script(PRETEND + '''
def migrate():
    lie(range(0, 64))
    os._exit(0)
'''), "verdict", "verdict")

fails("one well-formed verdict without the nonce, then os._exit(0)", "H5", script(PRETEND + '''
def migrate():
    LIES[1:] = []
    lie(range(0, 64))
    os._exit(0)
'''), "verdict", "verdict")

fails("one well-formed verdict with a nonce of its own, then os._exit(0)", "H5", script(PRETEND + '''
def migrate():
    LIES[:] = LIES[1:2]
    lie(range(0, 64))
    os._exit(0)
'''), "verdict", "verdict")

fails("check() writes a verdict on every descriptor, then raises", "H5", script(PRETEND + '''
def check():
    lie(range(0, 64))
    raise RuntimeError("unsure")
'''), ("check", "verdict"))

fails("2 MiB of noise on every descriptor, then os._exit(0)", "H5", script('''
def migrate():
    for descriptor in range(1, 64):
        try:
            os.set_blocking(descriptor, False)
        except OSError:
            continue
        for _ in range(32):
            try:
                os.write(descriptor, b"noise\\n" * 10000)
            except OSError:
                time.sleep(0.001)
    os._exit(0)
'''), "verdict", "verdict", seconds=30)

add("noise on every descriptor, then a real success", "H5", sandwich(script('''
def migrate():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"noise without an end")
        except OSError:
            pass
    return do()
''')), exit=(0, 1), code=ANY, effects={BAD: 1},
    states=({FIRST: "applied", BAD: "applied", LAST: "applied"},
            {FIRST: "applied", BAD: "failed", LAST: "not_reached"}))

fails("python is replaced by a program that prints a verdict", "H5", script(PRETEND + '''
def migrate():
    os.execv("/bin/echo", ["echo", LIES[0]])
'''), "verdict", "verdict")

fails("a child prints a verdict and python kills itself", "H5", script(PRETEND + '''
def migrate():
    if os.fork() == 0:
        lie(range(0, 64))
        os._exit(0)
    os.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
'''), "migrate", "SIGTERM")

# --- H6: leaves in an unusual way

fails("os._exit(0) in check()", "H6", script('''
def check():
    os._exit(0)
'''), "verdict", "verdict")

fails("os._exit(0) in migrate(), all done", "H6", script('''
def migrate():
    do()
    os._exit(0)
'''), "verdict", "verdict", effects={BAD: 1},
      again=(0, {BAD: "already_present", LAST: "applied"}))

fails("os._exit(0) while it is loaded", "H6", script('''
os._exit(0)
'''), "verdict", "verdict")

fails("os._exit(3) in migrate()", "H6", script('''
def migrate():
    os._exit(3)
'''), "migrate", "3")

fails("sys.exit(0) in check()", "H6", script('''
def check():
    sys.exit(0)
'''), "check", "SystemExit")

fails("sys.exit(0) in migrate(), all done", "H6", script('''
def migrate():
    do()
    sys.exit(0)
'''), "migrate", "SystemExit", effects={BAD: 1})

fails("sys.exit(True) in migrate()", "H6", script('''
def migrate():
    sys.exit(True)
'''), "migrate", "SystemExit")

fails("sys.exit('text') in migrate()", "H6", script('''
def migrate():
    sys.exit("so long")
'''), "migrate", "SystemExit", "so long")

fails("sys.exit() while it is loaded", "H6", script('''
sys.exit()
'''), "load", "SystemExit")

fails("sys.exit() in the second check()", "H6", script('''
def check():
    if done():
        sys.exit(0)
    return False
'''), "recheck", "SystemExit", effects={BAD: 1})

fails("os._exit(0) in an atexit function", "H6", script('''
import atexit
atexit.register(os._exit, 0)
'''), "verdict", "verdict", effects={BAD: 1})

fails("os._exit(3) in an atexit function", "H6", script('''
import atexit
atexit.register(os._exit, 3)
'''), "recheck", "3", effects={BAD: 1})

passes("an exception in an atexit function", "H6", script('''
import atexit


def broken():
    raise RuntimeError("too late to matter")


atexit.register(broken)
'''))

passes("an exception in __del__ at the end", "H6", script('''
class Last:
    def __del__(self):
        raise RuntimeError("in __del__")


LAST = Last()
'''))

fails("os._exit(7) in __del__ after the verdict", "H6", script('''
class Last:
    def __del__(self, leave=os._exit):
        leave(7)


LAST = Last()
'''), "verdict", "7", effects={BAD: 1})

fails("abort() in __del__ after the verdict", "H6", script('''
class Last:
    def __del__(self, leave=os.abort):
        leave()


LAST = Last()
'''), "verdict", "SIGABRT", effects={BAD: 1})

passes("a daemon thread is still running", "H6", script('''
import threading
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
'''))

times_out("a thread that never ends", "H6", script('''
def migrate():
    import threading
    threading.Thread(target=time.sleep, args=(3600,)).start()
    return do()
'''), ("migrate", "recheck", "verdict"), effects={BAD: 1})

passes("a thread that ends a little later is waited for", "H6", script('''
def migrate():
    import threading

    def late():
        time.sleep(0.3)
        with open(os.path.join(HOME, "late"), "w") as file:
            file.write("here")
    threading.Thread(target=late).start()
    return do()
'''), verify=lambda run: [] if (run.home.home / "late").exists() else ["the thread was not waited for"])

passes("a file that was never closed is written to its end", "H6", script('''
def migrate():
    global FILE
    FILE = open(os.path.join(HOME, "unclosed"), "w")
    FILE.write("the whole text")
    return do()
'''), verify=lambda run: [] if (run.home.home / "unclosed").read_text() == "the whole text" else ["data was lost"])

fails("python is replaced by /bin/true", "H6", script('''
def migrate():
    do()
    os.execv("/bin/true", ["true"])
'''), "verdict", "verdict", effects={BAD: 1})

fails("an exception that nobody can catch politely: SystemExit subclass", "H6", script('''
class Bye(SystemExit):
    pass


def check():
    raise Bye(0)
'''), "check", "Bye")

# --- H7: damages its own descriptors and modules

fails("every descriptor is closed", "H7", script('''
def migrate():
    do()
    os.closerange(0, 256)
    return True
'''), ("migrate", "verdict"), "verdict", effects={BAD: 1})

fails("a file of its own on descriptors 3 to 20", "H7", script('''
def migrate():
    do()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3, 64):
        if descriptor != null:
            os.dup2(null, descriptor)
    return True
'''), "verdict", "verdict", effects={BAD: 1})

passes("sys.stdout, sys.stderr and sys.stdin are closed", "H7", script('''
def migrate():
    sys.stdin.close()
    sys.stdout.close()
    sys.stderr.close()
    return do()
'''))

passes("sys.stdout and sys.stderr are None", "H7", script('''
def migrate():
    sys.stdout = sys.stderr = None
    return do()
'''))

# python ends with status 120 when it cannot flush its stdout.
fails("sys.stdout raises on every call", "H7", script('''
class Angry:
    def __getattr__(self, name):
        raise RuntimeError("no " + name)


def migrate():
    sys.stdout = sys.stderr = Angry()
    return do()
'''), "verdict", "120", effects={BAD: 1})

passes("descriptors 0, 1 and 2 are closed", "H7", script('''
def migrate():
    os.close(0)
    os.close(1)
    os.close(2)
    return do()
'''))

passes("descriptors 1 and 2 point to a file of its own", "H7", script('''
def migrate():
    own = os.open(os.path.join(HOME, "own"), os.O_CREAT | os.O_WRONLY)
    os.dup2(own, 1)
    os.dup2(own, 2)
    print("to the file", flush=True)
    return do()
'''), verify=lambda run: [] if (run.home.home / "own").read_text() == "to the file\n" else ["lost"])

passes("sys.modules, sys.path and the environment are emptied", "H7", script('''
def migrate():
    do()
    os.environ.clear()
    sys.path.clear()
    sys.modules.clear()
    return True
'''))

passes("builtins are replaced", "H7", script('''
def migrate():
    import builtins
    do()
    for name in ("print", "open", "input", "__import__", "repr", "sorted", "exit", "compile", "exec"):
        setattr(builtins, name, None)
    return True
'''))

passes("the functions of os are replaced", "H7", script('''
def migrate():
    do()
    os.write = os.read = os.close = os.open = os.fstat = lambda *_: 0
    return True
'''))

passes("tracing and profiling hooks that raise", "H7", script('''
def trap(*_):
    raise RuntimeError("trap")


def migrate():
    do()
    sys.excepthook = sys.unraisablehook = sys.displayhook = trap
    return True
'''))

# --- H8: attacks the processes around it

fails("SIGTERM to its own process group", "H8", script('''
def migrate():
    os.killpg(own_group(), signal.SIGTERM)
    time.sleep(60)
'''), "migrate", "SIGTERM")

fails("SIGKILL to its own process group", "H8", script('''
def migrate():
    os.killpg(own_group(), signal.SIGKILL)
    time.sleep(60)
'''), "migrate", "SIGKILL")

ONCE = '''
MARK = os.path.join(HOME, "once")


def once():
    if os.path.exists(MARK):
        return False
    open(MARK, "w").close()
    return True

'''

add("SIGKILL to the runner", "H8", sandwich(script(ONCE + '''
def migrate():
    if once():
        os.kill(runner(), signal.SIGKILL)
        time.sleep(60)
    return do()
''')), exit=-signal.SIGKILL, states=None, code=ANY, document=False, recorded=[FIRST], effects={BAD: 0},
    again=(0, {BAD: "applied", LAST: "applied"}))

add("SIGTERM to the runner, then the work goes on", "H8", sandwich(script(ONCE + '''
def migrate():
    if once():
        os.kill(runner(), signal.SIGTERM)
        time.sleep(0.3)
    return do()
''')), exit=128 + signal.SIGTERM, states={FIRST: "applied", BAD: "applied", LAST: "not_reached"}, code="interrupted",
    again=(0, {LAST: "applied"}))

add("SIGINT twice to the runner", "H8", sandwich(script(ONCE + '''
def migrate():
    if once():
        os.kill(runner(), signal.SIGINT)
        while is_pending(signal.SIGINT):  # two that come before one is read are one
            time.sleep(0.01)
        time.sleep(0.5)  # two within a tenth of a second are one request
        os.kill(runner(), signal.SIGINT)
        time.sleep(60)
    return do()
''')), exit=128 + signal.SIGINT, states={FIRST: "applied", BAD: "interrupted", LAST: "not_reached"}, code="interrupted",
    error_id=BAD, effects={BAD: 0}, again=(0, {BAD: "applied", LAST: "applied"}))


def wake_up(run, process):
    """Wakes a stopped runner, so that a test of a stopped runner ends."""
    end = time.monotonic() + run.case.seconds
    while not process.finished() and time.monotonic() < end:
        if process.status() == "T":
            time.sleep(0.2)
            process.signal(signal.SIGCONT)
        time.sleep(0.01)


passes("SIGSTOP to the runner, which somebody wakes", "H8", script(ONCE + '''
def migrate():
    if once():
        os.kill(runner(), signal.SIGSTOP)
    return do()
'''), during=wake_up)

# --- H9: crashes

fails("a read from address 0", "H9", script('''
def migrate():
    import ctypes
    ctypes.string_at(0)
'''), "migrate", "SIGSEGV")

fails("a crash while it is loaded", "H9", script('''
import ctypes
ctypes.string_at(0)
'''), "load", "SIGSEGV")

fails("abort()", "H9", script('''
def migrate():
    os.abort()
'''), "migrate", "SIGABRT")

fails("a bus error", "H9", script('''
def migrate():
    import mmap
    path = os.path.join(HOME, "mapped")
    with open(path, "wb+") as file:
        file.truncate(4096)
        memory = mmap.mmap(file.fileno(), 4096)
        file.truncate(0)
        return memory[0] == 0
'''), "migrate", "SIGBUS")

fails("an illegal instruction", "H9", script('''
def check():
    os.kill(os.getpid(), signal.SIGILL)
'''), "check", "SIGILL")

fails("an arithmetic error", "H9", script('''
def migrate():
    os.kill(os.getpid(), signal.SIGFPE)
'''), "migrate", "SIGFPE")

fails("killed as by the out-of-memory killer", "H9", script('''
def migrate():
    os.kill(os.getpid(), signal.SIGKILL)
'''), "migrate", "SIGKILL")

fails("out of its own CPU limit", "H9", script('''
def migrate():
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
    while True:
        pass
'''), "migrate", "SIGXCPU")

fails("out of memory", "H9", script('''
def migrate():
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
    return bool(bytearray(1 << 30))
'''), "migrate", "MemoryError")

fails("endless recursion", "H9", script('''
def migrate():
    return migrate()
'''), "migrate", "RecursionError")

fails("crashes in the second check()", "H9", script('''
def check():
    if done():
        os.abort()
    return False
'''), "recheck", "SIGABRT", effects={BAD: 1})

# --- H10: answers with something else than True or False

for _value, _type in [("None", "NoneType"), ("1", "int"), ("0", "int"), ("'yes'", "str"), ("[]", "list"),
                      ("{'ok': True}", "dict")]:
    fails(f"check() returns {_value}", "H10", script(f'''
def check():
    return {_value}
'''), "check", _type)

fails("check() returns something truthy of its own", "H10", script('''
class bool_:
    def __bool__(self):
        return True


def check():
    return bool_()
'''), "check", "bool_")

fails("check() returns something that claims to be a bool", "H10", script('''
class Claim:
    @property
    def __class__(self):
        return bool

    def __bool__(self):
        return True

    def __eq__(self, other):
        return True


def check():
    return Claim()
'''), "check", "Claim")

fails("check() returns something whose repr() raises", "H10", script('''
class Mute:
    def __repr__(self):
        raise RuntimeError("no")


def check():
    return Mute()
'''), "check", "Mute")

fails("check() is async", "H10", script('''
async def check():
    return True
'''), "check", "coroutine")

fails("check() is a generator", "H10", script('''
def check():
    yield True
'''), "check", "generator")

fails("check() is a class", "H10", script('''
class check:
    pass
'''), "check", "check")

for _value, _type in [("None", "NoneType"), ("1", "int"), ("'done'", "str")]:
    fails(f"migrate() returns {_value}, all done", "H10", script(f'''
def migrate():
    do()
    return {_value}
'''), "migrate", _type, effects={BAD: 1}, again=(0, {BAD: "already_present", LAST: "applied"}))

fails("migrate() is async", "H10", script('''
async def migrate():
    return do()
'''), "migrate", "coroutine")

fails("migrate() returns False", "H10", script('''
def migrate():
    return False
'''), "migrate", "False")

fails("the second check() returns 1", "H10", script('''
def check():
    return 1 if done() else False
'''), "recheck", "int", effects={BAD: 1})

for _raise, _pieces in [("ValueError('wrong value')", ("ValueError", "wrong value")),
                        ("KeyboardInterrupt()", ("KeyboardInterrupt",)),
                        ("GeneratorExit()", ("GeneratorExit",)), ("StopIteration()", ("StopIteration",)),
                        ("type('Odd', (BaseException,), {})('base')", ("Odd", "base"))]:
    fails(f"migrate() raises {_pieces[0]}", "H10", script(f'''
def migrate():
    raise {_raise}
'''), "migrate", *_pieces)

fails("check() raises", "H10", script('''
def check():
    return 1 / 0
'''), "check", "ZeroDivisionError")

fails("check() raises only after migrate()", "H10", script('''
def check():
    if done():
        raise OSError(5, "Input/output error")
    return False
'''), "recheck", "OSError", effects={BAD: 1})

fails("an exception whose __str__ raises", "H10", script('''
class Shy(Exception):
    def __str__(self):
        raise RuntimeError("no text")
    __repr__ = __str__


def migrate():
    raise Shy
'''), "migrate", "Shy")

fails("an exception whose __str__ returns no text", "H10", script('''
class Odd(Exception):
    def __str__(self):
        return 7


def migrate():
    raise Odd
'''), "migrate", "Odd")

fails("an exception whose __str__ leaves the process", "H10", script('''
class Rude(Exception):
    def __str__(self):
        os._exit(0)


def migrate():
    raise Rude
'''), ("migrate", "verdict"))

fails("an exception that is its own cause", "H10", script('''
def migrate():
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    raise one
'''), "migrate", "RuntimeError", "one")

# --- H11: is no migration at all

fails("no check()", "H11", "def migrate():\n    return True\n", "load", "check")
fails("no migrate()", "H11", "def check():\n    return False\n", "load", "migrate")
fails("check is no function", "H11", "check = True\n\n\ndef migrate():\n    return True\n", "load", "check")
fails("migrate is no function", "H11", "def check():\n    return False\n\n\nmigrate = None\n", "load", "migrate")
fails("check() wants an argument", "H11", "def check(home):\n    return False\n\n\ndef migrate():\n    return True\n",
      "check", "TypeError")
fails("migrate() wants an argument", "H11", "def check():\n    return False\n\n\ndef migrate(home):\n    return True\n",
      "migrate", "TypeError")
fails("a syntax error in line 5", "H11", "import os\n\n\ndef check():\n    return (\n\n\ndef migrate():\n    pass\n",
      "load", "SyntaxError", "002_hostile.py", "5")
fails("tabs and blanks mixed", "H11", "def check():\n\treturn False\n        return True\n", "load", "002_hostile.py")
fails("a NUL byte", "H11", b"def check():\n    return True\n\0\n", "load", "null byte")
fails("invalid UTF-8 without a declaration", "H11", b"NAME = 'caf\xe9'\n", "load", "utf-8")
fails("an unknown encoding is declared", "H11", b"# coding: klingon\n\ncheck = migrate = 1\n", "load", "klingon")
fails("an empty file", "H11", "", "load", "check")
fails("a module that is not there", "H11", "import no_such_module\n", "load", "no_such_module")
fails("an exception in line 3 while it is loaded", "H11", "import os\n\nraise LookupError('at load')\n",
      "load", "LookupError", "at load")
fails("nested too deeply to be compiled", "H11", "check = " + "(" * 5000 + ")" * 5000 + "\n", "load")
fails("a relative import", "H11", "from . import sibling\n", "load", "ImportError")
fails("is a shell script", "H11", "#!/bin/sh\nset -e\nexit 0\n", "load", "SyntaxError")
fails("Python 2", "H11", "print 'hello'\n", "load", "SyntaxError")

_GOOD_LINES = PRELUDE.splitlines()
passes("a byte order mark", "H11", b"\xef\xbb\xbf" + PRELUDE.encode())
passes("Latin-1, declared", "H11",
       b"# -*- coding: latin-1 -*-\nNAME = 'caf\xe9'\nassert len(NAME) == 4\n" + PRELUDE.encode())
passes("CR LF line ends", "H11", PRELUDE.replace("\n", "\r\n").encode())
passes("no line end at the end", "H11", PRELUDE.rstrip("\n").encode())
passes("a __main__ guard", "H11", script("\nif __name__ == '__main__':\n    raise RuntimeError('run as a program')\n"))
passes("prints while it is loaded", "H11", script("\nprint('hello')\nprint('problem', file=sys.stderr)\n"))
passes("check and migrate are lambdas", "H11", script("\ncheck = lambda: done()\nmigrate = lambda: do()\n"))
passes("check and migrate are methods and partials", "H11", script('''
import functools


class Work:
    def check(self, answer):
        return done() is answer

    def migrate(self):
        return do()


check = functools.partial(Work().check, True)
migrate = Work().migrate
'''))
passes("a script of 8 MiB", "H11", lambda: script("\n" + ("#" + "-" * 1022 + "\n") * 8192), seconds=60, memory=64)

# --- H12: check() is not what it should be

fails("check() is False after migrate()", "H12", script('''
def check():
    return False
'''), "recheck", "check", effects={BAD: 1})

fails("check() says False, False, True", "H12", script('''
def check():
    path = os.path.join(HOME, "count")
    with open(path, "a") as file:
        file.write("x")
    return os.path.getsize(path) > 2
'''), "recheck", "check", effects={BAD: 1}, again=(0, {BAD: "already_present", LAST: "applied"}))

fails("migrate() returns False after doing everything", "H12", script('''
def migrate():
    do()
    return False
'''), "migrate", "False", effects={BAD: 1}, again=(0, {BAD: "already_present", LAST: "applied"}))

passes("check() leaves a file and is right", "H12", script('''
def check():
    open(os.path.join(HOME, "side-effect"), "a").close()
    return done()
'''))

passes("check() does the work itself", "H12", script('''
def check():
    if done():
        return True
    do()
    return False


def migrate():
    return True
'''))

passes("check() is True at once", "H12", script('''
do()


def migrate():
    raise RuntimeError("must not be called")
'''), states={FIRST: "applied", BAD: "already_present", LAST: "applied"})

times_out("check() is True, but late", "H12", script('''
def check():
    time.sleep(30)
    return True
'''), "check")

fails("migrate() says True and does nothing", "H12", script('''
def migrate():
    return True
'''), "recheck", "check")

fails("check() undoes what migrate() did", "H12", script('''
def check():
    if done():
        os.unlink(EFFECT)
    return False
'''), "recheck", "check", effects={BAD: 0})

# --- H13: changes its own process; the next one must not notice, and neither must the state


def private(run):
    """The state file and the lock are still for the user alone."""
    complaints = []
    for path, mode in ((run.home.state_file, 0o600), (run.home.lock_file, 0o600), (run.home.data, 0o700)):
        if path.stat().st_mode & 0o777 != mode:
            complaints.append(f"{path.name} has mode {path.stat().st_mode & 0o777:o}")
    return complaints


def changed(name, body, **options):
    witnesses = {FIRST: WITNESS.format(name=FIRST.replace("/", "_")), LAST: WITNESS.format(name=LAST.replace("/", "_"))}
    passes(name, "H13", None, sources={**witnesses, BAD: script(body)}, verify=private, **options)


changed("the working directory is changed", '''
def migrate():
    do()
    os.chdir("/")
    return True
''')
changed("the working directory is removed", '''
def migrate():
    os.mkdir(os.path.join(HOME, "gone"))
    os.chdir(os.path.join(HOME, "gone"))
    os.rmdir(os.path.join(HOME, "gone"))
    return do()
''')
changed("the umask is 0", '''
os.umask(0)
''')
changed("the umask is 0777", '''
def migrate():
    do()
    os.umask(0o777)
    return True
''')
changed("resource limits are lowered", '''
def migrate():
    import resource
    do()
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
    return True
''')
changed("the environment is changed", '''
import ctypes
os.environ["HOME"] = "/nonexistent"
os.environ["PATH"] = ""
os.environ["LD_PRELOAD"] = "/nonexistent.so"
ctypes.CDLL(None).setenv(b"PYTHONPATH", b"/nonexistent", 1)
''')
changed("signals are ignored, blocked and handled", '''
def migrate():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    return do()
''')
changed("priority, locale and process group are changed", '''
def migrate():
    import locale
    os.nice(19)
    locale.setlocale(locale.LC_ALL, "")
    return do()
''')
if os.geteuid() == 0:
    changed("the script becomes another user", '''
DONE = False


def check():
    return DONE or done()


def migrate():
    global DONE
    DONE = do()
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    return True
''')

# --- H14: changes what is the runner's own


def holds(path, text):
    def verify(run):
        found = (run.home.home / path).read_bytes() if (run.home.home / path).is_file() else None
        return [] if found == text else [f"{path} has {found!r} instead of {text!r}"]
    return verify


def absent(path):
    return lambda run: [f"{path} is there again"] if os.path.lexists(run.home.home / path) else []


GHOST = b'{"applied": ["9.9.9/001_ghost.py"]}\n'
STATE_PATH = ".teleclaude/migration_state.json"

tampers("the state is unlinked", '''
def migrate():
    os.unlink(STATE)
    return do()
''', absent(STATE_PATH), again=(0, {FIRST: "already_present", BAD: "already_present", LAST: "applied"}))

tampers("the state is edited in place", f'''
def migrate():
    with open(STATE, "r+b") as file:
        file.truncate(0)
        file.write({GHOST!r})
    return do()
''', holds(STATE_PATH, GHOST))

tampers("the state is replaced by another file", f'''
def migrate():
    with open(STATE + ".mine", "wb") as file:
        file.write({GHOST!r})
    os.rename(STATE + ".mine", STATE)
    return do()
''', holds(STATE_PATH, GHOST))

tampers("the state is replaced by a copy of itself", '''
def migrate():
    with open(STATE, "rb") as file:
        data = file.read()
    with open(STATE + ".mine", "wb") as file:
        file.write(data)
    os.rename(STATE + ".mine", STATE)
    return do()
''', lambda run: [] if json.loads((run.home.home / STATE_PATH).read_bytes())["applied"] == [FIRST] else ["overwritten"])

tampers("the state gets one blank more", '''
def migrate():
    with open(STATE, "ab") as file:
        file.write(b" ")
    return do()
''', lambda run: [] if (run.home.home / STATE_PATH).read_bytes().endswith(b" ") else ["overwritten"])

tampers("the state is emptied", '''
def migrate():
    os.truncate(STATE, 0)
    return do()
''', holds(STATE_PATH, b""), again=(65, ANY))

tampers("a state appears where there was none", f'''
def migrate():
    os.makedirs(DATA, exist_ok=True)
    with open(STATE, "xb") as file:
        file.write({GHOST!r})
    return do()
''', holds(STATE_PATH, GHOST), states={BAD: "unrecorded", LAST: "not_reached"},
        sources={BAD: script(f'''
def migrate():
    os.makedirs(DATA, exist_ok=True)
    with open(STATE, "xb") as file:
        file.write({GHOST!r})
    return do()
'''), LAST: None})

tampers("check() is True and has edited the state", f'''
def check():
    with open(STATE, "wb") as file:
        file.write({GHOST!r})
    return True
''', holds(STATE_PATH, GHOST), effects={BAD: 0})

tampers("the state becomes a symbolic link", f'''
def migrate():
    os.rename(STATE, HOME + "/elsewhere.json")
    os.symlink(HOME + "/elsewhere.json", STATE)
    return do()
''', lambda run: [] if run.home.state_file.is_symlink() else ["the link was replaced"])

tampers("the state becomes a FIFO", '''
def migrate():
    os.unlink(STATE)
    os.mkfifo(STATE)
    return do()
''', lambda run: [] if run.home.state_file.is_fifo() else ["the FIFO was replaced"])

tampers("the state becomes a directory", '''
def migrate():
    os.unlink(STATE)
    os.mkdir(STATE)
    return do()
''', lambda run: [] if run.home.state_file.is_dir() else ["the directory was replaced"])

tampers("the lock is unlinked", '''
def migrate():
    os.unlink(LOCK)
    return do()
''', lambda run: [] if run.home.applied() == [FIRST] else [f"applied is {run.home.applied()}"])

tampers("the lock is replaced by another file", '''
def migrate():
    os.unlink(LOCK)
    open(LOCK, "w").close()
    return do()
''', lambda run: [] if run.home.applied() == [FIRST] else [f"applied is {run.home.applied()}"])

tampers("the whole directory is removed", '''
def migrate():
    import shutil
    shutil.rmtree(DATA)
    return do()
''', absent(".teleclaude"), again=(0, {FIRST: "already_present", BAD: "already_present", LAST: "applied"}))

tampers("the whole directory is renamed", '''
def migrate():
    os.rename(DATA, DATA + ".away")
    return do()
''', absent(".teleclaude"))

tampers("the whole directory is replaced by a new one", '''
def migrate():
    os.rename(DATA, DATA + ".away")
    os.mkdir(DATA, 0o700)
    return do()
''', lambda run: [f"{name} was made" for name in os.listdir(run.home.data) if name.startswith("migration_state.json")])

tampers("the directory becomes a symbolic link to itself", '''
def migrate():
    os.rename(DATA, DATA + ".away")
    os.symlink(DATA + ".away", DATA)
    return do()
''', lambda run: [], exit=(0, 5), code=ANY, stage=ANY, error_id=ANY,
        states=({FIRST: "applied", BAD: "unrecorded", LAST: "not_reached"},
                {FIRST: "applied", BAD: "applied", LAST: "applied"}))

tampers("a directory stands where the temporary file belongs", '''
def migrate():
    os.mkdir(STATE + ".tmp")
    return do()
''', lambda run: [] if run.home.applied() == [FIRST] else [f"applied is {run.home.applied()}"],
        left=("migration_state.json.tmp",))

passes("a file stands where the temporary file belongs", "H14", script('''
def migrate():
    with open(STATE + ".tmp", "w") as file:
        file.write("half a sta")
    return do()
'''))

passes("a symbolic link stands where the temporary file belongs", "H14", script('''
def migrate():
    with open(os.path.join(HOME, "victim"), "w") as file:
        file.write("untouched")
    os.symlink(os.path.join(HOME, "victim"), STATE + ".tmp")
    return do()
'''), verify=holds("victim", b"untouched"))

passes("the state's times are changed and nothing else", "H14", script('''
def migrate():
    os.utime(STATE, (0, 0))
    return do()
'''))

fails("the state is edited by a script that fails", "H14", script(f'''
def migrate():
    with open(STATE, "wb") as file:
        file.write({GHOST!r})
    raise RuntimeError("and out")
'''), "migrate", "and out", tampered=True, verify=holds(STATE_PATH, GHOST))

add("the runner's logs are removed", "H14", sandwich(script('''
def migrate():
    import shutil
    shutil.rmtree(os.path.join(DATA, "migration_logs"), ignore_errors=True)
    return do()
''')), exit=(0, 74), code=ANY,
    states=({FIRST: "applied", BAD: "applied", LAST: "applied"},
            {FIRST: "applied", BAD: "applied", LAST: "not_reached"},
            {FIRST: "applied", BAD: "applied", LAST: "failed"}))

# --- H15: changes the tree while it is run

REWRITTEN = '''\
import os

_EFFECT = os.path.join(os.environ["HOME"], "effects", "rewritten")


def check():
    return os.path.exists(_EFFECT)


def migrate():
    open(_EFFECT, "a").close()
    return True
'''


def recorded_digest(id, text):
    """The recorded digest of `id` is that of `text`: of the bytes that ran."""
    expected = hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()

    def verify(run):
        found = [entry.get("sha256") for entry in run.home.state()["history"] if entry["id"] == id]
        return [] if found == [expected] else [f"digest of {id} is {found} instead of {expected}"]
    return verify


_EDITS_LATER = script(f'''
def migrate():
    with open(os.path.join(os.path.dirname(__file__), "003_after.py"), "w") as file:
        file.write({REWRITTEN!r})
    return do()
''')
passes("a later script is edited: it runs as it is at its turn", "H15", _EDITS_LATER,
       proofs={LAST: "effects/rewritten"}, effects={LAST: 0},
       verify=recorded_digest(LAST, REWRITTEN))

_EDITS_ITSELF = script('''
def migrate():
    with open(__file__, "w") as file:
        file.write("raise RuntimeError('not what ran')\\n")
    return do()
''')
passes("the script edits itself: what ran is what is recorded", "H15", _EDITS_ITSELF,
       verify=recorded_digest(BAD, _EDITS_ITSELF))

_EDITS_AT_LOAD = script('''
with open(__file__, "a") as file:
    file.write("# longer\\n")
''')
passes("the script makes itself longer while it is loaded", "H15", _EDITS_AT_LOAD,
       verify=recorded_digest(BAD, _EDITS_AT_LOAD))

_REMOVES_ITSELF = script('''
def migrate():
    os.unlink(__file__)
    return do()
''')
passes("the script removes itself", "H15", _REMOVES_ITSELF, verify=recorded_digest(BAD, _REMOVES_ITSELF))

LATER_FAILED = {FIRST: "applied", BAD: "applied", LAST: "failed"}


def breaks_later(name, body, **options):
    """A later script is not what it was planned to be: it fails at its turn, and is not run as something else."""
    options.setdefault("stage", ANY)
    stage = options.pop("stage")
    fails(name, "H15", script(body), stage, states=LATER_FAILED, error_id=LAST, effects={LAST: 0}, **options)


breaks_later("a later script is removed", '''
def migrate():
    os.unlink(os.path.join(os.path.dirname(__file__), "003_after.py"))
    return do()
''')
breaks_later("a later script becomes a symbolic link out of the tree", '''
def migrate():
    later = os.path.join(os.path.dirname(__file__), "003_after.py")
    os.rename(later, os.path.join(HOME, "outside.py"))
    os.symlink(os.path.join(HOME, "outside.py"), later)
    return do()
''')
breaks_later("a later script becomes a FIFO", '''
def migrate():
    later = os.path.join(os.path.dirname(__file__), "003_after.py")
    os.unlink(later)
    os.mkfifo(later)
    return do()
''')
breaks_later("a later script becomes a directory", '''
def migrate():
    later = os.path.join(os.path.dirname(__file__), "003_after.py")
    os.unlink(later)
    os.mkdir(later)
    return do()
''')
breaks_later("a later script is broken at its turn", '''
def migrate():
    with open(os.path.join(os.path.dirname(__file__), "003_after.py"), "w") as file:
        file.write("def check(:\\n")
    return do()
''', stage="load")
breaks_later("the version's directory is renamed", '''
def migrate():
    folder = os.path.dirname(__file__)
    os.rename(folder, os.path.join(os.path.dirname(folder), "v9.9.9"))
    return do()
''')

passes("a script that arrives during the run is for the next run", "H15", script(f'''
def migrate():
    with open(os.path.join(os.path.dirname(__file__), "004_new.py"), "w") as file:
        file.write({REWRITTEN!r})
    return do()
'''), again=(0, {"1.1.0/004_new.py": "applied"}))

# --- H16: wants to talk to somebody

passes("standard input is at its end", "H16", script('''
def migrate():
    assert sys.stdin.read() == ""
    assert os.read(0, 1) == b""
    return do()
'''))
fails("input()", "H16", script('''
def migrate():
    return input("sure? ") == "yes"
'''), "migrate", "EOFError")
fails("getpass()", "H16", script('''
def migrate():
    import getpass
    return bool(getpass.getpass())
'''), "migrate", "EOFError")
passes("there is no terminal", "H16", script('''
def migrate():
    try:
        open("/dev/tty")
    except OSError:
        pass
    else:
        raise AssertionError("there is a controlling terminal")
    assert not any(os.isatty(descriptor) for descriptor in (0, 1, 2))
    assert os.getsid(0) == os.getpid() == os.getpgid(0)
    return do()
'''))
fails("breakpoint()", "H16", script('''
def migrate():
    breakpoint()
    return do()
'''), "migrate", "BdbQuit")

# --- H17: starts something that is meant to stay

passes("a service started with subprocess in a session of its own", "H17", script('''
def migrate():
    import subprocess
    service = subprocess.Popen(["sleep", "60"], start_new_session=True)
    note(service.pid)
    return do()
'''), leftovers=True)
passes("a service started by nohup in a shell", "H17", script('''
def migrate():
    import subprocess
    command = "nohup sleep 60 >/dev/null 2>&1 & echo $! >> " + os.path.join(HOME, "pids")
    subprocess.run(["sh", "-c", command], check=True)
    return do()
'''), leftovers=True)
passes("a service started with setsid and an empty environment", "H17", script('''
def migrate():
    import subprocess
    service = subprocess.Popen(["setsid", "sleep", "60"], env={}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, close_fds=True)
    note(service.pid)
    time.sleep(0.1)
    return do()
'''), leftovers=True)
passes("a service that was started while it is loaded", "H17", script('''
daemon()
'''), leftovers=True)

# --- H18: how it is loaded

passes("a helper beside it, which nothing in the tree shadows", "H18", script('''
import json
import helper

assert json.dumps([1]) == "[1]"
assert helper.VALUE == 7
assert not os.path.exists(os.path.join(os.path.dirname(__file__), "__pycache__")), "bytecode was written"
'''), sources={FIRST: None, "1.1.0/helper.py": "VALUE = 7\n", "1.1.0/json.py": "raise RuntimeError('shadowed')\n",
               "1.1.0/os.py": "raise RuntimeError('shadowed')\n", "1.1.0/atexit.py": "raise RuntimeError('shadowed')\n",
               BAD: script('''
import json
import helper

assert json.dumps([1]) == "[1]"
assert helper.VALUE == 7
'''), LAST: None},
       verify=lambda run: ["bytecode was written"] if (run.home.tree / "v1.1.0" / "__pycache__").exists() else [])

passes("__file__, __name__, sys.argv and the migration's id", "H18", script('''
assert os.path.isabs(__file__) and os.path.basename(__file__) == "002_hostile.py", __file__
assert os.path.isfile(__file__)
assert __name__ != "__main__", __name__
assert sys.argv == [__file__], sys.argv
assert os.environ["TELEC_MIGRATION_ID"] == "1.1.0/002_hostile.py"
assert os.getcwd() == os.path.realpath(HOME), os.getcwd()
assert sys.flags.isolated and sys.dont_write_bytecode
assert os.path.dirname(__file__) not in sys.path[:1]
'''))

passes("dataclasses, pickle, inspect and typing find the module", "H18", script('''
import dataclasses
import inspect
import pickle
import typing


@dataclasses.dataclass
class Point:
    x: "int" = 1
    y: typing.ClassVar[int] = 2


def migrate():
    assert pickle.loads(pickle.dumps(Point(5))) == Point(5)
    assert "pickle.loads" in inspect.getsource(migrate)
    assert typing.get_type_hints(Point)["x"] is int
    return do()
'''))

passes("nothing is imported before it that an isolated python does not import by itself", "H18", '''\
import os
import sys

LOADED = set(sys.modules)
EFFECT = os.path.join(os.environ["HOME"], "effects", "hostile")


def check():
    return os.path.exists(EFFECT)


def migrate():
    # Not as a statement: what a script names is imported ahead for it.
    subprocess = __import__("subprocess")
    bare = subprocess.run([sys.executable, "-I", "-B", "-X", "utf8", "-X", "faulthandler", "-c",
                           "import sys; print(*sys.modules)"], stdout=subprocess.PIPE, check=True).stdout
    more = LOADED - set(bare.decode().split()) - {"atexit", "telec_migration"}
    assert not more, more
    os.makedirs(os.path.dirname(EFFECT), exist_ok=True)
    with open(EFFECT, "a") as file:
        file.write("applied\\n")
    return True
''')

passes("the caller's PYTHON variables do not reach it", "H18", script('''
assert not [name for name in os.environ if name.startswith(("PYTHON", "LD_"))], dict(os.environ)
assert "SECRET_TOKEN" not in os.environ
'''), env={"PYTHONPATH": "/nonexistent", "PYTHONSTARTUP": "/nonexistent", "PYTHONINSPECT": "1",
           "PYTHONHOME": "/nonexistent", "PYTHONWARNINGS": "error", "SECRET_TOKEN": "s3cret"})

passes("only the descriptors it needs are open", "H18", script('''
opened = []
for descriptor in os.listdir("/proc/self/fd"):
    try:
        opened.append((int(descriptor), os.readlink("/proc/self/fd/" + descriptor)))
    except OSError:
        pass
others = [(number, target) for number, target in opened if number > 2 and not target.endswith(".lock")
          and not target.startswith(("pipe:", "socket:", "/proc/")) and "memfd" not in target]
assert not others, opened
assert len([1 for number, target in opened if number > 2]) <= 4, opened
'''))

passes("text files are UTF-8 under any locale", "H18", script('''
def migrate():
    with open(os.path.join(HOME, "text"), "w") as file:
        file.write("caf\\u00e9 \\u4e2d")
    print("caf\\u00e9 \\u4e2d")
    return do()
'''), env={"LANG": "C", "LC_ALL": "C"}, verify=lambda run: holds("text", "caf\u00e9 \u4e2d".encode())(run))

fails("the traceback shows the script's own lines", "H18", '''\
def check():
    return False


def deeper():
    raise LookupError("the reason")  # a line to be seen


def migrate():
    return deeper()
''', "migrate", "LookupError", "the reason",
      verify=lambda run: [piece for piece in ("a line to be seen", "002_hostile.py", "line 6", "in deeper")
                          if piece not in (run.document["error"]["traceback"] or "")])

_names = [case.name for case in CASES]
assert len(set(_names)) == len(_names), sorted(name for name in _names if _names.count(name) > 1)
assert {case.kind for case in CASES} == {f"H{number}" for number in range(1, 19)}
