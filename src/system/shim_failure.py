# SPDX-License-Identifier: MIT
# The part of shim.py that is compiled when a script has failed: what went wrong, as the end of the verdict's line. It
# imports nothing, and whatever the error's own code does, it comes to an end. `sys` is given.


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


def one_line(error, path):
    try:
        # A SyntaxError's text repeats the place, which is told after it anyway.
        text = str(error.msg) if isinstance(error, SyntaxError) and error.filename == path else str(error)
    except BaseException:
        text = "(its text cannot be had)"
    text = text[:2000] if len(text) > 2000 else text
    return type(error).__name__[:200] + (": " + text if text else "")


def line_of(error, path):
    # Where in the script itself: the innermost frame of it, or where its syntax is wrong.
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


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


def quoted(text):
    out = '"'
    for c in text.encode("utf-8", "backslashreplace").decode("utf-8"):
        out += "\\" + c if c in '"\\' else "\\u%04x" % ord(c) if c < " " or c == "\x7f" else c
    return out + '"'


def describe(error, path, refusal):
    folder, _, name = path.rpartition("/")
    place = folder.rpartition("/")[2] + "/" + name
    if refusal:
        message, traceback = refusal[0] + " (" + place + ")", ""
    else:
        line = line_of(error, path)
        message = one_line(error, path) + " (" + place + (":%s" % line if line else "") + ")"
        traceback = traceback_of(error)
    return 'failed", "message": ' + quoted(message) + ', "traceback": ' + quoted(traceback)
