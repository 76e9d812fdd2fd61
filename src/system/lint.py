# SPDX-License-Identifier: MIT
# Looks at migrations for `telec migrate lint` and `doctor`, and executes nothing of them: they are read by Python's own
# parser. Runs in the system's python3 (3.8 or newer), isolated.
#
# In, on stdin, for each script: eight digits, the length of the fields; eight digits, the length of the script; the
# fields, separated by NUL (what to do: "lint" or "load", the path to show, the path on disk); the script.
# Out: for each finding five fields, separated by NUL, and a record separator (0x1e): the path, the line, the rule, the
# reason, the way to mend it. The first record is about python itself: "", "0", "python", version, "isolated" or "".
import ast
import importlib.util
import os
import sys

OLDEST = (3, 8)
NEWER_MODULES = {"zoneinfo": "3.9", "graphlib": "3.9", "tomllib": "3.11"}
REMOVED_MODULES = {
    "asynchat": "3.12", "asyncore": "3.12", "distutils": "3.12", "imp": "3.12", "smtpd": "3.12", "aifc": "3.13",
    "audioop": "3.13", "cgi": "3.13", "cgitb": "3.13", "chunk": "3.13", "crypt": "3.13", "imghdr": "3.13",
    "mailcap": "3.13", "msilib": "3.13", "nis": "3.13", "nntplib": "3.13", "ossaudiodev": "3.13", "pipes": "3.13",
    "sndhdr": "3.13", "spwd": "3.13", "sunau": "3.13", "telnetlib": "3.13", "uu": "3.13", "xdrlib": "3.13", "lib2to3": "3.13",
}
NETWORK_MODULES = {"socket", "ssl", "http", "urllib.request", "urllib.error", "ftplib", "smtplib", "poplib", "imaplib",
                   "telnetlib", "nntplib", "xmlrpc", "socketserver", "webbrowser"}
NEWER_METHODS = {"removeprefix": "3.9", "removesuffix": "3.9", "is_relative_to": "3.9", "with_stem": "3.9", "hardlink_to": "3.10"}
BUILTIN_GENERICS = {"list", "dict", "set", "frozenset", "tuple", "type"}
CHANGING = {"remove", "unlink", "rename", "replace", "mkdir", "makedirs", "rmdir", "removedirs", "chmod", "chown", "symlink",
            "link", "truncate", "utime", "rmtree", "move", "copy", "copy2", "copyfile", "copytree", "write_text",
            "write_bytes", "touch", "symlink_to"}
TORN = """write the new content to a name of its own beside it, sync it, and rename it over the old file:
    temporary = PATH + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, PATH)"""


def standard_modules():
    names = getattr(sys, "stdlib_module_names", None)  # from 3.10 on
    if names is None:
        names = set(sys.builtin_module_names)
        folder = os.path.dirname(os.__file__)
        for where in (folder, os.path.join(folder, "lib-dynload")):
            for entry in os.listdir(where) if os.path.isdir(where) else ():
                names.add(entry.split(".")[0])
    return set(names) | set(NEWER_MODULES) | set(REMOVED_MODULES)


STANDARD = standard_modules()


class Script:
    def __init__(self, shown, path, source):
        self.shown, self.path, self.source = shown, path, source
        self.findings = []

    def find(self, node, rule, reason, mend):
        line = node if isinstance(node, int) else getattr(node, "lineno", 0)
        self.findings.append((self.shown, str(line or 0), rule, reason, mend))


def parse(script, **options):
    return ast.parse(script.source, script.path, **options)


def dotted(node):
    """`os.path.join` for such an expression, else an empty string."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(reversed(parts + [node.id]))


def own_nodes(function):
    """All nodes of a function, without those of functions inside it."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop(0)
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))


