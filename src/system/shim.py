# SPDX-License-Identifier: MIT
# Runs inside the python3 that telec starts, once per migration: takes the order from descriptor 3, runs the script's
# check() and migrate(), and reports on descriptor 3 (../judgement.hpp has the protocol). shim_start.py has loaded it and
# gives it `_part` and `_program`. It imports nothing that an isolated python3 has not loaded by itself, but for atexit,
# which is built in; and it must at least compile on every Python 3, so that an old one can say that it is too old.
import sys


def _telec_shim():
    import _imp
    import atexit
    import os

    channel, lock = 3, 4
    os.set_inheritable(channel, False)
    os.set_inheritable(lock, False)
    ahead, failure = _program(), _program()
    given = {"sys": sys}

    # An order is two parts: the fields, separated by NUL, and the script. The head is how each line to the runner
    # begins, with the nonce. The modes `wait`, `ahead` and `ping` execute nothing of the script.
    def next_order():
        return [os.fsdecode(field) for field in _part().split(b"\0")] + [_part()]

    head, migration_id, path, mode, wanted, source = next_order()
    write, get_pid, my_pid = os.write, os.getpid, os.getpid()

    def say(text):
        data = (head + text + "}\n").encode() if get_pid() == my_pid else b""  # a forked copy has no say
        while data:
            data = data[write(channel, data) :]

    supported = sys.version_info >= (3, 8)
    paths = ""
    if wanted and supported:
        exec(ahead(), given)
        try:
            paths = given["start_paths"]()
        except Exception:
            pass  # nothing is started ahead, then
    version = "%d.%d.%d" % sys.version_info[:3]
    say('hello", "python": "' + version + '", "supported": ' + ("true" if supported else "false") + paths)
    if not supported:
        os._exit(3)

    # Registered first, so it runs last: after the threads are joined and every other exit handler has run.
    verdict = []
    atexit.register(lambda: verdict and say('verdict", "verdict": "' + verdict[0]))
    close = os.close

    def in_child():
        for fd in (channel, lock):
            try:
                close(fd)
            except OSError:
                pass

    os.register_at_fork(after_in_child=in_child)

    # The built-in compile() would first make the types of `ast`, a quarter of a bare start. exec() does without, but
    # names no file: so its frame is caught before it executes anything, and its code is given the script's path.
    # None where something is to be said of the source: compile() says it, of the right place.
    def compiled():
        found, remarks, names = [], [], {"__builtins__": {}}

        def catch(frame, event, _):
            if event == "call" and frame.f_globals is names:
                found.append(frame.f_code)
                raise SystemExit

        stderr, sys.stderr = sys.stderr, type(sys)("remarks")
        sys.stderr.write = remarks.append
        sys.setprofile(catch)
        try:
            exec(source, names)
        except BaseException:
            pass
        sys.setprofile(None)
        sys.stderr = stderr
        if not found or remarks:
            return None
        _imp._fix_co_filename(found[0], path)
        return found[0]

    code = known = None
    while mode != "run" and mode != "check":
        if mode == "ahead":
            code, known = compiled(), source
            say('ready"' + given["import_ahead"](code, source))
        elif mode == "ping":
            say('here"')
        _, migration_id, path, mode, _, source = next_order()
    if source != known:
        code = None
    if "linecache" in sys.modules:
        sys.modules["linecache"].cache.pop("<string>", None)  # since 3.13: what was given with -c

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.environ["TELEC_MIGRATION_ID"] = migration_id
    sys.argv[:] = [path]
    sys.path.append(path.rpartition("/")[0])
    module = type(sys)("telec_migration")
    module.__file__ = path
    sys.modules[module.__name__] = module
    refusal = []

    def refuse(why):
        refusal.append(why)
        raise ValueError

    def enter(stage):
        say('stage", "stage": "' + stage + '"')

    def ask(name):
        value = getattr(module, name)()
        if value is not True and value is not False:
            refuse("%s() returned %s, expected True or False" % (name, type(value).__name__[:200]))
        return value

    def run():
        enter("load")
        exec(code or compiled() or compile(source, path, "exec", 0, True), module.__dict__)
        for name in ("check", "migrate"):
            if not hasattr(module, name):
                refuse("the script has no %s()" % name)
            if not callable(getattr(module, name)):
                refuse("%s is not a function" % name)
        enter("check")
        if ask("check"):
            return 'already_present"'
        if mode == "check":
            return 'not_present"'
        enter("migrate")
        if not ask("migrate"):
            refuse("migrate() returned False")
        enter("recheck")
        if not ask("check"):
            refuse("check() is still False after migrate() returned True")
        return 'applied"'

    try:
        verdict.append(run())
    except BaseException as error:
        exec(failure(), given)
        verdict.append(given["describe"](error, path, refusal))


_telec_shim()
