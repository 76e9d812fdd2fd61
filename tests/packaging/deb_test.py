#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The life of the Debian package in a throw-away root: install, opt in, upgrade, another package's migrations, failure,
repair, an interruption by force, refusal before the upgrade, removal and purge.
"""

import os
import subprocess
import time
import unittest

import roots
import support

SUITE = "deb"
support.need(SUITE, "dpkg-deb", "dpkg")
roots.need_root(SUITE, "TELEC_DEB")
support.in_own_namespace()

import telec  # noqa: E402

ONE = ["1.0.0/001_one.py"]
TWO = [*ONE, "1.1.0/001_two.py"]


class Deb(unittest.TestCase):
    def setUp(self):
        self.root = roots.Root()
        self.addCleanup(self.root.close)

    def install(self, *packages, **options):
        return self.root.run("dpkg", "-i", *packages, **options)

    def status(self, package="telec"):
        return self.root.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}", package).stdout.strip()

    def test_the_whole_story(self):
        root = self.root
        one, two = root.deb("1.0.0", ONE), root.deb("1.1.0", TWO)
        plugin = root.plugin_deb("plugin", ["1.2.0/001_plugin.py"])
        outside = root.outside()
        begin = time.monotonic()
        # Installed: nobody's home is touched.
        result = self.install(one)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertNotIn("telec:", result.stdout)
        self.assertEqual([root.effects(user) for user in ("ada", "bob", "cy")], [{}, {}, {}])
        # Opted in, and upgraded with one user who fails: named, nothing else stops.
        root.option("all-users")
        root.touch("bob", "poison-effect_1.1.0_001")
        result = self.install(two)
        self.assertEqual((result.returncode, self.status()), (0, "1.1.0-1 ii"), result.stdout)
        said = [line for line in result.stdout.splitlines() if line.startswith("telec:")]
        self.assertEqual(len(said), 2, result.stdout)
        self.assertIn("telec: bob: failed: 1.1.0/001_two.py at migrate: RuntimeError: poisoned", said[0])
        self.assertEqual(said[1], "telec: 2 users migrated, 3 skipped, 1 failed: bob(1)")
        self.assertEqual(root.effects("ada"), {"effect_1.0.0_001": ["1000"], "effect_1.1.0_001": ["1000"]})
        self.assertEqual(root.effects("bob"), {"effect_1.0.0_001": ["1001"]})
        # Another package's migrations come by the trigger, once; bob still fails.
        result = self.install(plugin)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(result.stdout.count("Processing triggers for telec"), 1, result.stdout)
        self.assertEqual(result.stdout.count("telec: 2 users migrated"), 1, result.stdout)
        self.assertEqual(root.effects("cy")["effect_1.2.0_001"], ["1002"])
        # Repaired: the command that was printed goes on from there.
        root.remove("bob", "poison-effect_1.1.0_001")
        self.assertIn("1 user migrated", root.must("telec", "migrate", "--user", "bob"))
        self.assertEqual(set(root.effects("bob")), {"effect_1.0.0_001", "effect_1.1.0_001", "effect_1.2.0_001"})
        # Removed and purged: data is the users' own, all else is gone.
        self.assertEqual(root.must("dpkg", "-P", "plugin", "telec").count("telec:"), 0)
        seconds = time.monotonic() - begin
        self.assertFalse((root.path / "etc/default/telec").exists())
        self.assertFalse((root.path / "usr/share/telec").exists())
        self.assertTrue((root.data("ada") / "migration_state.json").exists())
        self.assertEqual(root.outside(), outside)
        print(f"deb: the whole story in {seconds:.2f} s")

    def test_the_hook_runs_once_for_an_install_an_upgrade_and_another_package(self):
        root = self.root
        root.option("all-users")
        result = self.install("--force-confold", root.deb("1.0.0", ONE))
        self.assertEqual((result.stdout.count("telec: 3 users migrated"), root.hook_runs()), (1, 1), result.stdout)
        self.assertNotIn("Processing triggers for telec", result.stdout)
        # Its own migrations do not trigger it a second time.
        result = self.install(root.deb("1.1.0", TWO))
        self.assertEqual((result.stdout.count("telec: 3 users migrated"), root.hook_runs()), (1, 1), result.stdout)
        self.assertNotIn("Processing triggers for telec", result.stdout)
        result = self.install(root.plugin_deb("plugin", ["1.2.0/001_plugin.py"]),
                              root.plugin_deb("needs-plugin", [], depends="plugin"))
        self.assertEqual((result.stdout.count("Processing triggers for telec"), root.hook_runs()), (1, 1))
        # And whoever depends on the other package does not wait for it.
        self.assertLess(result.stdout.index("Setting up needs-plugin"),
                        result.stdout.index("Processing triggers for telec"), result.stdout)
        # Both in one go, with nobody's migration a second time.
        result = self.install(root.deb("1.3.0", [*TWO, "1.3.0/001_three.py"]),
                              root.plugin_deb("other", ["1.4.0/001_other.py"]))
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn(root.hook_runs(), (1, 2), result.stdout)
        for number, user in enumerate(("ada", "bob", "cy")):
            self.assertEqual(root.effects(user), {f"effect_{version}_001": [str(1000 + number)] for version in
                                                  ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0")})

    def kill_everything_in_bobs_migration(self, package, began):
        root = self.root
        # A process namespace of its own, so that killing its first process kills all of it at once.
        process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount",
                                    *root.command("dpkg", "-i", package)],
                                   env=root.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.assertTrue(telec.wait_until(lambda: (root.data("bob") / f"began-{began}").exists(), 120))
        process.kill()
        process.wait()
        self.assertTrue(telec.wait_until(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and
                                                      telec.alive(pid) and os.stat(f"/proc/{pid}").st_uid == 1001]))
        self.assertIn(began, root.effects("ada"))
        self.assertNotIn(began, root.effects("bob"))
        root.remove("bob", f"slow-{began}")

    def configure_again(self, *names):
        root = self.root
        result = root.run("dpkg", "--configure", "-a")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(root.must("dpkg", "--audit"), "")
        for number, user in enumerate(("ada", "bob", "cy")):
            for name in names:
                self.assertEqual(root.effects(user)[name], [str(1000 + number)])

    def test_everything_killed_in_the_middle_of_postinst_and_configured_again(self):
        root = self.root
        self.install(root.deb("1.0.0", ONE))
        root.option("all-users")
        root.touch("bob", "slow-effect_1.1.0_001")
        self.kill_everything_in_bobs_migration(root.deb("1.1.0", TWO), "effect_1.1.0_001")
        self.assertEqual(self.status(), "1.1.0-1 iF")
        self.configure_again("effect_1.0.0_001", "effect_1.1.0_001")
        self.assertEqual(self.status(), "1.1.0-1 ii")

    def test_everything_killed_in_the_middle_of_the_trigger_and_configured_again(self):
        root = self.root
        root.option("all-users")
        self.install("--force-confold", root.deb("1.0.0", ONE))
        root.touch("bob", "slow-effect_1.2.0_001")
        self.kill_everything_in_bobs_migration(root.plugin_deb("plugin", ["1.2.0/001_plugin.py"]), "effect_1.2.0_001")
        self.assertNotEqual(self.status(), "1.0.0-1 ii")
        self.configure_again("effect_1.0.0_001", "effect_1.2.0_001")
        self.assertEqual((self.status(), self.status("plugin")), ("1.0.0-1 ii", "1 ii"))

    def test_a_run_of_the_users_own_is_not_waited_for(self):
        root = self.root
        self.install(root.deb("1.0.0", ONE))
        root.option("all-users")
        root.touch("bob", "slow-effect_1.0.0_001")
        own = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child",
                                *root.command("runuser", "-u", "bob", "--", "telec", "migrate")],
                               env=root.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (own.kill(), own.wait()))
        self.assertTrue(telec.wait_until(lambda: (root.data("bob") / "began-effect_1.0.0_001").exists(), 60))
        result = self.install(root.deb("1.1.0", TWO), timeout=30)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("telec: 2 users migrated, 3 skipped, 1 deferred: bob(75)", result.stdout)

    def test_an_image_that_is_built_from_outside_touches_nobody(self):
        root = self.root
        self.install(root.deb("0.9.0", ONE))
        # The one who builds has users and has opted in; scripts of the image's packages run with DPKG_ROOT.
        root.option("preflight all-users")
        image = root.path / "image"
        for folder in ("info", "updates", "triggers", "parts"):
            (image / "var/lib/dpkg" / folder).mkdir(parents=True)
        (image / "var/lib/dpkg/status").touch()
        dpkg = ("dpkg", "--root=/image", "--force-script-chrootless", "--force-depends", "-i")
        for package in (root.deb("1.0.0", ONE), root.deb("1.1.0", TWO), root.plugin_deb("plugin", ["1.2.0/001_p.py"])):
            result = root.run(*dpkg, package)
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertEqual([line for line in result.stdout.splitlines() if line.startswith("telec:")], [])
        self.assertTrue((image / "usr/share/telec/migrations/v1.2.0/001_p.py").exists())
        self.assertFalse((root.path / "telec-was-called").exists())
        # And telec itself, whoever calls it.
        result = root.run("telec", "migrate", "--hook", "--all-users", env={"DPKG_ROOT": "/image"})
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertEqual([root.effects(user) for user in ("ada", "bob", "cy")], [{}, {}, {}])

    def test_without_python_the_hook_defers_and_the_package_is_installed(self):
        root = self.root
        root.option("all-users")
        for path in (root.path / "usr/bin").glob("python3*"):
            path.unlink()
        result = self.install("--force-depends", "--force-confold", root.deb("1.0.0", ONE))
        self.assertEqual((result.returncode, self.status()), (0, "1.0.0-1 ii"), result.stdout)
        self.assertIn("3 deferred: ada(69), bob(69), cy(69)", result.stdout)

    def test_a_hook_that_crashes_fails_no_package(self):
        root = self.root
        root.option("all-users")
        self.install("--force-confold", root.deb("1.0.0", ONE))
        (root.path / "usr/local/bin/telec").write_text("#!/bin/sh\nkill -SEGV $$\n")
        os.chmod(root.path / "usr/local/bin/telec", 0o755)
        result = self.install(root.deb("1.1.0", TWO))
        self.assertEqual((result.returncode, self.status()), (0, "1.1.0-1 ii"), result.stdout)
        self.assertIn("telec: deferred: the hook ended with status 139", result.stdout)

    def refused(self, package, words):
        result = self.install(package)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        self.assertIn(words, result.stdout)
        self.assertIn("the upgrade is refused", result.stdout)
        self.assertEqual(self.status(), "1.0.0-1 ii")
        self.assertEqual(self.root.must("dpkg", "--audit"), "")
        self.assertFalse((self.root.path / "usr/share/telec/migrations/v1.1.0").exists())
        self.assertEqual(list((self.root.path / "tmp").iterdir()), [])

    def test_preflight_refuses_what_does_not_compile_what_is_misnamed_and_a_damaged_state(self):
        root = self.root
        self.install(root.deb("1.0.0", ONE))
        root.option("preflight")
        outside = root.outside()

        def syntax_error(tree):
            (tree / "v1.1.0/002_broken.py").write_text("def check(:\n")

        def misnamed(tree):
            (tree / "v1.1.0/2_x.py").write_text("")

        self.refused(root.deb("1.1.0", TWO, syntax_error), "v1.1.0/002_broken.py does not compile")
        self.refused(root.deb("1.1.0", TWO, misnamed), "telec: problem: v1.1.0/2_x.py")
        (root.data("cy") / "migration_state.json").write_text("{")
        self.refused(root.deb("1.1.0", TWO), " telec migrate rebuild' writes it anew")
        # Another package's, of a later version: what comes now arrives late, and is run all the same.
        (root.data("cy") / "migration_state.json").write_text('{"applied": ["9.0.0/001_later.py"]}')
        result = self.install(root.deb("1.1.0", TWO))
        self.assertEqual((result.returncode, self.status()), (0, "1.1.0-1 ii"), result.stdout)
        # It only looked.
        self.assertEqual([root.effects(user) for user in ("ada", "bob", "cy")], [{}, {}, {}])
        self.assertEqual(root.outside(), outside)

    def test_the_packaged_program_is_hardened_and_stripped(self):
        subprocess.run(["dpkg-deb", "-x", os.environ["TELEC_DEB"], self.root.path / "packages"], check=True)
        program = self.root.path / "packages/usr/bin/telec"
        self.assertEqual((support.hardening_faults(program), support.debug_sections(program)), ([], []))

    def test_preflight_is_not_asked_unless_it_was_chosen(self):
        root = self.root
        self.install(root.deb("1.0.0", ONE))
        (root.data("cy") / "migration_state.json").write_text("{")
        self.assertEqual(self.install(root.deb("1.1.0", TWO)).returncode, 0)


if __name__ == "__main__":
    telec.main(SUITE)
