# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every task needs before its own work: settings, and an authenticated session that ends cleanly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _settings
from ._login.credentials import credentials as credentials_of
from ._login.session import Gate, Session, no_gate
from ._transport.client import Client
from ._transport.connection import Connection
from ._transport.patience import Patience, Waits
from ._transport.redaction import Redactor


@dataclass(frozen=True)
class Task:
    """The surroundings of one task, whoever runs it: a module's process or the controller's.

    ``gate`` knows which logins were refused before, ``waits`` what the task has waited for.
    """

    params: Mapping[str, Any]
    check_mode: bool
    environ: Mapping[str, str]
    warn: Callable[[str], None]
    gate: Gate = field(default=no_gate, kw_only=True)
    waits: Waits = field(default_factory=Waits, kw_only=True)

    def patience(self) -> Patience:
        return Patience(_settings.seconds("wait_timeout", self.params["wait_timeout"], least=0), waits=self.waits)

    def connection(self) -> Connection:
        return _settings.connection(self.params, self.environ, self.warn)

    def session(self, connection: Connection, patience: Patience) -> Session:
        """Checks every option for the login; sends nothing yet."""
        credentials = credentials_of(self.params, self.environ)
        redactor = Redactor()
        redactor.add_proxies(self.environ)
        return Session(
            Client(connection, patience, redactor),
            credentials,
            redactor,
            revoke=self.params["revoke_token"],
            warn=self.warn,
            gate=self.gate,
        )
