# SPDX-License-Identifier: MIT
# Build step: shim.py as a C++ header. Compiles it first, so that a syntax error fails the build.
import sys


def main():
    source_path, header_path = sys.argv[1:]
    with open(source_path, encoding="ascii") as file:
        source = file.read()
    compile(source, source_path, "exec")
    with open(header_path, "w", encoding="ascii") as file:
        file.write("// Made from shim.py.\n#pragma once\n\nnamespace telec {\n\nconstexpr const char shim_source[] =\n")
        for line in source.splitlines():
            file.write('    "%s\\n"\n' % line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?"))
        file.write("    ;\n\n}  // namespace telec\n")


main()
