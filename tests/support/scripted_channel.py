# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the transport's channel: answers as it was told, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Received


class Asked(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, str]
    content: Any


class ScriptedChannel:
    """The last of its answers repeats."""

    def __init__(self, *answers: Received | Exception) -> None:
        self.answers = answers
        self.requests: list[Asked] = []
        self.closed = 0

    def exchange(self, method: str, url: str, *, headers: Mapping[str, str], content: Any, timeout: float) -> Received:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(Asked(method, url, headers, content))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1
