# SPDX-License-Identifier: MIT
"""What the packaging suites share: a visible skip, a namespace of one's own, and a picture of a directory tree.

Nothing here touches the machine outside a temporary directory: mounts are private and end with the namespace.
"""

import atexit
import hashlib
import os
import pathlib
import shutil
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
    os.execvp("unshare",
              ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
                          *more, sys.executable, *sys.argv])


def temporary_directory(prefix):
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    os.chmod(path, 0o755)
    atexit.register(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


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
