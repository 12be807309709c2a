# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this checkout importable as secretops.infisical in the running interpreter's environment."""

from __future__ import annotations

import sysconfig
from pathlib import Path


def main() -> None:
    checkout = Path(__file__).resolve().parents[2]
    link = Path(sysconfig.get_path("purelib")) / "ansible_collections" / "secretops" / "infisical"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(checkout)


if __name__ == "__main__":
    main()
