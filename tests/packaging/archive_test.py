#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What needs an archive of Debian packages, and minutes: piuparts, autopkgtest, and with TELEC_TEST_ALL=yes the same
commit built again bit for bit, and built in a root of the next Debian release. Run by scripts/test-packaging alone.
"""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import roots
import support

SUITE = "archive"
if os.environ.get("TELEC_TEST_ARCHIVE") != "yes":
    support.skip(SUITE, "takes minutes and an archive: scripts/test-packaging archive")
support.need(SUITE, "dpkg-deb")
roots.need_root(SUITE, "TELEC_DEB")
support.in_own_namespace()

import telec  # noqa: E402

DEB = pathlib.Path(os.environ["TELEC_DEB"])
RELEASE = os.environ.get("TELEC_TEST_RELEASE", "trixie")


def need_all():
    if os.environ.get("TELEC_TEST_ALL") != "yes":
        raise unittest.SkipTest("takes minutes: TELEC_TEST_ALL=yes")


class Archive(unittest.TestCase):
    def run_tool(self, *command, timeout=600, **options):
        result = subprocess.run([*map(str, command)], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=timeout, **options)
        self.assertEqual(result.returncode, 0, result.stdout[-4000:])
        return result.stdout

    def root_with_an_archive(self):
        root = roots.Root(users=False)
        self.addCleanup(root.close)
        # Its own list of archives is the one that it was made from: with another one its packages have no match.
        shutil.copy("/etc/resolv.conf", root.path / "etc/resolv.conf")
        update = subprocess.run(["chroot", root.path, "apt-get", "update"], check=False, capture_output=True, text=True,
                                env={**root.environment(),
                                     **{k: v for k, v in os.environ.items() if "proxy" in k.lower()}})
        if update.returncode != 0:
            self.skipTest("no archive can be reached: " + update.stderr.strip().splitlines()[-1])
        return root

    def test_piuparts_installs_and_purges_without_a_trace(self):
        if shutil.which("piuparts") is None:
            self.skipTest("needs piuparts")
        root = self.root_with_an_archive()
        # The archive that the root was made from: another one may not have the versions that are in it.
        mirror = re.search(r"^deb (?:\[.*?\] )?(\S+) bookworm main", (root.path / "etc/apt/sources.list").read_text(), re.M).group(1)
        for name in ("proc", "dev"):
            subprocess.run(["umount", "-l", root.path / name], check=True)
        out = self.run_tool("piuparts", "--no-eatmydata", "-e", root.path, "-d", "bookworm", "-m",
                            mirror + " main", "--skip-logrotatefiles-test",
                            "--warn-on-leftovers-after-purge", DEB, env={**os.environ, "TMPDIR": str(root.work)})
        self.assertIn("PASS: All tests", out)

    def test_autopkgtest_migrates_a_home_with_the_installed_package(self):
        if shutil.which("autopkgtest") is None:
            self.skipTest("needs autopkgtest")
        root = self.root_with_an_archive()
        sources = list(DEB.parent.glob("telec_*.dsc"))
        self.assertEqual(len(sources), 1)
        out = self.run_tool("autopkgtest", "-B", DEB, sources[0], "--", "chroot", root.path)
        self.assertRegex(out, r"migrate-a-home\s+PASS")

    def build_again(self, folder, commit, umask, zone):
        (folder / "t").mkdir(parents=True)
        self.run_tool("sh", "-c", f"umask {umask}; exec {support.PROJECT}/scripts/build-deb {folder}/out", timeout=3000,
                      env={**os.environ, "TZ": zone, "TMPDIR": str(folder / "t"), "TELEC_BUILD_LINT": "no",
                           "TELEC_BUILD_TESTS": "no", "TELEC_BUILD_REF": commit, "CCACHE_DISABLE": "1"})
        return {path.name: path.read_bytes() for path in (folder / "out").iterdir()
                if path.suffix in (".deb", ".dsc", ".xz")}

    def test_the_same_commit_gives_the_same_bytes(self):
        need_all()
        work = support.temporary_directory("telec-again-")
        # Named, so that it is the same one whatever is committed meanwhile.
        commit = self.run_tool("git", "-C", support.PROJECT, "rev-parse", "HEAD").strip()
        one = self.build_again(work / "one", commit, "022", "UTC")
        two = self.build_again(work / "another-name", commit, "027", "Asia/Tokyo")
        self.assertEqual(len(one), 5)
        for name, content in one.items():
            self.assertTrue(content == two[name], f"{name} differs")

    def test_it_builds_in_the_next_debian_release(self):
        need_all()
        base = roots.CACHE / RELEASE
        if not (base / "etc").is_dir():
            if shutil.which("mmdebstrap") is None:
                self.skipTest("needs mmdebstrap")
            base.parent.mkdir(parents=True, exist_ok=True)
            tar = base.with_suffix(".tar")
            self.run_tool("mmdebstrap", "--quiet", "--variant=minbase",
                          "--include=build-essential,debhelper,meson,pkgconf,python3,"
                          "doctest-dev,nlohmann-json3-dev,libboost-dev,libboost-filesystem-dev", RELEASE, tar,
                          timeout=1200)
            fresh = base.with_suffix(".new")
            fresh.mkdir()
            self.run_tool("tar", "-xf", tar, "-C", fresh)
            tar.unlink()
            fresh.rename(base)
        root = roots.Root(base, users=False)
        self.addCleanup(root.close)
        (root.path / "src").mkdir()
        for path in DEB.parent.glob("telec_*"):
            if path.suffix in (".dsc", ".xz"):
                shutil.copy(path, root.path / "src")
        out = root.run("sh", "-c",
                       "cd /src && dpkg-source -x telec_*.dsc tree && cd tree && dpkg-buildpackage -us -uc -b -d",
                       timeout=3000)
        self.assertEqual(out.returncode, 0, out.stdout[-4000:])
        self.assertRegex(out.stdout, "(?m)^unit: [0-9]+ passed, 0 failed|1/1 .*unit.* OK")
        # Its newer compiler and libraries find nothing to say about this project's own files.
        self.assertEqual(re.findall(r"^\.\./(?:src|tests)/.*warning: .*$", out.stdout, re.M), [])
        self.assertEqual(len(list((root.path / "src").glob("telec_*.deb"))), 1)


if __name__ == "__main__":
    telec.main(SUITE)
