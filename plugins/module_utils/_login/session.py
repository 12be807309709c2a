# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in, and a session that revokes the token it made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from .._errors import NONE, InfisicalError
from .._transport.client import Answer, Client
from .._transport.redaction import Redactor
from . import proofs
from .advice import explain_given_token, explain_login, has_ended
from .credentials import Credentials
from .methods import METHODS
from .revocation import REVOKE_PATH, Revocation

#: A server that hangs must not hold up the end of a task for the sake of a token that expires anyway.
REVOKE_TIMEOUT = 10

_SECRET_OPTIONS = ("universal_auth_client_secret", "token", "jwt", "ldap_password")

#: Stands around each login with the credentials at the url, and may refuse it before it is sent.
Gate = Callable[[Credentials, str], AbstractContextManager[None]]


def no_gate(_credentials: Credentials, _url: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, repr=False)
class Login:
    """A token, and for how many seconds it is good; 0 where that is unknown."""

    access_token: str
    expires_in: int


class Session:
    """Authenticated requests. Logs in at the first one, and again when the server no longer takes the token.

    A token that was given is replaced only where it ended by itself and the credentials know a replacement.
    As a context manager it ends with the revocation of a token that it made itself, unless ``revoke`` is false, and
    takes secrets out of what a failure quotes.
    """

    def __init__(
        self,
        client: Client,
        credentials: Credentials,
        redactor: Redactor,
        *,
        revoke: bool = True,
        warn: Callable[[str], None],
        gate: Gate = no_gate,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._redactor = redactor
        self._revoke = revoke
        self._warn = warn
        self._gate = gate
        for known in filter(None, (credentials, credentials.replacement)):
            for option in _SECRET_OPTIONS:
                self._redactor.add(known.values.get(option, ""))
        self._given = credentials.values["token"] if credentials.method == "token_auth" else None
        self._token = self._given

    @property
    def method(self) -> str:
        return self._credentials.method

    @property
    def identity(self) -> str:
        return self._credentials.identity

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, InfisicalError):
            for failure in error.chain():
                failure.problem, failure.next_step = self.clean(failure.problem), self.clean(failure.next_step)
                failure.secret_rotation = self.clean(failure.secret_rotation)
        try:
            try:
                self._end()
            finally:
                self._client.close()
        except Exception as fault:  # noqa: BLE001 - the clean-up never overturns what the task did
            self._warn(f"The token that this task made may still be valid until it expires: {type(fault).__name__}.")

    def clean(self, value: Any) -> Any:
        """What the server sent, without secrets. Decide by the value as it came, and show this one.

        A secret can be a word that every answer holds: a password that is the year is part of every time.
        """
        return self._redactor.data(value)

    def get(self, path: str, what: str, params: Mapping[str, str] | None = None, *, fresh: bool = False) -> Answer:
        """Read; ``fresh`` says that no cache may answer."""
        return self._authenticated(lambda token: self._client.get(path, what, token=token, params=params, fresh=fresh))

    def write_now(
        self,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Write without a pause, whatever is refused: what was read before may no longer hold after one."""

        def send(token: str) -> Answer:
            return self._client.write(method, path, what, body, token=token, params=params, resend=False)

        return self._authenticated(send, resend=False)

    def _authenticated(self, send: Callable[[str], Answer], *, resend: bool = True) -> Answer:
        fresh = self._token is None
        token = self._token or self.log_in(resend=resend).access_token
        try:
            return send(token)
        except InfisicalError as failure:
            # A token made for this very request and refused would be refused again, and what is refused in a form
            # that is not the server's may have been done.
            again = failure.token_refused and not fresh and failure.effect == NONE and self._replaceable(failure)
            if not again:
                if self._given:
                    explain_given_token(failure)
                raise
        self._credentials, self._given = self._credentials.replacement or self._credentials, None
        return send(self.log_in(resend=resend).access_token)

    def _replaceable(self, failure: InfisicalError) -> bool:
        return not self._given or (has_ended(failure) and self._credentials.replacement is not None)

    def log_in(self, *, resend: bool = True) -> Login:
        """A new token, or the given one. A refused login is never tried again: three lock the identity for minutes."""
        if self._given:
            return Login(self._given, 0)
        self._token = None
        method = METHODS[self.method]
        what = f"log in with {self.method}"
        values = self._credentials.values
        body = {field: values[option] for field, option in method.body.items() if option in values}
        if method.proof:
            proof = method.proof(self._credentials.values)
            for secret in proof.secrets:
                self._redactor.add(secret)
            body.update(proof.fields)
        with self._gate(self._credentials, self._client.url):
            try:
                answer = self._client.write("POST", method.path, what, body, resend=resend)
            except InfisicalError as failure:
                explain_login(failure, self.method)
                raise
        token = answer.data.get("accessToken")
        if not isinstance(token, str) or not proofs.is_token(token):
            raise InfisicalError(
                "invalid_response",
                f"Could not {what}: the answer holds no accessToken.",
                "Check that url is the Infisical server.",
                http_status=200,
            )
        self._redactor.add(token)
        self._token = token
        return Login(token, _seconds(answer.data.get("expiresIn")))

    def hand_over(self) -> Login:
        """A token for others to use, which this session no longer ends."""
        login = self.log_in()
        self._token = None
        return login

    def revocation(self) -> Revocation:
        """How the token ends that the task was given."""
        return Revocation(self._client, self._credentials.values["token"])

    def _end(self) -> None:
        if self._token is None or self._given or not self._revoke:
            return
        token, self._token = self._token, None
        try:
            self._client.post_once(REVOKE_PATH, "revoke the token", {"accessToken": token}, timeout=REVOKE_TIMEOUT)
        except InfisicalError as failure:
            if not failure.token_refused:
                self._warn(
                    self.clean(f"The token that this task made is still valid until it expires. {failure.problem}")
                )


def _seconds(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 < value < 1e15 else 0
