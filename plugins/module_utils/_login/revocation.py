# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoking a token that was made elsewhere, and telling truthfully what became of it."""

from __future__ import annotations

from .._errors import NONE, InfisicalError, invalid_arguments
from .._transport.client import Client

REVOKE_PATH = "/api/v1/auth/token/revoke"
#: What both generations of the server say about a token that is gone for good. One that is used up can come back with
#: a newer server, which forgets how often it was used.
_GONE = (
    "Your token has expired",
    "been revoked",
    "No identity access token found",
    "TTL expiration",
    "number of uses limit reached",
    "exceeded max age",
)
_GOES_ON = "The token goes on working."


class Revocation:
    """The end of one token.

    A newer server says that it revoked a token which was revoked before, so only a question before it tells whether
    anything changes. The server looks at the token on every route, and at its address last: one that it refuses for
    the address is still good from elsewhere.
    """

    def __init__(self, client: Client, token: str) -> None:
        if token.startswith("st."):
            raise invalid_arguments(
                f"the token is a service token, which Infisical cannot revoke. {_GOES_ON} Delete it in the project's "
                "access control."
            )
        self._client = client
        self._token = token

    def is_due(self) -> bool:
        """Whether the token is good, or may be; false when it is expired or revoked. Raises when it is no token."""
        try:
            self._client.get("/api/status", "ask whether the token is still valid", token=self._token, fresh=True)
        except InfisicalError as failure:
            return self._is_alive(failure)
        return True

    def revoke(self) -> bool:
        """False when somebody else revoked it in between."""
        try:
            self._client.write("POST", REVOKE_PATH, "revoke the token", {"accessToken": self._token})
        except InfisicalError as failure:
            if _is_gone(failure):
                return False
            if "Only identity access tokens" in failure.server_message:
                failure.next_step = (
                    f"{_GOES_ON} It is a user's or another kind that only its owner can end: end the session in "
                    "Infisical, or delete the token there."
                )
            if failure.effect == NONE or self._may_be_alive():
                raise
        return True

    def _is_alive(self, failure: InfisicalError) -> bool:
        """What a refusal of the question tells; raises where it tells nothing."""
        if _is_gone(failure):
            return False
        if failure.http_status == 403 and failure.reason == "authentication_failed":
            failure.next_step = (
                "This is no token of this server, and nothing was revoked: check url, and the variable that holds the "
                "token."
            )
            raise failure
        # Which kind of token it is, and from where it is good, does not keep it from being revoked.
        if failure.reason in ("authentication_failed", "permission_denied", "not_found", "request_rejected"):
            return True
        raise failure

    def _may_be_alive(self) -> bool:
        try:
            return self.is_due()
        except InfisicalError:
            return True


def _is_gone(failure: InfisicalError) -> bool:
    return failure.reason == "authentication_failed" and any(words in failure.server_message for words in _GONE)
