# SPDX-License-Identifier: MIT
# Runs inside the python3 that telec starts, once per migration: takes the order from descriptor 3, runs the script's
# check() and migrate(), and reports on descriptor 3 (../judgement.hpp has the protocol). The program is embedded in
# telec and passed with -c. It imports nothing that an isolated python3 has not loaded by itself, but for atexit, which
# is built in; and it must at least compile on every Python 3, so that an old one can say that it is too old.
import sys


def _telec_shim():
    import os

    channel, lock = 3, 4
    os.set_inheritable(channel, False)
    os.set_inheritable(lock, False)

    def read(count, pending):
        while len(pending) < count:
            piece = os.read(channel, max(count - len(pending), 65536))
            if not piece:
                os._exit(3)  # the runner is gone
            pending += piece
        return pending[:count], pending[count:]

    # The order: eight digits, the length of the fields; eight digits, the length of the script; the fields, separated
    # by NUL; the script.
    head, rest = read(16, b"")
    fields, rest = read(int(head[:8]), rest)
    source, rest = read(int(head[8:]), rest)
    nonce, migration_id, path, mode = [os.fsdecode(field) for field in fields.split(b"\0")]

    def quote(text):
        out = ['"']
        for c in str(text).encode("utf-8", "backslashreplace").decode("utf-8"):
            if c in '"\\':
                out.append("\\" + c)
            elif c < " " or c == "\x7f":
                out.append("\\u%04x" % ord(c))
            else:
                out.append(c)
        out.append('"')
        return "".join(out)

    write = os.write
    my_pid = os.getpid()
    get_pid = os.getpid

    def send(event, *pairs):
        if get_pid() != my_pid:
            return  # a forked copy of this interpreter has no say
        text = '{"nonce": "' + nonce + '", "event": "' + event + '"'
        for name, value in pairs:
            text += ', "' + name + '": ' + (value if value in ("true", "false") else quote(value))
        data = (text + "}\n").encode("utf-8")
        while data:
            data = data[write(channel, data):]

    supported = sys.version_info >= (3, 8)
    send("hello", ("python", "%d.%d.%d" % sys.version_info[:3]), ("supported", "true" if supported else "false"))
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
        enter("migrate")
        if not boolean("migrate"):
            raise Refused("migrate() returned False")
        enter("recheck")
        if not boolean("check"):
            raise Refused("check() is still False after migrate() returned True")
        return "applied"

    def one_line(error):
        try:
            # A SyntaxError's text repeats the place, which is told after it anyway.
            text = str(error.msg) if isinstance(error, SyntaxError) and error.filename == path else str(error)
        except BaseException:
            text = "(its text cannot be had)"
        text = text[:2000] if len(text) > 2000 else text
        return type(error).__name__[:200] + (": " + text if text else "")

    def place(error):
        # Where in the script itself: the innermost frame of it, or where its syntax is wrong.
        name = path.rpartition("/")[0].rpartition("/")[2] + "/" + path.rpartition("/")[2]
        line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == path:
                line = trace.tb_lineno
            trace = trace.tb_next
        return " (%s:%s)" % (name, line) if line else " (%s)" % name

    class Sink:
        # Takes what the interpreter's own traceback printer writes, up to a bound.
        def __init__(self):
            self.parts = []
            self.room = 32768

        def write(self, text):
            if self.room > 0:
                self.parts.append(text[: self.room])
                self.room -= len(text)

        def flush(self):
            pass

    def traceback_of(error):
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == "<string>":
            trace = trace.tb_next  # the shim's own frames explain nothing
        sink = Sink()
        stderr, sys.stderr = sys.stderr, sink
        try:
            sys.__excepthook__(type(error), error.with_traceback(trace), trace)
        except BaseException:
            pass
        finally:
            sys.stderr = stderr
        return "".join(sink.parts)

    try:
        verdict = [("verdict", run())]
    except Refused as refusal:
        name = path.rpartition("/")[0].rpartition("/")[2] + "/" + path.rpartition("/")[2]
        verdict = [("verdict", "failed"), ("stage", stage), ("message", str(refusal) + " (" + name + ")"), ("traceback", "")]
    except BaseException as error:
        verdict = [
            ("verdict", "failed"),
            ("stage", stage),
            ("message", one_line(error) + place(error)),
            ("traceback", traceback_of(error)),
        ]


_telec_shim()
