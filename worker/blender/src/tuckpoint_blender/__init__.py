# SPDX-License-Identifier: GPL-3.0-or-later
"""Path traces scenes with Cycles: JSON and arrays in, arrays out. It knows nothing of tuckpoint but the messages."""

PROTOCOL = 1
