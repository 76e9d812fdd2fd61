# SPDX-License-Identifier: MIT
# The part of shim.py for a python that is started while the migration before its own still runs (standby.hpp): says
# what shaped its start, and imports what the script is going to import. Executes nothing of the script. `sys` is given.

# Their import reads nothing but their own files: no environment, no locale, no configuration, so it comes to the same
# whenever it happens. (Not logging, which keeps the time of its import; not ssl and what needs it; not what opens a
# window or a page; not uuid, which asks for the host's name.)
IMPORTABLE = (
    "abc argparse array ast base64 binascii bisect bz2 cmath collections collections.abc configparser contextlib copy "
    "csv dataclasses datetime decimal difflib enum errno fcntl filecmp fnmatch fractions functools glob graphlib grp "
    "gzip heapq html inspect io itertools json keyword lzma math numbers operator os os.path pathlib pickle pprint pwd "
    "queue re select selectors shlex shutil sqlite3 stat statistics string struct subprocess sys tarfile tempfile "
    "textwrap threading time tokenize tomllib traceback types typing unicodedata urllib.parse warnings weakref "
    "xml.etree.ElementTree zipfile zlib"
)


def listed(name, texts):
    # The end of a line to the runner; None where a text would need more than quotes around it.
    joined = '", "'.join(texts)
    if not joined.isprintable() or "\\" in joined or joined.count('"') != max(2 * len(texts) - 2, 0):
        return None
    return ', "' + name + '": [' + (texts and '"' + joined + '"' or "") + "]"


def attribute_of(module, name):
    # Without a word to the module, whose own code might find its attributes.
    return object.__getattribute__(module, "__dict__").get(name) if issubclass(type(module), type(sys)) else None


def files_of(modules):
    return [file for file in [attribute_of(module, "__file__") for module in modules] if type(file) is str]


def start_paths():
    # What is not there now could be there for the next one. Where nothing is said, nothing is started ahead.
    site = sys.modules.get("site")
    modules = list(sys.modules.values())
    paths = [sys.executable, getattr(sys, "_base_executable", None) or sys.executable]
    paths += [path for path in sys.path if type(path) is str]  # the import system passes over the others
    paths += site.getsitepackages() if hasattr(site, "getsitepackages") else []
    paths += [path for module in modules for path in attribute_of(module, "__path__") or ()]
    return listed("paths", list(dict.fromkeys(paths + files_of(modules)))) or ""


def standard_first():
    # A directory that was put before the standard library's may have a module of the same name, which is not ours to run.
    library = sys.modules["os"].__file__.rpartition("/")[0]
    archive = "%s/python%d%d.zip" % (library.rpartition("/")[0], *sys.version_info[:2])
    return library in sys.path and all(path == archive for path in sys.path[: sys.path.index(library)])


def first_imports(code, source):
    # The modules that the script's first statements import, up to one that is no import, or imports something else: from
    # there on it may have changed what an import finds. A line that stands in a string has no code. The lines of code
    # are known since 3.10, and so are the names of the standard library: before that nothing is imported ahead.
    names = []
    if not standard_first():
        return names
    lines = source.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbers = sorted({line for _, _, line in code.co_lines() if line}) if hasattr(code, "co_lines") else ()
    for number in numbers:
        line = lines[number - 1] if number <= len(lines) else ""
        kind, _, rest = line.partition("#")[0].partition(" ")
        if number == numbers[0] and "__doc__" in code.co_names and line.lstrip("rRuU")[:1] in ('"', "'") and ";" not in line:
            continue
        if kind not in ("import", "from") or ";" in rest or "\\" in rest:
            break
        found = [part.split()[0] if part.split() else "" for part in rest.split(",")]
        found = found if kind == "import" else found[:1]
        if found == ["__future__"]:
            continue
        for name in found:
            if " " + name + " " not in " " + IMPORTABLE + " " or name.partition(".")[0] not in sys.stdlib_module_names:
                return names
            names.append(name)
    return names


def import_ahead(code, source):
    before = set(sys.modules)
    for name in first_imports(code, source) if code else ():
        try:
            __import__(name)
        except Exception:
            pass  # the script will see
    files = listed("files", files_of([sys.modules[name] for name in set(sys.modules) - before]))
    if files is None:
        raise ValueError("a module's path cannot be said")  # the end of this python: a cold one takes its place
    return files
