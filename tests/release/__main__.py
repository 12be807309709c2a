# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m release VERSION`, on any Python: the release itself is cut in the environment that has its tools."""

from __future__ import annotations

import subprocess
import sys

from quality.environments import CACHE
from quality.installer import NoIndex
from quality.steps import DOCS


def main(arguments: list[str]) -> int:
    log = CACHE / "logs" / "release.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("", encoding="utf-8")
    try:
        DOCS.make(log)
    except (NoIndex, subprocess.CalledProcessError) as problem:
        print(f"The environment of the release could not be made: {problem}. See {log}.", file=sys.stderr)
        return 1
    return subprocess.run([DOCS.bin / "python", "-m", "release.cut", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
