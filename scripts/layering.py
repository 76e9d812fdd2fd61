#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/layering.py [ROOT]: checks which part of the sources may know of which.

    src/*            decides, from values to values: knows neither files nor processes nor the other parts
    src/system/      does: the only part that knows the operating system and Boost; knows src/
    src/output/      what a user sees: knows src/
    src/commands/    what a user can ask: knows all of them, and so do the programs, src/main.cpp and a build step

Prints each violation as `path:line: what`. Reads only the text of the files: nothing is compiled.
"""

import pathlib
import re
import sys

# part: the parts that its files may include
MAY_INCLUDE = {
    "src": {"src"},
    "src/system": {"src", "src/system"},
    "src/output": {"src", "src/output"},
    "src/commands": {"src", "src/system", "src/output", "src/commands"},
    "src/main.cpp": {"src", "src/system", "src/output", "src/commands"},
    "src/write_from_table.cpp": {"src", "src/output"},
}

# Headers of the operating system, and of C's and C++'s own ways to it.
SYSTEM_HEADER = re.compile(
    r"<(?:sys/.*|linux/.*|unistd|fcntl|signal|dirent|poll|spawn|termios|pwd|grp|dlfcn|glob|ftw|pthread|sched|syslog|"
    r"utime|netdb|arpa/.*|netinet/.*)(?:\.h)?>")
FILE_HEADER = re.compile(r"<(?:fstream|filesystem|iostream)>")
# What C's own headers, needed for other things, would still let a decision do.
DOING = re.compile(
    r"(?<![\w.>])(?:std::|::)?"
    r"(fopen|freopen|fprintf|printf|puts|fputs|tmpfile|popen|system|getenv|setenv|fork|exec[lv]p?e?)"
    r"\s*\(")

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"(?P<own>[^"]+)"|(?P<other><[^>]+>))')
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'',
    re.S)


def without_comments(text):
    """The text with comments blanked out and its lines where they were; strings stay, as includes are strings."""
    def blank(match):
        found = match.group()
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found
    return NOT_CODE.sub(blank, text)


def without_strings(text):
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


class Layering:
    def __init__(self, root):
        self.root = root
        self.files = 0
        self.violations = []

    def part_of(self, path):
        """The part that a file belongs to; None where it belongs to none."""
        name = path.relative_to(self.root).as_posix()
        if name in MAY_INCLUDE:
            return name
        if path.parent == self.root / "src":
            return "src"
        return next((part for part in MAY_INCLUDE if part != "src" and name.startswith(part + "/")), None)

    def check_file(self, path):
        self.files += 1
        part = self.part_of(path)
        if part is None:
            self.report(path, 1, "belongs to no part: see the head of scripts/layering.py")
            return
        text = without_comments(path.read_text(encoding="utf-8"))
        for number, line in enumerate(text.splitlines(), 1):
            include = INCLUDE.match(line)
            if include and include["own"]:
                self.check_own(path, part, number, include["own"])
            if include and (include["other"] or include["own"].startswith("boost/")):
                self.check_other(path, part, number, include["other"] or f"<{include['own']}>")
        if part == "src":
            for number, line in enumerate(without_strings(text).splitlines(), 1):
                call = DOING.search(line)
                if call:
                    self.report(path, number, f"a file directly in src/ decides, and does not do ({call[1]})")

    def check_own(self, path, part, number, name):
        for folder in (path.parent, self.root / "src"):
            target = (folder / name).resolve()
            if target.is_file() and self.root in target.parents:
                other = self.part_of(target)
                if other not in MAY_INCLUDE[part]:
                    self.report(path, number, f"{part} may not include {other or 'files from elsewhere'} ({name})")
                return

    def check_other(self, path, part, number, header):
        if part != "src/system" and header.startswith("<boost/"):
            self.report(path, number, f"only src/system may include Boost ({header})")
        if part != "src/system" and SYSTEM_HEADER.fullmatch(header):
            self.report(path, number, f"only src/system may know the operating system ({header})")
        if part == "src" and FILE_HEADER.fullmatch(header):
            self.report(path, number, f"a file directly in src/ reads and writes no files ({header})")

    def report(self, path, number, what):
        self.violations.append((path.relative_to(self.root).as_posix(), number, what))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    layering = Layering(root)
    for path in sorted((root / "src").rglob("*.[ch]pp")):
        layering.check_file(path)
    for path, number, what in sorted(layering.violations):
        print(f"{path}:{number}: {what}")
    if layering.files == 0:
        print("src: no sources found")
    return 1 if layering.violations or layering.files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
