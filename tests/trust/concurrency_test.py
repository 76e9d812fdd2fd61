#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many runners on one home: each migration is applied once, a dead holder blocks nobody, and waiting ends in time.

The same rounds are run with the lock made a no-op, and then they have to fail: otherwise they would prove nothing.
Times are printed as figures; what fails is a bound of seconds.
"""

import os
import signal
import statistics
import subprocess
import time

import sweep
from checker import telec
from sweep import STRACE

SUITE = "concurrency"

# Between check() and the effect there is time for another runner to come in, if nothing keeps it out.
SCRIPT = '''\
import os
import time

_EFFECT = os.path.join(os.environ["HOME"], "effects", "{name}")


def check():
    return os.path.exists(_EFFECT)


def migrate():
    time.sleep({seconds})
    os.makedirs(os.path.dirname(_EFFECT), exist_ok=True)
    with open(_EFFECT, "a") as file:
        file.write("applied\\n")
    return True
'''
IDS = ("1.0.0/001_a.py", "1.0.0/002_b.py", "1.1.0/001_c.py")

WAITING = '''\
import os
import time

_HOME = os.environ["HOME"]


def check():
    return os.path.exists(_HOME + "/done")


def migrate():
    open(_HOME + f"/started-{os.getppid()}", "w").close()
    while not os.path.exists(_HOME + "/go"):
        time.sleep(0.005)
    open(_HOME + "/done", "w").close()
    return True
'''


def round_of(count, prefix=(), env=None, seconds=0.02):
    """`count` runners at once on a fresh home; what was wrong."""
    faults = []
    with telec.Home() as home:
        for id in IDS:
            home.add(id, SCRIPT.format(name=id.replace("/", "_"), seconds=seconds))
        environment = home.environment(**(env or {}))
        runners = [subprocess.Popen([*prefix, telec.binary(), "migrate"], env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=str(home.path))
                   for _ in range(count)]
        for runner in runners:
            _, err = runner.communicate(timeout=120)
            if runner.returncode != 0:
                faults.append(f"a runner ends with {runner.returncode}: {err[-200:]!r}")
        effects = home.effects()
        for id in IDS:
            if effects.get(id.replace("/", "_")) != 1:
                faults.append(f"{id} was applied {effects.get(id.replace('/', '_'), 0)} times")
        try:
            applied = home.applied()
        except ValueError as error:
            applied = f"unreadable: {error}"
        if applied != list(IDS):
            faults.append(f"recorded is {applied}")
    return faults


def rounds(tally, options):
    for count, some in ((2, 10), (10, 4), (50, 2)):
        part = f"{count} runners"
        if sweep.wanted(part, options):
            for number in range(some if options.sample else 100):
                tally.add(part, f"round {number}", True, round_of(count))


def rounds_without_lock(tally, options):
    """goose's pair of figures: with the lock they all pass, without it they all fail."""
    prefix = [STRACE, "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:retval=0"]
    for count, some in ((2, 3), (10, 2), (50, 1)):
        part = f"{count} runners, the lock a no-op"
        if not sweep.wanted(part, options):
            continue
        wanted = some if options.sample else 100 if count == 2 else 30 if count == 10 else 10
        failed = sum(bool(round_of(count, prefix, seconds=0.3)) for _ in range(wanted))
        print(f"{SUITE}: {part}: {failed} of {wanted} rounds fail, as they have to", flush=True)
        tally.add(part, f"{failed} of {wanted}", True, [] if failed == wanted else [f"{wanted - failed} rounds passed without a lock"])


def pid_in(lock_file):
    try:
        return int(lock_file.read_text().split("\n")[0])
    except (OSError, ValueError):
        return 0


def holder_killed(tally, options):
    part = "holder killed while ten wait"
    if not sweep.wanted(part, options):
        return
    delays = []
    for number in range(3 if options.sample else 20):
        faults = []
        with telec.Home() as home:
            home.add("1.0.0/001_wait.py", WAITING)
            holder = home.start("migrate")
            if not telec.wait_until(lambda: (home.home / f"started-{holder.pid}").exists(), 20):
                faults.append("the holder never started")
            before = set(os.listdir(home.data))
            waiters = [home.start("migrate") for _ in range(10)]
            time.sleep(0.3)
            began = time.monotonic()
            holder.kill()
            next_one = telec.wait_until(lambda: pid_in(home.lock_file) in [waiter.pid for waiter in waiters], 30, 0.001)
            delays.append(time.monotonic() - began)
            holder.communicate()
            if not next_one or delays[-1] > 20:
                faults.append(f"nobody went on within {delays[-1]:.3f} s")
            if before - set(os.listdir(home.data)):
                faults.append("something had to be deleted")
            (home.home / "go").touch()
            codes = []
            for waiter in waiters:
                waiter.communicate(timeout=60)
                codes.append(waiter.returncode)
            if codes != [0] * 10:
                faults.append(f"the waiters end with {codes}")
            if len([name for name in os.listdir(home.home) if name.startswith("started-")]) != 2:
                faults.append("more than one waiter ran it")
        tally.add(part, f"round {number}", True, faults)
    print(f"{SUITE}: {part}: the next one goes on after {statistics.median(delays) * 1000:.0f} ms (median), "
          f"{max(delays) * 1000:.0f} ms at most", flush=True)
    tally.part(part)["median ms"] = round(statistics.median(delays) * 1000)
    tally.part(part)["maximum ms"] = round(max(delays) * 1000)


def holder_stopped(tally, options):
    part = "holder stopped"
    if not sweep.wanted(part, options):
        return
    errors = []
    for timeout in ("0", "0.3", "1", "2.5"):
        faults = []
        with telec.Home() as home:
            home.add("1.0.0/001_wait.py", WAITING)
            holder = home.start("migrate")
            telec.wait_until(lambda: (home.home / f"started-{holder.pid}").exists(), 20)
            os.kill(holder.pid, signal.SIGSTOP)
            result = home.migrate("--lock-timeout", timeout)
            over = result.seconds - float(timeout)
            errors.append(over)
            if result.code != 75 or str(holder.pid) not in result.err or "001_wait" not in result.err:
                faults.append(f"not the holder's name and 75: {result!r}")
            if over < 0 or over > 20:
                faults.append(f"waited {result.seconds:.3f} s instead of {timeout}")
            os.kill(holder.pid, signal.SIGCONT)
            (home.home / "go").touch()
            holder.communicate(timeout=60)
            if holder.returncode != 0:
                faults.append(f"the holder ends with {holder.returncode}")
        tally.add(part, f"--lock-timeout {timeout}", True, faults)
    print(f"{SUITE}: {part}: --lock-timeout is overrun by {max(errors) * 1000:.0f} ms at most", flush=True)
    tally.part(part)["overrun ms"] = round(max(errors) * 1000)


def main():
    options = sweep.arguments(__doc__).parse_args()
    sweep.need_strace(SUITE)
    tally = sweep.Tally(SUITE, options)
    for suite in (rounds, rounds_without_lock, holder_killed, holder_stopped):
        suite(tally, options)
    tally.finish()


if __name__ == "__main__":
    main()
