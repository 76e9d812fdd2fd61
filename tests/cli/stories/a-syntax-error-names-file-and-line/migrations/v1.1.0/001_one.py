# SPDX-License-Identifier: MIT
"""Is not Python."""

x = = 1
