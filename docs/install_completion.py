# SPDX-License-Identifier: MIT
"""Install step: puts one completion where its shell looks for it, under the name that it has there."""

import os
import shutil
import sys

source, directory, name = sys.argv[1:]
target = os.path.join(os.environ["MESON_INSTALL_DESTDIR_PREFIX"], directory)
os.makedirs(target, exist_ok=True)
shutil.copyfile(source, os.path.join(target, name))
os.chmod(os.path.join(target, name), 0o644)
