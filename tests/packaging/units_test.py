#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The user unit and the drop-in under a real systemd: booted in a container with three users' managers, one of whom has
a migration that fails. The application's own service starts on migrated data or not at all.
"""

import os
import subprocess
import time
import unittest

import roots
import support

SUITE = "units"
support.need(SUITE, "dpkg-deb", "systemd-nspawn")
roots.need_root(SUITE, "TELEC_DEB")
support.in_own_namespace()

import telec  # noqa: E402

APPLICATION = """\
[Service]
ExecStart=/bin/sh -c 'cp %h/.teleclaude/effect_1.0.0_001 %h/.teleclaude/application-saw 2>/dev/null; exec sleep 600'
[Install]
WantedBy=default.target
"""
REPORT = """\
[Unit]
After=multi-user.target systemd-logind.service user@1000.service user@1001.service user@1002.service
[Service]
Type=oneshot
ExecStart=/bin/sh /report.sh
"""
# Waits for the managers by asking them, and tells what became of their units.
REPORT_SCRIPT = """\
ask() {
    runuser -u "$1" -- env XDG_RUNTIME_DIR="/run/user/$(id -u "$1")" systemctl --user show -P "$2" "$3" 2>&1
}
for i in $(seq 100); do
    left=0
    for user in ada bob cy dee; do
        case $(ask $user ActiveState telec-migrate.service)/$(ask $user ActiveState teleclaude.service) in
            inactive/active | failed/failed) ;;
            *) left=1 ;;
        esac
    done
    [ $left = 1 ] || break
    sleep 0.2
done
for user in ada bob cy dee; do
    echo "$user telec=$(ask $user Result telec-migrate.service)" \\
        "condition=$(ask $user ConditionResult telec-migrate.service)" \\
        "app=$(ask $user ActiveState teleclaude.service)"
done >/report
systemctl poweroff --no-block
"""


class Units(unittest.TestCase):
    def setUp(self):
        self.root = roots.Root()
        self.addCleanup(self.root.close)
        result = self.root.run("dpkg", "-i", self.root.deb("1.0.0", ["1.0.0/001_one.py"]))
        self.assertEqual(result.returncode, 0, result.stdout)

    def verify(self, unit):
        return self.root.run("systemd-analyze", "verify", "--user", "--man=no", unit, env={"XDG_RUNTIME_DIR": "/run"})

    def test_systemd_accepts_the_unit_and_the_drop_in(self):
        (self.root.path / "usr/lib/systemd/user/teleclaude.service").write_text(APPLICATION)
        for unit in ("telec-migrate.service", "teleclaude.service"):
            result = self.verify(f"/usr/lib/systemd/user/{unit}")
            self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertTrue((self.root.path / "etc/systemd/user/default.target.wants/telec-migrate.service").is_symlink())
        # The same look finds a mistake.
        path = self.root.path / "usr/lib/systemd/user/telec-migrate.service"
        path.write_text(path.read_text().replace("Type=oneshot", "Type=onshot"))
        self.assertIn("onshot", self.verify("/usr/lib/systemd/user/telec-migrate.service").stdout)

    def test_managers_migrate_at_their_start_and_the_application_starts_on_migrated_data_alone(self):
        root = self.root
        root.touch("bob", "poison-effect_1.0.0_001")
        outside = root.outside()
        (root.path / "usr/lib/systemd/user/teleclaude.service").write_text(APPLICATION)
        wants = root.path / "etc/systemd/user/default.target.wants"
        (wants / "teleclaude.service").symlink_to("/usr/lib/systemd/user/teleclaude.service")
        linger = root.path / "var/lib/systemd/linger"
        linger.mkdir(parents=True, exist_ok=True)
        for user in ("ada", "bob", "cy", "dee"):
            (linger / user).touch()
        (root.path / "etc/systemd/system/report.service").write_text(REPORT)
        (root.path / "report.sh").write_text(REPORT_SCRIPT)
        wants = root.path / "etc/systemd/system/multi-user.target.wants"
        (wants / "report.service").symlink_to("/etc/systemd/system/report.service")
        (root.path / "etc/machine-id").write_text("uninitialized\n")
        for name in ("proc", "dev"):
            subprocess.run(["umount", "-R", root.path / name], check=True)
        begin = time.monotonic()
        boot = subprocess.run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "-D",
                               root.path,
                               "--console=pipe", "-b"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, text=True, timeout=180)
        seconds = time.monotonic() - begin
        report = root.path / "report"
        self.assertTrue(report.exists(), boot.stdout[-3000:])
        self.assertEqual(report.read_text().splitlines(), [
            "ada telec=success condition=yes app=active",
            "bob telec=exit-code condition=yes app=failed",
            "cy telec=success condition=yes app=active",
            "dee telec=success condition=no app=active",  # has no data: there is nothing to migrate
        ], boot.stdout[-2000:])
        self.assertEqual(root.effects("ada"), {"effect_1.0.0_001": ["1000"]})
        self.assertEqual((root.data("ada") / "application-saw").read_text(), "1000\n")
        self.assertFalse((root.data("bob") / "application-saw").exists())
        self.assertEqual({path: facts for path, facts in root.outside().items() if ".local" not in path
                          and ".config" not in path
                          and ".cache" not in path and "/root" not in path.removeprefix(str(root.path))},
                         {path: facts for path, facts in outside.items()
                          if "/root" not in path.removeprefix(str(root.path))})
        print(f"units: booted, migrated and off in {seconds:.1f} s")


if __name__ == "__main__":
    telec.main(SUITE)
