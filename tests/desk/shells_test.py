#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The completions in the real shells, the man page, and both against the table that the help is made from.

TELEC_DOCS names the directory where the build put them.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import telec  # noqa: E402

DOCS = pathlib.Path(os.environ.get("TELEC_DOCS", pathlib.Path(telec.binary()).parent / "docs")).resolve()
ONE, TWO = "1.1.0/001_one.py", "1.2.0/001_two.py"


class Shells(unittest.TestCase):
    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)
        self.home.add_all(ONE, TWO)
        self.home.migrate("--only", ONE)
        bin_dir = self.home.path / "bin"
        bin_dir.mkdir()
        (bin_dir / "telec").symlink_to(telec.binary())
        self.environment = self.home.environment(TERM="dumb")
        self.environment["PATH"] = f"{bin_dir}:{self.environment['PATH']}"

    def need(self, shell):
        path = shutil.which(shell)
        if path is None:
            self.skipTest(f"{shell} is not installed")
        return path

    def help_options(self, words):
        text = self.home.run("help", *words).out.split("options:\n")[1].split("\nexit status:")[0]
        return re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", text, re.MULTILINE)

    USERS = {"root", "daemon"}

    def verbs(self):
        return re.findall(r"^  telec migrate ([a-z]+)  ", self.home.run("help").out.split("commands:\n")[1], re.MULTILINE)

    # Each gives the candidates for the last of the words.

    def bash(self, *words):
        program = (f"source {DOCS / 'telec.bash'}\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_telec\n"
                   "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"\ntrue")
        result = subprocess.run([self.need("bash"), "--norc", "-c", program, "bash", "telec", *words], env=self.environment,
                                capture_output=True, text=True, timeout=30, cwd=self.home.path)
        # compopt is only allowed while a completion is under way, which this is not.
        errors = [line for line in result.stderr.splitlines() if "compopt" not in line]
        self.assertEqual(errors, [])
        return result.stdout.split()

    def fish(self, *words):
        line = " ".join(["telec", *words])
        result = subprocess.run([self.need("fish"), "--no-config", "-c", f"source {DOCS / 'telec.fish'}; complete -C '{line}'"],
                                env=self.environment, capture_output=True, text=True, timeout=30, cwd=self.home.path)
        self.assertEqual(result.stderr, "")
        return [row.split("\t")[0] for row in result.stdout.splitlines()]

    def zsh(self, *words):
        """Types the words and a tab into an interactive zsh that shows what it would offer."""
        zsh = self.need("zsh")
        pid, fd = pty.fork()
        if pid == 0:
            try:
                os.chdir(self.home.path)
                os.execve(zsh, ["zsh", "-f", "-i"], {**self.environment, "TERM": "vt100", "ZDOTDIR": str(self.home.path)})
            finally:
                os._exit(127)
        text = ""

        def until(mark, seconds=120):
            nonlocal text
            end = time.monotonic() + seconds
            while mark not in text and time.monotonic() < end:
                if select.select([fd], [], [], 0.2)[0]:
                    text += os.read(fd, 65536).decode("utf-8", "replace")
            self.assertIn(mark, text)

        functions = self.home.path / "functions"
        functions.mkdir(exist_ok=True)
        shutil.copy(DOCS / "telec.zsh", functions / "_telec")
        lines = [f"fpath=({functions} $fpath)", "autoload -Uz compinit && compinit -u -D",
                 "compadd() { local -a got; builtin compadd -O got \"$@\"; print -rl -- $got >> offered; builtin compadd \"$@\" }",
                 "setopt no_list_beep; LISTMAX=1000; PS1='re''ady> '"]
        try:
            os.write(fd, "\n".join(lines).encode() + b"\n")
            until("ready> ")
            text = ""
            os.write(fd, " ".join(["telec", *words]).encode() + b"\t")
            offered = self.home.path / "offered"
            telec.wait_until(lambda: offered.exists() and offered.stat().st_size > 0, 60)
            size = -1
            while offered.exists() and offered.stat().st_size != size:  # compadd is called more than once
                size = offered.stat().st_size
                time.sleep(0.5)
            words = offered.read_text().split() if offered.exists() else []
            offered.unlink(missing_ok=True)
            return words
        finally:
            os.close(fd)
            os.waitpid(pid, 0)

    def test_bash_offers_verbs_options_ids_and_versions(self):
        self.need("bash")
        self.assertEqual(sorted(self.bash("migrate", "")), sorted(self.verbs()))
        self.assertEqual(self.bash("migrate", "--dr"), ["--dry-run"])
        self.assertEqual(self.bash("migrate", "mark", ""), [TWO])
        self.assertEqual(self.bash("migrate", "forget", "1."), [ONE])
        self.assertEqual(self.bash("migrate", "log", ""), [ONE, TWO])
        self.assertEqual(self.bash("migrate", "--only", "1.2"), [TWO])
        self.assertEqual(self.bash("migrate", "status", "--from", ""), ["1.1.0", "1.2.0"])
        self.assertEqual(self.bash("migrate", "status", "--color", "a"), ["auto", "always"])
        self.assertEqual(self.bash("migrate", "--color", "=", "n"), ["never"])
        self.assertEqual(self.bash("migrate", "--hook", "="), ["strict"])
        self.assertEqual(self.bash("migrate", "--hook", "=", "s"), ["strict"])
        self.assertEqual(self.bash("migrate", "--hook", "s"), ["status"])
        self.assertLessEqual(self.USERS, set(self.bash("migrate", "--user", "")))
        self.assertEqual(self.bash("migrate", "--timeout", ""), [])
        self.assertEqual(sorted(self.bash("help", "")), sorted(["migrate", *self.verbs()]))
        self.assertEqual(self.bash("help", "migrate", "st"), ["status"])
        self.assertEqual(self.bash("help", "status", ""), [])
        self.assertEqual(self.bash("hel"), ["help"])

    def test_each_shell_reads_its_file_without_a_complaint(self):
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell=shell):
                result = subprocess.run([self.need(shell), "-n", str(DOCS / f"telec.{shell}")], capture_output=True, text=True, timeout=30)
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_bash_looks_in_the_tree_and_the_state_that_are_named(self):
        self.need("bash")
        state = self.home.path / "other.json"
        self.assertEqual(self.bash("migrate", "--state-file", str(state), "--only", ""), [ONE, TWO])

    def test_fish_offers_verbs_options_ids_and_versions(self):
        self.need("fish")
        self.assertEqual(sorted(self.fish("migrate", "''")) or [], sorted(self.fish("migrate", "''")))
        self.assertEqual(sorted(self.fish("migrate", "")), sorted(self.verbs()))
        self.assertEqual(self.fish("migrate", "--dr"), ["--dry-run"])
        self.assertEqual(self.fish("migrate", "mark", ""), [TWO])
        self.assertEqual(self.fish("migrate", "forget", ""), [ONE])
        self.assertEqual(self.fish("migrate", "--only", ""), [TWO])
        self.assertEqual(self.fish("migrate", "status", "--from", ""), ["1.1.0", "1.2.0"])
        self.assertEqual(self.fish("migrate", "--color", ""), ["always", "auto", "never"])
        self.assertEqual(self.fish("migrate", "--color=n"), ["--color=never"])
        self.assertEqual(self.fish("migrate", "--hook="), ["--hook=strict"])
        self.assertNotIn("strict", self.fish("migrate", "--hook", ""))
        self.assertLessEqual(self.USERS, set(self.fish("migrate", "--user", "")))
        self.assertEqual(sorted(self.fish("help", "")), sorted(["migrate", *self.verbs()]))
        self.assertEqual(self.fish("help", "migrate", "st"), ["status"])
        self.assertEqual(self.fish("help", "status", ""), [])

    def test_zsh_offers_verbs_options_ids_and_versions(self):
        self.need("zsh")
        self.assertLessEqual(set(self.verbs()), set(self.zsh("migrate", "")))
        self.assertIn("--dry-run", self.zsh("migrate", "--dr"))
        self.assertEqual(self.zsh("migrate", "mark", ""), [TWO])
        self.assertEqual(self.zsh("migrate", "forget", ""), [ONE])
        self.assertEqual(self.zsh("migrate", "--only", ""), [TWO])
        self.assertEqual(sorted(self.zsh("migrate", "--color", "a")), ["always", "auto"])
        self.assertEqual(self.zsh("migrate", "--hook="), ["strict"])
        self.assertEqual(set(self.zsh("migrate", "--hook", "stat")), {"status"})
        self.assertNotIn("strict", self.zsh("migrate", "--hook", "s"))
        self.assertEqual(set(self.zsh("help", "st")), {"status"})
        self.assertEqual(set(self.zsh("help", "migrate", "st")), {"status"})

    def test_every_command_offers_exactly_the_options_of_its_help(self):
        self.need("bash")
        for verb in [None, *self.verbs()]:
            words = ["migrate"] + ([verb] if verb else [])
            with self.subTest(words=words):
                self.assertEqual(sorted(self.bash(*words, "--")), sorted(self.help_options(words)))

    def test_zsh_is_given_exactly_the_options_of_the_help(self):
        text = (DOCS / "telec.zsh").read_text(encoding="utf-8")
        for verb in [None, *self.verbs()]:
            words = ["migrate"] + ([verb] if verb else [])
            with self.subTest(words=words):
                section = text.split(f"\n        {verb or chr(39) * 2})\n")[1].split(" ;;\n")[0]
                self.assertEqual(sorted(re.findall(r"^ +'\*?(--[a-z-]+?)=?-?\[", section, re.MULTILINE)), sorted(self.help_options(words)))

    def test_fish_offers_exactly_the_options_of_the_help(self):
        self.need("fish")
        for verb in [None, *self.verbs()]:
            words = ["migrate"] + ([verb] if verb else [])
            with self.subTest(words=words):
                # One whose value may be left out is offered with and without the '='.
                offered = {word.rstrip("=") for word in self.fish(*words, "--") if word.startswith("--")}
                self.assertEqual(sorted(offered), sorted(self.help_options(words)))


