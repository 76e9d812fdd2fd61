#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The life of the rpm in a throw-away root: install, opt in, upgrade with a user who fails, another package's
migrations, an interruption by force, refusal before the upgrade, erasure. The root is Debian's; rpm's scriptlets run in
it all the same.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import roots
import support

SUITE = "rpm"
support.need(SUITE, "rpm", "rpmbuild", "rpm2cpio", "cpio")
roots.need_root(SUITE, "TELEC_RPM")
support.in_own_namespace()

import telec  # noqa: E402

ONE = ["1.0.0/001_one.py"]
TWO = [*ONE, "1.1.0/001_two.py"]
PLUGIN = """\
Name: plugin
Version: 1
Release: 1
Summary: ships a migration
License: MIT
BuildArch: noarch
%description
Ships a migration.
%files
/usr/share/telec/migrations/v1.2.0
"""


class Rpm(unittest.TestCase):
    def setUp(self):
        self.root = roots.Root()
        self.addCleanup(self.root.close)
        self.rpm("--initdb")

    def rpm(self, *args):
        return subprocess.run(["rpm", "--root", self.root.path, *args], env=self.root.environment(),
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)

    def build(self, spec, payload):
        """An rpm of the files below `payload`; scriptlets are those of `spec`."""
        work = pathlib.Path(tempfile.mkdtemp(dir=self.root.work))
        install = f"%install\nmkdir -p %{{buildroot}}\ncp -a {payload}/. %{{buildroot}}/\n\n%files"
        (work / "x.spec").write_text(spec.replace("%files", install, 1))
        result = subprocess.run(["rpmbuild", "-bb", "--nodeps", "--define", f"_topdir {work}", "--define",
                                 "debug_package %{nil}",
                                 "--define", "__strip /bin/true", work / "x.spec"], check=False, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env=self.root.environment({"HOME": str(work)}))
        if result.returncode != 0:
            raise AssertionError(result.stdout)
        return next(work.glob("RPMS/*/*.rpm"))

    def package(self, version, migrations, damage=None):
        """The real package with its own scriptlets, another version and other migrations."""
        payload = pathlib.Path(tempfile.mkdtemp(dir=self.root.work))
        os.chmod(payload, 0o755)
        subprocess.run(f"rpm2cpio '{os.environ['TELEC_RPM']}' | cpio -idm --quiet", shell=True, check=True, cwd=payload)
        tree = payload / "usr/share/telec/migrations"
        shutil.rmtree(tree)
        roots.write_tree(tree, migrations)
        if damage:
            damage(tree)
        spec = (support.PROJECT / "packaging/rpm/telec.spec").read_text()
        template = payload.parent / "template"
        template.write_text("@PREFLIGHT@\n")
        preflight = subprocess.run([support.PROJECT / "packaging/preflight/embed", tree,
                                    support.PROJECT / "packaging/preflight/telec-preflight", template],
                                   check=True, capture_output=True, text=True).stdout.replace("%", "%%")
        lines, section = [], ""
        for line in spec.splitlines():
            if line.split(" ")[0] in ("%prep", "%build", "%install", "%check", "%pre", "%description"):
                section = line.split(" ")[0]
                if section in ("%prep", "%build", "%install", "%check"):
                    continue
            elif line.startswith("%") and line.split(" ")[0] in ("%post", "%preun", "%transfiletriggerin", "%files"):
                section = ""
            if section in ("%prep", "%build", "%install", "%check") or line.startswith(("Source", "%license", "%doc")):
                continue
            if line.startswith("%include"):
                lines.append(preflight)
                continue
            lines.append(f"Version: {version}" if line.startswith("Version:") else line)
        for folder in ("doc", "licenses"):  # named after the version that was built
            shutil.rmtree(payload / "usr/share" / folder)
        return self.build("\n".join(lines) + "\n", payload)

    def plugin(self):
        payload = pathlib.Path(tempfile.mkdtemp(dir=self.root.work))
        roots.write_tree(payload / "usr/share/telec/migrations", ["1.2.0/001_plugin.py"])
        return self.build(PLUGIN, payload)

    def option(self, text):
        self.root.option(text, "etc/sysconfig/telec")

    def test_the_whole_story(self):
        root = self.root
        one, two, plugin = self.package("1.0.0", ONE), self.package("1.1.0", TWO), self.plugin()
        outside = root.outside()
        begin = time.monotonic()
        result = self.rpm("-U", "--nodeps", one)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertNotIn("telec:", result.stdout)
        self.assertEqual([root.effects(user) for user in ("ada", "bob", "cy")], [{}, {}, {}])
        self.assertEqual(root.hook_runs(), 0)
        self.option("all-users")
        root.touch("bob", "poison-effect_1.1.0_001")
        result = self.rpm("-U", "--nodeps", two)
        said = [line for line in result.stdout.splitlines() if line.startswith("telec:")]
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(said[1:], ["telec: 2 users migrated, 3 skipped, 1 failed: bob(1)"],
                         result.stdout)
        self.assertEqual(root.hook_runs(), 1)
        self.assertIn("telec: bob: failed: 1.1.0/001_two.py", said[0])
        self.assertEqual(root.effects("ada"), {"effect_1.0.0_001": ["1000"], "effect_1.1.0_001": ["1000"]})
        result = self.rpm("-U", "--nodeps", plugin)
        self.assertEqual((result.stdout.count("telec: 2 users migrated"), root.hook_runs()), (1, 1), result.stdout)
        root.remove("bob", "poison-effect_1.1.0_001")
        root.must("telec", "migrate", "--user", "bob")
        result = self.rpm("-e", "plugin", "telec")
        seconds = time.monotonic() - begin
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertFalse((root.path / "usr/share/telec").exists())
        self.assertEqual(set(root.effects("bob")), {"effect_1.0.0_001", "effect_1.1.0_001", "effect_1.2.0_001"})
        self.assertEqual(root.outside(), outside)
        print(f"rpm: the whole story in {seconds:.2f} s")

    def version(self):
        return self.rpm("-q", "--qf", "%{VERSION}", "telec").stdout

    def test_everything_killed_in_the_middle_of_the_file_trigger(self):
        root = self.root
        self.rpm("-U", "--nodeps", self.package("1.0.0", ONE))
        self.option("all-users")
        root.touch("bob", "slow-effect_1.1.0_001")
        process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount", "rpm", "--root", root.path,
                                    "-U", "--nodeps", self.package("1.1.0", TWO)], env=root.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(telec.wait_until(lambda: (root.data("bob") / "began-effect_1.1.0_001").exists(), 120))
        process.kill()
        process.wait()
        self.assertTrue(telec.wait_until(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and
                                                      telec.alive(pid) and os.stat(f"/proc/{pid}").st_uid == 1001]))
        root.remove("bob", "slow-effect_1.1.0_001")
        # rpm has no second attempt at a trigger: the package is there, and the next one brings the rest.
        self.assertEqual(self.version(), "1.1.0")
        self.assertEqual(self.rpm("-U", "--nodeps", self.plugin()).returncode, 0)
        for number, user in enumerate(("ada", "bob", "cy")):
            self.assertEqual(root.effects(user), {f"effect_{version}_001": [str(1000 + number)] for version in
                                                  ("1.0.0", "1.1.0", "1.2.0")})

    def test_a_hook_that_cannot_or_crashes_fails_no_package(self):
        root = self.root
        self.option("all-users")
        python = root.path / "usr/bin/python3"
        python.rename(python.with_name("python3.away"))
        result = self.rpm("-U", "--nodeps", self.package("1.0.0", ONE))
        self.assertEqual((result.returncode, self.version()), (0, "1.0.0"), result.stdout)
        self.assertIn("3 deferred: ada(69), bob(69), cy(69)", result.stdout)
        with open(root.path / "etc/sysconfig/telec", "a", encoding="ascii") as options:
            options.write("telec() {\n    sh -c 'kill -SEGV $$'\n}\n")
        result = self.rpm("-U", "--nodeps", self.package("1.1.0", TWO))
        self.assertEqual((result.returncode, self.version()), (0, "1.1.0"), result.stdout)
        self.assertIn("telec: deferred: the hook ended with status 139", result.stdout)

    def test_the_packaged_program_is_hardened_and_stripped(self):
        subprocess.run(f"rpm2cpio '{os.environ['TELEC_RPM']}' | cpio -idm --quiet", shell=True, check=True,
                       cwd=self.root.path / "packages")
        program = self.root.path / "packages/usr/bin/telec"
        self.assertEqual((support.hardening_faults(program), support.debug_sections(program)), ([], []))

    def test_preflight_keeps_the_old_package_whole(self):
        root = self.root
        self.rpm("-U", "--nodeps", self.package("1.0.0", ONE))
        self.option("preflight")
        outside = root.outside()

        def syntax_error(tree):
            (tree / "v1.1.0/002_broken.py").write_text("def check(:\n")

        def misnamed(tree):
            (tree / "v1.1.0/2_x.py").write_text("")

        def refused(package, words):
            result = self.rpm("-U", "--nodeps", package)
            self.assertNotEqual(result.returncode, 0, result.stdout)
            self.assertIn(words, result.stdout)
            self.assertIn("the upgrade is refused", result.stdout)
            self.assertEqual(self.version(), "1.0.0")
            # Not a file of it is another one, but for the options that the administrator wrote.
            changed = [line for line in self.rpm("-V", "--nodeps", "telec").stdout.splitlines() if " c " not in line]
            self.assertEqual(changed, [])
            self.assertFalse((root.path / "usr/share/telec/migrations/v1.1.0").exists())
            self.assertEqual(list((root.path / "tmp").iterdir()), [])

        refused(self.package("1.1.0", TWO, syntax_error), "v1.1.0/002_broken.py does not compile")
        refused(self.package("1.1.0", TWO, misnamed), "telec: problem: v1.1.0/2_x.py")
        (root.data("cy") / "migration_state.json").write_text("{")
        refused(self.package("1.1.0", TWO), " telec migrate rebuild' writes it anew")
        (root.data("cy") / "migration_state.json").unlink()
        result = self.rpm("-U", "--nodeps", self.package("1.1.0", TWO))
        self.assertEqual((result.returncode, self.version()), (0, "1.1.0"), result.stdout)
        self.assertEqual([root.effects(user) for user in ("ada", "bob", "cy")], [{}, {}, {}])
        self.assertEqual(root.outside(), outside)

    def test_preflight_is_not_asked_unless_it_was_chosen(self):
        self.rpm("-U", "--nodeps", self.package("1.0.0", ONE))
        (self.root.data("cy") / "migration_state.json").write_text("{")
        self.assertEqual(self.rpm("-U", "--nodeps", self.package("1.1.0", TWO)).returncode, 0)
        self.assertEqual(self.version(), "1.1.0")


if __name__ == "__main__":
    telec.main(SUITE)
