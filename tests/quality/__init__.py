# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make quality`: every check that a release must pass, each with tools and environments of its own."""

import os

#: Whether what takes too long for each change is run too.
LONG = bool(os.environ.get("LONG", "").strip())