class ManPage(unittest.TestCase):
    def setUp(self):
        self.page = DOCS / "telec-migrate.1"
        if not self.page.exists():
            self.skipTest("the man page was not built: scdoc is not installed")
        self.text = re.sub(r"\\&|\\f[BIRP]", "", self.page.read_text(encoding="utf-8")).replace("\\-", "-")
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def test_it_has_the_sections_that_people_look_for(self):
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"):
            self.assertRegex(self.text, rf'(?m)^\.SH "?{section}"?$')

    def test_it_names_every_command_and_every_option(self):
        commands = re.findall(r"^  telec (migrate(?: [a-z]+)?)  ", self.home.run("help").out.split("commands:\n")[1], re.MULTILINE)
        self.assertGreater(len(commands), 9)
        for command in commands:
            self.assertGreaterEqual(self.text.count(f"telec {command}"), 2, command)
            for option in re.findall(r"--[a-z-]+", self.home.run("help", *command.split()).out.split("\noptions:\n")[1]):
                self.assertIn(option, self.text)

    def test_its_exit_statuses_are_those_of_the_help_and_of_the_readme(self):
        section = self.text.split(".SH EXIT STATUS")[1].split(".SH")[0]
        manual = set(re.findall(r"\d+", " ".join(re.findall(r"^([\d, ]+)$", section, re.MULTILINE))))
        helped = set()
        for verb in re.findall(r"^  telec (migrate(?: [a-z]+)?)  ", self.home.run("help").out.split("commands:\n")[1], re.MULTILINE):
            lines = self.home.run("help", *verb.split()).out.split("exit status:\n")[1]
            helped |= set(re.findall(r"\d+", " ".join(re.findall(r"^  ([\d, ]+)  ", lines, re.MULTILINE))))
        readme = (telec.ROOT / "README.md").read_text(encoding="utf-8").split("| exit | means |\n")[1].split("\n\n")[0]
        listed = set(re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", readme, re.MULTILINE))))
        self.assertIn("65", manual)
        self.assertEqual(manual, helped)
        self.assertEqual(manual, listed)
        found = re.search(r"^\| 4 \| findings \((.*)\) \|$", readme, re.MULTILINE).group(1)
        self.assertEqual(sorted(re.findall(r"`(\w+)`", found)), sorted(re.findall(r"\w+", re.search(r"findings\. For (.*)\.", section).group(1))))

    def test_groff_has_nothing_to_say_about_it(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", str(self.page)], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.stderr, "")


class Pages(unittest.TestCase):
    """What the documents tell people to type is what telec understands."""

    def setUp(self):
        self.home = telec.Home()
        self.addCleanup(self.home.close)

    def commands(self, text):
        """The `telec ...` lines of the code blocks and tables."""
        found = re.findall(r"^(?:\$ |\t|  )?(telec (?:migrate|help)\b[^\n#`]*?)(?:\+\+)?(?:  .*| *#.*)?$", text, re.MULTILINE)
        return found + re.findall(r"`(telec (?:migrate|help)\b[^`\n]*)`", text)

    def test_every_command_of_the_documents_is_understood(self):
        words = re.compile(r"unknown (command|option)|has no option|needs a value|takes no value|unexpected argument|one argument too many|is given twice|"
                           r"contradict|goes with|needs --reason")
        pages = ["README.md", "docs/tour.md", "docs/writing-migrations.md", "docs/telec-migrate.1.scd", "migrations/README.md", "packaging/README.md"]
        seen = 0
        for page in pages:
            for command in self.commands((telec.ROOT / page).read_text(encoding="utf-8")):
                line = re.sub(r" \d?>\S+|[|;&].*", "", command).strip()
                typed = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)][1:]
                if "..." in typed or "[OPTIONS]" in typed:
                    continue
                seen += 1
                with self.subTest(page=page, command=command):
                    result = self.home.run(*typed, "--migrations-dir", "/nowhere") if "--migrations-dir" not in typed and typed[0] != "help" \
                        else self.home.run(*typed)
                    self.assertNotRegex(result.err, words)
        self.assertGreater(seen, 30)

    def test_the_readme_has_every_command_in_its_table(self):
        table = (telec.ROOT / "README.md").read_text(encoding="utf-8").split("## Commands")[1].split("\n\n")[1]
        for verb in re.findall(r"^  telec migrate ([a-z]+)  ", self.home.run("help").out.split("commands:\n")[1], re.MULTILINE):
            self.assertRegex(table, rf"`(telec migrate )?{verb}\b", verb)
        known = set(re.findall(r"--[a-z-]+", self.home.run("help", "migrate").out + self.home.run("help", "status").out +
                               self.home.run("help", "verify").out))
        self.assertLessEqual(set(re.findall(r"--[a-z][a-z-]+", table)), known)


