# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On PYTHONPATH: what a module would send to the journal or to syslog goes to the file that LEAK_SYSLOG names."""

from __future__ import annotations

import os
import sys
import syslog
from typing import Any

# Of several files called sitecustomize Python imports the first.
import kept_byte_code  # type: ignore[import-not-found]  # noqa: F401

if "LEAK_SYSLOG" in os.environ:

    def _write(*arguments: Any) -> None:
        with open(os.environ["LEAK_SYSLOG"], "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{arguments[-1]}\n")

    syslog.syslog = _write  # type: ignore[assignment]
    # Without the journal's library ansible-core uses syslog.
    sys.modules["systemd"] = None  # type: ignore[assignment]
