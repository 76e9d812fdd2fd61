#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/compile_python.py FILE...: checks that every file is Python that compiles.

Prints `path:line: what` for each that does not. Runs none of them, and writes no bytecode.
"""

import sys


def findings(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        yield error.lineno or 1, f"does not compile: {error.msg}"


def main():
    found = [(path, number, what) for path in sys.argv[1:] for number, what in findings(path)]
    for path, number, what in found:
        print(f"{path}:{number}: {what}")
    return 1 if found or len(sys.argv) == 1 else 0


if __name__ == "__main__":
    sys.exit(main())
