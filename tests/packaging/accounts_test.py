#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The account matrix: `telec migrate --all-users` over accounts of every kind, on a view of this machine with an
/etc/passwd and homes of its own.

Looks at what became of each user, at the uids that scripts ran as, and at every file of the view outside the users' own
data: none of those may be created or changed. Needs root.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import threading
import time
import unittest

import support

SUITE = "accounts"
support.need(SUITE, "unshare", "mount", "chroot", "flock")
support.in_own_namespace()

import telec  # noqa: E402  (in the namespace, and with support's path)

CHROOT = shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin")
OWN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

# Tells at its load who it is, then does what files in the home ask for.
SCRIPT = '''\
import json
import os
import time

with open({ran!r}, "a") as _file:
    _file.write(" ".join(map(str, [*os.getresuid(), *os.getresgid(), *os.getgroups()])) + "\\n")
_DATA = os.path.expanduser("~/.teleclaude")


def _has(name):
    return os.path.exists(os.path.join(_DATA, name))


def check():
    return _has("effect")


def migrate():
    me = {{"uids": os.getresuid(), "gids": os.getresgid(), "groups": sorted(os.getgroups()), "cwd": os.getcwd(),
          "environment": dict(os.environ), "umask": os.umask(0o077), "descriptors": sorted(os.listdir("/proc/self/fd")),
          "caps": [line for line in open("/proc/self/status") if line.startswith("CapEff")], "pid": os.getpid(),
          "parent": os.getppid()}}
    try:
        os.setuid(0)
        me["way_back"] = True
    except OSError:
        me["way_back"] = False
    with open(os.path.join(_DATA, "who.json"), "w") as file:
        json.dump(me, file)
    if _has("poison"):
        raise RuntimeError("poisoned")
    if _has("kill"):
        os.kill(os.getppid(), 9)
        time.sleep(60)
    if _has("hang"):
        if _has("daemon") and os.fork() == 0:
            os.setsid()
        time.sleep(300)
    open(os.path.join(_DATA, "effect"), "w").close()
    return True
'''


class DeadFileSystem:
    """A mount whose server does not answer. With `hears`, it has taken the question and keeps silent, and then a process
    that asks cannot even be killed; without, it does not even read."""

    def __init__(self, path, hears):
        self.path = path
        self.device = os.open("/dev/fuse", os.O_RDWR)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if libc.mount(b"dead", os.fsencode(path), b"fuse", 0, options) != 0:
            raise OSError(ctypes.get_errno(), "mount")
        if hears:
            threading.Thread(target=self.hear, daemon=True).start()

    def hear(self):
        try:
            while True:
                request = os.read(self.device, 1 << 20)
                length, opcode, unique = struct.unpack("=IIQ", request[:16])
                if opcode == 26:  # FUSE_INIT: the last one that gets an answer
                    answer = struct.pack("=IIIIHHIIHHI28x", 7, 31, 0, 0, 1, 1, 4096, 1, 0, 0, 0)
                    os.write(self.device, struct.pack("=IiQ", 16 + len(answer), 0, unique) + answer)
        except OSError:
            pass  # it was closed

    def close(self):
        subprocess.run(["umount", "-f", self.path], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", self.path], check=False, stderr=subprocess.DEVNULL)
        os.close(self.device)


class Machine:
    """What telec sees: this machine's files below an overlay that takes all changes, with an /etc of its own, homes on a
    tmpfs, and a tree that root owns."""

    def __init__(self):
        self.path = support.temporary_directory("telec-accounts-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.path], check=True)
        self.homes = self.path / "home"
        self.homes.mkdir(mode=0o755)
        self.passwd = ["root:x:0:0:root:/root:/bin/sh", "toor:x:0:0:root:/root:/bin/sh"]
        self.group = ["root:x:0:", "extra:x:5555:ada,cid"]
        self.users = {}
        self.dead = []
        self.ran = self.path / "ran"
        self.ran.touch()
        self.ran.chmod(0o666)
        self.tree = self.path / "migrations"
        (self.tree / "v1.0.0").mkdir(parents=True, mode=0o755)
        (self.tree / "v1.0.0" / "001_effect.py").write_text(SCRIPT.format(ran=str(self.ran)))
        self.login_defs("UID_MIN 1000\nUID_MAX 60000\n")
        self.make_view()

    def make_view(self):
        self.view, self.changes = self.path / "view", self.path / "changes"
        for folder in (self.view, self.changes, self.path / "work"):
            folder.mkdir(mode=0o755)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/,upperdir={self.changes},workdir={self.path}/work", self.view], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", self.view / "proc"], check=True)
        subprocess.run(["mount", "--rbind", "/dev", self.view / "dev"], check=True)
        # The places that a test itself needs, where they are not on the file system of "/".
        for place in (self.path, pathlib.Path(telec.binary()).parent):
            inside = self.view / place.relative_to("/")
            inside.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", place, inside], check=True)

    def close(self):
        for dead in self.dead:
            dead.close()
        subprocess.run(["umount", "-R", "-l", self.path], check=True)

    def login_defs(self, text):
        self.defs = text

    def user(self, name, uid, *, home=True, data=True, shell="/bin/bash", files=(), path=None):
        folder = self.homes / name
        self.users[name] = (uid, folder)
        self.passwd.append(f"{name}:x:{uid}:{uid}::{folder if path is None else path}:{shell}")
        self.group.append(f"{name}:x:{uid}:")
        if home:
            folder.mkdir(mode=0o750)
            os.chown(folder, uid, uid)
        if home and data:
            (folder / ".teleclaude").mkdir(mode=0o700)
            for file in files:
                (folder / ".teleclaude" / file).write_text("")
            for path in [folder / ".teleclaude", *(folder / ".teleclaude").iterdir()]:
                os.chown(path, uid, uid)
        return folder

    @contextlib.contextmanager
    def without_python(self):
        """While it lasts no user finds a python3; nothing that picture() shows is changed by it."""
        real = {os.path.realpath(os.path.join(folder, "python3")) for folder in ("/usr/local/bin", "/usr/bin", "/bin")}
        places = [self.view / path.lstrip("/") for path in real if os.path.exists(path)]
        for place in places:
            subprocess.run(["mount", "--bind", self.view / "dev/null", place], check=True)
        try:
            yield
        finally:
            for place in places:
                subprocess.run(["umount", place], check=True)

    def write_etc(self):
        for name, text in {"passwd": "\n".join(self.passwd) + "\n", "group": "\n".join(self.group) + "\n",
                           "login.defs": self.defs, "nsswitch.conf": "passwd: files\ngroup: files\n"}.items():
            path = self.view / "etc" / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)

    def command(self, *args, chroot=()):
        self.write_etc()
        return [CHROOT, *chroot, self.view, telec.binary(), "migrate", "--migrations-dir", str(self.tree), *args]

    def picture(self):
        """Everything that the view shows and a run may not touch."""
        self.write_etc()
        seen = {}
        for folder in (self.changes, self.homes, self.tree):
            seen |= support.picture(folder, leave_out=(".teleclaude",))
        return seen

    def scripts_that_ran(self):
        """The ids, a list for each, that scripts had when they were loaded: three uids, three gids, groups."""
        return [[int(word) for word in line.split()] for line in self.ran.read_text().splitlines()]

    def run(self, *args, env=None, chroot=(), **options):
        environment = {**OWN_ENVIRONMENT, "HOME": "/root", **(env or {})}
        environment = {name: value for name, value in environment.items() if value is not None}
        for name in list(os.environ):
            if name.startswith(("ASAN_", "UBSAN_")):
                environment[name] = os.environ[name]
        result = subprocess.run(self.command(*args, chroot=chroot), env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=240, check=False, cwd="/", **options)
        if "--json" in args and "--hook" not in args:
            result.document = json.loads(result.stdout)
            result.users = {user["user"]: user for user in result.document["users"]}
        return result

    def effect(self, name):
        return (self.users[name][1] / ".teleclaude" / "effect").exists()

    def who(self, name):
        return json.loads((self.users[name][1] / ".teleclaude" / "who.json").read_text())


