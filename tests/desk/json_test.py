#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every document of every command against its schema in docs/schema/, on success, with findings, and on failure."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMAS = telec.ROOT / "docs" / "schema"
ONE, TWO = "1.1.0/001_one.py", "1.1.0/002_two.py"
PRESENT = "def check():\n    return True\n\n\ndef migrate():\n    return True\n"
FAILING = "def check():\n    return False\n\n\ndef migrate():\n    print('half way')\n    raise ValueError('no colour')\n"


def schema(name):
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def verbs():
    """The commands that the help lists below `telec migrate`."""
    lines = telec.Home().run("help").out.split("commands:\n")[1].splitlines()
    words = [line.split()[:3] for line in lines if line.startswith("  telec migrate")]
    return ["migrate" if line.startswith("  telec migrate  ") else word[2] for line, word in zip(lines, words)]


@unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
class Documents(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def document(self, *args, code):
        """The document of one command, valid by its schema."""
        result = self.home.run("migrate", *args, "--json")
        self.assertEqual(result.code, code, result)
        document = result.document
        jsonschema.validate(document, schema(document["command"]))
        return document

    def test_every_command_has_a_schema_and_every_schema_a_command(self):
        self.assertEqual({path.stem for path in SCHEMAS.glob("*.json")} - {"events"}, set(verbs()))
        for path in SCHEMAS.glob("*.json"):
            jsonschema.Draft7Validator.check_schema(json.loads(path.read_text()))

    def test_on_success(self):
        self.home.add_all(ONE, TWO)
        for args in (["--dry-run"], ["--only", ONE], ["status"], ["log"], ["log", ONE], ["verify"], ["verify", "--recheck"], ["lint"],
                     ["new", "another", "--version", "9.0.0"], ["doctor"], ["forget", ONE, "--yes", "--reason", "to see"],
                     ["mark", ONE, "--yes"]):
            with self.subTest(args=args):
                document = self.document(*args, code=0)
                self.assertTrue(document["ok"])
                self.assertIsNone(document["error"])
        self.home.state_file.unlink()
        self.assertIsNone(self.document("rebuild", "--yes", code=0)["kept"])
        self.home.write_state(b"{")
        self.assertTrue(self.document("rebuild", "--yes", code=0)["kept"])

    def test_with_findings_and_problems(self):
        self.home.add_all(ONE, "1.1.0/005_x.py")
        self.document(code=0)
        self.home.add(ONE, "import requests\n" + FAILING)
        self.home.add(TWO, PRESENT)
        self.home.add("1.1.0/2_x.py")
        (self.home.tree / "v1.1.0" / "005_x.py").unlink()
        self.document("status", code=0)
        self.document("status", "--check", code=3)
        self.assertTrue(self.document("verify", "--recheck", code=4)["findings"])
        self.assertTrue(self.document("lint", code=4)["findings"])
        self.home.data.chmod(0o755)
        self.document("doctor", code=4)

    def test_on_failure_with_the_same_keys(self):
        self.home.add(ONE, FAILING)
        failure = self.document(code=1)
        self.assertEqual(failure["error"]["stage"], "migrate")
        self.document("mark", ONE, "--yes", code=1)
        self.home.write_state(b"{")
        for verb, code in (("status", 65), ("log", 65), ("verify", 65)):
            self.assertEqual(self.document(verb, code=code)["error"]["code"], "state_untrusted")
        for args in (["mark", ONE], ["forget", ONE], ["rebuild"]):
            self.document(*args, code=65 if args[0] != "rebuild" else 2)
        for args in (["new"], ["mark"], ["lint", "--no-such"], ["log", "a", "b"], ["status", "--pending", "--applied"]):
            self.assertEqual(self.document(*args, code=2)["error"]["code"], "usage")
        for verb in ("lint", "verify", "new"):
            args = [verb, "x"] if verb == "new" else [verb]
            self.document(*args, "--migrations-dir", "/nowhere", code=65)

    def test_events(self):
        self.home.add(ONE, "print()\nprint('x')\n" + PRESENT)
        self.home.add(TWO, FAILING)
        self.home.add("1.1.0/003_three.py", PRESENT)
        path = self.home.path / "events"
        self.home.migrate("--events", path)
        events = [json.loads(line) for line in path.read_text().splitlines()]
        for event in events:
            jsonschema.validate(event, schema("events"))
        self.assertEqual({event["event"] for event in events}, {"planned", "started", "output", "finished", "committed", "ended"})


if __name__ == "__main__":
    telec.main("json")
