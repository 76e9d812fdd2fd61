#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What can be told by looking: the hardening of the built program, one version everywhere, licences, and the
shape of units and examples. Needs no root and runs nothing but telec's own help.
"""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import support
import telec

SUITE = "paperwork"
PROJECT = support.PROJECT


def output(*command):
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


def tracked():
    """The files of the commit, relative; skips where this is not a checkout."""
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        raise unittest.SkipTest("not a git checkout")
    names = output("git", "-C", PROJECT, "ls-files").splitlines()
    return [name for name in names if (PROJECT / name).is_file()]


class Hardening(unittest.TestCase):
    def setUp(self):
        if shutil.which("readelf") is None or shutil.which("objdump") is None:
            self.skipTest("needs readelf and objdump")

    def test_the_program_has_every_protection(self):
        if re.search("__asan_|__llvm_profile", output("readelf", "-W", "-s", telec.binary())):
            self.skipTest("this build is for sanitizers or coverage")
        optimized = os.environ.get("TELEC_OPTIMIZED") != "no"
        self.assertEqual(support.hardening_faults(telec.binary(), optimized), [])

    def test_a_program_without_them_is_found(self):
        compiler = shutil.which("c++") or shutil.which("g++")
        if compiler is None:
            self.skipTest("needs a compiler")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([compiler, "-x", "c++", "-", "-o", f"{folder}/bare", "-O1", "-no-pie", "-fno-pie",
                            "-fno-stack-protector", "-fno-stack-clash-protection", "-fcf-protection=none",
                            "-Wl,-z,norelro,-z,lazy,-z,execstack"], check=True, text=True, capture_output=True,
                           input="#include <iostream>\nint main() { std::cout << 1; }\n")
            faults = support.hardening_faults(f"{folder}/bare")
            self.assertGreaterEqual(len(faults), 7 if os.uname().machine == "x86_64" else 5, faults)


class Version(unittest.TestCase):
    def test_every_place_says_the_version_of_meson(self):
        version = output(PROJECT / "scripts/version").strip()
        self.assertEqual(output(telec.binary(), "--version").strip(), f"telec {version}")
        self.assertIn(f"version: {version}\n",
                      (PROJECT / "packaging/ansible/ansible_collections/telec/migrate/galaxy.yml").read_text())

    def test_a_place_that_says_another_one_is_found(self):
        places = {"CHANGELOG.md": ("## [Unreleased]", "## [9.9.9]\n\n## [Unreleased]"),
                  "packaging/debian/changelog": ("telec (", "telec (9"),
                  "packaging/rpm/telec.spec": ("Version:        ", "Version:        9"),
                  "meson.build": ("  version: '", "  version: '9")}
        for spoiled, (old, new) in places.items():
            with tempfile.TemporaryDirectory() as folder:
                for name in [*places, "scripts/version"]:
                    copy = pathlib.Path(folder, name)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(PROJECT / name, copy)
                path = pathlib.Path(folder, spoiled)
                self.assertIn(old, path.read_text())
                path.write_text(path.read_text().replace(old, new, 1))
                result = subprocess.run([pathlib.Path(folder, "scripts/version")], check=False, capture_output=True,
                                        text=True)
                self.assertNotEqual(result.returncode, 0, spoiled)
                self.assertIn("meson.build says", result.stderr)


class Licences(unittest.TestCase):
    # Formats without comments, or of which every line counts.
    NO_HEADER = ("packaging/debian/control", "packaging/debian/changelog", "packaging/debian/copyright",
                 "packaging/debian/watch",
                 "packaging/debian/source/*", "packaging/debian/telec.*", "packaging/debian/tests/control",
                 "packaging/rpm/telec.sysconfig")

    def test_every_file_of_the_packaging_names_its_licence(self):
        names = [name for name in tracked() if name.startswith(("packaging/", "tests/packaging/", "scripts/"))]
        self.assertGreater(len(names), 20)
        for name in names:
            if not any(fnmatch.fnmatch(name, pattern) for pattern in self.NO_HEADER):
                head = "\n".join((PROJECT / name).read_text(encoding="utf-8").splitlines()[:3])
                self.assertIn("SPDX-License-Identifier: MIT", head, name)

    def test_no_file_names_another_licence_and_every_licence_has_its_text(self):
        self.assertEqual((PROJECT / "LICENSES/MIT.txt").read_text(), (PROJECT / "LICENSE").read_text())
        mark = "SPDX-License-" + "Identifier:"
        for name in tracked():
            text = (PROJECT / name).read_bytes()[:4096].decode("utf-8", "replace")
            for licence in re.findall(re.escape(mark) + r" *([\w.-]+)", text):
                self.assertEqual(licence, "MIT", name)

    def test_the_tree_is_reuse_clean(self):
        if shutil.which("reuse") is None:
            self.skipTest("needs reuse")
        tracked()
        result = subprocess.run(["reuse", "--root", PROJECT, "lint"], check=False, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout[-2000:])


class Shapes(unittest.TestCase):
    def test_the_drop_in_is_a_gate_and_the_unit_a_try(self):
        unit = (PROJECT / "packaging/systemd/telec-migrate.service").read_text()
        for line in ("Type=oneshot", "ConditionUser=!root", "ConditionPathIsDirectory=%h/.teleclaude", "UMask=0077",
                     "NoNewPrivileges=yes", "TimeoutStartSec=infinity", "WantedBy=default.target"):
            self.assertIn(f"\n{line}\n", unit)
        drop_in = (PROJECT / "packaging/systemd/10-telec-migrate.conf").read_text()
        self.assertRegex(drop_in,
                         r"\nExecStartPre=/usr/bin/telec migrate ")  # without a '-' before the path: it must succeed

    def test_the_examples_are_yaml_of_the_right_shape(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("needs python3-yaml")
        pod = yaml.safe_load((PROJECT / "packaging/kubernetes/statefulset.yaml").read_text())
        spec = pod["spec"]["template"]["spec"]
        self.assertEqual(spec["initContainers"][0]["command"][:2], ["telec", "migrate"])
        self.assertTrue(spec["securityContext"]["runAsNonRoot"])
        self.assertEqual(pod["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"], ["ReadWriteOncePod"])
        volumes = {mount["name"] for part in ("initContainers", "containers")
                   for mount in spec[part][0]["volumeMounts"]}
        self.assertEqual(volumes, {"home"})
        collection = PROJECT / "packaging/ansible/ansible_collections/telec/migrate"
        play = yaml.safe_load((collection / "playbooks/roll.yml").read_text())[0]
        self.assertEqual(play["max_fail_percentage"], 0)
        self.assertIn("ansible_play_hosts_all", play["pre_tasks"][0]["ansible.builtin.assert"]["that"])

    def test_yamllint_finds_nothing(self):
        if shutil.which("yamllint") is None:
            self.skipTest("needs yamllint")
        result = subprocess.run(["yamllint", "--strict", "-d", "{extends: default, rules: {line-length: {max: 120}}}",
                                 "packaging"], cwd=PROJECT, check=False, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_ansible_lint_finds_nothing(self):
        if shutil.which("ansible-lint") is None:
            self.skipTest("needs ansible-lint")
        result = subprocess.run(["ansible-lint", "--offline", "-q", "--nocolor", "ansible_collections/telec/migrate"],
                                cwd=PROJECT / "packaging/ansible", check=False, capture_output=True, text=True,
                                env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "packaging/ansible")})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    telec.main(SUITE)
