# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the simulator look like the server that was recorded, as far as one recorded row needs it."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import jwt
from simulator.client import Simulator

PROJECT = "b0e786df-12eb-405c-afca-7a55884d456b"
OTHER_PROJECT = "23781a4f-2a57-4639-b1be-7ce82712469b"
CLIENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
IDENTITY = ("cfc53c2d-e919-4abb-858b-fa91312d24e7", "612184b4-cf1c-45f3-9508-0af6f37ef5f9")
SECRETS = [["describeSecret", "secrets"], ["readValue", "secrets"], ["read", "project"], ["read", "secret-folders"]]


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class World:
    """The placeholders of a row, and the values that stand for them here."""

    def __init__(self, simulator: Simulator, label: str) -> None:
        self.simulator = simulator
        self.label = label
        state = simulator.reset()
        self.project = state["project"]
        self.key = state["signingKey"]
        simulator.settings(generation="old", standalone=False)
        if "maintenance" in label:
            simulator.settings(maintenance=True)
        if "rate limit" in label:
            simulator.settings(rateLimits={"secrets": 40, "write": 200})
        self.identity = simulator.add_identity(**self._identity())
        self.token = simulator.mint(identityId=self.identity["id"], **self._token())
        if self._uses_spent():
            simulator.change_token(self.token["id"], numUses=3)
        if re.search(r"second GET|the same, revoke|refusal", label):
            simulator.change_token(self.token["id"], revoked=True)

    def _identity(self) -> dict[str, Any]:
        label = self.label
        if "use limit 1" in label:
            return {"clientSecretNumUsesLimit": 1}
        if "past its TTL" in label:
            return {"clientSecretTTL": 1}
        if "TTL 5 = max" in label:
            return {"accessTokenTTL": 5, "accessTokenMaxTTL": 5}
        if "TTL 5, max TTL 60" in label:
            return {"accessTokenTTL": 5, "accessTokenMaxTTL": 60}
        if "no member" in label or "without any project" in label:
            return {"projects": []}
        if "no permission" in label:
            return {"permissions": []}
        if "viewer" in label:
            return {"permissions": SECRETS}
        return {}

    def _token(self) -> dict[str, Any]:
        label = self.label
        token: dict[str, Any] = {"method": "universal-auth"}
        if re.search(r"use limit 3|uses are spent", label):
            token["numUsesLimit"] = 3
        if "5, max 60" in label or "JWT exp (60) not over" in label or "the same, " in label:
            token.update(ttl=5, maxTTL=60)
        elif "max 8" in label:
            token.update(ttl=5, maxTTL=8)
        if "token-auth" in label:
            token["method"] = "token-auth"
        return token

    def _uses_spent(self) -> bool:
        return bool(re.search(r"GET secret no\. [45]|request 5|uses are spent", self.label))

    def prepare(self) -> None:
        """What must have happened before the row, done with the row's own values in place."""
        label = self.label
        if re.search(r"no\. 5|revoke twice|renew a revoked|again with the same token", label):
            self.simulator.change_token(self.token["id"], revoked=True)
        if "rate limit" in label:
            # Two hundred requests take another time on each machine, and the answer tells the seconds that are left.
            self.simulator.settings(clockFrozen=True)
        if "JWT exp (60) not over" in label:
            self.simulator.settings(clockAdvance=10)
        if re.search(r"past its TTL", label):
            self.simulator.settings(clockAdvance=2)

    def earlier_attempts(self) -> int:
        """How often the row's own request was made before, with the row being the last of them."""
        if re.search(r"past its TTL: second|use limit 1: second|in a row.*2|no\. 2 in a row", self.label):
            return 1
        if re.search(r"use limit 1: third", self.label):
            return 2
        return 0

    def drain_limit(self) -> int:
        if "login over the limit" in self.label:
            return 200
        if "rate limit" not in self.label or re.search(r"another (route|address)", self.label):
            return 0
        return 40

    def limit_uses(self) -> None:
        """Only now, so that draining the rate limit does not use the token up."""
        if "use-limited token" in self.label:
            used = 3 if "429s counted" in self.label else 0
            self.simulator.change_token(self.token["id"], numUsesLimit=3, numUses=used)

    # -- placeholders

    def forged(self, name: str) -> str:
        text: str = self.token["accessToken"]
        claims = jwt.decode(text, options={"verify_signature": False})
        header, payload, signature = text.split(".")
        other = "A" if signature[0] != "A" else "B"
        late = {**claims, "exp": int(time.time()) - 5}
        return {
            "<wrong signature>": jwt.encode(claims, "x" * 32, algorithm="HS256"),
            "<tampered signature>": f"{header}.{payload}.{other}{signature[1:]}",
            "<alg none>": f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
            "<alg RS256>": f"{_segment({'alg': 'RS256', 'typ': 'JWT'})}.{payload}.{signature}",
            "<valid signature, unknown authTokenType>": jwt.encode(
                {**claims, "authTokenType": "other"}, self.key, algorithm="HS256"
            ),
            "<wrong signature and expired>": jwt.encode(late, "x" * 32, algorithm="HS256"),
        }[name]

    def authorization(self, recorded: str) -> str:
        if "<" not in recorded:
            return recorded
        mint = self.simulator.mint_token
        text: str = self.token["accessToken"]
        simple = {
            "<valid token, no scheme>": lambda: text,
            "Bearer<2 spaces><valid>": lambda: f"Bearer  {text}",
            "Bearer <user>": lambda: "Bearer " + mint(identityId=self.identity["id"], user=True),
            "Bearer <expired>": lambda: "Bearer " + mint(identityId=self.identity["id"], expired=True),
            "Bearer <revoked>": lambda: "Bearer " + self._revoked(),
        }
        if recorded in simple:
            return simple[recorded]()
        if "<valid>" in recorded:
            return recorded.replace("<valid>", text)
        return "Bearer " + self.forged(recorded.removeprefix("Bearer "))

    def _revoked(self) -> str:
        self.simulator.change_token(self.token["id"], revoked=True)
        return str(self.token["accessToken"])

    def access_token(self) -> str:
        mint = self.simulator.mint_token
        if "expired JWT" in self.label:
            return mint(identityId=self.identity["id"], expired=True)
        if "user" in self.label:
            return mint(identityId=self.identity["id"], user=True)
        return str(self.token["accessToken"])

    def text(self, recorded: str) -> str:
        """Ids and secrets of the recorded server in a path or a body, in this world's values."""
        if "another project" in self.label or OTHER_PROJECT in recorded:
            recorded = recorded.replace(OTHER_PROJECT, self.project["id"])
            self.simulator.change_identity(self.identity["id"], projects=[])
        recorded = recorded.replace(PROJECT, self.project["id"]).replace("rotation-lab", self.project["slug"])
        for before, after in (("environment=", ""), ("slug '", "'"), ('"environment": "', '"')):
            recorded = recorded.replace(f"{before}lab{after}", f"{before}prod{after}")
        for known in IDENTITY:
            recorded = recorded.replace(known, self.identity["id"])
        if "revoked client secret" in self.label:
            recorded = recorded.replace("<client-secret", "<wrong client-secret")
        recorded = re.sub(r"<wrong client-secret[^>]*>", "0" * 64, recorded)
        recorded = re.sub(r"<client-secret[^>]*>", self.identity["clientSecret"], recorded)
        if re.search(r'clientId"?\s*[:=]', recorded):
            recorded = CLIENT_ID.sub(self.identity["clientId"], recorded, count=1)
        if re.search(r"<JWT", recorded):
            recorded = re.sub(r"<JWT[^>]*>", self.access_token(), recorded)
        return recorded
