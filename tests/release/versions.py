# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version may follow which."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple


class Refused(Exception):
    """Why there is no release, and what to do about it."""


class Step(IntEnum):
    """How much a release changes for its users."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Version(NamedTuple):
    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Semantic, and neither a pre-release nor a build."""
        if not re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}", text):
            return None
        return cls(*map(int, text.split(".")))

    def after(self, step: Step) -> Version:
        if step is Step.MAJOR:
            return Version(self.major + 1, 0, 0)
        if step is Step.MINOR:
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)


def check_step(last: Version, version: Version, least: Step) -> None:
    """That the version is one step from the last one, and a large enough one for what has changed."""
    allowed = [last.after(step) for step in Step if step >= least]
    if version not in allowed:
        choice = " or ".join(map(str, allowed))
        raise Refused(
            f"After {last} comes {choice}, because the largest change since then is a {least.name.lower()} one;"
            f" {version} is none of them."
        )
