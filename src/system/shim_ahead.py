# SPDX-License-Identifier: MIT
# The part of shim.py for a python that is started while the migration before its own still runs (standby.hpp): says
# what shaped its start, and imports what the script is going to import. Executes nothing of the script. `sys` is given.

# Their import reads nothing but their own files: no environment, no locale, no configuration, so it comes to the same
# whenever it happens. (Not logging, which keeps the time of its import; not ssl and what needs it; not what opens a
# window or a page.)
IMPORTABLE = (
    "abc argparse array ast base64 binascii bisect bz2 cmath collections collections.abc configparser contextlib copy "
    "csv dataclasses datetime decimal difflib enum errno fcntl filecmp fnmatch fractions functools glob graphlib grp "
    "gzip heapq html inspect io itertools json keyword lzma math numbers operator os os.path pathlib pickle pprint pwd "
    "queue re select selectors shlex shutil sqlite3 stat statistics string struct subprocess sys tarfile tempfile "
    "textwrap threading time tokenize tomllib traceback types typing unicodedata urllib.parse uuid warnings weakref "
    "xml.etree.ElementTree zipfile zlib"
)


def listed(name, texts):
    # The end of a line to the runner; None where a text would need more than quotes around it.
    joined = '", "'.join(texts)
    if not joined.isprintable() or "\\" in joined or joined.count('"') != max(2 * len(texts) - 2, 0):
        return None
    return ', "' + name + '": [' + (texts and '"' + joined + '"' or "") + "]"


def files_of(modules):
    return [m.__file__ for m in modules if type(getattr(m, "__file__", None)) is str]


def start_paths():
    # What is not there now could be there for the next one. Where nothing is said, nothing is started ahead.
    site = sys.modules.get("site")
    paths = [sys.executable, getattr(sys, "_base_executable", None) or sys.executable] + sys.path
    paths += site.getsitepackages() if hasattr(site, "getsitepackages") else []
    return listed("paths", list(dict.fromkeys(paths + files_of(list(sys.modules.values()))))) or ""


def names_in(code):
    names = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is type(code):
            names |= names_in(constant)
    return names


def import_ahead(code, source):
    # What the code names and a line of the script that begins with `import` or `from` has, in the script's order. The
    # names of the standard library are known since 3.10: before that nothing is imported ahead.
    before = set(sys.modules)
    standard = getattr(sys, "stdlib_module_names", ())
    names = names_in(code) if code else ()
    for line in source.decode("ascii", "replace").split("\n") if names else ():
        words = line.replace(",", " ").replace(";", " ").split()
        for name in words if words and words[0] in ("import", "from") else ():
            if name in names and " " + name + " " in " " + IMPORTABLE + " " and name.partition(".")[0] in standard:
                try:
                    __import__(name)
                except ImportError:
                    pass
    files = listed("files", files_of([sys.modules[name] for name in set(sys.modules) - before]))
    if files is None:
        raise ValueError("a module's path cannot be said")  # the end of this python: a cold one takes its place
    return files
