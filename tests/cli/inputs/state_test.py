#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""State files as they should not be, and a few that are unusual but fine.

A state file that cannot be trusted is refused by every verb: nothing runs, nothing is written, and the message names
the file, the reason and the way back. One test per row of the tables below; `python3 state_test.py Mutations` runs
only the truncations and byte flips of a file that telec wrote.

TELEC_TEST_STRIDE=N tries only every Nth mutation, and on each broken file one verb instead of all, for builds that are
too slow for all of them; it says so.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import telec  # noqa: E402

ID = "1.1.0/001_one.py"
IDS = [ID, "1.1.0/002_two.py"]
GOOD = {"schema": 1, "applied": [ID],
        "history": [{"id": ID, "outcome": "applied", "at": "2026-11-22T07:30:00Z", "seconds": 0.021,
                     "sha256": "ab" * 32, "python": "3.11.2", "telec": "0.1.0", "user": "ada", "host": "box"}]}
SOMEONE = 12345  # a uid that is not ours
MILLION = 1000000
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def skip_unless_root(what):
    if os.geteuid() != 0:
        raise unittest.SkipTest(f"{what} needs root")


def with_(**changes):
    """The good file with other values at the top; None removes the key."""
    value = {**GOOD, **changes}
    return json.dumps({key: item for key, item in value.items() if item is not None})


def with_entry(**changes):
    """The good file with other values in its history entry; None removes the key."""
    entry = {**GOOD["history"][0], **changes}
    return with_(history=[{key: item for key, item in entry.items() if item is not None}])


def raw(text, key="extra"):
    """The good file with TEXT, as it is, for the value of one key."""
    return with_(**{key: "@"}).replace('"@"', text)


def raw_entry(key, text):
    return with_entry(**{key: "@"}).replace('"@"', text)


def applied(id_text):
    """A file with one id, given as JSON text."""
    return b'{"applied": [' + (id_text if isinstance(id_text, bytes) else id_text.encode()) + b"]}"


