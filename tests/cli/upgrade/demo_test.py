#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/demo: that it tells the truth from start to end, and leaves nothing behind."""

import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "support"))
from looking import exact  # noqa: E402
from story import TODO_STATES  # noqa: E402
from telec import Home, ROOT, binary, main, wait_until  # noqa: E402

DEMO = str(ROOT / "scripts" / "demo")


class Demo(unittest.TestCase):
    def test_the_demo_plays_the_story_and_leaves_no_trace(self):
        with Home() as home:
            scratch = home.path / "tmp"
            scratch.mkdir()
            environment = home.environment(TELEC_BINARY=binary(), TMPDIR=str(scratch), TELEC_MIGRATIONS_DIR=None)
            before = exact(home.home)
            run = subprocess.run([DEMO], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=240, cwd=str(home.path))
            self.assertEqual(run.returncode, 0, run.stdout)
            for words in ("$ telec migrate --dry-run\n", "$ telec migrate\n", "[exit 1]", TODO_STATES, "not reached",
                          "$ telec migrate status\n", "$ telec migrate --from 1.2.0 --to 1.2.0 -v\n",
                          "$ telec migrate -q --to 1.2.0\n", "the same\n", "What to type next:\n"):
                self.assertIn(words, run.stdout)
            self.assertEqual(run.stdout.count("[exit 1]"), 1)
            self.assertNotIn("demo: error", run.stdout)
            self.assertEqual(list(scratch.iterdir()), [])
            self.assertEqual(exact(home.home), before)

    def test_a_demo_that_is_interrupted_cleans_up_too(self):
        with Home() as home:
            scratch = home.path / "tmp"
            scratch.mkdir()
            environment = home.environment(TELEC_BINARY=binary(), TMPDIR=str(scratch))
            process = subprocess.Popen([DEMO], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            self.assertTrue(wait_until(lambda: list(scratch.glob("*/home/.teleclaude"))))
            process.terminate()
            self.assertNotEqual(process.wait(60), 0)
            self.assertEqual(list(scratch.iterdir()), [])


if __name__ == "__main__":
    main("demo")
