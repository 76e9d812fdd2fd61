# SPDX-License-Identifier: MIT
# Build step: Python programs (shim.py and its parts, lint.py) as a C++ header. A syntax error fails the build. NAME.py
# becomes NAME_source, its text, and NAME_code, what this python makes of it: the magic number of its code, then the code as
# marshal writes it (the same bytes for the same python, with nothing of this machine's paths).
import ast
import importlib.util
import marshal
import pathlib
import sys


def literals(data):
    """C++ string literals of these bytes; in octal, since that cannot run into what follows."""
    for start in range(0, len(data), 60):
        text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\\\?' else "\\%03o" % b for b in data[start : start + 60])
        yield '    "%s"\n' % text


def without_comments(text):
    """The same program, or the text as it is: python takes two hundred instructions for each character of a -c."""
    lines = [line for line in text.split(b"\n") if not line.startswith(b"#")]
    short = b"\n".join(line for line in lines if line) + b"\n"
    return short if ast.dump(ast.parse(short)) == ast.dump(ast.parse(text)) else text


def text_and_code(path):
    text = without_comments(path.read_bytes())
    return text, importlib.util.MAGIC_NUMBER + marshal.dumps(compile(text, "<string>", "exec"))


def main():
    *programs, header_path = map(pathlib.Path, sys.argv[1:])
    with open(header_path, "w", encoding="ascii") as file:
        file.write("// Made from %s.\n#pragma once\n\n#include <string_view>\n\nnamespace telec {\n"
                   % ", ".join(path.name for path in programs))
        for path in programs:
            for kind, data in zip(("source", "code"), text_and_code(path)):
                file.write("\nconstexpr std::string_view %s_%s(\n" % (path.stem, kind))
                file.writelines(literals(data))
                file.write("    , %d);\n" % len(data))
        file.write("\n}  // namespace telec\n")


if __name__ == "__main__":
    main()