# name -> (what is in the file, words of which each must be in the message)
BROKEN_TEXT = {
    # torn and foreign
    "0 bytes": (b"", "empty"),
    "only blanks": (b"  \n\t\n", ""),
    "zeros, as after a power cut": (bytes(4096), ""),
    "cut in an array": (b'{"applied": ["1.1.0/001_one.py",\n', "line 2"),
    "cut in a string": (b'{"applied": ["1.1.0/0', "line 1"),
    "cut before the last brace": (json.dumps(GOOD)[:-1], "line 1"),
    "only an opening brace": (b"{", ""),
    "not JSON": (b"hello\n", "line 1"),
    "YAML": (b"applied:\n  - 1.1.0/001_one.py\n", "line 1"),
    "a Python value": (b"{'applied': ['1.1.0/001_one.py']}", "line 1"),
    "comments": (b'{"applied": [] /* none */}', "line 1"),
    "a comma too many": (b'{"applied": ["1.1.0/001_one.py",]}', "line 1"),
    "a comma after the last member": (b'{"applied": [],}', "line 1"),
    "a missing comma": (b'{"applied": ["1.1.0/001_one.py" "1.1.0/002_two.py"]}', "line 1"),
    "a missing colon": (b'{"applied" []}', "line 1"),
    "a key without quotes": (b"{applied: []}", "line 1"),
    "something after the end": (json.dumps(GOOD) + "x", "line 1"),
    "two documents": (json.dumps(GOOD) + "\n" + json.dumps(GOOD), "line 2"),
    "a merge conflict": (b'<<<<<<< ours\n{"applied": []}\n=======\n{"applied": []}\n>>>>>>> theirs\n', "line 1"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(range(60)), ""),
    "65 MiB of blanks": (b" " * (65 << 20), "large"),
    "72 MiB of ids": (b'{"applied": [' + b'"1.1.0/001_x.py", ' * (4 << 20) + b'"1.1.0/001_x.py"]}', "large"),
    # depth
    "a million arrays": (b'{"applied": ' + b"[" * MILLION + b"]" * MILLION + b"}", "line 1"),
    "a million arrays in an unknown key": (b'{"applied": [], "x": ' + b"[" * MILLION + b"]" * MILLION + b"}", "deep"),
    "a million objects": (b'{"applied": [], "extra": ' + b'{"a":' * MILLION + b"1" + b"}" * MILLION + b"}", "deep"),
    "a hundred arrays": (b'{"applied": [], "extra": ' + b"[" * 100 + b"]" * 100 + b"}", "deep"),
    "a million arrays and nothing else": (b"[" * MILLION, ""),
    # encoding
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "byte order mark"),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), ""),
    "Latin-1 in a value": (with_(extra="@").replace("@", "Zo\xeb").encode("latin-1"), "UTF-8"),
    "invalid UTF-8 in an id": (applied(b'"1.1.0/001_o\xffe.py"'), "UTF-8"),
    "invalid UTF-8 in a key": (b'{"applied": [], "k\xc3": 1}', "UTF-8"),
    "overlong UTF-8": (applied(b'"1.1.0/001_o\xc0\xafe.py"'), "UTF-8"),
    "a surrogate as UTF-8": (with_(extra="@").encode().replace(b"@", b"\xed\xa0\x80"), "UTF-8"),
    "UTF-8 above U+10FFFF": (with_(extra="@").encode().replace(b"@", b"\xf4\x90\x80\x80"), "UTF-8"),
    "NUL in a string": (applied(b'"1.1.0/001_o\0e.py"'), ""),
    "NUL between tokens": (b'{"applied":\0[]}', ""),
    "NUL after the end": (json.dumps(GOOD).encode() + b"\0", ""),
    "an escaped NUL in an id": (applied(r'"1.1.0/001_o\u0000e.py"'), ""),
    "a lone surrogate in an id": (applied(r'"1.1.0/001_\ud800.py"'), "surrogate"),
    "a lone low surrogate in an unknown key": (raw(r'"\udc00"'), "surrogate"),
    "a surrogate followed by a letter": (raw(r'"\ud83d\u0041"'), "surrogate"),
    "a newline in a string": (applied('"1.1.0/001_one.py\n"'), ""),
    "a tab in a string": (raw('"a\tb"'), ""),
    "an escape that is none": (raw(r'"\x41"'), ""),
    "a short escape": (raw(r'"\u12"'), ""),
    # numbers
    "NaN": (raw_entry("seconds", "NaN"), "line 1"),
    "Infinity": (raw_entry("seconds", "-Infinity"), "line 1"),
    "1e400 for the seconds": (raw_entry("seconds", "1e400"), ""),
    "2^64 for the schema": (raw("18446744073709551616", "schema"), ""),
    "2^64 + 1 for the schema": (raw("18446744073709551617", "schema"), ""),
    "a number of a million digits": (raw("1" * 1000000, "schema"), ""),
    "a leading zero": (raw("01", "schema"), "line 1"),
    "a plus sign": (raw("+1", "schema"), "line 1"),
    "a hexadecimal number": (raw("0x1", "schema"), "line 1"),
    "a number without digits": (raw("-"), "line 1"),
    "a number that ends in a point": (raw("1."), "line 1"),
    # one key twice
    "applied twice": (b'{"applied": ["1.1.0/001_one.py"], "applied": []}', "applied"),
    "applied twice, once escaped": (b'{"applied": ["1.1.0/001_one.py"], "appli\\u0065d": []}', "applied"),
    "schema twice": (b'{"schema": 1, "applied": [], "schema": 1}', "schema"),
    "id twice in an entry": (with_().replace('"outcome"', '"id": "1.1.0/002_two.py", "outcome"'), "id"),
    "a key twice in an unknown object": (raw('{"a": 1, "a": 2}'), "'a'"),
    # types
    "an array at the top": (b'["1.1.0/001_one.py"]', ""),
    "a string at the top": (b'"1.1.0/001_one.py"', ""),
    "a number at the top": (b"1", ""),
    "null at the top": (b"null", ""),
    "an empty object": (b"{}", "applied"),
    "no applied": (with_(applied=None, history=None), "applied"),
    "applied under another name": (b'{"schema": 1, "aplied": ["1.1.0/001_one.py"]}', "applied"),
    "applied is null": (raw("null", "applied"), "line 1"),
    "applied is an object": (with_(applied={ID: True}), "line 1"),
    "applied is a string": (with_(applied=ID), "line 1"),
    "applied is a number": (with_(applied=1), "line 1"),
    "applied is a boolean": (with_(applied=True), "line 1"),
    "an id is a number": (with_(applied=[1]), "line 1"),
    "an id is null": (with_(applied=[None]), "line 1"),
    "an id is an array": (with_(applied=[[ID]]), "line 1"),
    "an id is an object": (with_(applied=[{"id": ID}]), "line 1"),
    "schema is a string": (with_(schema="1"), "line 1"),
    "schema is null": (raw("null", "schema"), "line 1"),
    "schema is a boolean": (with_(schema=True), "line 1"),
    "schema is a fraction": (with_(schema=1.5), "line 1"),
    "schema is negative": (with_(schema=-1), "schema"),
    "schema is 0": (with_(schema=0), "schema"),
    "schema is of a newer telec": (with_(schema=2), "newer"),
    "schema is of a much newer telec": (with_(schema=2 ** 62), "newer"),
    "a newer schema of another shape": (b'{"schema": 2, "applied": {"1.1.0": ["001_one.py"]}}', "newer"),
    "history is an object": (with_(history={}), "line 1"),
    "history is a string": (with_(history="x"), "line 1"),
    "history is null": (raw("null", "history"), "line 1"),
    "an entry is a string": (with_(history=[ID]), "line 1"),
    "an entry is null": (with_(history=[None]), "line 1"),
    "an entry without an id": (with_entry(id=None), "id"),
    "an entry whose id is a number": (with_entry(id=1), "line 1"),
    "an entry whose outcome is a number": (with_entry(outcome=1), "line 1"),
    "an entry whose time is a number": (with_entry(at=1700000000), "line 1"),
    "an entry whose seconds are a string": (with_entry(seconds="0.1"), "line 1"),
    "an entry whose digest is a number": (with_entry(sha256=1), "line 1"),
    # ids that no tree can hold
    "an id that climbs out": (applied('"../../../etc/passwd"'), "id"),
    "an id that climbs out of its version": (applied('"1.1.0/../001_one.py"'), "id"),
    "an absolute id": (applied('"/etc/passwd"'), "id"),
    "an id with a newline": (applied(r'"1.1.0/001_one.py\n"'), "id"),
    "an id with an escape sequence": (applied(r'"1.1.0/001_\u001b[2J.py"'), "id"),
    "an id of 10 KB": (applied('"1.1.0/001_' + "x" * 10240 + '.py"'), "id"),
    "an id of 10 KB of garbage": (applied('"' + "/" * 10240 + '"'), "id"),
    "an empty id": (applied('""'), "id"),
    "an id without a version": (applied('"001_one.py"'), "id"),
    "an id with half a version": (applied('"1.1/001_one.py"'), "id"),
    "an id with a leading zero in its version": (applied('"01.1.0/001_one.py"'), "id"),
    "an id with a v": (applied('"v1.1.0/001_one.py"'), "id"),
    "an id with two slashes": (applied('"1.1.0//001_one.py"'), "id"),
    "an id with a backslash": (applied(r'"1.1.0\\001_one.py"'), "id"),
    "an id without .py": (applied('"1.1.0/001_one"'), "id"),
    "an id with a short number": (applied('"1.1.0/01_one.py"'), "id"),
    "an id with blanks": (applied('" 1.1.0/001_one.py "'), "id"),
    "an id with a byte of another alphabet": (applied('"1.1.0/001_\u00f6ne.py"'), "id"),
    "an entry whose id climbs out": (with_entry(id="../x"), "id"),
    # the checksum
    "a wrong checksum": (with_(checksum="crc32:00000000"), "checksum"),
    "a checksum that is too short": (with_(checksum="crc32:0"), "checksum"),
    "an empty checksum": (with_(checksum=""), "checksum"),
    "a checksum without digits": (with_(checksum="crc32:zzzzzzzz"), "checksum"),
    "a checksum of an unknown kind": (with_(checksum="md5:00000000"), "checksum"),
    "a checksum that is a number": (with_(checksum=1), "line 1"),
    "a checksum that is null": (raw("null", "checksum"), "line 1"),
}


