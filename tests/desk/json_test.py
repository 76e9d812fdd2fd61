#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every document of every command against its schema in docs/schema/, on success, with findings, and on failure; and
the words in the schemas against those in the sources."""

import json
import os
import pathlib
import re
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
LEAVES_ONE_BEHIND = "import subprocess\n" + PRESENT + "\n\nsubprocess.Popen(['sleep', '60'])\n"

# Of every command a line that succeeds and one that fails; what must be so before is in Documents.prepare().
SUCCESS = {
    "migrate": [["--only", ONE], ["--dry-run"]],
    "status": [["status"]],
    "log": [["log"], ["log", ONE]],
    "verify": [["verify"], ["verify", "--recheck"]],
    "lint": [["lint"]],
    "new": [["new", "another", "--version", "9.0.0"]],
    "doctor": [["doctor"]],
    "forget": [["forget", ONE, "--yes", "--reason", "to see"]],
    "mark": [["mark", ONE, "--yes"]],
    "rebuild": [["rebuild", "--yes"]],
}
FAILURE = {
    "migrate": [["--migrations-dir", "/nowhere"], ["--python", "/nowhere"], ["--from", "x"], ["--only", "9.9.9/001_x.py"]],
    "status": [["status", "--migrations-dir", "/nowhere"], ["status", "--pending", "--applied"]],
    "log": [["log", "9.9.9/001_x.py"], ["log", "a", "b"]],
    "verify": [["verify", "--migrations-dir", "/nowhere"], ["verify", "--recheck", "--python", "/nowhere"]],
    "lint": [["lint", "/nowhere"], ["lint", "--python", "/nowhere"], ["lint", "--no-such"]],
    "new": [["new"], ["new", "x", "--migrations-dir", "/nowhere"], ["new", "???", "--version", "1.0.0"]],
    "doctor": [["doctor", "--no-such"], ["doctor", "more"]],
    "forget": [["forget"], ["forget", "9.9.9/001_x.py", "--yes"], ["forget", ONE]],
    "mark": [["mark"], ["mark", TWO], ["mark", "9.9.9/001_x.py", "--yes"], ["mark", TWO, "--yes", "--python", "/nowhere"]],
    "rebuild": [["rebuild", "--yes", "--migrations-dir", "/nowhere"], ["rebuild", "more"]],
}


def schema(name):
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def source(name):
    return (telec.ROOT / "src" / name).read_text(encoding="utf-8")


def verbs():
    """The commands that the help lists below `telec migrate`."""
    with telec.Home() as home:
        text = home.run("help").out.split("commands:\n")[1]
    return [word or "migrate" for word in re.findall(r"^  telec migrate(?: ([a-z]+))? ", text, re.MULTILINE)]


class Words(unittest.TestCase):
    """A word that a source can say and its schema does not know would be found by nobody until it is said."""

    def enumerated(self, name, *path):
        at = schema(name)["properties"]
        for key in path:
            at = at[key]
        return set(at["enum"]) - {None}

    def words_of(self, type_name, *files):
        """The words of a `const char* word_of(TYPE)`."""
        text = source(files[0]).split(f"word_of({type_name} ")[1].split("\n}\n")[0]
        return set(re.findall(r'case [\w:]+: return "(\w+)"', text))

    def test_states(self):
        for name in SUCCESS:
            self.assertEqual(self.enumerated(name, "migrations", "items", "properties", "state"), self.words_of("State", "report.cpp"), name)

    def test_outcomes_of_attempts(self):
        never_of_an_attempt = {"pending", "not_reached", "ok", "regressed"}
        self.assertEqual(self.enumerated("log", "attempts", "items", "properties", "outcome"),
                         self.words_of("State", "report.cpp") - never_of_an_attempt)

    def test_error_codes_and_stages(self):
        for name in SUCCESS:
            codes = self.enumerated(name, "error", "properties", "code")
            only_for_many_users = {"deferred"}
            self.assertEqual(codes, self.words_of("ErrorCode", "error.cpp") - (only_for_many_users if name != "migrate" else set()), name)
            self.assertEqual(self.enumerated(name, "error", "properties", "stage"), self.words_of("Stage", "judgement.cpp"), name)

    def test_users(self):
        self.assertEqual(self.enumerated("migrate", "users", "items", "properties", "state"), self.words_of("UserState", "users.cpp"))

    def problem_kinds(self):
        text = source("catalog.cpp") + source("plan.cpp")
        return set(re.findall(r'problems_?\.push_back\(\s*\{"(\w+)"', text))

    def test_problems(self):
        for name in SUCCESS:
            self.assertEqual(self.enumerated(name, "problems", "items", "properties", "kind"), self.problem_kinds(), name)

    def test_rules_of_lint(self):
        rules = set(re.findall(r'script\.find\(\s*[\w.]+(?: or \d)?, "(\w+)"', source("system/lint.py"))) | {"no_check", "no_migrate"}
        rules |= set(re.findall(r'findings\.push_back\(\s*\{"(\w+)"', source("lint_tree.cpp") + source("commands/lint.cpp")))
        rules |= self.problem_kinds() - {"out_of_order"}  # that one is about a history
        self.assertEqual(self.enumerated("lint", "findings", "items", "properties", "rule"), rules - {"import", "no_"})

    def test_rules_of_verify(self):
        rules = set(re.findall(r'findings\.push_back\(\s*\{"(\w+)"', source("commands/verify.cpp")))
        self.assertEqual(self.enumerated("verify", "findings", "items", "properties", "rule"), rules)

    def test_looks_of_doctor(self):
        looks = set(re.findall(r'looks?\.(?:look|good|bad)\(\s*"(\w+)"', source("commands/doctor.cpp")))
        self.assertEqual(self.enumerated("doctor", "checks", "items", "properties", "name"), looks)

    def test_events(self):
        known = {kind["properties"]["event"]["const"] for kind in schema("events")["oneOf"]}
        self.assertEqual(known, set(re.findall(r'\bwrite\("(\w+)"', source("output/events.cpp"))))

    def test_what_all_documents_have_is_the_same_in_all_schemas(self):
        for key in ("schema", "tool", "ok", "range", "migrations", "problems", "notes"):
            self.assertEqual({json.dumps(schema(name)["properties"][key]) for name in SUCCESS}, {json.dumps(schema("status")["properties"][key])}, key)


@unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
class Documents(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def document(self, *args, code, command=None, **options):
        """The document of one command, valid by its schema."""
        result = self.home.run("migrate", *args, "--json", **options)
        self.assertEqual(result.code, code, result)
        document = result.document
        jsonschema.validate(document, schema(command or document["command"]))
        return document

    def test_every_command_has_a_schema_and_every_schema_a_command(self):
        self.assertEqual({path.stem for path in SCHEMAS.glob("*.json")} - {"events"}, set(verbs()))
        for path in SCHEMAS.glob("*.json"):
            jsonschema.Draft7Validator.check_schema(json.loads(path.read_text()))

    def test_a_schema_refuses_what_it_does_not_describe(self):
        self.home.add_all(ONE)
        for verb, lines in SUCCESS.items():
            if verb == "rebuild":
                self.home.state_file.unlink()
            document = self.document(*lines[0], code=0)
            for key in list(document) + ["surplus"]:
                spoiled = {name: value for name, value in document.items() if name != key}
                if key == "surplus":
                    spoiled["surplus"] = 1
                with self.subTest(verb=verb, key=key), self.assertRaises(jsonschema.ValidationError):
                    jsonschema.validate(spoiled, schema(verb))

    def test_on_success(self):
        self.assertEqual(set(SUCCESS), set(verbs()))
        self.home.add_all(ONE, TWO)
        for verb, lines in SUCCESS.items():
            if verb == "rebuild":
                self.home.write_state(b"{")
            for args in lines:
                with self.subTest(args=args):
                    document = self.document(*args, code=0, command=verb)
                    self.assertEqual((document["ok"], document["error"], document["command"]), (True, None, verb))
        self.home.state_file.unlink()
        self.assertIsNone(self.document("rebuild", "--yes", code=0)["kept"])

    def test_on_failure_with_the_same_keys(self):
        self.assertEqual(set(FAILURE), set(verbs()))
        self.home.add(TWO, PRESENT)
        self.home.add_all(ONE)
        self.document("--only", ONE, code=0)
        for verb, lines in FAILURE.items():
            keys = None
            for args in lines:
                with self.subTest(args=args):
                    result = self.home.run("migrate", *args, "--json")
                    self.assertNotIn(result.code, (0, 3, 4), result)
                    document = result.document
                    jsonschema.validate(document, schema(verb))
                    self.assertFalse(document["ok"])
                    self.assertEqual(document["command"], verb)
                    self.assertEqual(keys or list(document), list(document))
                    keys = list(document)
        self.assertEqual(list(schema("log")["properties"]), list(self.document("log", code=0)))

    def test_a_state_that_is_not_trusted_is_a_document_of_each_that_reads_it(self):
        self.home.add_all(ONE)
        self.home.write_state(b"{")
        for args in ([], ["--dry-run"], ["status"], ["log"], ["verify"], ["mark", ONE], ["forget", ONE]):
            with self.subTest(args=args):
                self.assertEqual(self.document(*args, code=65)["error"]["code"], "state_untrusted")

    def test_a_failed_migration(self):
        self.home.add(ONE, FAILING)
        failure = self.document(code=1)
        self.assertEqual(failure["error"]["stage"], "migrate")
        self.assertEqual(self.document("mark", ONE, "--yes", code=1)["error"]["id"], ONE)

    def test_attempts_of_each_outcome(self):
        three, old = "1.1.0/003_three.py", "1.0.0/001_old.py"
        self.home.write_state({"applied": [old]})
        self.home.add_all(ONE)
        self.home.add(TWO, PRESENT)
        self.home.add(three, FAILING)
        self.document(code=1)
        self.document("mark", three, "--yes", "--force", "--reason", "to see", code=0)
        self.document("forget", three, "--yes", code=0)
        attempts = self.document("log", code=0)["attempts"]
        self.assertEqual([attempt["outcome"] for attempt in attempts], ["forgotten", "marked", "failed", "already_present", "applied", "recorded"])

    def test_with_findings_problems_and_notes(self):
        self.home.add_all(ONE, "1.1.0/005_x.py")
        self.document(code=0)
        self.home.add(ONE, "import requests\n" + FAILING)
        self.home.add(TWO, LEAVES_ONE_BEHIND)
        self.home.add("1.1.0/2_x.py")
        (self.home.tree / "v1.1.0" / "005_x.py").unlink()
        self.document("status", code=0)
        self.document("status", "--check", code=3)
        self.document("--dry-run", "--check", code=3)
        self.assertTrue(self.document("verify", "--recheck", code=4)["findings"])
        self.assertTrue(self.document("lint", code=4)["findings"])
        self.assertTrue(self.document("--timeout", "20", code=0)["notes"])
        self.document("doctor", code=4)

    def test_for_many_users(self):
        if os.geteuid() != 0:
            self.assertEqual(self.document("--all-users", code=77)["error"]["code"], "unsafe")
            self.skipTest("the rest needs root")
        self.home.add_all(ONE)
        self.assertEqual(self.document("--user", "nobody-of-that-name", code=2)["error"]["code"], "usage")
        self.assertEqual(self.document("--user", "nobody", code=0)["users"][0]["state"], "skipped")

    def test_events(self):
        self.home.add(ONE, "print()\nprint('x')\n" + LEAVES_ONE_BEHIND)
        self.home.add(TWO, FAILING)
        self.home.add("1.1.0/003_three.py", PRESENT)
        path = self.home.path / "events"
        self.home.migrate("--events", path, "--dry-run")
        self.home.migrate("--events", path)
        self.home.migrate("--events", path, "--migrations-dir", "/nowhere")
        events = [json.loads(line) for line in path.read_text().splitlines()]
        for event in events:
            jsonschema.validate(event, schema("events"))
        self.assertEqual({event["event"] for event in events}, {"planned", "started", "output", "finished", "committed", "note", "ended"})


if __name__ == "__main__":
    telec.main("json")
