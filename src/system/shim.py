# SPDX-License-Identifier: MIT
# Runs inside the python3 that telec starts, once per migration: takes the order from descriptor 3, runs the script's
# check() and migrate(), and reports on descriptor 3 (../judgement.hpp has the protocol). The program is embedded in
# telec and passed with -c. It imports nothing that an isolated python3 has not loaded by itself, but for atexit, which
# is built in; and it must at least compile on every Python 3, so that an old one can say that it is too old.
#
# It is compiled at every start, so what not every start needs is kept as text until then: the build puts the other two
# files where their names stand here.
import sys

_AHEAD = "shim_ahead.py"
_FAILURE = "shim_failure.py"


def _telec_shim():
    import os

    channel, lock = 3, 4
    os.set_inheritable(channel, False)
    os.set_inheritable(lock, False)
    pending = b""

    def read(count):
        nonlocal pending
        while len(pending) < count:
            piece = os.read(channel, max(count - len(pending), 65536))
            if not piece:
                os._exit(3)  # the runner is gone
            pending += piece
        taken, pending = pending[:count], pending[count:]
        return taken

    # An order: eight digits, the length of the fields; eight digits, the length of the script; the fields, separated
    # by NUL; the script. The nonce is the same in all of them. Modes: `ahead` and `ping` execute nothing of the script.
    def next_order():
        head = read(16)
        fields = [os.fsdecode(field) for field in read(int(head[:8])).split(b"\0")]
        return fields, read(int(head[8:]))

    (nonce, migration_id, path, mode, wanted), source = next_order()

    def quote(text):
        text = str(text)
        if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
            return '"' + text + '"'
        out = ""
        for c in text.encode("utf-8", "backslashreplace").decode("utf-8"):
            if c in '"\\':
                c = "\\" + c
            elif c < " " or c == "\x7f":
                c = "\\u%04x" % ord(c)
            out += c
        return '"' + out + '"'

    write = os.write
    my_pid = os.getpid()
    get_pid = os.getpid

    def send(event, *pairs):
        if get_pid() != my_pid:
            return  # a forked copy of this interpreter has no say
        text = '{"nonce": "' + nonce + '", "event": "' + event + '"'
        for name, value in pairs:
            if type(value) is list:
                value = "[" + ", ".join([quote(item) for item in value]) + "]"
            elif type(value) is bool:
                value = "true" if value else "false"
            else:
                value = quote(value)
            text += ', "' + name + '": ' + value
        data = (text + "}\n").encode("utf-8")
        while data:
            data = data[write(channel, data):]

    def part(text):
        names = {"sys": sys}
        exec(text, names)
        return names

    supported = sys.version_info >= (3, 8)
    ahead = part(_AHEAD) if supported and wanted else None
    paths = [("paths", ahead["start_paths"]())] if ahead else []
    send("hello", ("python", "%d.%d.%d" % sys.version_info[:3]), ("supported", supported), *paths)
    if not supported:
        os._exit(3)

    verdict = []

    def at_exit():
        # Registered first, so it runs last: after the threads are joined and every other exit handler has run.
        if verdict:
            send("verdict", *verdict)

    import atexit

    atexit.register(at_exit)
    close = os.close

    def in_child():
        for fd in (channel, lock):
            try:
                close(fd)
            except OSError:
                pass

    os.register_at_fork(after_in_child=in_child)

    if mode == "ahead":
        send("ready", ("files", ahead["import_ahead"](source, path)))
        while mode != "run":
            (_, migration_id, path, mode, _), source = next_order()
            if mode == "ping":
                send("here")

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.environ["TELEC_MIGRATION_ID"] = migration_id
    sys.argv[:] = [path]
    sys.path.append(path.rpartition("/")[0])
    module = type(sys)("telec_migration")
    module.__file__ = path
    sys.modules[module.__name__] = module

    class Refused(Exception):
        pass

    def boolean(name):
        value = getattr(module, name)()
        if type(value) is not bool:
            raise Refused("%s() returned %s, expected True or False" % (name, type(value).__name__[:200]))
        return value

    stage = "load"

    def enter(name):
        nonlocal stage
        stage = name
        send("stage", ("stage", name))

    def run():
        enter("load")
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
        for name in ("check", "migrate"):
            if not hasattr(module, name):
                raise Refused("the script has no %s()" % name)
            if not callable(getattr(module, name)):
                raise Refused("%s is not a function" % name)
        enter("check")
        if boolean("check"):
            return "already_present"
        if mode == "check":
            return "not_present"
        enter("migrate")
        if not boolean("migrate"):
            raise Refused("migrate() returned False")
        enter("recheck")
        if not boolean("check"):
            raise Refused("check() is still False after migrate() returned True")
        return "applied"

    try:
        verdict = [("verdict", run())]
    except BaseException as error:
        message, traceback = part(_FAILURE)["describe"](error, path, isinstance(error, Refused))
        verdict = [("verdict", "failed"), ("stage", stage), ("message", message), ("traceback", traceback)]


_telec_shim()
