#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The account matrix: `telec migrate --all-users` over accounts of every kind, in a namespace with an /etc/passwd and
homes of its own.

Looks at what became of each user, at whose uid ran the scripts, and at every file outside the users' own data: none of
those may be created or changed. Needs root.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

import support

SUITE = "accounts"
support.need(SUITE, "unshare", "mount")
support.in_own_namespace()

import telec  # noqa: E402  (in the namespace, and with support's path)

OWN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

# Tells who it is, then does what files in the home ask for.
SCRIPT = '''\
import json
import os
import time

_DATA = os.path.expanduser("~/.teleclaude")


def _has(name):
    return os.path.exists(os.path.join(_DATA, name))


def check():
    return _has("effect")


def migrate():
    me = {"uids": os.getresuid(), "gids": os.getresgid(), "groups": sorted(os.getgroups()), "cwd": os.getcwd(),
          "environment": dict(os.environ), "umask": os.umask(0o077), "descriptors": sorted(os.listdir("/proc/self/fd")),
          "caps": [line for line in open("/proc/self/status") if line.startswith("CapEff")], "pid": os.getpid(),
          "parent": os.getppid()}
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


class Machine:
    """An /etc of its own over the real one, homes on a tmpfs, and a tree that root owns."""

    def __init__(self):
        self.path = support.temporary_directory("telec-accounts-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.path], check=True)
        self.homes = self.path / "home"
        self.homes.mkdir(mode=0o755)
        self.passwd = ["root:x:0:0:root:/root:/bin/sh", "toor:x:0:0:root:/root:/bin/sh"]
        self.group = ["root:x:0:", "extra:x:5555:ada,cid"]
        self.users = {}
        self.tree = self.path / "migrations"
        (self.tree / "v1.0.0").mkdir(parents=True, mode=0o755)
        (self.tree / "v1.0.0" / "001_effect.py").write_text(SCRIPT)
        self.login_defs("UID_MIN 1000\nUID_MAX 60000\n")

    def close(self):
        for name in ("passwd", "group", "login.defs", "nsswitch.conf"):
            subprocess.run(["umount", f"/etc/{name}"], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", self.path], check=True)

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

    def write_etc(self):
        etc = self.path / "etc"
        etc.mkdir(exist_ok=True)
        for name, text in {"passwd": "\n".join(self.passwd) + "\n", "group": "\n".join(self.group) + "\n",
                           "login.defs": self.defs, "nsswitch.conf": "passwd: files\ngroup: files\n"}.items():
            mounted = (etc / name).exists()
            if mounted and (etc / name).read_text() == text:
                continue
            (etc / name).write_text(text)
            if not mounted and pathlib.Path("/etc", name).exists():
                subprocess.run(["mount", "--bind", etc / name, f"/etc/{name}"], check=True)

    def command(self, *args):
        self.write_etc()
        return [telec.binary(), "migrate", "--migrations-dir", str(self.tree), *args]

    def run(self, *args, env=None, **options):
        environment = {**OWN_ENVIRONMENT, "HOME": "/root", **(env or {})}
        for name in list(os.environ):
            if name.startswith(("ASAN_", "UBSAN_")):
                environment[name] = os.environ[name]
        result = subprocess.run(self.command(*args), env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                                text=True,
                                timeout=120, check=False, cwd="/", **options)
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
        holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo held; exec sleep 120"], stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.addCleanup(lambda: (holder.kill(), holder.wait(), holder.stdout.close()))

    def test_every_kind_of_account_has_its_outcome_and_nothing_outside_the_data_changes(self):
        expected = self.whole_matrix()
        self.hold_lock("joy")
        self.machine.write_etc()
        before = support.picture(self.machine.path, leave_out=(".teleclaude",))
        outside = support.picture("/root/.teleclaude") if os.path.exists("/root/.teleclaude") else None
        result = self.machine.run("--all-users", "--json", "--lock-timeout", "0", "--user-timeout", "3")
        self.assertEqual({name: (user["state"], user["exit"]) for name, user in result.users.items()}, expected,
                         result.stdout)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(support.picture(self.machine.path, leave_out=(".teleclaude",)), before)
        self.assertEqual(support.picture("/root/.teleclaude") if os.path.exists("/root/.teleclaude") else None, outside)
        as_root = 0
        for name, (uid, home) in self.machine.users.items():
            folder = home / ".teleclaude"
            if name in ("fay", "leo", "mia") or not os.path.isdir(folder):
                continue
            for path in [folder, *folder.rglob("*")]:
                self.assertEqual(os.lstat(path).st_uid, uid, path)
            if (folder / "who.json").exists():
                me = self.machine.who(name)
                as_root += 0 in me["uids"] + me["gids"] + me["groups"]
                self.assertEqual((me["uids"], me["gids"]), ([uid] * 3, [uid] * 3))
                self.assertFalse(me["way_back"])
        self.assertEqual(as_root, 0)
        print(f"accounts: {len(expected)} users, {as_root} scripts as root, 0 files outside their data")

    def test_what_a_script_gets_is_the_users_own_and_nothing_of_roots(self):
        self.machine.user("ada", 1001)
        (self.machine.path / "leak").write_text("secret")
        leak = os.open(self.machine.path / "leak", os.O_RDONLY)
        self.addCleanup(os.close, leak)
        result = self.machine.run("--all-users", "--json", pass_fds=[leak], umask=0,
                                  env={"SECRET": "x", "TELEC_STATE_FILE": "/root/x", "PYTHONPATH": "/root",
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
        before = support.picture(self.machine.path)
        result = self.machine.run("--all-users")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "ok        ada: nothing to do\n0 users migrated, 1 up to date\n"))
        self.assertEqual(support.picture(self.machine.path), before)
        self.assertEqual(self.machine.run("--all-users", "--hook").stdout, "")

    def test_no_home_is_opened_before_the_process_is_its_user(self):
        if shutil.which("strace") is None:
            self.skipTest("needs strace")
        self.whole_matrix()
        trace = self.machine.path / "trace"
        trace.mkdir()
        command = self.machine.command("--all-users", "--user-timeout", "2")
        subprocess.run(["strace", "-ff", "-o", trace / "t", "-e", "trace=%file,setresuid,%process", *command],
                       check=False,
                       env=OWN_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        became = 0
        children_of_root = 0
        for path in trace.iterdir():
            lines = path.read_text(errors="replace").splitlines()
            first = next((i for i, line in enumerate(lines) if re.match(r"setresuid\((\d+), \1, \1\) += 0", line)),
                         None)
            became += first is not None
            is_main = any(line.startswith("execve(") and "all-users" in line for line in lines)
            if first is None and not is_main:
                continue  # python, and what a script started: children of a process that has become its user
            children_of_root += 1
            for line in lines[:first]:
                self.assertNotIn(str(self.machine.homes), line.split(' = ')[0] if "execve" not in line else "",
                                 path.name)
        self.assertEqual(children_of_root, became + 1)
        self.assertGreaterEqual(became, 17)

    def test_a_hook_waits_for_nobody_and_fails_no_package(self):
        self.machine.user("ada", 1001)
        self.machine.user("joy", 1008)
        self.machine.user("kim", 1009, files=["poison"])
        self.hold_lock("joy")
        result = self.machine.run("--all-users", "--hook")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 3, result.stdout)
        self.assertRegex(lines[0], r"^telec: joy: deferred: the lock .* is held .*; then: telec migrate --user joy$")
        self.assertRegex(lines[1], r"^telec: kim: failed: 1\.0\.0/001_effect\.py at migrate: .*poisoned.*"
                                   r"; then: telec migrate --user kim$")
        self.assertEqual(lines[2], "telec: 1 user migrated, 1 deferred: joy(75), 1 failed: kim(1)")
        self.assertEqual(self.machine.run("--all-users", "--hook=strict").returncode, 1)
        self.assertEqual(self.machine.run("--all-users", "--hook", env={"TELEC_HOOK_STRICT": "1"}).returncode, 1)
        (self.machine.homes / "kim" / ".teleclaude" / "poison").unlink()
        result = self.machine.run("--user", "kim", "--hook")
        self.assertEqual(result.stdout, "telec: 1 user migrated\n")
        self.assertEqual(self.machine.run("--all-users", "--hook=strict").returncode, 75)

    def test_a_hook_does_nothing_where_an_image_is_built_and_nothing_for_root_without_data(self):
        self.machine.user("ada", 1001)
        for args, env in ((["--all-users", "--hook=strict"], {"DPKG_ROOT": "/image"}),
                          (["--hook=strict"], {"HOME": str(self.machine.path)})):
            result = self.machine.run(*args, env=env)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertFalse(self.machine.effect("ada"))
        self.assertFalse((self.machine.path / ".teleclaude").exists())

    def test_a_hook_of_root_in_another_users_home_is_refused_and_fails_nothing(self):
        home = self.machine.user("ada", 1001)
        result = self.machine.run("--hook", env={"HOME": str(home)})
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.startswith("telec: refused: "), result.stdout)
        self.assertEqual(self.machine.run("--hook=strict", env={"HOME": str(home)}).returncode, 77)

    def test_wrong_usage_of_a_hook_is_told_with_2(self):
        for args in (["--hook=loose"], ["--hook", "--no-such"], ["--hook", "strict"],
                     ["--hook", "--all-users", "--state-file", "/x"]):
            result = self.machine.run(*args)
            self.assertEqual(result.returncode, 2, args)
            self.assertIn("telec: error:", result.stderr)

    def test_without_python_every_user_is_deferred(self):
        self.machine.user("ada", 1001)
        result = self.machine.run("--all-users", "--json", "--python", "/usr/bin/no-such-python3")
        self.assertEqual(result.users["ada"]["state"], "deferred")
        self.assertEqual((result.users["ada"]["exit"], result.returncode), (69, 75))
        self.assertEqual(result.document["error"]["code"], "deferred")
        self.assertEqual(self.machine.run("--all-users", "--hook", "--python", "/usr/bin/no-such-python3").returncode,
                         0)

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

    def test_users_can_be_named_and_a_wrong_name_stops_nobody(self):
        self.machine.user("ada", 1001)
        self.machine.user("sys", 999)
        result = self.machine.run("--user", "nobody-here", "--user", "sys", "--user", "sys", "--json")
        self.assertEqual({name: user["state"] for name, user in result.users.items()},
                         {"nobody-here": "failed", "sys": "ok"})
        self.assertEqual(len(result.document["users"]), 2)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(self.machine.effect("sys"))
        self.assertFalse(self.machine.effect("ada"))
        for name in ("root", "toor"):
            result = self.machine.run("--user", name, "--user", "ada")
            self.assertEqual(result.returncode, 2)
        self.assertFalse(self.machine.effect("ada"))

    def test_only_root_may(self):
        self.machine.user("ada", 1001)
        self.machine.write_etc()
        result = self.machine.run("--all-users", "--json", user=1001, group=1001, extra_groups=[])
        self.assertEqual((result.returncode, result.document["error"]["code"]), (77, "unsafe"))

    def test_the_uid_limits_are_those_of_the_machine(self):
        self.machine.login_defs("UID_MIN 500\nUID_MAX 1500\n")
        self.machine.user("low", 600)
        self.machine.user("high", 2000)
        result = self.machine.run("--all-users", "--json")
        self.assertEqual(list(result.users), ["low"])

    def test_a_dry_run_lists_and_writes_nothing(self):
        self.machine.user("ada", 1001)
        self.machine.write_etc()
        before = support.picture(self.machine.path)
        result = self.machine.run("--all-users", "--dry-run", "--check")
        self.assertEqual((result.returncode, result.stdout),
                         (3, "ok        ada: 1 pending\n1 user would be migrated\n"))
        self.assertEqual(support.picture(self.machine.path), before)

    def start_hanging(self, *more):
        for number, name in enumerate(("oda", *more)):
            self.machine.user(name, 1012 + number, files=["hang"] if name == "oda" else [])
        process = subprocess.Popen(self.machine.command("--all-users", "--json"), env=OWN_ENVIRONMENT,
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        who = self.machine.users["oda"][1] / ".teleclaude" / "who.json"
        self.assertTrue(telec.wait_until(lambda: who.exists() and who.stat().st_size > 0
                                         and who.read_text().endswith("}")))
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
        result = self.machine.run("--all-users", "--json", "--user-timeout", "1")
        self.assertEqual({name: user["state"] for name, user in result.users.items()}, {"oda": "deferred", "pam": "ok"})
        self.assertEqual(result.returncode, 75)
        self.assertEqual(self.processes_of(1012), [])

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
