#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a run may cost, in things that can be counted exactly: calls, processes, modules, instructions. Nothing is timed.

The counts of one run without a python that was started ahead are in tests/system/counts_test.cpp; here is what speed
was bought with, and what it must not have cost.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

PYTHON = "/usr/bin/python3"
SYNCS = "fsync,fdatasync,?sync,?syncfs,?sync_file_range"
STARTS = "?clone,?clone3,?fork,?vfork"
LOOKS = "?stat,?lstat,?newfstatat,?statx,?stat64,?lstat64,?fstatat64,?access,?faccessat,?faccessat2,?readlink,?readlinkat"
WRITES = "write,pwrite64,writev,?pwritev,?truncate,ftruncate,?rename,?renameat,?renameat2,?unlink,?unlinkat,?mkdir,?mkdirat,?link,?linkat,?chmod,fchmod,?fchmodat,?utimensat,fallocate"


class Counted(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def trace(self, calls, *args, code=0, shown=32):
        """The lines of strace about the runner alone; so many bytes of each string are shown."""
        log = self.home.path / "strace"
        environment = self.home.environment(ASAN_OPTIONS="detect_leaks=0:" + os.environ.get("ASAN_OPTIONS", ""))
        done = subprocess.run(["strace", "-s", str(shown), "-o", str(log), "-e", "signal=none", "-e", "trace=" + calls, telec.binary(), *args],
                              env=environment, cwd=self.home.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        # The launch asks whether there is a clone3(2), in a way that starts nothing.
        return [line for line in log.read_text(errors="replace").splitlines() if re.match(r"(?!clone3\(NULL)\w+\(", line)]

    def fill(self, versions, per_version=10):
        ids = [f"1.{i}.0/{j:03}_step.py" for i in range(versions) for j in range(1, per_version + 1)]
        for id in ids:
            path = self.home.tree / ("v" + id)
            path.parent.mkdir(exist_ok=True)
            path.touch()
        return ids

    def record(self, ids):
        """A state as telec itself writes it, one line for each entry."""
        entries = ",\n".join(f'    {{"id": "{id}", "outcome": "applied", "at": "2026-11-22T07:30:00Z", "seconds": 0.021, '
                             f'"sha256": "{"0" * 64}", "python": "3.11.2", "telec": "0.1.0", "user": "ada", "host": "box"}}'
                             for id in ids)
        applied = ",\n".join(f'    "{id}"' for id in ids)
        crc = zlib.crc32("".join(id + "\n" for id in ids).encode())
        self.home.write_state(f'{{\n  "schema": 1,\n  "applied": [\n{applied}\n  ],\n  "checksum": "crc32:{crc:08x}",\n'
                              f'  "history": [\n{entries}\n  ]\n}}\n')


@unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
class Calls(Counted):
    def add(self, count):
        self.home.add_all(*[f"1.0.0/{i:03}_step.py" for i in range(1, count + 1)])

    def count(self, lines, *names):
        return sum(line.split("(")[0] in names for line in lines)

    def test_each_migration_costs_one_process_and_two_fsyncs_started_ahead_or_not(self):
        for option in ([], ["--no-prestart"]):
            with self.subTest(option):
                shutil.rmtree(self.home.home)
                self.home.data.mkdir(mode=0o700, parents=True)
                self.add(8)
                lines = self.trace(SYNCS + "," + STARTS, "migrate", *option)
                self.assertEqual(self.count(lines, "fsync"), 16)
                self.assertEqual(self.count(lines, "clone", "clone3", "fork", "vfork"), 8)
                self.assertEqual(len(lines), 24)

    def test_no_script_is_handed_over_before_the_record_of_the_one_before_it_is_on_the_disk(self):
        for option in ([], ["--no-prestart"]):
            with self.subTest(option):
                shutil.rmtree(self.home.home)
                self.home.data.mkdir(mode=0o700, parents=True)
                self.add(6)
                # The order to run it, behind the shim where its python was not started ahead.
                lines = self.trace("fsync,write,writev,sendto,sendmsg", "migrate", *option, shown=100_000)
                words = [re.sub(r"\(.*", "", line) if line.startswith("fsync") else "order" for line in lines
                         if line.startswith("fsync") or r"\0run\0" in line]
                self.assertEqual(words, ["order", "fsync", "fsync"] * 6)

    def starts_and_syncs(self, *options):
        self.home.data.mkdir(mode=0o700, exist_ok=True)
        lines = self.trace("fsync," + STARTS, "migrate", *options)
        return ["sync" if line.startswith("fsync") else "start" for line in lines]

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one core: nothing is started ahead")
    def test_the_first_two_are_started_at_once_and_each_later_one_before_the_commit_of_the_migration_two_before_it(self):
        for i in range(1, 5):
            self.home.add(f"1.0.0/{i:03}_step.py", "import time\n\ndef check():\n    time.sleep(1)\n    return True\n\n"
                                                   "def migrate():\n    return True\n")
        words = self.starts_and_syncs()
        self.assertEqual(words, [*["start"] * 3, "sync", "sync", "start", *["sync"] * 6])

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one core: nothing is started ahead")
    def test_after_a_failure_the_one_that_waits_is_killed_and_waited_for(self):
        self.home.add("1.0.0/001_fails.py", "import time\n\ndef check():\n    time.sleep(1)\n    raise ValueError\n\ndef migrate():\n    return True\n")
        self.home.add("1.0.0/002_step.py")
        self.home.add("1.0.0/003_step.py")
        lines = self.trace("kill,wait4,waitpid," + STARTS, "migrate", code=1)
        started = [int(line.rsplit("=", 1)[1]) for line in lines if line.startswith("clone")]
        reaped = [int(found.group(1)) for found in (re.match(r"wait(?:4|pid)\((\d+),.*= \1$", line) for line in lines) if found]
        self.assertEqual(len(started), 2, lines)
        self.assertEqual(sorted(reaped), sorted(started), lines)
        self.assertTrue(any(line.startswith(f"kill({started[1]}, SIGKILL)") for line in lines), lines)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one core: nothing is started ahead")
    def test_so_it_is_where_the_next_one_is_not_ready(self):
        self.add(4)
        # Each but the last comes up when the one after it has been started: until then it is not ready. (Which one it is, its
        # pid tells: those that were started before it have lower ones, or such far above it where the kernel has begun anew.)
        held_back = self.home.path / "python3"
        started = self.home.path / "started"
        started.mkdir()
        held_back.write_text(f"""#!/bin/sh
: >{started}/$$
while :; do
    all=0
    before=0
    for file in {started}/*; do
        all=$((all + 1))
        ahead=$((${{file##*/}} - $$))
        if [ $ahead -gt 16000 ] || {{ [ $ahead -lt 0 ] && [ $ahead -gt -16000 ]; }}; then before=$((before + 1)); fi
    done
    [ $all -lt 4 ] && [ $all -lt $((before + 2)) ] || break
    sleep 0.01
done
exec {PYTHON} "$@"
""")
        held_back.chmod(0o755)
        time.sleep(0.1)  # a run starts none beside an interpreter that has only just changed
        words = self.starts_and_syncs("--python", held_back)
        self.assertEqual(words, [*["start"] * 3, "sync", "sync", "start", *["sync"] * 6])

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one core: nothing is started ahead")
    def test_short_time_slices_are_asked_for_once_and_only_beside_pythons_that_are_started_ahead(self):
        self.add(3)
        for option, times in ((["--dry-run"], 0), (["--only", "1.0.0/001_step.py"], 0), ([], 1), ([], 0)):
            with self.subTest(option):
                self.assertEqual(len(self.trace("sched_setattr", "migrate", *option)), times)
        self.add(6)
        self.assertEqual(self.trace("sched_setattr", "migrate", "--no-prestart"), [])

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one core: nothing is started ahead")
    def test_a_commit_keeps_off_the_processors_where_pythons_start_and_only_a_commit_does(self):
        self.add(8)
        for option in (["--dry-run"], ["--only", "1.0.0/001_step.py"]):
            with self.subTest(option):
                self.assertEqual(self.trace("sched_setaffinity", "migrate", *option), [])
        lines = self.trace("sched_setaffinity,fsync," + STARTS, "migrate")
        words = "".join({"f": "F", "s": "A", "c": "S", "v": "S"}[line[0]] for line in lines)
        # The last has nobody beside it. A python that has just been started is on a processor, as good as always.
        self.assertRegex(words, "^(S|AFFA|FF)*$")
        self.assertGreaterEqual(words.count("AFFA"), 2, words)
        whole = [line for line in lines if line.startswith("sched")][1::2]
        self.assertEqual({re.search(r"\[([^]]*)\]", line)[1] for line in whole},
                         {" ".join(map(str, sorted(os.sched_getaffinity(0))))})
        self.add(12)
        self.assertEqual(self.trace("sched_setaffinity", "migrate", "--no-prestart"), [])

    def test_a_failure_costs_one_process_more_at_most(self):
        self.add(5)
        self.home.add("1.0.0/002_step.py", "def check():\n    raise ValueError\ndef migrate():\n    return True\n")
        lines = self.trace(STARTS, "migrate", code=1)
        self.assertIn(len(lines), (2, 3))

    def test_with_nothing_pending_only_stdout_is_written(self):
        if telec.is_sanitized():
            self.skipTest("a sanitizer writes to a pipe of its own, to see whether an address can be read")
        ids = self.fill(5)
        self.record(ids)
        for words in (["migrate"], ["migrate", "status"], ["migrate", "--dry-run"], ["migrate", "--json"]):
            with self.subTest(words):
                for line in self.trace(WRITES, *words):
                    self.assertRegex(line, r"^write\(1,")

    def test_another_version_costs_four_calls_and_another_script_none(self):
        self.fill(10)
        few = len(self.trace("all", "migrate", "--dry-run", "-q"))
        self.fill(30)
        many = len(self.trace("all", "migrate", "--dry-run", "-q"))
        self.fill(30, per_version=30)
        more = len(self.trace("all", "migrate", "--dry-run", "-q"))
        memory = 12  # brk and mmap for what is kept
        self.assertLessEqual(many - few, 20 * 4 + memory)
        self.assertLessEqual(more - many, memory)

    def test_no_script_is_looked_at_before_its_turn(self):
        self.add(3)
        for words in (["migrate", "--dry-run"], ["migrate", "status"]):
            lines = self.trace(LOOKS + ",?open,openat", *words)
            self.assertEqual([line for line in lines if "_step.py" in line], [])

    def test_with_nothing_pending_no_script_is_looked_at_either(self):
        self.record(self.fill(3))
        for words in (["migrate"], ["migrate", "--dry-run"], ["migrate", "status", "--check", "-q"]):
            lines = self.trace(LOOKS + ",?open,openat", *words)
            self.assertEqual([line for line in lines if "_step.py" in line], [], words)

    def test_a_status_reads_each_recorded_script_once_in_four_calls(self):
        counts = []
        for per_version in (10, 20):
            self.record(self.fill(20, per_version))
            counts.append(len(self.trace("all", "migrate", "status")))
        memory = 16  # brk and mmap for what is kept, and a write for each 64 KiB
        self.assertLessEqual(counts[1] - counts[0], 4 * 200 + memory)
        self.assertGreaterEqual(counts[1] - counts[0], 4 * 200)


class Memory(Counted):
    """What telec may ask the system for besides its program: a limit on its data segment, so the same on every machine."""

    def setUp(self):
        super().setUp()
        if telec.is_sanitized():
            self.skipTest("a sanitizer needs terabytes")

    def run_within(self, mebibytes, *words):
        limit = int(mebibytes * 1024 * 1024)
        done = subprocess.run([telec.binary(), *words], env=self.home.environment(), cwd=self.home.path, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        self.assertEqual(done.returncode, 0, done.stdout.decode()[-500:])

    def test_ten_thousand_migrations_take_less_than_six_mebibytes(self):
        ids = self.fill(1000)
        self.run_within(6, "migrate", "--dry-run")
        self.record(ids)
        self.run_within(6, "migrate")

    def test_two_hundred_take_less_than_one(self):
        ids = self.fill(20)
        self.run_within(1, "migrate", "--dry-run")
        self.record(ids)
        self.run_within(1, "migrate")


class Shim(Counted):
    """What python imports on the way to a success, told by itself (-X importtime)."""

    def imported(self, arguments, order=None):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            if order is not None:
                ours.sendall(order)
                ours.shutdown(socket.SHUT_WR)
            done = subprocess.run(["sh", "-c", f'exec "$@" 3<&{theirs.fileno()} 4</dev/null', "sh", PYTHON, "-X", "importtime", *arguments],
                                  pass_fds=(theirs.fileno(),), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                                  check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(self.home.home)})
            theirs.close()
            said = b""
            while order is not None:
                piece = ours.recv(65536)
                if not piece:
                    break
                said += piece
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        names = [line.rsplit("|", 1)[1].strip() for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
        return set(names) - {"imported package"}, said

    def programs(self):
        """What telec sends its python first of all, taken from the running program: everything before the order."""
        seen = self.home.path / "channel"
        wrapper = self.home.path / "wrapper"
        # Reads six parts, as shim_start.py would, keeps them, and says nothing: that run fails.
        wrapper.write_text(f"""#!{PYTHON} -I
import os
stream = open(3, "rb", closefd=False)
with open({str(seen)!r}, "wb") as file:
    for _ in range(6):
        length = stream.read(8)
        file.write(length + stream.read(int(length)))
""")
        wrapper.chmod(0o755)
        self.home.add("1.1.0/001_never_run.py", "")
        self.assertEqual(self.home.migrate("--python", wrapper, "--no-prestart").code, 69)
        return seen.read_bytes()

    def arguments(self):
        """What telec gives its python, as a migration sees it."""
        seen = self.home.path / "cmdline"
        self.home.add("1.0.0/001_look.py", f'''
            import shutil
            def check():
                import os
                return os.path.exists({str(seen)!r})
            def migrate():
                shutil.copy("/proc/self/cmdline", {str(seen)!r})
                return True
            ''')
        result = self.home.migrate()
        self.assertEqual(result.code, 0, result)
        return seen.read_bytes().decode().split("\0")[1:-1]

    def test_on_success_it_imports_nothing_from_a_file_and_nothing_but_atexit(self):
        arguments = self.arguments()
        self.assertEqual(arguments[-2], "-c")
        script = b"import json\nN = []\ndef check():\n    N.append(1)\n    return len(N) > 1\ndef migrate():\n    return True\n"
        head = b'{"nonce": "nonce", "event": "'

        def order(mode, wanted, source):
            fields = b"\0".join([head, b"1.0.0/001_x.py", str(self.home.tree / "v1.0.0" / "001_x.py").encode(), mode, wanted])
            return b"".join(b"%08d" % len(part) + part for part in (fields, source))

        bare, _ = self.imported([*arguments[:-1], "import json"])
        self.assertIn("json", bare)
        programs = self.programs()
        ways = {"cold": order(b"run", b"", script), "cold, the first of several": order(b"wait", b"paths", b"") + order(b"run", b"paths", script),
                "ahead": order(b"ahead", b"paths", script) + order(b"ping", b"", b"") + order(b"run", b"paths", script)}
        for name, orders in ways.items():
            with self.subTest(name):
                shim, said = self.imported(arguments, programs + orders)
                self.assertIn(b'"verdict": "applied"', said)
                # atexit is part of the interpreter: no file is looked for. It is what makes the verdict the last thing
                # said, after the threads are joined and every other handler has run.
                self.assertEqual(shim - bare, {"atexit"})
        self.assertIn("atexit", subprocess.run([PYTHON, "-I", "-c", "import sys; print(sys.builtin_module_names)"],
                                               stdout=subprocess.PIPE, check=True).stdout.decode())


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Instructions(Counted):
    """Counted by valgrind, so the same on a busy machine. The bounds leave room for compilers, not for a mistake."""

    def setUp(self):
        super().setUp()
        if telec.is_sanitized():
            self.skipTest("a sanitizer counts along")

    def instructions(self, *words):
        out = self.home.path / "callgrind"
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", telec.binary(), *words, "-q"],
                              env=self.home.environment(), cwd=self.home.path, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return int(re.search(r"Collected : (\d+)", done.stderr.decode()).group(1))

    def test_nothing_pending_grows_with_the_tree_and_no_faster(self):
        counts = []
        for versions in (50, 100, 200):
            self.record(self.fill(versions))
            counts.append(self.instructions("migrate"))
        first, second = counts[1] - counts[0], counts[2] - counts[1]
        self.assertLess(second, first * 2.3, counts)

    def test_a_status_and_a_dry_run_grow_no_faster_either(self):
        for words in (["migrate", "status"], ["migrate", "--dry-run"]):
            shutil.rmtree(self.home.tree)
            shutil.rmtree(self.home.data, ignore_errors=True)
            self.home.tree.mkdir()
            counts = []
            for versions in (50, 100, 200):
                ids = self.fill(versions)
                if words[1] == "status":
                    self.record(ids)
                counts.append(self.instructions(*words))
            self.assertLess(counts[2] - counts[1], (counts[1] - counts[0]) * 2.3, (words, counts))

    def test_a_hundred_thousand_take_ten_times_what_ten_thousand_do(self):
        counts = []
        for versions in (1000, 10000):
            ids = self.fill(versions)
            shutil.rmtree(self.home.data, ignore_errors=True)
            pending = self.instructions("migrate", "--dry-run")
            self.record(ids)
            counts.append((pending, self.instructions("migrate")))
        for few, many in zip(*counts):
            self.assertLess(many, few * 11, counts)

    def test_a_commit_costs_no_more_where_much_is_recorded(self):
        each = []
        for versions in (2, 100):
            counts = []
            for new in (2, 7):
                shutil.rmtree(self.home.home)
                self.home.data.mkdir(mode=0o700, parents=True)
                self.record(self.fill(versions))
                self.home.add_all(*[f"2.0.0/{i:03}_step.py" for i in range(1, new + 1)])
                counts.append(self.instructions("migrate", "--no-prestart"))
                self.assertEqual(len(self.home.applied()), versions * 10 + new)
                shutil.rmtree(self.home.tree / "v2.0.0")
            each.append((counts[1] - counts[0]) / 5)
        # The file is written whole, and compared with what was left on the disk: 0.3 MB, of which a byte that is copied
        # counts as an instruction here. To make the text of 1,000 entries anew would be another million.
        self.assertLess(each[1] - each[0], 500_000, each)

    def test_an_entry_as_telec_writes_it_is_read_in_one_pass(self):
        ids = self.fill(100)
        self.record(ids)
        own = self.instructions("migrate")
        text = self.home.state_file.read_text()
        self.home.write_state(text.replace('"seconds": 0.021', '"seconds":  0.021'))
        self.assertLess(own * 1.5, self.instructions("migrate"))


if __name__ == "__main__":
    telec.main("budget")
