# SPDX-License-Identifier: MIT
# The part of shim.py for a python that is started while the migration before its own still runs (standby.hpp): says
# what shaped its start, and imports what the script is going to import. Executes nothing of the script. `sys` is given.

# Their import reads nothing but their own files: no environment, no locale, no configuration, so it comes to the same
# whenever it happens. (Not logging, which keeps the time of its import; not ssl and what needs it; not what opens a
# window or a page.)
IMPORTABLE = frozenset(
    (
        "abc argparse array ast base64 binascii bisect bz2 cmath collections collections.abc configparser contextlib copy "
        "csv dataclasses datetime decimal difflib enum errno fcntl filecmp fnmatch fractions functools glob graphlib grp "
        "gzip heapq html inspect io itertools json keyword lzma math numbers operator os os.path pathlib pickle pprint pwd "
        "queue re select selectors shlex shutil sqlite3 stat statistics string struct subprocess sys tarfile tempfile "
        "textwrap threading time tokenize tomllib traceback types typing unicodedata urllib.parse uuid warnings weakref "
        "xml.etree.ElementTree zipfile zlib"
    ).split()
)


def files_of(names):
    files = [getattr(sys.modules.get(name), "__file__", None) for name in names]
    return [file for file in files if type(file) is str]


def start_paths():
    # What is not there now could be there for the next one. A path that has no exact text in the hello cannot be looked
    # at, so then nothing is said, and nothing is started ahead.
    site = sys.modules.get("site")
    paths = [sys.executable, getattr(sys, "_base_executable", None) or sys.executable] + sys.path
    paths += site.getsitepackages() if hasattr(site, "getsitepackages") else []
    paths += files_of(sorted(sys.modules))
    try:
        "".join(paths).encode("utf-8")
    except UnicodeError:
        return []
    return list(dict.fromkeys(paths))


def import_named(nodes, standard):
    # In the script's order. Statements only: an import is one.
    for node in nodes:
        kind = type(node).__name__
        names = ()
        if kind == "Import":
            names = [alias.name for alias in node.names]
        elif kind == "ImportFrom" and not node.level:
            names = [node.module]
        for name in names:
            if name in IMPORTABLE and name.partition(".")[0] in standard:
                try:
                    __import__(name)
                except ImportError:
                    pass
        for field in ("body", "orelse", "handlers", "finalbody"):
            import_named(getattr(node, field, ()), standard)


def import_ahead(source, path):
    # sys.stdlib_module_names came with 3.10: without it nothing is imported ahead.
    before = set(sys.modules)
    stderr, sys.stderr = sys.stderr, None  # what there is to warn of is said when the script is compiled to be run
    try:
        tree = compile(source, path, "exec", 0x400, True)  # ast.PyCF_ONLY_AST, without importing ast
        import_named(tree.body, getattr(sys, "stdlib_module_names", ()))
    except Exception:
        pass  # said when it is run
    finally:
        sys.stderr = stderr
    return files_of([name for name in sorted(sys.modules) if name not in before])
