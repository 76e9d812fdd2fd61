# SPDX-License-Identifier: MIT
# Build step: a Python program (shim.py with its parts, lint.py) as a C++ header. Compiles it first, so that a syntax
# error fails the build. NAME.py becomes the constant NAME_source.
import pathlib
import sys


def text_of(path):
    source = path.read_text(encoding="ascii")
    compile(source, str(path), "exec")
    return source


def main():
    shim, *parts, header_path = map(pathlib.Path, sys.argv[1:])
    source = text_of(shim)
    for part in parts:
        name = '"%s"' % part.name
        if source.count(name) != 1:
            sys.exit("%s does not name %s once" % (shim, name))
        source = source.replace(name, repr(text_of(part)))
    compile(source, str(shim), "exec")
    with open(header_path, "w", encoding="ascii") as file:
        file.write("// Made from %s.\n#pragma once\n\nnamespace telec {\n\n" % shim.name)
        file.write("constexpr const char %s_source[] =\n" % shim.stem)
        for line in source.splitlines(keepends=True):
            for start in range(0, len(line), 2000):
                piece = line[start : start + 2000]
                piece = piece.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?").replace("\n", "\\n")
                file.write('    "%s"\n' % piece)
        file.write("    ;\n\n}  // namespace telec\n")


main()
