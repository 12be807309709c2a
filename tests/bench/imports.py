# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start of the module spends on imports, by python -X importtime."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys

MODULE = "ansible_collections.secretops.infisical.plugins.modules.okta_client_secret_rotation"
_LINE = re.compile(r"import time:\s+\d+ \|\s+(\d+) \|( +)(\S+)")
#: A module's process finds its collection in its own archive; here ansible-core's loader does, before the clock starts.
_PROGRAM = """
import sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=sys.path)._install()
sys.stderr.write("BEGIN\\n")
import {module}
import requests
"""
PARTS = {
    "ansible.module_utils.basic": "ansible-core, the base of every module",
    "requests": "requests and urllib3, at the first request",
    MODULE: "the module with all of the above but requests",
}


def milliseconds(runs: int) -> dict[str, float]:
    """The median time of each part, with what it imports itself."""
    found: dict[str, list[int]] = {name: [] for name in PARTS}
    for _unused in range(runs):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", _PROGRAM.format(module=MODULE)],
            capture_output=True,
            text=True,
            check=True,
        )
        for line in done.stderr.partition("BEGIN\n")[2].splitlines():
            match = _LINE.match(line)
            if match and match[3] in found:
                found[match[3]].append(int(match[1]))
    return {name: statistics.median(times) / 1000 for name, times in found.items() if times}
