# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The set-up of Tower, with the released modules that it uses."""

from __future__ import annotations

import zipfile

from . import LONG
from .rooms import Room, run_pytest

#: It holds what is on Galaxy too, which is one more host to reach.
_PACKAGE = "ansible==12.3.0"
_COLLECTIONS = ("awx/awx", "kubernetes/core")


def tower(room: Room) -> None:
    """The collections come to where ansible-core finds those that were installed with it, once for an environment."""
    (packages,) = room.environment.folder.glob("lib/python*/site-packages")
    if not all((packages / "ansible_collections" / name).is_dir() for name in _COLLECTIONS):
        target = room.folder / "package"
        room.run("python", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", target, _PACKAGE)
        (wheel,) = target.iterdir()
        wanted = tuple(f"ansible_collections/{name}/" for name in _COLLECTIONS)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages, [name for name in archive.namelist() if name.startswith(wanted)])
    run_pytest(room, "-m", "" if LONG else "not weekly", "-n", "2", "--tb=short", "tests/tower")
