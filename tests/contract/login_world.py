# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator's logins without a network."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.logins import Logins
from simulator.router import Context, Router
from simulator.store import Store
from simulator.tokens import Tokens

GENERIC = (500, "Something went wrong")
# Of {"alg":"HS256"} and {"sub":"ci"}: one that the server's libraries can take apart, but nobody here signed.
FOREIGN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0dXJl"


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.freeze(1_800_000_000)
        self.store = Store(self.clock)
        self.identity = self.store.add_identity(clientSecret="right")
        self.tokens = Tokens(self.store)
        self.router = Router()
        Logins(self.store, self.tokens).register(self.router)

    def login(self, method: str, address: str = "127.0.0.1", **body: Any) -> dict[str, Any]:
        path = f"/api/v1/auth/{method}/login"
        found = self.router.find("POST", path)
        assert found is not None
        body.setdefault("identityId", self.identity.id)
        context = Context("POST", path, {}, {}, {}, body, address)
        answer: dict[str, Any] = asyncio.run(found[0].handler(context))  # type: ignore[arg-type]
        return answer

    def refusal(self, method: str, **body: Any) -> tuple[int, str]:
        with pytest.raises(ApiError) as caught:
            self.login(method, **body)
        return caught.value.status, str(caught.value.message)

    def universal(self, secret: str) -> dict[str, Any]:
        return self.login("universal-auth", clientId=self.identity.clientId, clientSecret=secret)

    def wrong(self, secret: str = "") -> str:
        return self.refusal("universal-auth", clientId=self.identity.clientId, clientSecret=secret)[1]


def aws_request(key: str = "AKIAEXAMPLE", action: str = "GetCallerIdentity", **headers: str) -> dict[str, str]:
    credential = f"{key}/20270115/us-east-1/sts/aws4_request"
    sent = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=00",
        "Host": "sts.us-east-1.amazonaws.com",
        "X-Amz-Date": "20270115T080000Z",
        **headers,
    }
    return {
        "iamHttpRequestMethod": "POST",
        "iamRequestBody": base64.b64encode(f"Action={action}&Version=2011-06-15".encode()).decode(),
        "iamRequestHeaders": base64.b64encode(json.dumps(sent).encode()).decode(),
    }
