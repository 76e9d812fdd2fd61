#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Ansible collection over eight hosts, each a network namespace with a root and an sshd of its own: what check mode
tells before the upgrade, and where a roll-out stops when a host fails, cannot be reached, or is lost in the middle.
"""

import os
import re
import shutil
import subprocess
import time
import unittest

import roots
import support

SUITE = "fleet"
support.need(SUITE, "dpkg-deb", "ansible-playbook", "ssh", "ssh-keygen", "ip")
roots.need_root(SUITE, "TELEC_DEB")
support.in_own_namespace("--net")

import telec  # noqa: E402

HOSTS = [f"h{number}" for number in range(1, 9)]
ONE = ["1.0.0/001_one.py"]
TWO = [*ONE, "1.1.0/001_two.py"]
SSHD = """\
ListenAddress {address}
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
AuthorizedKeysFile /root/.ssh/authorized_keys
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
"""


def ip(*args):
    subprocess.run(["ip", *args], check=True)


class Fleet:
    made = 0  # a network's end is not waited for: each fleet has names and addresses of its own

    def __init__(self):
        Fleet.made += 1
        net = f"10.9.{Fleet.made}"
        bridge = f"bridge{Fleet.made}"
        self.path = support.temporary_directory("telec-fleet-")
        os.makedirs("/run/netns", exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)
        ip("link", "set", "lo", "up")
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", f"{net}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path / "key"], check=True)
        self.roots = {}
        self.daemons = {}
        known = []
        first = roots.Root(users=False)
        self.one, two = (str(first.path) + first.deb(*args) for args in (("1.0.0", ONE), ("1.1.0", TWO)))
        shutil.copy(two, self.path / "two.deb")
        self.packages = first
        for number, host in enumerate(HOSTS, 1):
            address = f"{net}.{10 + number}"
            link = f"veth{Fleet.made}-{number}"
            ip("netns", "add", host)
            ip("link", "add", link, "master", bridge, "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", link, "up")
            ip("-n", host, "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", host, "link", "set", "eth0", "up")
            root = self.roots[host] = roots.Root(users=False)
            for user in ("ada", "bob"):
                root.add_user(user)
            subprocess.run(["cp", self.one, root.path / "packages/one.deb"], check=True)
            root.must("dpkg", "-i", "/packages/one.deb")
            root.must("telec", "migrate", "--all-users")
            ssh = root.path / "etc/ssh"
            for old in ssh.glob("ssh_host_*"):
                old.unlink()
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / "ssh_host_ed25519_key"],
                           check=True)
            known.append(f"{address} " + (ssh / "ssh_host_ed25519_key.pub").read_text())
            (ssh / "sshd_test").write_text(SSHD.format(address=address))
            (root.path / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
            (root.path / "root/.ssh/authorized_keys").write_text((self.path / "key.pub").read_text())
            (root.path / "run/sshd").mkdir(mode=0o755, exist_ok=True)
            self.daemons[host] = subprocess.Popen(
                ["ip", "netns", "exec", host, "chroot", root.path, "/usr/sbin/sshd", "-D", "-f", "/etc/ssh/sshd_test"],
                env=root.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (self.path / "known_hosts").write_text("".join(known))
        hosts = "".join(f"{host} ansible_host={net}.{10 + number}\n" for number, host in enumerate(HOSTS, 1))
        (self.path / "inventory").write_text(
            f"[telec]\n{hosts}\n[telec:vars]\nansible_user=root\nansible_python_interpreter=/usr/bin/python3\n"
            f"ansible_ssh_private_key_file={self.path}/key\n"
            f"ansible_ssh_common_args=-o UserKnownHostsFile={self.path}/known_hosts -o StrictHostKeyChecking=yes "
            "-o ConnectTimeout=3 -o ServerAliveInterval=2 -o ServerAliveCountMax=2\n")

    def close(self):
        for daemon in self.daemons.values():
            daemon.kill()
            daemon.wait()
        for root in [*self.roots.values(), self.packages]:
            root.close()
        for host in HOSTS:
            subprocess.run(["ip", "netns", "delete", host], check=False)
        subprocess.run(["umount", "-l", "/run/netns"], check=False)

    def environment(self):
        return {**roots.Root.environment(),
                "ANSIBLE_COLLECTIONS_PATH": str(support.PROJECT / "packaging/ansible"),
                "ANSIBLE_FORKS": "8", "ANSIBLE_PIPELINING": "1", "ANSIBLE_HOME": str(self.path / "ansible"),
                "ANSIBLE_LOCAL_TEMP": str(self.path / "tmp"), "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_RETRY_FILES_ENABLED": "0",
                "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.path / "cp"), "HOME": str(self.path)}

    def ansible(self, *command):
        result = subprocess.run([*map(str, command)], env=self.environment(), stdin=subprocess.DEVNULL, cwd=self.path,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        return result.returncode, result.stdout

    def start(self, *args):
        return subprocess.Popen(["ansible-playbook", "-i", self.path / "inventory", "telec.migrate.roll",
                                 "-e", "telec_package=two.deb", *args], env=self.environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                cwd=self.path)

    def roll(self, *args, timeout=600):
        begin = time.monotonic()
        process = self.start(*args)
        try:
            out = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, out, time.monotonic() - begin

    def done(self):
        """The hosts whose users all have the new migration."""
        return [host for host, root in self.roots.items()
                if all("effect_1.1.0_001" in root.effects(user) for user in ("ada", "bob"))]

    def left_behind(self):
        """What is there of a package that was brought to a host."""
        return [str(path) for root in self.roots.values() for folder in ("var/tmp", "root/.ansible/tmp")
                for path in (root.path / folder).glob("*")]

    def upgraded(self):
        return [host for host, root in self.roots.items() if (root.path / "usr/share/telec/migrations/v1.1.0").exists()]


class Roll(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)

    def test_check_mode_tells_the_truth_and_a_second_roll_out_changes_nothing(self):
        code, out, looked = self.fleet.roll("--check", "--diff")
        self.assertEqual(code, 0, out)
        listed = re.findall(r"^\+(\w+: \S+)$", out, re.M)
        self.assertEqual(sorted(listed), sorted(["ada: 1.1.0/001_two.py", "bob: 1.1.0/001_two.py"] * 8), out)
        self.assertEqual((self.fleet.done(), self.fleet.upgraded(), self.fleet.left_behind()), ([], [], []))
        code, out, rolled = self.fleet.roll("--diff")
        self.assertEqual(code, 0, out)
        self.assertEqual(sorted(re.findall(r"^\+(\w+: \S+)$", out, re.M)), sorted(listed), out)
        self.assertEqual((self.fleet.done(), self.fleet.upgraded(), self.fleet.left_behind()), (HOSTS, HOSTS, []))
        code, out, again = self.fleet.roll()
        self.assertEqual(code, 0, out)
        self.assertEqual(re.findall(r"^(h\d) .*changed=(?!0)", out, re.M), [], out)
        for root in self.fleet.roots.values():
            self.assertEqual(len(root.effects("ada")["effect_1.1.0_001"]), 1)
        print(f"fleet: eight hosts looked at in {looked:.1f} s, rolled in {rolled:.1f} s, again without a change in "
              f"{again:.1f} s")

    def test_a_failing_host_stops_the_roll_out_and_its_repair_finishes_it(self):
        bad = self.fleet.roots["h5"]
        bad.touch("bob", "poison-effect_1.1.0_001")
        code, out, _ = self.fleet.roll("-e", '{"telec_serial": 2}')
        self.assertNotEqual(code, 0)
        self.assertRegex(out, r"fatal: \[h5\].*bob failed: 1\.1\.0/001_two\.py at migrate: RuntimeError: poisoned")
        self.assertEqual(self.fleet.done(), ["h1", "h2", "h3", "h4", "h6"], out)
        self.assertEqual(self.fleet.upgraded(), HOSTS[:6])
        self.assertIn("effect_1.1.0_001", bad.effects("ada"))
        bad.remove("bob", "poison-effect_1.1.0_001")
        code, out, _ = self.fleet.roll()
        self.assertEqual(code, 0, out)
        self.assertEqual(self.fleet.done(), HOSTS)

    def test_a_package_that_cannot_be_installed_stops_at_the_first_host_and_says_why(self):
        (self.fleet.path / "damaged.deb").write_text("This is no package, and nothing else either.\n" * 9)
        for package, words in (("damaged.deb", r"dpkg-deb -f \S+ Version ended with 2: .*not a Debian format archive"),
                               ("absent.deb", r"package: there is no file 'absent\.deb'")):
            code, out, _ = self.fleet.roll("-e", f"telec_package={package}")
            self.assertNotEqual(code, 0)
            self.assertRegex(out, r"fatal: \[h1\].*" + words)
            self.assertEqual((re.findall(r"fatal: \[(h\d)\]", out), self.fleet.upgraded()), (["h1"], []), out)

    def test_what_is_still_pending_after_a_run_is_a_failure(self):
        # A telec that says it is done and is not.
        liar = self.fleet.roots["h1"].path / "usr/local/bin/telec-that-lies"
        liar.write_text("#!/bin/sh\ncase \"$*\" in *--dry-run*) exec telec \"$@\" ;; esac\n"
                        "exec telec \"$@\" --to 1.0.0\n")
        liar.chmod(0o755)
        tree = self.fleet.roots["h1"].path / "usr/share/telec/migrations"
        roots.write_tree(tree, ["1.1.0/001_two.py"])
        module = ["ansible", "-i", self.fleet.path / "inventory", "h1", "-m", "telec.migrate.telec_migrate", "-a"]
        arguments = "all_users=true executable=/usr/local/bin/telec-that-lies"
        code, out = self.fleet.ansible(*module, arguments + " prove=true")
        self.assertNotEqual(code, 0, out)
        self.assertIn("still pending: ada: 1.1.0/001_two.py, bob: 1.1.0/001_two.py", out)
        self.assertEqual(self.fleet.ansible(*module, arguments)[0], 0)

    def test_a_host_that_cannot_be_reached_stops_what_comes_after_its_batch(self):
        self.fleet.daemons["h3"].kill()
        self.fleet.daemons["h3"].wait()
        code, out, _ = self.fleet.roll("-e", '{"telec_serial": 2}')
        self.assertNotEqual(code, 0)
        self.assertIn("UNREACHABLE", out)
        self.assertLessEqual(set(self.fleet.upgraded()), {"h1", "h2", "h4"}, out)
        self.assertGreaterEqual(set(self.fleet.done()), {"h1", "h2"}, out)

    def test_a_host_that_is_lost_in_the_middle_does_not_hang_the_roll_out(self):
        lost = self.fleet.roots["h2"]
        lost.touch("bob", "slow-effect_1.1.0_001")
        process = self.fleet.start("-e", '{"telec_serial": 2}')
        self.assertTrue(telec.wait_until(lambda: (lost.data("bob") / "began-effect_1.1.0_001").exists(), 300))
        ip("-n", "h2", "link", "set", "eth0", "down")
        out = process.communicate(timeout=300)[0]
        self.assertNotEqual(process.returncode, 0)
        self.assertRegex(out, r"h2 +: .*unreachable=1", out)
        self.assertLessEqual(set(self.fleet.upgraded()), {"h1", "h2"}, out)


if __name__ == "__main__":
    telec.main(SUITE)