def never_returns(body):
    """Does the block always end by raise, return, or an endless loop? Errs on the side of yes."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, (ast.Raise, ast.Return)):
        return True
    if isinstance(last, ast.If):
        return never_returns(last.body) and never_returns(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return never_returns(last.body)
    if isinstance(last, ast.Try) or type(last).__name__ == "TryStar":
        if never_returns(last.finalbody):
            return True
        body_ends = never_returns(last.body) or never_returns(last.orelse)
        return body_ends and all(never_returns(handler.body) for handler in last.handlers)
    if isinstance(last, ast.While):
        return isinstance(last.test, ast.Constant) and bool(last.test.value)
    return type(last).__name__ == "Match"


def look_at_shape(script, tree):
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                bound.setdefault((alias.asname or alias.name).split(".")[0], node)
    stack = list(tree.body)
    while stack:  # what is bound at the top, also below if and try
        node = stack.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    bound[target.id] = node
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            stack.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
    for name in ("check", "migrate"):
        mend = "write it as: def %s(): ... return True or False" % name
        node = bound.get(name)
        if node is None:
            script.find(1, "no_" + name, "the script has no %s()" % name, mend)
        elif isinstance(node, ast.AsyncFunctionDef):
            script.find(node, "wrong_shape", "%s() is async: calling it gives a coroutine, not True or False" % name, mend)
        elif isinstance(node, ast.ClassDef):
            script.find(node, "wrong_shape", "%s is a class, not a function" % name, mend)
        elif isinstance(node, ast.FunctionDef):
            look_at_function(script, node, mend)


def look_at_function(script, node, mend):
    name = node.name
    arguments = node.args
    positional = len(getattr(arguments, "posonlyargs", [])) + len(arguments.args) - len(arguments.defaults)
    keywords = sum(1 for default in arguments.kw_defaults if default is None)
    if positional > 0 or keywords > 0:
        script.find(node, "wrong_shape", "%s() is called without arguments, and this one needs some" % name, mend)
    inside = list(own_nodes(node))
    if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in inside):
        script.find(node, "wrong_shape", "%s() is a generator: calling it runs nothing of it" % name, mend)
        return
    for part in inside:
        if not isinstance(part, ast.Return):
            continue
        if part.value is None or isinstance(part.value, ast.Constant) and not isinstance(part.value.value, bool):
            value = "None" if part.value is None else repr(part.value.value)
            script.find(part, "not_a_boolean", "%s() returns %s here, and only True and False are answers" % (name, value),
                        "return True or False")
        elif isinstance(part.value, (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.DictComp)):
            script.find(part, "not_a_boolean", "%s() returns something that is neither True nor False here" % name,
                        "return bool(...) of it, or a comparison")
    if not never_returns(node.body):
        script.find(node, "not_a_boolean", "%s() can come to its end without a return, which gives None" % name,
                    "end it with return True or return False")


def look_at_imports(script, tree):
    beside = os.path.dirname(script.path)
    guarded = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            for part in ast.walk(node):
                guarded.add(part)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [[alias.name] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [[node.module or ""] + ["%s.%s" % (node.module, alias.name) for alias in node.names]]
        elif isinstance(node, ast.ImportFrom):
            script.find(node, "relative_import", "a migration is no part of a package, so this cannot be imported",
                        "import the helper beside it by its plain name")
            continue
        else:
            continue
        for names in modules:
            look_at_module(script, node, names, node in guarded, beside)


def look_at_module(script, node, names, guarded, beside):
    top = names[0].split(".")[0]
    network = [name for name in names if name in NETWORK_MODULES or name.split(".")[0] in NETWORK_MODULES]
    if network:
        script.find(node, "network", "%s is for the network, and an upgrade must work offline" % network[0],
                    "ship what it needs with the version, or leave it to the program itself")
    local = any(os.path.exists(os.path.join(beside, top + ending)) for ending in (".py", ""))
    if top not in STANDARD and not local:
        script.find(node, "not_standard", "%s is not in Python's standard library, and may not be there" % top,
                    "do without it: a migration has the system's python3 and nothing else")
    elif top in NEWER_MODULES and not guarded:
        script.find(node, "newer_module", "%s came with Python %s, and 3.8 is enough for telec" % (top, NEWER_MODULES[top]),
                    "do without it, or import it in a try with another way")
    elif top in REMOVED_MODULES and not guarded:
        script.find(node, "removed_module", "%s is gone since Python %s" % (top, REMOVED_MODULES[top]), "do without it")


def look_at_syntax(script, tree):
    try:
        parse(script, feature_version=OLDEST)
    except SyntaxError as error:
        script.find(error.lineno or 1, "newer_syntax", "%s; Python 3.8 is enough for telec" % error.msg,
                    "write it as Python 3.8 understands it")
        return
    postponed = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" and
                    any(alias.name == "annotations" for alias in node.names) for node in tree.body)
    annotations = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            every = node.args.args + node.args.kwonlyargs + getattr(node.args, "posonlyargs", [])
            annotations += [argument.annotation for argument in every if argument.annotation] + ([node.returns] if node.returns else [])
        elif isinstance(node, ast.AnnAssign):
            annotations.append(node.annotation)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NEWER_METHODS:
            script.find(node, "newer_method", "%s() came with Python %s, and 3.8 is enough for telec" %
                        (node.func.attr, NEWER_METHODS[node.func.attr]), "write it with what Python 3.8 has")
    for annotation in [] if postponed else annotations:
        for part in ast.walk(annotation):
            if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr):
                script.find(part, "newer_syntax", "a type written as X | Y needs Python 3.10 when it is evaluated",
                            "begin the script with: from __future__ import annotations")
                break
            if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and part.value.id in BUILTIN_GENERICS:
                script.find(part, "newer_syntax", "a type written as %s[...] needs Python 3.9 when it is evaluated" % part.value.id,
                            "begin the script with: from __future__ import annotations")
                break


def open_mode(call):
    """The mode of an open() call that says it in so many words; "r" where it says nothing."""
    name = dotted(call.func)
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr == "open" and name not in ("io.open", "codecs.open", "os.open")
    if name not in ("open", "io.open", "codecs.open") and not is_method:
        return None
    place = 0 if is_method else 1
    mode = call.args[place] if len(call.args) > place else None
    for keyword in call.keywords:
        if keyword.arg == "mode":
            mode = keyword.value
    if mode is None:
        return "r"
    return mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else None


def written_path(call):
    """The expression of the path that a call writes anew from its beginning, else None."""
    mode = open_mode(call)
    if mode is not None and "w" in mode:
        if dotted(call.func) in ("open", "io.open", "codecs.open"):
            return call.args[0] if call.args else None
        return call.func.value
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("write_text", "write_bytes"):
        return call.func.value
    return None


def look_at_writing(script, tree):
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for scope in functions + [tree]:
        calls = [node for node in own_nodes(scope) if isinstance(node, ast.Call)]
        renamed = set()
        for call in calls:
            if dotted(call.func) in ("os.rename", "os.replace", "shutil.move") and call.args:
                renamed.add(ast.dump(call.args[0]))
            elif isinstance(call.func, ast.Attribute) and call.func.attr in ("rename", "replace"):
                renamed.add(ast.dump(call.func.value))
        for call in calls:
            path = written_path(call)
            if path is None:
                continue
            shape = ast.dump(path)
            if isinstance(path, ast.Call) and dotted(path.func) in ("Path", "pathlib.Path") and path.args:
                shape = ast.dump(path.args[0])
            if ast.dump(path).replace("ctx=Store()", "ctx=Load()") not in renamed and shape not in renamed:
                script.find(call, "torn_write",
                            "this empties the file before it writes: killed in between, half a file or none is left", TORN)


def look_at_behaviour(script, tree):
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name in ("exit", "quit", "sys.exit", "os._exit", "os.abort"):
            script.find(node, "exits", "%s() ends python before there is an answer, which is a failure" % name,
                        "return False, or raise an exception that says what is wrong")
        elif name == "input":
            script.find(node, "reads_stdin", "input() fails: a migration has no stdin", "decide without asking")
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name != "check":
            continue
        for node in own_nodes(function):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            origin = dotted(node.func).split(".")[0]
            mode = open_mode(node)
            # str.replace() and the like have names in common with changes: only with os, shutil or pathlib's own.
            changes = called in CHANGING and (origin in ("os", "shutil") or called in ("write_text", "write_bytes", "mkdir", "touch", "symlink_to"))
            if changes or mode is not None and set(mode) & set("wax+"):
                script.find(node, "check_changes", "check() changes something here: it is run to look, at any time and often",
                            "leave changes to migrate()")


def lint(script):
    try:
        tree = parse(script)
        compile(tree, script.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # ValueError: a NUL in the source
        line = getattr(error, "lineno", None) or 1
        text = getattr(error, "msg", None) or str(error)
        script.find(line, "syntax", "Python %d.%d cannot read it: %s" % (sys.version_info[0], sys.version_info[1], text),
                    "mend the line; a script that cannot be read cannot be run")
        return
    except (RecursionError, MemoryError):
        script.find(1, "syntax", "it is nested too deeply to be read", "write it with fewer levels")
        return
    for look in (look_at_shape, look_at_imports, look_at_syntax, look_at_writing, look_at_behaviour):
        look(script, tree)


def load(script):
    """Would it load on this host: does it compile, and are its imports found? Nothing is imported."""
    try:
        tree = parse(script)
        compile(tree, script.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        script.find(getattr(error, "lineno", None) or 1, "syntax",
                    "it does not compile: %s" % (getattr(error, "msg", None) or str(error) or type(error).__name__), "mend the script")
        return
    guarded = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            guarded.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in guarded:
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in names:
            top = name.split(".")[0]
            if os.path.exists(os.path.join(os.path.dirname(script.path), top + ".py")) or \
                    os.path.isdir(os.path.join(os.path.dirname(script.path), top)):
                continue
            try:
                found = importlib.util.find_spec(top) is not None
            except (ImportError, ValueError, AttributeError):
                found = top in sys.modules
            if not found:
                script.find(node, "import", "it imports %s, which %s does not find" % (top, sys.executable or "python"),
                            "install it for this interpreter, or name another one with --python")


def write(records):
    clean = [[field.replace("\0", " ").replace("\x1e", " ") for field in record] for record in records]
    text = "".join("\0".join(record) + "\x1e" for record in clean)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def main():
    # At once: until then it is not known whether this is a python at all.
    write([("", "0", "python", "%d.%d.%d" % sys.version_info[:3], "isolated" if sys.flags.isolated else "")])
    data = sys.stdin.buffer.read()
    records = []
    place = 0
    while place < len(data):
        fields_end = place + 16 + int(data[place:place + 8])
        source_end = fields_end + int(data[place + 8:place + 16])
        task, shown, path = (os.fsdecode(field) for field in data[place + 16:fields_end].split(b"\0"))
        script = Script(shown, path, data[fields_end:source_end])
        place = source_end
        (lint if task == "lint" else load)(script)
        records += sorted(script.findings, key=lambda finding: int(finding[1]))
    write(records)


main()
