# SPDX-License-Identifier: MIT
"""An interpreter that dies in the middle of a migration, at a line of our choice."""

from telec import PYTHON

# Put before telec's own text for `python3 -c`. Counts the lines executed in files of the tree, and at the line that
# the plan names for this migration ends the process as `kill -9` does. For the migrations that come to their end it
# notes the lines worth dying at: the first, the last, and each that follows something that may change a file. With a
# database open that is every line of migrate().
TRACER = '''
def _watch(tree, plan, notes):
    import atexit, os, sys
    seen = {"id": None, "line": 0, "changed": True, "database": False}
    points = []
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    changing = ("os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate")
    def on_event(event, arguments):
        if event in changing or event == "open" and isinstance(arguments[2], int) and arguments[2] & writing:
            seen["changed"] = True
        elif event == "sqlite3.connect":
            seen["database"] = True
    def on_line(frame, event, argument):
        if event == "line":
            seen["line"] += 1
            if seen["changed"] or seen["database"] and frame.f_code.co_name == "migrate":
                points.append(seen["line"])
                seen["changed"] = False
            if plan.get(seen["id"]) == seen["line"]:
                with open(os.path.join(notes, "killed"), "a") as file:
                    file.write(seen["id"] + chr(10))
                os.kill(os.getpid(), 9)
        return on_line
    def on_call(frame, event, argument):
        name = frame.f_code.co_filename
        if not name.startswith(tree + "/v"):
            return None
        if seen["id"] is None:
            seen["id"] = name[len(tree) + 2:]
        return on_line
    def at_end():
        sys.settrace(None)
        if seen["id"]:
            with open(os.path.join(notes, "points"), "a") as file:
                file.write(" ".join(map(str, [seen["id"]] + points + [seen["line"]])) + chr(10))
    atexit.register(at_end)
    sys.addaudithook(on_event)
    sys.settrace(on_call)
'''


class KillingPython:
    """An interpreter for --python: as the real one, until the line of a migration at which it is to die."""

    def __init__(self, home):
        self.notes = home.path / "notes"
        self.notes.mkdir()
        self.path = home.path / "killing-python"
        self.tree = str(home.tree)
        self.plan({})

    def plan(self, lines):
        """lines: {id: at which executed line of it to die}"""
        start = "%s\n_watch(%r, %r, %r)\n" % (TRACER, self.tree, lines, str(self.notes))
        self.path.write_text("#!%s -IB\nimport os, sys\nstart = %r\nwords = sys.argv[1:]\nif '-c' in words:\n"
                             "    at = words.index('-c') + 1\n    words[at] = start + words[at]\n"
                             "os.execv(%r, [%r] + words)\n" % (PYTHON, start, PYTHON, PYTHON))
        self.path.chmod(0o755)

    def points(self):
        """{id: the executed lines worth dying at} of the migrations that came to their end"""
        entries = [line.split() for line in (self.notes / "points").read_text().splitlines()]
        return {id: sorted(set(map(int, lines))) for id, *lines in entries}

    def killed(self):
        """The ids of the migrations that died, in the order of their deaths."""
        path = self.notes / "killed"
        return path.read_text().splitlines() if path.exists() else []