def link_to_good(home):
    (home.data / "elsewhere.json").write_text(json.dumps(GOOD))
    home.state_file.symlink_to("elsewhere.json")


def make_socket(home):
    name = os.getcwd()
    os.chdir(home.data)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(home.state_file.name)
    finally:
        os.chdir(name)


def make_device(home):
    skip_unless_root("a device")
    try:
        os.mknod(home.state_file, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        raise unittest.SkipTest("no device can be made here") from None


def of_someone(home):
    skip_unless_root("a file of another owner")
    home.write_state(GOOD)
    os.chown(home.state_file, SOMEONE, SOMEONE)


def in_a_directory_of_someone(home):
    skip_unless_root("a directory of another owner")
    home.write_state(GOOD)
    os.chown(home.data, SOMEONE, SOMEONE)


def writable_by_all(home):
    home.write_state(GOOD)
    home.state_file.chmod(0o666)


def in_a_directory_writable_by_all(home):
    home.write_state(GOOD)
    home.data.chmod(0o777)


def data_is_a_file(home):
    home.data.rmdir()
    home.data.write_text("in the way\n")


def data_is_a_dangling_link(home):
    home.data.rmdir()
    home.data.symlink_to("nowhere")


# name -> (how to make it, the exit code, words of which each must be in the message)
BROKEN_FILES = {
    "a directory": (lambda home: home.state_file.mkdir(), 65, "directory"),
    "a link to a good file": (link_to_good, 65, "link"),
    "a link to nothing": (lambda home: home.state_file.symlink_to("nothing"), 65, "link"),
    "a link to itself": (lambda home: home.state_file.symlink_to(home.state_file.name), 65, "link"),
    "a link to a device": (lambda home: home.state_file.symlink_to("/dev/null"), 65, "link"),
    "a pipe": (lambda home: os.mkfifo(home.state_file, 0o600), 65, "regular file"),
    "a socket": (make_socket, 65, "regular file"),
    "a device": (make_device, 65, "regular file"),
    "a file of another owner": (of_someone, 77, "belongs to uid 12345"),
    "a file in a directory of another owner": (in_a_directory_of_someone, 77, "belongs to uid 12345"),
    "a file that everybody can write": (writable_by_all, 77, "writ"),
    "a file in a directory that everybody can write": (in_a_directory_writable_by_all, 77, "writ"),
    "a file where its directory should be": (data_is_a_file, 74, "directory"),
    "a dangling link where its directory should be": (data_is_a_dangling_link, 74, ""),
}

VERBS = (("migrate",), ("migrate", "--dry-run"), ("migrate", "status"), ("migrate", "--only", IDS[1]),
         ("migrate", "--from", "1.0.0", "--to", "1.1.0"))
CODES = {65: "state_untrusted", 74: "io", 77: "unsafe"}
STRIDE = int(os.environ.get("TELEC_TEST_STRIDE") or 1)


def fingerprint(path):
    """What must not change about a file: kind, inode, owner, size, mode, bytes."""
    try:
        info = os.lstat(path)
    except OSError as error:
        return (type(error).__name__,)
    text = b""
    if stat.S_ISREG(info.st_mode):
        text = pathlib.Path(path).read_bytes()
    elif stat.S_ISLNK(info.st_mode):
        text = os.readlink(path)
    return (stat.S_IFMT(info.st_mode), info.st_ino, info.st_uid, info.st_size, info.st_mode, info.st_nlink, text)


def some_of(ways, case):
    """All of them; with a stride one, which differs from case to case."""
    return ways if STRIDE == 1 else [ways[zlib.crc32(case.encode()) % len(ways)]]


class Refused(unittest.TestCase):
    """One test per broken state file; they are added below."""

    @classmethod
    def setUpClass(cls):
        if STRIDE > 1:
            print(f"state: only one of {len(VERBS)} verbs is tried on each broken file")

    def refused(self, home, code, words, old):
        home.add_all(*IDS)
        # What is wrong with the directory is said of the directory.
        named = home.state_file if code == 65 else home.data
        if old:
            home.old_file.write_text(json.dumps(GOOD))
        before, old_before = fingerprint(home.state_file), fingerprint(home.old_file)
        for verb in some_of(VERBS, f"{self.id()} {old}"):
            what = " ".join(verb) + (" with an .old" if old else "")
            result = home.run(*verb)
            self.assertEqual(result.code, code, f"{what}\n{result}")
            errors = [line for line in result.err.splitlines() if line.startswith("telec: error: ")]
            self.assertEqual(len(errors), 1, f"{what}: one line says what is wrong\n{result}")
            self.assertIn(str(named), errors[0], f"{what}: the message names the file\n{result}")
            for word in words.split("|"):
                self.assertIn(word, errors[0].replace(str(home.path), ""), f"{what}: the reason\n{result}")
            self.assertLess(len(result.err), 2000, f"{what}: the message stays short")
            self.assertTrue(all(c == "\n" or c.isprintable() for c in result.err), f"{what}: printable\n{result.err!r}")
            self.assertIn("hint: ", result.err, f"{what}: the way back\n{result}")
            if old and code == 65:
                self.assertIn(str(home.old_file), result.err, f"{what}: the generation before is named\n{result}")
            elif not old:
                self.assertNotIn(str(home.old_file), result.err, f"{what}: there is no generation before\n{result}")
            self.assertEqual(fingerprint(home.state_file), before, f"{what}: the file is left as it was")
            self.assertEqual(fingerprint(home.old_file), old_before, f"{what}: the .old is left as it was")
            self.assertEqual(home.effects(), {}, f"{what}: nothing ran")
            self.assertFalse(home.logs.exists(), f"{what}: nothing ran")
        for verb in some_of([("migrate", "--json"), ("migrate", "status", "--json")], f"{self.id()} {old}"):
            result = home.run(*verb)
            self.assertEqual(result.code, code, result)
            self.assertIs(result.document["ok"], False)
            self.assertEqual(result.document["error"]["code"], CODES[code], result)
            self.assertIn(str(named), result.document["error"]["message"])
            self.assertTrue(result.document["error"]["hint"], result)
            self.assertEqual(result.document["migrations"], [], "what is pending cannot be known")
        self.assertEqual(fingerprint(home.state_file), before)


def add_refused(name, make, code, words):
    def test(self):
        for old in (False, True):
            with telec.Home() as home:
                home.data.mkdir(mode=0o700)
                make(home)
                if old and (not home.data.is_dir() or code != 65):
                    continue
                self.refused(home, code, words, old)

    test.__name__ = "test_" + name
    setattr(Refused, test.__name__, test)


for row, (content, reason) in BROKEN_TEXT.items():
    add_refused(row, lambda home, content=content: home.write_state(content), 65, reason)
for row, (maker, exit_code, reason) in BROKEN_FILES.items():
    add_refused(row, maker, exit_code, reason)


class Newer(unittest.TestCase):
    """The state file of a newer telec: not damaged, so its owner is not told to write it anew."""

    def test_the_hint_is_a_newer_telec(self):
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state({"schema": 2, "applied": [ID]})
            hint = home.migrate_json().document["error"]["hint"]
            self.assertRegex(hint, "upgrade|newer telec|install")
            self.assertNotIn("rebuild", hint)


class AsAnotherUser(unittest.TestCase):
    """What root cannot see: files that may not be read. Run as a user without rights; skipped where that cannot be."""

    @classmethod
    def setUpClass(cls):
        skip_unless_root("running as another user")
        probe = subprocess.run([*AS_NOBODY, telec.binary(), "--version"], capture_output=True, check=False)
        if probe.returncode != 0:
            raise unittest.SkipTest("another user cannot execute the telec under test")

    def run_as(self, home, *args):
        subprocess.run(["chown", "-R", "65534:65534", str(home.path)], check=True)
        process = subprocess.run([*AS_NOBODY, telec.binary(), *args], env=home.environment(), cwd=home.path,
                                 capture_output=True, text=True, timeout=60, check=False)
        return telec.Result(process.returncode, process.stdout, process.stderr, 0)

    def refused(self, home, *, code=74):
        for verb in (("migrate",), ("migrate", "--dry-run"), ("migrate", "status")):
            result = self.run_as(home, *verb)
            self.assertEqual(result.code, code, result)
            self.assertIn(str(home.data), result.err)
            self.assertIn("ermission denied", result.err)
            self.assertEqual(home.effects(), {})

    def test_a_state_file_that_may_not_be_read(self):
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state(GOOD)
            home.state_file.chmod(0)
            self.refused(home)

    def test_a_state_directory_that_may_not_be_searched(self):
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state(GOOD)
            home.data.chmod(0)
            self.refused(home)

    def test_a_state_directory_that_may_not_be_written_is_found_before_anything_runs(self):
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state(GOOD)
            home.data.chmod(0o500)
            result = self.run_as(home, "migrate")
            self.assertEqual(result.code, 74, result)
            self.assertIn(str(home.data), result.err)
            self.assertEqual(home.effects(), {})
            self.assertEqual(home.state(), GOOD)
            result = self.run_as(home, "migrate", "status")
            self.assertEqual(result.code, 0, "to look needs no write\n" + repr(result))


class Accepted(unittest.TestCase):
    """Unusual, and fine: read, and what is not understood is kept through a commit."""

    def migrated(self, content, *, before=(ID,), ids=tuple(IDS)):
        """Runs what is pending over `content`; the state afterwards, as a value."""
        with telec.Home() as home:
            home.add_all(*ids)
            home.write_state(content)
            old = home.state_file.read_bytes()
            states = home.run("migrate", "status", "--json").states()
            recorded = {id for id, state in states.items() if state == "recorded"}
            self.assertEqual(recorded, set(before), "what is gone from the tree is listed too")
            self.assertEqual(home.state_file.read_bytes(), old, "status writes nothing")
            result = home.migrate()
            self.assertEqual(result.code, 0, result)
            state = home.state()
            self.assertEqual(set(state["applied"]), set(before) | set(ids))
            self.assertEqual(len(state["applied"]), len(set(state["applied"])), "each id once")
            self.assertEqual(set(home.effects()), {id.replace("/", "_") for id in set(ids) - set(before)})
            self.assertEqual(stat.S_IMODE(home.state_file.stat().st_mode), 0o600)
            self.assertEqual(home.old_file.read_bytes(), old, "the generation before is kept as it was")
            again = home.migrate()
            self.assertEqual((again.code, home.state()), (0, state))
            return state

    def test_unknown_keys_at_the_top_are_kept(self):
        extra = {"comment": "kept", "list": [1, [2, {"a": None}]], "zero": 0, "no": False, "": 1,
                 "text": "\u00e9\u4e2d\U0001f600\u2028\"\\/\n"}
        state = self.migrated({**GOOD, **extra})
        self.assertEqual({key: state[key] for key in extra}, extra)

    def test_unknown_keys_inside_an_entry_are_kept(self):
        entry = {**GOOD["history"][0], "note": "by hand", "more": {"deep": [1, 2]}}
        state = self.migrated({**GOOD, "history": [entry]})
        self.assertEqual(state["history"][0], entry)

    def test_numbers_in_unknown_keys_keep_their_digits(self):
        numbers = ["18446744073709551615", "-9223372036854775808", "123456789012345678901234567890", "0.1", "1.10",
                   "1e2", "-0", "1E+300"]
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state(raw("[" + ", ".join(numbers) + "]", "numbers"))
            self.assertEqual(home.migrate().code, 0)
            kept = json.loads(home.state_file.read_text(), parse_int=str, parse_float=str)["numbers"]
            self.assertEqual(kept, numbers)

    def test_an_entry_that_is_known_keeps_every_detail(self):
        state = self.migrated(GOOD)
        self.assertEqual(state["history"][0], GOOD["history"][0])
        self.assertEqual(state["history"][1]["id"], IDS[1])

    def test_an_empty_list(self):
        self.migrated({"applied": []}, before=(), ids=(ID,))

    def test_the_file_of_the_older_runner(self):
        state = self.migrated(json.dumps({"applied": [ID]}, indent=2))
        self.assertEqual([entry["id"] for entry in state["history"]], [IDS[1]], "an older id has no details")

    def test_schema_without_history(self):
        self.migrated({"schema": 1, "applied": [ID]})

    def test_an_empty_history(self):
        self.migrated({"schema": 1, "applied": [ID], "history": []})

    def test_ids_in_no_order(self):
        self.migrated({"applied": ["2.0.0/001_z.py", ID, "1.10.0/001_y.py", "1.9.0/001_x.py"]},
                      before=("2.0.0/001_z.py", ID, "1.10.0/001_y.py", "1.9.0/001_x.py"))

    def test_an_id_that_stands_twice_is_one(self):
        self.migrated({"applied": [ID, ID]})

    def test_a_second_name_for_the_file_keeps_the_generation_before(self):
        # A crash between the link to .old and the rename leaves two names, so this must not be refused.
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state(GOOD)
            os.link(home.state_file, home.data / "second-name")
            self.assertEqual(home.migrate().code, 0)
            self.assertEqual(home.applied(), IDS)
            self.assertEqual(json.loads((home.data / "second-name").read_text()), GOOD)

    def test_windows_line_ends(self):
        self.migrated(json.dumps(GOOD, indent=2).replace("\n", "\r\n"))

    def test_pretty_printed(self):
        self.migrated(json.dumps(GOOD, indent=8) + "\n\n")

    def test_compact(self):
        self.migrated(json.dumps(GOOD, separators=(",", ":")))

    def test_tabs_and_blank_lines(self):
        self.migrated("\n\t\n" + json.dumps(GOOD, indent="\t") + "\r\n \t\n")

    def test_keys_in_another_order(self):
        self.migrated({key: GOOD[key] for key in reversed(GOOD)})

    def test_an_id_written_with_escapes(self):
        self.migrated(r'{"applied": ["1\u002e1.0\/001_one.py"]}')

    def test_an_id_of_a_pre_release(self):
        self.migrated({"applied": [ID, "2.0.0-rc.1/001_x.py"]}, before=(ID, "2.0.0-rc.1/001_x.py"))

    def test_scripts_that_are_gone_stay_recorded(self):
        self.migrated({"applied": [ID, "0.9.0/001_gone.py"]}, before=(ID, "0.9.0/001_gone.py"))

    def test_each_outcome(self):
        for outcome in ("applied", "already_present", "marked"):
            state = self.migrated(with_entry(outcome=outcome))
            self.assertEqual(state["history"][0]["outcome"], outcome)

    def test_a_mode_that_others_may_read_is_narrowed_by_the_next_commit(self):
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state(GOOD)
            home.state_file.chmod(0o644)
            self.assertEqual(home.migrate().code, 0)
            self.assertEqual(stat.S_IMODE(home.state_file.stat().st_mode), 0o600)

    def test_an_absent_file_is_an_empty_one(self):
        with telec.Home() as home:
            home.add_all(*IDS)
            self.assertEqual(set(home.run("migrate", "status", "--json").states().values()), {"pending"})
            self.assertFalse(home.data.exists(), "to look creates nothing")
            self.assertEqual(home.migrate().code, 0)
            self.assertEqual(set(home.applied()), set(IDS))
            self.assertFalse(home.old_file.is_symlink())

    def test_a_history_of_ten_thousand(self):
        ids = [f"1.{minor}.0/{number:03}_x.py" for minor in range(10) for number in range(1000)]
        with telec.Home() as home:
            home.add_all(*IDS)
            home.write_state({"applied": ids})
            self.assertEqual(home.migrate().code, 0)
            self.assertEqual(set(home.applied()), set(ids) | set(IDS))


# --- mutations of a file that telec wrote

MUTATION_IDS = [f"1.{number // 4}.0/{number % 4:03}_step_{number}.py" for number in range(20)]
LETTERS = b'"0'
SANITIZERS = ("ASAN_", "UBSAN_", "LSAN_", "GCOV_")


def try_mutations(job):
    """Runs status over each mutation of `data`; [(name, what went wrong)]. `job`: (home's path, part, data, names)."""
    path, part, data, names = job
    state_file = pathlib.Path(path) / f"state-{part}.json"
    environment = {"HOME": str(pathlib.Path(path) / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                   "TELEC_MIGRATIONS_DIR": str(pathlib.Path(path) / "migrations"), "TELEC_STATE_FILE": str(state_file)}
    environment.update({name: value for name, value in os.environ.items() if name.startswith(SANITIZERS)})
    command = [telec.binary(), "migrate", "status", "--json"]
    wrong = []
    refused = 0
    for name in names:
        mutated = mutate(data, name)
        with open(state_file, "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(mutated)
        process = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                                 close_fds=False, check=False)
        if process.returncode == 65:
            refused += 1
            if json.loads(process.stdout)["error"]["code"] != "state_untrusted":
                wrong.append((name, process.stdout.decode()))
        elif process.returncode == 0:
            document = json.loads(process.stdout)
            recorded = sorted(entry["id"] for entry in document["migrations"] if entry["state"] == "recorded")
            gone = [problem for problem in document["problems"] if problem["kind"] == "script_gone"]
            if recorded != sorted(MUTATION_IDS) or gone:
                wrong.append((name, f"read as another set: {sorted(set(MUTATION_IDS) ^ set(recorded))} {gone}"))
        else:
            wrong.append((name, f"exit {process.returncode}: {process.stderr.decode(errors='replace')}"))
        if state_file.read_bytes() != mutated:
            wrong.append((name, "the file was changed"))
    state_file.unlink(missing_ok=True)
    return wrong, len(names), refused


def mutate(data, name):
    kind, at, byte = name
    if kind == "cut":
        return data[:at]
    return data[:at] + bytes([byte]) + data[at + 1:]


class Mutations(unittest.TestCase):
    """Every truncation and single-byte change of a state file is refused, or reads as the same set of ids."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="telec-test-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        with telec.Home() as home:
            home.add_all(*MUTATION_IDS)
            result = home.migrate()
            if result.code != 0:
                raise AssertionError(result)
            cls.data = home.state_file.read_bytes()
            shutil.copytree(home.tree, os.path.join(cls.folder, "migrations"))
        os.mkdir(os.path.join(cls.folder, "home"), 0o700)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def holds(self, names, at_least):
        if STRIDE > 1:
            print(f"state: only every {STRIDE}th of {len(names)} mutations is tried")
        names = names[::STRIDE]
        workers = min(2, os.cpu_count() or 1)
        jobs = [(self.folder, part, self.data, names[part::workers]) for part in range(workers)]
        with concurrent.futures.ProcessPoolExecutor(workers) as pool:
            results = list(pool.map(try_mutations, jobs))
        wrong = [item for result in results for item in result[0]]
        self.assertEqual(sum(result[1] for result in results), len(names))
        self.assertGreaterEqual(sum(result[2] for result in results), at_least // STRIDE, "some are refused")
        shown = "\n".join(f"{kind} at {at} (byte {byte}): ...{self.data[max(0, at - 30):at + 30]!r}...: {text}"
                          for (kind, at, byte), text in wrong[:10])
        self.assertFalse(wrong, f"{len(wrong)} of {len(names)} mutations, as\n{shown}")

    def test_every_truncation(self):
        # All but the last byte or two (the closing brace and the line end) leave half a document.
        self.holds([("cut", at, 0) for at in range(len(self.data))], len(self.data) - 2)

    def test_every_byte_flipped(self):
        seed = 20261122
        patterns = random.Random(seed)
        flips = [("flip", at, byte ^ patterns.randrange(1, 256)) for at, byte in enumerate(self.data)]
        self.holds(flips, len(self.data) // 4)

    def test_every_byte_replaced_by_some_letters(self):
        puts = [("put", at, byte) for at, old in enumerate(self.data) for byte in LETTERS if old != byte]
        self.holds(puts, len(self.data) // 4)


if __name__ == "__main__":
    os.umask(0o022)
    telec.main("state")