class Accounts(unittest.TestCase):
    def setUp(self):
        self.machine = Machine()
        self.addCleanup(self.machine.close)

    def whole_matrix(self):
        """(the machine, name -> (state, exit)) with an account of every kind."""
        machine = self.machine
        machine.user("ada", 1001)
        machine.user("bea", 1002, data=False)
        machine.user("cid", 1003, shell="/usr/sbin/nologin")
        machine.user("dan", 1004, home=False)
        real = machine.user("eve", 1005)
        real.rename(machine.path / "eves-home")
        real.symlink_to(machine.path / "eves-home")
        fay = machine.user("fay", 1006)
        os.chown(fay / ".teleclaude", 1001, 1001)
        os.mkfifo(machine.user("gus", 1007, home=False))
        machine.user("sys", 999)
        machine.user("ian", 60001)
        machine.user("joy", 1008)
        machine.user("kim", 1009, files=["poison"])
        leo = machine.user("leo", 1010)
        os.chown(leo, 0, 0)
        os.chmod(leo, 0)
        mia = machine.user("mia", 1011, data=False)
        (mia / ".teleclaude").symlink_to(machine.homes / "ada" / ".teleclaude")
        machine.passwd.append(f"nat:x:1001:1001::{machine.homes}/ada:/bin/sh")
        machine.user("oda", 1012, files=["hang"])
        pat = machine.user("pat", 1013)
        (pat / ".teleclaude" / "migration_state.json").write_text("{")
        os.chown(pat / ".teleclaude" / "migration_state.json", 1013, 1013)
        machine.user("quin", 1014, home=False, path="/nonexistent")
        machine.user("ray", 1015, home=False, path="relative")
        machine.user("sam", 1016, home=False, path="")
        machine.user("tim", 1017, files=["kill"])
        machine.user("zoe", 59999)
        return {"ada": ("ok", 0), "bea": ("skipped", None), "cid": ("ok", 0), "dan": ("skipped", None),
                "eve": ("ok", 0),
                "fay": ("skipped", None), "gus": ("skipped", None), "joy": ("deferred", 75), "kim": ("failed", 1),
                "leo": ("skipped", None), "mia": ("skipped", None), "oda": ("deferred", None), "pat": ("failed", 65),
                "quin": ("skipped", None), "ray": ("skipped", None), "sam": ("skipped", None), "tim": ("failed", None),
                "zoe": ("ok", 0)}

    def hold_lock(self, name):
        lock = self.machine.users[name][1] / ".teleclaude" / "migration_state.json.lock"
        lock.touch(mode=0o600)
        os.chown(lock, self.machine.users[name][0], self.machine.users[name][0])
        holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo held; exec sleep 3600"], stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.addCleanup(lambda: (holder.kill(), holder.wait(), holder.stdout.close()))

    def test_every_kind_of_account_has_its_outcome_and_nothing_outside_the_data_changes(self):
        expected = self.whole_matrix()
        self.hold_lock("joy")
        machine = self.machine
        before = machine.picture()
        outcomes = {}

        def run(name, *args):
            result = machine.run("--all-users", "--lock-timeout", "0", "--user-timeout", "15", *args)
            self.assertEqual(machine.picture(), before, name)
            outcomes[name] = {user: (entry["state"], entry["exit"]) for user, entry in
                              getattr(result, "users", {}).items()}
            return result

        # Looked at, without python, for real, and once more as a package's hook.
        run("dry", "--json", "--dry-run")
        with machine.without_python():
            run("without python", "--json")
        self.assertEqual(machine.scripts_that_ran(), [])
        result = run("real", "--json")
        self.assertEqual(outcomes["real"], expected, result.stdout)
        self.assertEqual(result.returncode, 1, result.stderr)
        (machine.homes / "oda/.teleclaude/hang").unlink()
        self.assertEqual(run("hook", "--hook").returncode, 0)
        ready = {name for name, (state, _) in expected.items() if state != "skipped"} - {"pat"}
        for name, (state, _) in expected.items():
            pat = ("failed", 65) if name == "pat" else None
            self.assertEqual(outcomes["dry"][name], ("ok", 0) if name in ready else pat or (state, None), name)
            self.assertEqual(outcomes["without python"][name],
                             ("deferred", 69) if name in ready else pat or (state, None), name)
        self.assertTrue(machine.effect("oda"))
        for name, (uid, home) in machine.users.items():
            folder = home / ".teleclaude"
            if name in ("fay", "leo", "mia") or not os.path.isdir(folder):
                continue
            for path in [folder, *folder.rglob("*")]:
                self.assertEqual(os.lstat(path).st_uid, uid, path)
            if (folder / "who.json").exists():
                me = machine.who(name)
                self.assertEqual((me["uids"], me["gids"]), ([uid] * 3, [uid] * 3))
                self.assertFalse(me["way_back"])
        ran = machine.scripts_that_ran()
        self.assertGreater(len(ran), 9)
        as_root = sum(len((machine.tree / "v1.0.0/001_effect.py").read_bytes()) for ids in ran if 0 in ids)
        self.assertEqual(as_root, 0)
        self.assertEqual(len({tuple(ids[:3]) for ids in ran}), len({ids[0] for ids in ran}))
        print(f"accounts: {len(expected)} users in {len(outcomes)} runs, {len(ran)} scripts, {as_root} bytes of script "
              "as uid 0, 0 files created or changed outside the users' own .teleclaude")

    def whole_picture(self):
        """The data of the users too."""
        return self.machine.picture() | support.picture(self.machine.homes)

    def dead(self, name, uid, hears):
        self.machine.user(name, uid, data=False)
        try:
            home = self.machine.view / (self.machine.homes / name).relative_to("/")
            self.machine.dead.append(DeadFileSystem(home, hears))
        except OSError as error:
            self.skipTest(f"cannot mount a file system that does not answer: {error}")

    def test_a_home_on_a_dead_file_system_hangs_nobody(self):
        # Between them two who are well, to see that each one's turn comes.
        self.dead("una", 1001, hears=True)
        self.machine.user("pam", 1002)
        self.dead("vic", 1003, hears=False)
        self.machine.user("zoe", 1004)
        begin = time.monotonic()
        result = self.machine.run("--all-users", "--hook")
        seconds = time.monotonic() - begin
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.splitlines(), [
            *(f"telec: {name}: deferred: its home did not answer within 20.000 s, given up on for now; "
              f"then: telec migrate --migrations-dir {self.machine.tree} --user {name}" for name in ("una", "vic")),
            "telec: 2 users migrated, 2 deferred: una, vic"])
        self.assertTrue(self.machine.effect("pam") and self.machine.effect("zoe"))
        # Without a limit of its own for the home it would be 600 seconds for each.
        self.assertLess(seconds, 200)

    def test_a_signal_is_heard_while_a_home_does_not_answer(self):
        self.dead("una", 1001, hears=True)
        self.machine.user("pam", 1002)
        process = subprocess.Popen(self.machine.command("--all-users", "--json"), env=OWN_ENVIRONMENT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertTrue(telec.wait_until(lambda: self.processes_of(1001), 60))
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        document = json.loads(process.communicate(timeout=60)[0])
        self.assertLess(time.monotonic() - begin, 15)
        self.assertEqual(process.returncode, 143)
        self.assertEqual({user["user"]: (user["state"], user["reason"]) for user in document["users"]},
                         {"una": ("deferred", "stopped"), "pam": ("deferred", "stopped before its turn")})

    def test_what_a_script_gets_is_the_users_own_and_nothing_of_roots(self):
        self.machine.user("ada", 1001)
        (self.machine.path / "leak").write_text("secret")
        leak = os.open(self.machine.path / "leak", os.O_RDONLY)
        self.addCleanup(os.close, leak)
        result = self.machine.run("--all-users", "--json", pass_fds=[leak], umask=0,
                                  env={"SECRET": "x", "TELEC_STATE_FILE": "/nowhere/x", "PYTHONPATH": "/nowhere",
                                       "LANG": "C.UTF-8"})
        self.assertEqual(result.returncode, 0, result.stdout)
        me = self.machine.who("ada")
        self.assertEqual(me["groups"], [1001, 5555])
        self.assertEqual(me["cwd"], str(self.machine.homes / "ada"))
        self.assertEqual(me["umask"], 0o077)
        self.assertEqual(me["caps"], ["CapEff:\t0000000000000000\n"])
        self.assertEqual({name: me["environment"].get(name) for name in ("HOME", "USER", "LOGNAME")},
                         {"HOME": str(self.machine.homes / "ada"), "USER": "ada", "LOGNAME": "ada"})
        self.assertFalse({"SECRET", "PYTHONPATH", "TELEC_STATE_FILE"} & set(me["environment"]))
        self.assertEqual(result.users["ada"]["document"]["migrations"][0]["state"], "applied")

    def test_a_second_run_has_nothing_to_do_and_changes_no_file(self):
        self.machine.user("ada", 1001)
        self.machine.run("--all-users")
        before = self.whole_picture()
        result = self.machine.run("--all-users")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "ok        ada: nothing to do\n0 users migrated, 1 up to date\n"))
        self.assertEqual(self.whole_picture(), before)
        self.assertEqual(self.machine.run("--all-users", "--hook").stdout, "")

    def test_no_home_is_opened_and_no_python_started_before_the_process_is_its_user(self):
        if shutil.which("strace") is None:
            self.skipTest("needs strace")
        self.whole_matrix()
        trace = self.machine.path / "trace"
        trace.mkdir()
        command = self.machine.command("--all-users", "--user-timeout", "5")
        subprocess.run(["strace", "-ff", "-o", trace / "t", "-e", "trace=%file,setresuid,%process", *command],
                       check=False,
                       env=OWN_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=240)
        lines = {int(path.suffix[1:]): path.read_text(errors="replace").splitlines() for path in trace.iterdir()}
        parent = {int(match.group(1)): pid for pid, own in lines.items() for line in own
                  if (match := re.match(r"(?:clone|clone3|vfork|fork)\(.* = (\d+)$", line))}
        changed = {pid: next((i for i, line in enumerate(own) if re.match(r"setresuid\((\d+), \1, \1\) += 0", line)),
                             None) for pid, own in lines.items()}
        became = [pid for pid, first in changed.items() if first is not None]

        def is_users(pid):
            while pid is not None and pid not in became:
                pid = parent.get(pid)
            return pid is not None

        as_root = 0
        for pid, own in lines.items():
            if is_users(pid) and pid not in became:
                continue  # python, and what a script started
            as_root += 1
            for line in own[:changed[pid]]:
                if line.startswith("execve("):
                    self.assertNotIn("python3", line.split(",")[0], line)
                else:
                    self.assertNotIn(str(self.machine.homes), line.split(" = ")[0], line)
        self.assertEqual(as_root, len(became) + 1)
        self.assertGreaterEqual(len(became), 17)

    def test_a_hook_waits_for_nobody_and_fails_no_package(self):
        self.machine.user("ada", 1001)
        self.machine.user("joy", 1008)
        self.machine.user("kim", 1009, files=["poison"])
        self.hold_lock("joy")
        result = self.machine.run("--all-users", "--hook")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 3, result.stdout)
        self.assertRegex(lines[0], r"^telec: joy: deferred: the lock .* is held .*; then: wait for it to end, "
                                   r"then run 'telec migrate --migrations-dir \S+ --user joy' again, ")
        self.assertRegex(lines[1], r"^telec: kim: failed: 1\.0\.0/001_effect\.py at migrate: .*poisoned.*; log: /.*"
                                   r"; then: mend .* run 'telec migrate --migrations-dir \S+ --user kim' again; ")
        self.assertEqual(lines[2], "telec: 1 user migrated, 1 deferred: joy(75), 1 failed: kim(1)")
        self.assertEqual(self.machine.run("--all-users", "--hook=strict").returncode, 1)
        self.assertEqual(self.machine.run("--all-users", "--hook", env={"TELEC_HOOK_STRICT": "1"}).returncode, 1)
        (self.machine.homes / "kim" / ".teleclaude" / "poison").unlink()
        result = self.machine.run("--user", "kim", "--hook")
        self.assertEqual(result.stdout, "telec: 1 user migrated\n")
        self.assertEqual(self.machine.run("--all-users", "--hook=strict").returncode, 75)

    def test_a_hook_does_nothing_where_an_image_is_built_and_nothing_for_root_without_data(self):
        self.machine.user("ada", 1001)
        for args, env, why in ((["--all-users", "--hook=strict"], {"DPKG_ROOT": "/image"}, "DPKG_ROOT is set"),
                               (["--hook=strict"], {"HOME": str(self.machine.path)}, "root has no ~/.teleclaude")):
            result = self.machine.run(*args, env=env)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
            result = self.machine.run(*args, "-v", env=env)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout, f"^telec: {why}.*: .*nothing is done\n$")
        result = self.machine.run("--hook", "--json", env={"HOME": str(self.machine.path)})
        self.assertIn("root has no ~/.teleclaude", json.loads(result.stdout)["notes"][0])
        self.assertFalse(self.machine.effect("ada"))
        self.assertFalse((self.machine.path / ".teleclaude").exists())

    def test_a_hook_of_root_with_a_state_file_somewhere_else_is_a_run(self):
        state = self.machine.path / "volume" / "state.json"
        home = {"HOME": str(self.machine.path)}
        for args, env in (([f"--state-file={state}"], home), ([], {**home, "TELEC_STATE_FILE": str(state)})):
            shutil.rmtree(state.parent, ignore_errors=True)
            result = self.machine.run("--hook=strict", *args, env=env)
            self.assertEqual(result.returncode, 1, result.stdout)  # its migrate() needs a ~/.teleclaude
            self.assertRegex(result.stdout, r"^telec: failed: 1\.0\.0/001_effect\.py at migrate: ")

    def test_a_hook_of_root_without_HOME_finds_the_data_in_the_accounts_home(self):
        data = self.machine.view / "root" / ".teleclaude"
        data.mkdir(mode=0o700)
        result = self.machine.run("--hook=strict", env={"HOME": None})
        self.assertEqual((result.returncode, result.stdout), (0, "telec: 1 migration applied\n"))
        self.assertTrue((data / "effect").exists())

    def test_a_hook_of_root_in_another_users_home_is_refused_and_fails_nothing(self):
        home = self.machine.user("ada", 1001)
        result = self.machine.run("--hook", env={"HOME": str(home)})
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.startswith("telec: refused: "), result.stdout)
        self.assertEqual(self.machine.run("--hook=strict", env={"HOME": str(home)}).returncode, 77)

    def test_root_in_another_users_home_is_told_the_command_that_runs_as_the_user(self):
        home = self.machine.user("ada", 1001)
        state = str(home / ".teleclaude" / "migration_state.json")
        place = f"telec migrate --migrations-dir {self.machine.tree}"
        for args, env, command in (
                (["--to", "1.0.0"], {"HOME": str(home)}, f"{place} --user ada --to 1.0.0"),
                (["-n"], {"HOME": str(home)}, f"{place} --user ada --dry-run"),
                (["--state-file", state], {}, f"sudo -H -u ada {place} --state-file {state}"),
                (["--user", "ada"], {}, None)):
            result = self.machine.run(*args, env=env)
            if command is None:
                self.assertEqual(result.returncode, 0, result)
                self.assertTrue(self.machine.effect("ada"))
            else:
                self.assertEqual(result.returncode, 77, result)
                self.assertIn(f"hint: run as that user, with '{command}'", result.stderr)
                self.assertFalse(self.machine.effect("ada"))

    def test_wrong_usage_of_a_hook_is_told_with_2(self):
        for args in (["--hook=loose"], ["--hook", "--no-such"], ["--hook", "strict"],
                     ["--hook", "--all-users", "--state-file", "/x"]):
            result = self.machine.run(*args)
            self.assertEqual(result.returncode, 2, args)
            self.assertIn("telec: error:", result.stderr)

    def test_without_python_every_user_is_deferred(self):
        self.machine.user("ada", 1001)
        with self.machine.without_python():
            result = self.machine.run("--all-users", "--json")
            self.assertEqual(result.users["ada"]["state"], "deferred")
            self.assertEqual((result.users["ada"]["exit"], result.returncode), (69, 75))
            self.assertEqual(result.document["error"]["code"], "deferred")
            self.assertEqual(self.machine.run("--all-users", "--hook").returncode, 0)

    def test_a_named_python_that_cannot_be_used_is_an_error_and_its_origin_is_told(self):
        self.machine.user("ada", 1001)
        for option, env, origin in ((["--python", "/nonexistent/python3"], {}, "--python"),
                                    ([], {"TELEC_PYTHON": "/nonexistent/python3"}, "TELEC_PYTHON")):
            result = self.machine.run("--user", "ada", "--json", *option, env=env)
            self.assertEqual((result.returncode, result.users), (69, {}))
            self.assertEqual(result.document["error"]["message"],
                             f"{origin} names '/nonexistent/python3', which is not an executable file")
            self.assertEqual(self.machine.run("--user", "ada", "--hook", *option, env=env).returncode, 0)
        # One that only root can execute, and one that no user has: told by the users' own runs.
        private = self.machine.path / "private-python3"
        shutil.copy2(os.path.realpath("/usr/bin/python3"), private)
        os.chmod(private, 0o700)
        for named, fault in ((str(private), "which is not an executable file"),
                             ("no-such-python3", "and there is no 'no-such-python3' on PATH")):
            result = self.machine.run("--all-users", "--json", env={"TELEC_PYTHON": named})
            self.assertEqual((result.returncode, result.users["ada"]["state"], result.users["ada"]["exit"]),
                             (1, "failed", 69))
            self.assertEqual(result.users["ada"]["reason"],
                             f"TELEC_PYTHON names '{named}', {fault}")
        self.assertEqual(self.machine.scripts_that_ran(), [])

    def test_an_id_that_is_none_is_usage_before_anybodys_turn(self):
        self.machine.user("ada", 1001)
        for args in (["--only", "9.9.9/001_x.py"], ["--rerun", "1.0.0/001_effect.py", "--from", "2.0.0"]):
            for users in (["--user", "ada"], ["--all-users"]):
                result = self.machine.run("--json", *users, *args)
                self.assertEqual((result.returncode, result.document["error"]["code"], result.users),
                                 (2, "usage", {}))

    def test_data_of_somebody_else_fails_a_user_who_was_named(self):
        fay = self.machine.user("fay", 1006)
        os.chown(fay / ".teleclaude", 0, 0)
        result = self.machine.run("--user", "fay")
        self.assertEqual((result.returncode, result.stdout.splitlines()),
                         (77, ["failed    fay: its .teleclaude belongs to uid 0",
                               f"    hint: see who made it; to give it to the user: chown -R fay: {fay}/.teleclaude",
                               "0 users migrated, 1 failed: fay(77)"]))
        self.assertEqual(self.machine.run("--all-users").stdout, "0 users migrated, 1 skipped\n")
        chown = result.stdout.splitlines()[1].partition("to the user: ")[2]
        self.assertEqual(self.run_as_typed(chown).returncode, 0)
        self.assertEqual(self.machine.run("--user", "fay").returncode, 0)

    def test_what_arrived_late_is_told_and_refuses_nobody(self):
        ada = self.machine.user("ada", 1001)
        (ada / ".teleclaude" / "migration_state.json").write_text('{"applied": ["1.0.1/001_later.py"]}')
        os.chown(ada / ".teleclaude" / "migration_state.json", 1001, 1001)
        shutil.copy2(self.machine.tree / "v1.0.0/001_effect.py", self.machine.tree / "v1.0.0/002_more.py")
        for users in (["--all-users"], ["--user", "ada"]):
            result = self.machine.run("--dry-run", "--strict", *users)
            self.assertEqual((result.returncode, result.stdout, result.stderr),
                             (0, "ok        ada: 2 pending, 2 of them late\n1 user would be migrated\n", ""))
        result = self.machine.run("--dry-run", "--strict", "--all-users", "--json")
        self.assertEqual([problem["path"] for problem in result.users["ada"]["document"]["problems"]],
                         ["v1.0.0/001_effect.py", "v1.0.0/002_more.py"])
        result = self.machine.run("--strict", "--all-users")
        self.assertEqual((result.returncode, result.stdout.splitlines()[0]),
                         (0, "ok        ada: 2 migrations applied or already present, 2 of them late"))
        # What is wrong with the tree refuses all the same, once and with its path.
        (self.machine.tree / "v1.0.0/3_x.py").write_text("")
        result = self.machine.run("--dry-run", "--strict", "--all-users")
        self.assertEqual((result.returncode, result.stdout), (65, ""))
        self.assertIn("telec: problem: v1.0.0/3_x.py: ", result.stderr)

    def run_as_typed(self, command, **options):
        """A command of a hint, as root types it in this view."""
        self.machine.write_etc()
        folder = pathlib.Path(telec.binary()).parent
        return subprocess.run([CHROOT, self.machine.view, "/bin/sh", "-c", command], check=False, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, cwd="/",
                              env={**OWN_ENVIRONMENT, "HOME": "/root", "PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin",
                                   "TELEC_MIGRATIONS_DIR": str(self.machine.tree)}, **options)

    def test_preflight_names_what_refuses_with_a_way_back_and_lets_late_arrivals_pass(self):
        state = self.machine.user("ada", 1001) / ".teleclaude" / "migration_state.json"
        preflight = self.machine.path / "preflight"
        preflight.write_text((support.PROJECT / "packaging/preflight/telec-preflight").read_text()
                             + f'tree_of_the_new_version() {{ cp -R {self.machine.tree} "$1/migrations"; }}\n'
                             "preflight\n")
        state.write_text('{"applied": ["1.0.1/001_later.py"]}')
        os.chown(state, 1001, 1001)
        result = self.run_as_typed(f". {preflight}")
        self.assertEqual((result.returncode, result.stderr),
                         (0, "ok        ada: 1 pending, 1 of them late\n1 user would be migrated\n"))
        state.write_text("{")
        result = self.run_as_typed(f". {preflight}")
        self.assertEqual(result.returncode, 1)
        self.assertIn("failed    ada: cannot trust the state file", result.stderr)
        # The tree that was looked at is gone by now.
        self.assertIn(" telec migrate rebuild' writes it anew", result.stderr)
        self.assertNotIn("/tmp/telec-preflight", result.stderr)
        self.assertIn("telec: preflight: the upgrade is refused", result.stderr)

    def test_the_next_step_of_a_users_failure_can_be_typed_by_root(self):
        home = self.machine.user("bo-b", 1001, files=["poison"])
        result = self.machine.run("--user", "bo-b")
        self.assertEqual(result.returncode, 1)
        one = re.search(r"hint: mend .* to try this one alone: '(telec .*)'\n", result.stdout).group(1)
        self.assertEqual(one, f"telec migrate --migrations-dir {self.machine.tree} --user bo-b --only 1.0.0/001_effect.py")
        self.assertEqual(self.run_as_typed(one).returncode, 1)
        self.assertIn(f"hint: do what is said above of each; then run 'telec migrate --migrations-dir {self.machine.tree} "
                      "--user bo-b' again", result.stderr)
        (home / ".teleclaude" / "poison").unlink()
        self.assertEqual(self.run_as_typed(one).returncode, 0)
        state = home / ".teleclaude" / "migration_state.json"
        state.with_name("migration_state.json.old").unlink(missing_ok=True)
        state.write_text("{")
        for args in (["--user", "bo-b"], ["--all-users", "--hook"], ["--user", "bo-b", "-q"]):
            result = self.machine.run(*args)
            rebuild = re.search(r"'(runuser -u bo-b .* telec migrate rebuild .*?)' writes it anew", result.stdout).group(1)
        result = self.run_as_typed(rebuild + " --yes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(state.stat().st_uid, 1001)
        self.assertEqual(self.machine.run("--user", "bo-b").stdout,
                         "ok        bo-b: nothing to do\n0 users migrated, 1 up to date\n")

    def test_with_v_a_users_run_is_heard(self):
        self.machine.user("kim", 1009, files=["poison"])
        script = self.machine.tree / "v1.0.0/001_effect.py"
        script.write_text("print('loaded')\n" + script.read_text())
        result = self.machine.run("--user", "kim", "-v", "--color", "always")
        for line in ("  |   | loaded\n", "  |   RuntimeError: poisoned\n", "  | the last that it printed:\n", "  | log: "):
            self.assertIn(line, result.stderr)
        self.assertNotIn("loaded", self.machine.run("--user", "kim").stderr)
        (self.machine.homes / "kim/.teleclaude/poison").unlink()
        self.assertEqual(self.machine.run("--user", "kim", "-v").stderr, "  |   | loaded\n")

    def test_a_bad_tree_is_refused_before_anybodys_turn(self):
        self.machine.user("ada", 1001)
        os.chmod(self.machine.tree, 0o777)
        result = self.machine.run("--all-users", "--json")
        self.assertIn(result.returncode, (65, 77))
        self.assertEqual(result.users, {})
        os.chmod(self.machine.tree, 0o755)
        os.chown(self.machine.tree / "v1.0.0" / "001_effect.py", 1001, 1001)
        self.assertEqual(self.machine.run("--all-users").returncode, 77)
        self.machine.tree.rename(self.machine.path / "gone")
        self.assertEqual(self.machine.run("--all-users").returncode, 65)
        self.assertFalse((self.machine.homes / "ada" / ".teleclaude" / "who.json").exists())

    def test_an_interpreter_that_a_user_could_change_runs_for_nobody(self):
        self.machine.user("ada", 1001)
        shutil.copy2(os.path.realpath("/usr/bin/python3"), self.machine.homes / "ada" / "python3")
        os.chown(self.machine.homes / "ada" / "python3", 1001, 1001)
        result = self.machine.run("--all-users", env={"TELEC_PYTHON": str(self.machine.homes / "ada" / "python3")})
        self.assertEqual(result.returncode, 77, result.stderr)

    def test_users_can_be_named_and_a_wrong_name_is_told_before_anybodys_turn(self):
        self.machine.user("ada", 1001)
        self.machine.user("sys", 999)
        result = self.machine.run("--user", "sys", "--user", "nobody-here")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("telec: error: --user 'nobody-here': there is no such user\n", result.stderr)
        self.assertIn("getent passwd 'nobody-here'", result.stderr)
        self.assertFalse(self.machine.effect("sys"))
        # A hook is no place to learn of it: an account that is gone fails no package.
        result = self.machine.run("--user", "nobody-here", "--user", "sys", "--user", "sys", "--hook")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "telec: nobody-here: failed: there is no such user\n"
                             "telec: 1 user migrated, 1 failed: nobody-here\n"))
        self.assertTrue(self.machine.effect("sys"))
        self.assertFalse(self.machine.effect("ada"))
        for name in ("root", "toor"):
            result = self.machine.run("--user", name, "--user", "ada")
            self.assertEqual(result.returncode, 2)
        self.assertFalse(self.machine.effect("ada"))

    @unittest.skipUnless(telec.strace_works(), "strace is not installed, or cannot trace here")
    def test_accounts_that_cannot_be_looked_up_are_not_said_to_be_none(self):
        self.machine.user("ada", 1001)

        def run(*args):
            fails = ["strace", "-qq", "-o", self.machine.path / "trace", "-P", "/etc/passwd", "-e", "inject=openat:error=EIO"]
            return subprocess.run([*fails, *self.machine.command(*args)], env={**OWN_ENVIRONMENT, **telec.WITHOUT_LEAK_CHECK, "HOME": "/root"},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False, cwd="/")
        for args, message in ((["--all-users"], "cannot list the accounts of this machine"), (["--user", "ada"], "cannot look up the user 'ada'")):
            with self.subTest(args):
                result = run(*args)
                self.assertEqual((result.returncode, result.stdout), (74, ""), result.stderr)
                self.assertIn(f"telec: error: {message}: Input/output error\nhint: see whether the sources that ", result.stderr)
        result = run("--user", "ada", "--hook")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "telec: ada: failed: cannot look up the user 'ada': Input/output error\n"
                             "telec: 0 users migrated, 1 failed: ada\n"))
        self.assertFalse(self.machine.effect("ada"))

    def test_why_a_user_is_skipped_is_said_where_the_user_was_named(self):
        self.machine.user("bea", 1002, data=False)
        self.machine.user("cid", 1003, data=False)
        result = self.machine.run("--user", "bea")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "skipped   bea: has no data\n0 users migrated, 1 skipped\n"))
        self.assertEqual(self.machine.run("--all-users").stdout, "0 users migrated, 2 skipped\n")

    def test_only_root_may(self):
        self.machine.user("ada", 1001)
        result = self.machine.run("--all-users", "--json", chroot=["--userspec=1001:1001", "--groups="])
        self.assertEqual((result.returncode, result.document["error"]["code"]), (77, "unsafe"))

    def test_the_uid_limits_are_those_of_the_machine(self):
        self.machine.login_defs("UID_MIN 500\nUID_MAX 1500\n")
        self.machine.user("low", 600)
        self.machine.user("high", 2000)
        result = self.machine.run("--all-users", "--json")
        self.assertEqual(list(result.users), ["low"])

    def test_a_dry_run_lists_and_writes_nothing(self):
        self.machine.user("ada", 1001)
        before = self.whole_picture()
        result = self.machine.run("--all-users", "--dry-run", "--check")
        self.assertEqual((result.returncode, result.stdout),
                         (3, "ok        ada: 1 pending\n1 user would be migrated\n"))
        self.assertEqual(self.whole_picture(), before)

    def start_hanging(self, *more):
        for number, name in enumerate(("oda", *more)):
            self.machine.user(name, 1012 + number, files=["hang"] if name == "oda" else [])
        process = subprocess.Popen(self.machine.command("--all-users", "--json"), env=OWN_ENVIRONMENT,
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        who = self.machine.users["oda"][1] / ".teleclaude" / "who.json"
        self.assertTrue(telec.wait_until(lambda: who.exists() and who.stat().st_size > 0
                                         and who.read_text().endswith("}"), 60))
        return process

    def processes_of(self, uid):
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and telec.alive(pid)
                and os.stat(f"/proc/{pid}").st_uid == uid]

    def test_a_killed_root_takes_the_users_runs_with_it(self):
        process = self.start_hanging()
        me = self.machine.who("oda")
        descriptors = [os.readlink(f"/proc/{me['parent']}/fd/{fd}") for fd in os.listdir(f"/proc/{me['parent']}/fd")]
        self.assertFalse([path for path in descriptors if str(self.machine.tree) not in path
                          and path.startswith("/root")])
        process.kill()
        process.wait()
        self.assertTrue(telec.wait_until(lambda: not telec.alive(me["pid"]) and not telec.alive(me["parent"])))

    def test_a_signal_stops_the_run_and_the_users_that_follow_are_deferred(self):
        process = self.start_hanging("pam")
        process.send_signal(signal.SIGTERM)
        self.assertFalse(telec.wait_until(lambda: process.poll() is not None, 0.5))
        process.send_signal(signal.SIGINT)
        document = json.loads(process.communicate(timeout=30)[0])
        self.assertEqual(process.returncode, 143)
        self.assertEqual({user["user"]: user["state"] for user in document["users"]},
                         {"oda": "deferred", "pam": "deferred"})
        self.assertFalse(self.machine.effect("pam"))
        self.assertTrue(telec.wait_until(lambda: not self.processes_of(1012)))

    def test_what_hangs_is_ended_whole_and_the_next_user_has_a_turn(self):
        self.machine.user("oda", 1012, files=["hang", "daemon"])
        self.machine.user("pam", 1013)
        result = self.machine.run("--all-users", "--json", "--user-timeout", "10")
        self.assertEqual({name: user["state"] for name, user in result.users.items()}, {"oda": "deferred", "pam": "ok"})
        self.assertEqual(result.returncode, 75)
        self.assertEqual(self.processes_of(1012), [])

    def test_a_caller_that_ignores_interrupts_does_not_keep_a_run_from_being_ended_in_order(self):
        self.machine.user("oda", 1012, files=["hang"])
        # As it is for a job that a shell without job control started in the background.
        ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGINT, ignored)
        result = self.machine.run("--all-users", "--json", "--user-timeout", "10")
        self.assertEqual(result.users["oda"]["state"], "deferred")
        # It has noted what became of the attempt, which a run that had to be killed has not.
        attempts = self.machine.homes / "oda/.teleclaude/migration_logs/attempts.jsonl"
        self.assertTrue(attempts.exists())
        self.assertEqual([json.loads(line)["outcome"] for line in attempts.read_text().splitlines()], ["interrupted"])

    def test_a_script_cannot_speak_in_the_name_of_its_runner(self):
        self.machine.user("ada", 1001)
        # Its parent is a process of its own user, and still closed to it: it was root once.
        (self.machine.tree / "v1.0.0" / "001_effect.py").write_text(
            "import os\n\n\ndef check():\n    os.open(f'/proc/{os.getppid()}/fd/1', os.O_WRONLY)\n    return True\n\n\n"
            "def migrate():\n    return True\n")
        result = self.machine.run("--all-users", "--json")
        self.assertEqual(result.users["ada"]["state"], "failed")
        self.assertIn("Permission denied", result.users["ada"]["reason"])


if __name__ == "__main__":
    telec.main(SUITE)
