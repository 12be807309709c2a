# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a test can switch while the server runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

GENERATIONS = ("old", "new")


@dataclass
class Settings:
    generation: str = "new"
    rotationSeconds: float = 0.0
    lockSeconds: float = 60.0
    lockRaceSeconds: float = 0.0
    expiredLockFails: bool = False
    lateFailure: int = 0
    silenceLimit: float = 30.0
    keepAliveTimeout: float = 72.0
    planAllowsRotation: bool = True
    maintenance: bool = False
    standalone: bool = True
    ipRefused: bool = False
    sendDate: bool = True
    loginLockContention: bool = False
    clientIdGetsNewVersion: bool = True
    hiddenReads: str = "hidden"
    lastSecretRevocation: str = "refused"
    queuedRotationsWait: bool = True
    queueSeconds: float = 0.05
    secretsV4: bool = True
    projectsV1: bool = True
    oktaAuthorizationServers: list[str] = field(default_factory=list)
    oktaTokenLifetime: int = 3600

    def update(self, changes: dict[str, Any]) -> None:
        known = {entry.name: entry for entry in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
            current = getattr(self, name)
            if isinstance(current, bool) != isinstance(value, bool) or (
                isinstance(current, str) != isinstance(value, str)
            ):
                raise ValueError(f"setting {name!r} takes a {type(current).__name__}")
            if name == "generation" and value not in GENERATIONS:
                raise ValueError(f"generation is one of {GENERATIONS}")
            if name == "hiddenReads" and value not in ("hidden", "forbidden"):
                raise ValueError("hiddenReads is 'hidden' or 'forbidden'")
            if name == "lastSecretRevocation" and value not in ("refused", "swallowed"):
                raise ValueError("lastSecretRevocation is 'refused' or 'swallowed'")
            setattr(self, name, value)
