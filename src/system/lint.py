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
import io
import os
import re
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
NEWER_NAMES = {
    "ast.unparse": "3.9", "asyncio.to_thread": "3.9", "functools.cache": "3.9", "math.lcm": "3.9", "random.randbytes": "3.9",
    "itertools.pairwise": "3.10", "asyncio.TaskGroup": "3.11", "asyncio.timeout": "3.11", "contextlib.chdir": "3.11",
    "datetime.UTC": "3.11", "enum.StrEnum": "3.11", "hashlib.file_digest": "3.11", "typing.Self": "3.11", "itertools.batched": "3.12",
    "ExceptionGroup": "3.11", "BaseExceptionGroup": "3.11", "aiter": "3.10", "anext": "3.10",
}
NETWORK_PROGRAMS = {"curl", "wget", "ssh", "scp", "sftp", "pip", "pip3", "apt", "apt-get", "npm"}
NOT_CALLABLE = {"property", "classmethod", "staticmethod", "contextmanager", "asynccontextmanager"}
NEWER_NODES = {  # by name: the python that runs this need not know them
    "Match": ("`match`", "3.10"), "TryStar": ("`except*`", "3.11"), "TypeAlias": ("`type X = ...`", "3.12"),
    "TemplateStr": ("a t-string", "3.14"),
}
REMEMBERING = {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}
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
        self.lines = source.decode("utf-8", "replace").splitlines()
        self.findings = []

    def find(self, node, rule, reason, mend):
        line = node if isinstance(node, int) else getattr(node, "lineno", 0)
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        allowed = text.rpartition("# lint: allow ")[2].split() if "# lint: allow " in text else []
        if rule in [word.strip(",") for word in allowed]:
            return
        finding = (self.shown, str(line or 0), rule, reason, mend)
        if finding not in self.findings:
            self.findings.append(finding)


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


