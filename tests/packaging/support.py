# SPDX-License-Identifier: MIT
"""What the packaging suites share: a visible skip, a namespace of one's own, and a picture of a directory tree.

Nothing here touches the machine outside a temporary directory: mounts are private and end with the namespace.
"""

import atexit
import hashlib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "support"))
sys.dont_write_bytecode = True


def skip(suite, reason):
    """Ends the suite as skipped, with its reason on a line."""
    print(f"skipped: {suite}: {reason}")
    print(f"{suite}: 0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def fail(suite, reason):
    """Ends the suite as failed before its first test."""
    print(f"failed: {suite}: {reason}")
    print(f"{suite}: 0 passed, 1 failed")
    sys.exit(1)


def need(suite, *tools, root=True):
    """Skips the suite unless this is root, namespaces can be made, and every tool is there."""
    if root and os.geteuid() != 0:
        skip(suite, "needs root, to be several users")
    if root:
        probe = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"], check=False,
                               capture_output=True, text=True)
        if probe.returncode != 0:
            skip(suite, "needs mount and process namespaces: " + probe.stderr.strip())
    for tool in tools:
        if shutil.which(tool, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") is None:
            skip(suite, f"needs {tool}")


def in_own_namespace(*more):
    """Runs this script again in mount and process namespaces of its own; what is left there is killed at its end.
    `more` are options of unshare: "--net"."""
    if os.environ.get("TELEC_TEST_NAMESPACE") == "1":
        return
    os.environ["TELEC_TEST_NAMESPACE"] = "1"
    # A shell's background job ignores it, and so would what is tested.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp("unshare",
              ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
                          *more, sys.executable, *sys.argv])


def temporary_directory(prefix):
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    os.chmod(path, 0o755)
    atexit.register(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


def hardening_faults(program, optimized=True):
    """What this x86-64 or other ELF program lacks of the protections that it is to be built with; [] where nothing."""
    def output(*command):
        return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout

    headers = output("readelf", "-W", "-h", "-l", "-d", program)
    symbols = output("readelf", "-W", "--dyn-syms", program)
    expected = {
        "position-independent code": re.search(r"Type:\s+DYN", headers),
        "relocations that are read-only": "GNU_RELRO" in headers,
        "symbols bound at the start": re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", headers),
        "a stack that is not executable": re.search(r"GNU_STACK.* RW ", headers),
        "no search path of its own": not re.search("RPATH|RUNPATH", headers),
        "guarded stack frames": "__stack_chk_fail" in symbols,
        "nothing needed but libc": set(re.findall(r"\(NEEDED\).*\[(.*?)\]", headers)) <=
                                   {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"},
    }
    if optimized:
        expected["guarded buffers"] = re.search(r"__\w+_chk@GLIBC", symbols.replace("__stack_chk_fail", ""))
    if "x86-64" in headers.lower():
        code = output("objdump", "-d", "--no-show-raw-insn", program)
        # Large frames are touched page by page, and indirect branches may only land on a mark.
        expected["stack-clash protection"] = re.search(r"or[ql]\s+\$0x0,(?:0x[0-9a-f]+)?\(%rsp\)", code)
        expected["control-flow protection"] = main_is_marked(headers, code)
    return [name for name, there in expected.items() if not there]


def debug_sections(program):
    """The symbols and debug information that are left in this program: a package has them in a package of their own."""
    sections = subprocess.run(["readelf", "-W", "-S", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\] (\.symtab|\.z?debug\S*) ", sections)


def main_is_marked(headers, code):
    """Also in a program without symbols: the code at the entry point hands main's address to the C library."""
    entry = re.search(r"Entry point address:\s+0x([0-9a-f]+)", headers).group(1)
    start = code[code.index(f" {entry}:\t"):]
    main = re.search(r"lea\s+[^\n]*\(%rip\),%rdi\s+# ([0-9a-f]+)|mov\s+\$0x([0-9a-f]+),%[re]di", start)
    return re.search(rf"^\s+{main.group(1) or main.group(2)}:\s+endbr64", code, re.M)


def picture(root, leave_out=()):
    """{path: what can be told of it} of all below `root`, but for directories of these names."""
    seen = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in leave_out]
        for name in [".", *folders, *files]:
            path = os.path.normpath(os.path.join(folder, name))
            status = os.lstat(path)
            content = ""
            if stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            # A directory that holds something left out may change its own times, no more.
            times = (status.st_mtime_ns, status.st_ctime_ns) if not stat.S_ISDIR(status.st_mode) else ()
            seen[path] = (status.st_mode, status.st_uid, status.st_gid, times, content)
    return seen