class Installed(unittest.TestCase):
    def test_meson_install_puts_each_where_the_system_looks_for_it(self):
        build = DOCS.parent
        if not (build / "build.ninja").exists() or shutil.which("meson") is None:
            self.skipTest("not beside a build directory of meson")
        with telec.Home() as home:
            result = subprocess.run(["meson", "install", "--no-rebuild", "-C", str(build), "--destdir", str(home.path / "root")],
                                    capture_output=True, text=True, timeout=120)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            installed = {str(path.relative_to(home.path / "root")): path for path in (home.path / "root").rglob("*") if path.is_file()}
            wanted = {"share/bash-completion/completions/telec": "telec.bash", "share/zsh/site-functions/_telec": "telec.zsh",
                      "share/fish/vendor_completions.d/telec.fish": "telec.fish"}
            if (DOCS / "telec-migrate.1").exists():
                wanted["share/man/man1/telec-migrate.1"] = "telec-migrate.1"
            for ending, built in wanted.items():
                found = [path for name, path in installed.items() if name.endswith(ending)]
                self.assertEqual(len(found), 1, ending)
                self.assertEqual(found[0].read_bytes(), (DOCS / built).read_bytes())
                self.assertEqual(found[0].stat().st_mode & 0o777, 0o644)


if __name__ == "__main__":
    telec.main("shells")