def is_main_guard(test):
    """`__name__ == "__main__"`: never so in telec."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def merged(states):
    """What is bound after one of several ways was taken: {name: (what it may be, is it there whichever way was taken)}"""
    names = {name for state in states for name in state}
    result = {}
    for name in names:
        nodes = []
        for state in states:
            nodes += [node for node in state.get(name, ((), False))[0] if node not in nodes]
        result[name] = (nodes, all(state.get(name, ((), False))[1] for state in states))
    return result


def bind(state, target, value):
    if isinstance(target, ast.Name):
        state[target.id] = ([value], True)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            bind(state, part, None)  # something, and nobody knows what


def after(body, state):
    """What is bound when these statements are through; `state` before them. None: they never get there."""
    state = dict(state)
    for node in body:
        ways = None
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            state[node.name] = ([node], True)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                bind(state, target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            bind(state, node.target, node.value)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                state[(alias.asname or alias.name).split(".")[0]] = ([None], True)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                state.pop(getattr(target, "id", None), None)
        elif isinstance(node, ast.Raise):
            return None
        elif isinstance(node, ast.If):
            ways = [after(node.orelse, state)] + ([] if is_main_guard(node.test) else [after(node.body, state)])
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            through = after(node.body, state)
            ways = [after(node.orelse, through) if through is not None else None]
            ways += [after(handler.body, state) for handler in node.handlers]
            ways = [after(node.finalbody, way) for way in ways if way is not None]
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            ways = [after(node.body, state)]
        elif isinstance(node, (ast.For, ast.While)):
            ways = [state, after(node.body, state)]
        elif type(node).__name__ == "Match":
            ways = [state] + [after(case.body, state) for case in node.cases]
        if ways is not None:
            ways = [way for way in ways if way is not None]
            if not ways:
                return None
            state = merged(ways)
    return state


def look_at_shape(script, tree):
    bound = after(tree.body, {})
    if bound is None:
        return  # it always raises: what that is about is not said here
    for name in ("check", "migrate"):
        mend = "write it as: def %s(): ... return True or False" % name
        nodes, certain = bound.get(name, ((), False))
        if not nodes:
            if "*" not in bound:  # from helper import *: it may be among those
                script.find(1, "no_" + name, "the script has no %s()" % name, mend)
            continue
        if not certain:
            place = next((node for node in nodes if node is not None), 1)
            script.find(place, "conditional", "%s() is only there under a condition, and where that does not hold, there is none" % name,
                        "define it always, and put the condition into it")
        for node in nodes:
            if isinstance(node, ast.Name):  # another name for a function of this script
                node = bound.get(node.id, ([None], True))[0][-1]
            look_at_definition(script, name, node, mend)


def look_at_definition(script, name, node, mend):
    if isinstance(node, ast.AsyncFunctionDef):
        script.find(node, "wrong_shape", "%s() is async: calling it gives a coroutine, not True or False" % name, mend)
    elif isinstance(node, ast.ClassDef):
        script.find(node, "wrong_shape", "%s is a class, not a function" % name, mend)
    elif isinstance(node, ast.Lambda):
        look_at_arguments(script, name, node, mend)
        look_at_answer(script, name, node, node.body)
    elif isinstance(node, (ast.Constant, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.DictComp, ast.Compare)):
        script.find(node, "wrong_shape", "%s is a value, not a function" % name, mend)
    elif isinstance(node, ast.FunctionDef) and look_at_decorators(script, name, node, mend):
        look_at_function(script, name, node, mend)


def look_at_decorators(script, name, node, mend):
    """Is what is called still the function itself?"""
    for decorator in node.decorator_list:
        called = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if called.rpartition(".")[2] in NOT_CALLABLE:
            script.find(node, "wrong_shape", "%s is not a function that gives True or False: @%s makes something else of it" % (name, called),
                        "leave out the decorator")
            return False
        if called in REMEMBERING:
            if name == "check":
                script.find(node, "remembered", "@%s makes check() say after migrate() what it said before it" % called,
                            "leave out the decorator")
            continue
        return False  # another decorator may change its arguments and its answer
    return True


def look_at_arguments(script, name, node, mend):
    arguments = node.args
    positional = len(getattr(arguments, "posonlyargs", [])) + len(arguments.args) - len(arguments.defaults)
    keywords = sum(1 for default in arguments.kw_defaults if default is None)
    if positional > 0 or keywords > 0:
        script.find(node, "wrong_shape", "%s() is called without arguments, and this one needs some" % name, mend)


def look_at_answer(script, name, place, value):
    if value is None or isinstance(value, ast.Constant) and not isinstance(value.value, bool):
        shown = "None" if value is None else repr(value.value)
        script.find(place, "not_a_boolean", "%s() returns %s here, and only True and False are answers" % (name, shown),
                    "return True or False")
    elif isinstance(value, (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.DictComp, ast.SetComp,
                            ast.GeneratorExp, ast.Lambda)):
        script.find(place, "not_a_boolean", "%s() returns something that is neither True nor False here" % name,
                    "return bool(...) of it, or a comparison")


def look_at_function(script, name, node, mend):
    look_at_arguments(script, name, node, mend)
    inside = list(own_nodes(node))
    if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in inside):
        script.find(node, "wrong_shape", "%s() is a generator: calling it runs nothing of it" % name, mend)
        return
    for part in inside:
        if isinstance(part, ast.Return):
            look_at_answer(script, name, part, part.value)
    for part in node.body:  # within an `if`, it is an answer to that
        if isinstance(part, ast.Raise) and part.exc and \
                dotted(part.exc.func if isinstance(part.exc, ast.Call) else part.exc) == "NotImplementedError":
            script.find(part, "not_filled_in", "%s() is still as 'telec migrate new' wrote it, and fails" % name,
                        "write what it is to do, in the place of this line")
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


def newer_parts(script, tree):
    """What Python 3.8 cannot read: (node, what it is, since when). The parser, asked for that version, lets some of it pass, and
    names for the rest a line below it."""
    for node in ast.walk(tree):
        if type(node).__name__ in NEWER_NODES:
            yield (node, *NEWER_NODES[type(node).__name__])
        elif getattr(node, "type_params", None):
            yield node, "[...] after the name of a function or a class", "3.12"
        for decorator in getattr(node, "decorator_list", []):
            plain = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not dotted(plain):
                yield decorator, "a decorator that is more than a name or a call of one", "3.9"
        if isinstance(node, ast.Subscript) and any(isinstance(part, ast.Starred) for part in getattr(node.slice, "elts", [node.slice])):
            yield node, "a * within [...]", "3.11"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.args.vararg and \
                isinstance(node.args.vararg.annotation, ast.Starred):
            yield node, "a * in the type of *%s" % node.args.vararg.arg, "3.11"
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple) and node.iter.elts and \
                isinstance(node.iter.elts[0], ast.Starred) and node.iter.col_offset == node.iter.elts[0].col_offset:
            yield node, "a * after `in` without parentheses", "3.9"
    if sys.version_info >= (3, 12):
        yield from newer_strings(script)
    if re.search(rb"\bwith\s*\(", script.source):
        yield from newer_with(script)


def newer_with(script):
    """Context managers in parentheses. To 3.8 they are a tuple, or an error; the parser of 3.9 and of 3.13 do not tell."""
    import tokenize  # only here and below: it takes time to load
    tokens = list(tokenize.tokenize(io.BytesIO(script.source).readline))
    for place, token in enumerate(tokens[:-1]):
        if token.string != "with" or tokens[place + 1].string != "(":
            continue
        depth = 0
        several = False
        for inside, following in zip(tokens[place + 1:], tokens[place + 2:]):
            depth += (inside.string in "([{") - (inside.string in ")]}") if inside.type == tokenize.OP else 0
            several = several or depth == 1 and inside.string == ","
            named = depth == 1 and inside.type == tokenize.NAME and inside.string == "as"
            if named or depth == 0 and several and following.string == ":":
                yield token.start[0], "a `with` that has all of its managers in parentheses", "3.9"
            if named or depth == 0:
                break


def newer_strings(script):
    """f-strings that only Python 3.12 and newer take apart as it does: their own quotes, a backslash, ... within {}."""
    import tokenize
    quotes = []
    for token in tokenize.tokenize(io.BytesIO(script.source).readline):
        kind = tokenize.tok_name[token.type]
        opened = kind == "FSTRING_START"
        if quotes and (opened or kind == "STRING") and (any(quote in token.string for quote in quotes) or "\\" in token.string) or \
                quotes and (kind == "COMMENT" or kind == "NL" and len(quotes[-1]) == 1):
            yield token.start[0], "an f-string with its own quotes, a backslash, a comment or a line end within {...}", "3.12"
        if opened:
            quotes.append(token.string.lstrip("fFrR"))
        elif kind == "FSTRING_END":
            quotes.pop()


def evaluated_annotations(tree):
    """Annotations that Python computes when it loads the script: not those of local variables."""
    local = {part for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
             for part in own_nodes(node) if isinstance(part, ast.AnnAssign)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = node.args
            every = arguments.args + arguments.kwonlyargs + getattr(arguments, "posonlyargs", []) + [arguments.vararg, arguments.kwarg]
            yield from [argument.annotation for argument in every if argument is not None and argument.annotation]
            if node.returns:
                yield node.returns
        elif isinstance(node, ast.AnnAssign) and node not in local:
            yield node.annotation


def is_builtin_generic(node):
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in BUILTIN_GENERICS


def look_at_syntax(script, tree):
    newer = list(newer_parts(script, tree))
    if not newer and sys.version_info >= (3, 13):  # what came later; older parsers take `with (a):` for newer than it is
        try:
            parse(script, feature_version=OLDEST)
        except SyntaxError as error:
            script.find(error.lineno or 1, "newer_syntax", "%s; Python 3.8 is enough for telec" % error.msg,
                        "write it as Python 3.8 understands it")
    for node, what, version in newer:
        script.find(node, "newer_syntax", "%s came with Python %s, and 3.8 is enough for telec" % (what, version),
                    "write it as Python 3.8 understands it")
    postponed = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" and
                    any(alias.name == "annotations" for alias in node.names) for node in tree.body)
    annotations = list(evaluated_annotations(tree))
    for annotation in [] if postponed else annotations:
        for part in ast.walk(annotation):
            if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr):
                script.find(part, "newer_syntax", "a type written as X | Y needs Python 3.10 when it is evaluated",
                            "begin the script with: from __future__ import annotations")
                break
            if is_builtin_generic(part):
                script.find(part, "newer_syntax", "a type written as %s[...] needs Python 3.9 when it is evaluated" % part.value.id,
                            "begin the script with: from __future__ import annotations")
                break
    every_annotation = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)] + annotations
    within = {part for annotation in every_annotation for part in ast.walk(annotation)}
    own_names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if is_builtin_generic(node) and node not in within and node.value.id not in own_names:
            script.find(node, "newer_syntax", "%s[...] needs Python 3.9" % node.value.id, "use typing.%s" % node.value.id.capitalize())
        elif isinstance(node, ast.Call):
            look_at_newer_call(script, node)
        elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load) and dotted(node) in NEWER_NAMES and \
                dotted(node) not in own_names:
            script.find(node, "newer_name", "%s came with Python %s, and 3.8 is enough for telec" %
                        (dotted(node), NEWER_NAMES[dotted(node)]), "write it with what Python 3.8 has")
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name = "%s.%s" % (node.module, alias.name)
                if name in NEWER_NAMES:
                    script.find(node, "newer_name", "%s came with Python %s, and 3.8 is enough for telec" %
                                (name, NEWER_NAMES[name]), "write it with what Python 3.8 has")


def look_at_newer_call(script, node):
    keywords = {keyword.arg for keyword in node.keywords}
    if isinstance(node.func, ast.Attribute) and node.func.attr in NEWER_METHODS:
        script.find(node, "newer_method", "%s() came with Python %s, and 3.8 is enough for telec" %
                    (node.func.attr, NEWER_METHODS[node.func.attr]), "write it with what Python 3.8 has")
    elif dotted(node.func) == "zip" and "strict" in keywords:
        script.find(node, "newer_method", "zip(strict=...) came with Python 3.10, and 3.8 is enough for telec",
                    "compare the lengths")
    elif dotted(node.func) in ("isinstance", "issubclass") and len(node.args) == 2 and isinstance(node.args[1], ast.BinOp):
        script.find(node, "newer_syntax", "%s() with X | Y needs Python 3.10" % dotted(node.func), "write the types as a tuple: (X, Y)")


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
    if dotted(call.func) == "os.open" and len(call.args) > 1 and "os.O_TRUNC" in [dotted(part) for part in ast.walk(call.args[1])]:
        return call.args[0]
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
            # What is renamed later, or lies in a directory that is, is written where nobody looks.
            if dotted(path) == "os.devnull" or isinstance(path, ast.Constant) and path.value == "/dev/null":
                continue
            if not any(ast.dump(part) in renamed for part in ast.walk(path)):
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
        elif (name.startswith("subprocess.") or name in ("os.system", "os.popen")) and node.args:
            command = node.args[0].elts[0] if isinstance(node.args[0], (ast.List, ast.Tuple)) and node.args[0].elts else node.args[0]
            words = str(command.value).split() if isinstance(command, ast.Constant) and isinstance(command.value, str) else []
            program = os.path.basename(words[0]) if words else ""
            if program in NETWORK_PROGRAMS:
                script.find(node, "network", "%s is for the network, and an upgrade must work offline" % program,
                            "ship what it needs with the version, or leave it to the program itself")
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
