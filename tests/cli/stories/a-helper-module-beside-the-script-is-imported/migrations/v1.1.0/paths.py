# SPDX-License-Identifier: MIT
NAME = "one"
