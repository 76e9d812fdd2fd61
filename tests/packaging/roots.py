# SPDX-License-Identifier: MIT
"""Throw-away Debian roots: an overlay over one unpacked root, with nothing of this machine but its kernel.

The root underneath and the packages are made by `scripts/test-packaging` (and kept in a cache); a suite for which there
is none is skipped with the reason. One that was made, but came to nothing, is a failure.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import support

CACHE = pathlib.Path(os.environ.get("TELEC_TEST_CACHE") or
                     os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "telec-test"))
BASE = CACHE / "bookworm"

MIGRATION = '''\
import os

_DATA = os.path.expanduser("~/.teleclaude")
_NAME = {name!r}


def check():
    return os.path.exists(os.path.join(_DATA, _NAME))


def migrate():
    if os.path.exists(os.path.join(_DATA, "poison-" + _NAME)):
        raise RuntimeError("poisoned")
    if os.path.exists(os.path.join(_DATA, "slow-" + _NAME)):
        import time
        open(os.path.join(_DATA, "began-" + _NAME), "w").close()
        time.sleep(60)
    with open(os.path.join(_DATA, _NAME), "a") as file:
        file.write(f"{{os.getuid()}}\\n")
    return True
'''


def need_root(suite, package):
    """Skips unless there are the root and the package ("TELEC_DEB", "TELEC_RPM") that scripts/test-packaging makes."""
    support.need(suite, "unshare", "mount", "chroot")
    name = os.environ.get(package, "")
    if name and not pathlib.Path(name).is_file():
        support.fail(suite, f"{package} is to be tested, and there is no '{name}': it could not be built")
    if not (BASE / "etc").is_dir():
        support.skip(suite, os.environ.get("TELEC_NO_ROOT") or
                     f"there is no root at {BASE}: scripts/test-packaging makes it (needs mmdebstrap and an archive)")
    if not name:
        support.skip(suite, os.environ.get("TELEC_NO_PACKAGES") or
                     f"{package} names no package: scripts/test-packaging builds one")


class Root:
    """One overlay. Needs a mount namespace of one's own (support.in_own_namespace)."""

    def __init__(self, base=None, users=True):
        self.work = support.temporary_directory("telec-root-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.work], check=True)
        self.path = self.work / "root"
        for name in ("root", "upper", "work"):
            (self.work / name).mkdir(mode=0o755)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={base or BASE},upperdir={self.work}/upper,workdir={self.work}/work", self.path],
                        check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.path / "dev"], check=True)
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            os.mknod(self.path / "dev" / name, 0o020666, os.makedev(1, minor))
            os.chmod(self.path / "dev" / name, 0o666)
        os.symlink("/proc/self/fd", self.path / "dev" / "fd")
        subprocess.run(["mount", "-t", "proc", "proc", self.path / "proc"], check=True)
        (self.path / "packages").mkdir()
        self.next_uid = 999
        if users:
            for name in ("ada", "bob", "cy"):
                self.add_user(name)
            for name in ("dee", "eve", "fred"):
                self.add_user(name, data=False)

    def close(self):
        subprocess.run(["umount", "-R", "-l", self.work], check=False)

    def command(self, *args):
        return ["unshare", "--net", "--uts", "--ipc", "chroot", str(self.path), *map(str, args)]

    def run(self, *args, env=None, timeout=120, stdin=subprocess.DEVNULL):
        return subprocess.run(self.command(*args), env=self.environment(env), stdin=stdin, timeout=timeout, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @staticmethod
    def environment(more=None):
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                "HOME": "/root",
                "DEBIAN_FRONTEND": "noninteractive", **(more or {})}

    def must(self, *args, **options):
        result = self.run(*args, **options)
        if result.returncode != 0:
            raise AssertionError(f"{args} ended with {result.returncode}:\n{result.stdout}")
        return result.stdout

    # --- users

    def add_user(self, name, data=True):
        self.next_uid += 1
        uid = self.next_uid
        for file, line in (("passwd", f"{name}:x:{uid}:{uid}::/home/{name}:/bin/bash"), ("group", f"{name}:x:{uid}:"),
                           ("shadow", f"{name}:*:20000::::::")):
            with open(self.path / "etc" / file, "a", encoding="ascii") as table:
                table.write(line + "\n")
        for folder in [f"home/{name}"] + ([f"home/{name}/.teleclaude"] if data else []):
            (self.path / folder).mkdir(mode=0o700)
            os.chown(self.path / folder, uid, uid)

    def data(self, user):
        return self.path / "home" / user / ".teleclaude"

    def touch(self, user, name):
        (self.data(user) / name).write_text("")

    def remove(self, user, name):
        (self.data(user) / name).unlink()

    def effects(self, user):
        """{name: uids that wrote it} of what migrations left."""
        return {path.name: path.read_text().split() for path in self.data(user).glob("effect_*")}

    def outside(self):
        """A picture of all homes but for the users' own data: nothing of it may ever change."""
        # Debian's rpm keeps its database in root's home.
        return (support.picture(self.path / "home", leave_out=(".teleclaude",)) |
                support.picture(self.path / "root", leave_out=(".rpmdb",)))

    # --- packages

    def option(self, text, path="etc/default/telec"):
        """Sets TELEC_HOOK, and has every telec that a maintainer script calls counted: it reads this file."""
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_text(f'TELEC_HOOK="{text}"\n'
                                      'telec() {\n    echo "$*" >>/telec-was-called\n    command telec "$@"\n}\n')

    def hook_runs(self):
        """How often a maintainer script ran the hook since this was last asked."""
        calls = self.path / "telec-was-called"
        lines = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return sum("--hook" in line for line in lines)

    def deb(self, version, migrations, damage=None):
        """The real package, repacked with another version and other migrations; its path inside the root."""
        work = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        subprocess.run(["dpkg-deb", "-R", os.environ["TELEC_DEB"], work], check=True)
        tree = work / "usr/share/telec/migrations"
        shutil.rmtree(tree)
        write_tree(tree, migrations)
        if damage:
            damage(tree)
        control = work / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*$", f"Version: {version}-1", control.read_text(), flags=re.M))
        (work / "DEBIAN/md5sums").unlink(missing_ok=True)
        preinst = subprocess.run([support.PROJECT / "packaging/preflight/embed", tree,
                                  support.PROJECT / "packaging/preflight/telec-preflight",
                                  support.PROJECT / "packaging/debian/preinst.in"], check=True, capture_output=True,
                                  text=True).stdout
        (work / "DEBIAN/preinst").write_text(preinst)
        target = f"/packages/telec_{version}.deb"
        self.build(work, target)
        return target

    def build(self, work, target):
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", work, str(self.path) + target], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(work)

    def plugin_deb(self, name, migrations, depends="telec"):
        work = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        os.chmod(work, 0o755)
        if migrations:
            write_tree(work / "usr/share/telec/migrations", migrations)
        (work / "DEBIAN").mkdir()
        (work / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1\nArchitecture: all\n"
                                             "Maintainer: a <a@b.invalid>\n"
                                             f"Depends: {depends}\nDescription: another package\n")
        target = f"/packages/{name}.deb"
        self.build(work, target)
        return target


def write_tree(tree, migrations):
    tree.mkdir(parents=True, mode=0o755, exist_ok=True)
    for id in migrations:
        version, name = id.split("/")
        (tree / f"v{version}").mkdir(exist_ok=True, mode=0o755)
        (tree / f"v{version}" / name).write_text(MIGRATION.format(name="effect_" + version + "_" + name[:3]))
