# SPDX-License-Identifier: MIT
"""Needs what is not there."""

import no_such_module
