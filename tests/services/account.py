# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's account at Okta: the credentials that it holds in memory, and its access token."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

#: Of a token that is still used, in seconds.
_LEAST_LEFT = 0.5
_TIMEOUT = 10


class NoToken(Exception):
    """Okta gave none. The text names no secret."""


def fingerprint(secret: str) -> str:
    """Tells secrets apart without showing them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Credentials:
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Credentials:
        """From a file of environment variables, as systemd's EnvironmentFile is one."""
        found = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            name, given, value = line.strip().partition("=")
            if given and not name.startswith("#"):
                quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
                found[name.strip()] = value[1:-1] if quoted else value
        return cls(found["OKTA_CLIENT_ID"], found["OKTA_CLIENT_SECRET"])


class Account:
    def __init__(self, path: Path, token_url: str) -> None:
        self._path = path
        self._token_url = token_url
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0
        self.credentials = Credentials.read(path)

    def read(self) -> None:
        """Read the settings again. What was got with those from before is dropped, as it may be revoked."""
        credentials = Credentials.read(self._path)
        with self._lock:
            self.credentials = credentials
            self._token = ""

    def token(self) -> str:
        """The one from before as long as it is good, for Okta limits how many are fetched."""
        with self._lock:
            asked = time.monotonic()
            if not self._token or asked >= self._good_until:
                self._token, seconds = self._fetch(self.credentials)
                self._good_until = asked + seconds - _LEAST_LEFT
            return self._token

    def prove(self) -> None:
        """That the credentials are good now, whatever the cached token says."""
        self._fetch(self.credentials)

    def _fetch(self, credentials: Credentials) -> tuple[str, float]:
        """A new token, and for how many seconds it is good."""
        with OAuth2Session(credentials.client_id, credentials.client_secret, default_timeout=_TIMEOUT) as session:
            # Neither proxies nor the passwords of a .netrc.
            session.trust_env = False
            try:
                token = session.fetch_token(self._token_url, grant_type="client_credentials")
                if "access_token" not in token:
                    # Of a client that it does not know, Okta speaks in words of its own.
                    raise NoToken(f"token refused: {token.get('errorCode')}")
                return str(token["access_token"]), float(token["expires_in"])
            except OAuthError as refusal:
                raise NoToken(f"token refused: {refusal.error}") from None
            except requests.HTTPError as failure:
                raise NoToken(f"token not given: status {failure.response.status_code}") from None
            except (requests.RequestException, KeyError, ValueError) as failure:
                raise NoToken(f"token not given: {type(failure).__name__}") from None
