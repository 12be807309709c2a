# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test's own door: seeing and changing everything, under /_control/."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from .answers import Answer, json_answer
from .model import Identity, MappedSecret, Rotation, Token
from .okta import Okta, OktaApp
from .pipeline import Received
from .seed import add_rotation, change_rotation
from .state_view import rotation_state, state
from .store import new_id
from .tokens import SERVICE_KIND, USER_KIND

if TYPE_CHECKING:
    from .app import App

OKTA_MODES = (
    "createError",
    "validationError",
    "invalidToken",
    "rateLimited",
    "network",
    "listError",
    "removeError",
    "createdButAnswerLost",
)
_IDENTITY_FIELDS = {field.name for field in fields(Identity)} - {"clientSecrets"}
#: What is given of its first client secret, and which of all permissions it lacks.
_MADE_WITH = {"clientSecret", "clientSecretTTL", "clientSecretNumUsesLimit", "without"}

Operation = Callable[[dict[str, Any]], Any]


class Control:
    def __init__(self, app: App) -> None:
        self._app = app
        self._operations: dict[tuple[str, str], Operation] = {
            ("POST", "reset"): self._reset,
            ("GET", "state"): lambda _unused: state(self._app),
            ("GET", "log"): lambda _unused: self._log(),
            ("DELETE", "log"): self._clear_log,
            ("POST", "save"): self._save,
            ("POST", "identities"): self._add_identity,
            ("POST", "tokens"): self._add_token,
            ("POST", "organizations"): self._add_organization,
            ("POST", "projects"): self._add_project,
            ("POST", "connections"): self._add_connection,
            ("POST", "rotations"): self._add_rotations,
            ("POST", "secrets"): self._add_secret,
            ("POST", "applications"): self._add_application,
            ("POST", "settings"): self._settings,
            ("POST", "orphan"): self._orphan,
            ("POST", "faults"): self._faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "close-idle"): self._close_idle,
        }

    async def answer(self, received: Received) -> Answer:
        steps = received.path.removeprefix("/_control/").strip("/").split("/")
        try:
            body = json.loads(received.body or b"{}")
            return json_answer(200, self._run(received.method, steps, body))
        except KeyError as problem:
            return json_answer(404, {"error": f"not known: {problem}"})
        except (TypeError, ValueError) as problem:
            return json_answer(400, {"error": str(problem)})

    def _run(self, method: str, steps: list[str], body: Any) -> Any:
        if steps[0] == "rotations" and len(steps) > 1:
            rotation = self._app.store.data.rotations[steps[1]]
            if steps[2:] == ["rival"] and method == "POST":
                return self._rival(rotation, body)
            if steps[2:] == ["due"] and method == "POST":
                self._app.jobs.due(rotation.id)
                return {}
            if len(steps) == 2 and method == "PATCH":
                change_rotation(self._app.store, rotation, body)
                return rotation_state(self._app.store, rotation)
        if steps[0] == "applications" and len(steps) == 2 and method == "PATCH":
            return self._change_application(self._app.store.data.okta[steps[1]], body)
        if steps[0] == "identities" and len(steps) == 2 and method == "PATCH":
            return self._change_identity(self._app.store.data.identities[steps[1]], body)
        if steps[0] == "tokens" and len(steps) == 2 and method == "PATCH":
            return self._change_token(self._app.store.data.tokens[steps[1]], body)
        return self._operations[(method, "/".join(steps))](body)

    def _reset(self, body: dict[str, Any]) -> Any:
        self._app.reset()
        return state(self._app)

    def _log(self) -> Any:
        started = sum(rotation.started for rotation in self._app.store.data.rotations.values())
        return {**self._app.log.view(), "rotationsStarted": started}

    def _clear_log(self, body: dict[str, Any]) -> Any:
        self._app.log.clear()
        return {}

    def _save(self, body: dict[str, Any]) -> Any:
        self._app.save()
        return {"saved": self._app.state_file is not None}

    def _add_identity(self, body: dict[str, Any]) -> Any:
        unknown = set(body) - _IDENTITY_FIELDS - _MADE_WITH
        if unknown:
            raise ValueError(f"unknown identity fields {sorted(unknown)}")
        identity = self._app.store.add_identity(**body)
        return {**asdict(identity), "clientSecret": identity.clientSecrets[0].clientSecret}

    def _change_identity(self, identity: Identity, body: dict[str, Any]) -> Any:
        for name, value in body.items():
            if name == "without":
                taken = [list(pair) for pair in value]
                identity.permissions = [pair for pair in identity.permissions if pair not in taken]
            elif name in _IDENTITY_FIELDS - {"id"}:
                setattr(identity, name, value)
            else:
                raise ValueError(f"cannot change {name!r} of an identity")
        return asdict(identity)

    def _add_token(self, body: dict[str, Any]) -> Any:
        wanted = dict(body)
        store = self._app.store
        identity_id = wanted.pop("identityId", None) or store.first_identity().id
        kinds = {"user": USER_KIND, "service": SERVICE_KIND}
        kind = next((kind for name, kind in kinds.items() if wanted.pop(name, False)), None)
        expired = wanted.pop("expired", False)
        allowed = {"ttl", "maxTTL", "numUsesLimit", "permissions", "revoked", "method"}
        if set(wanted) - allowed:
            raise ValueError(f"unknown token fields {sorted(set(wanted) - allowed)}")
        revoked = wanted.pop("revoked", False)
        method = wanted.pop("method", "token-auth")
        offset = store.clock.offset
        if expired:
            # Minted in the past, so that the signature is good and only the time is over.
            wanted.setdefault("ttl", 3600)
            wanted.setdefault("maxTTL", wanted["ttl"])
            store.clock.offset -= wanted["maxTTL"] + 3600
        token = self._app.tokens.issue(store.data.identities[identity_id], method, kind=kind, **wanted)
        store.clock.offset = offset
        token.revoked = revoked
        return asdict(token)

    def _change_token(self, token: Token, body: dict[str, Any]) -> Any:
        for name, value in body.items():
            if name not in ("revoked", "numUses", "numUsesLimit", "permissions"):
                raise ValueError(f"cannot change {name!r} of a token")
            setattr(token, name, value)
        return asdict(token)

    def _add_organization(self, body: dict[str, Any]) -> Any:
        self._app.store.data.subOrganizations.append(body["slug"])
        return body

    def _add_project(self, body: dict[str, Any]) -> Any:
        project = self._app.store.add_project(
            body.get("name", body["slug"]), body["slug"], body.get("environments", ["prod"]), body.get("id")
        )
        for place in body.get("folders", []):
            self._app.store.ensure_folder(project, place["environment"], place["path"])
        return asdict(project)

    def _add_connection(self, body: dict[str, Any]) -> Any:
        project = body.get("projectId", self._app.store.first_project().id)
        connection = self._app.store.add_connection(body["name"], project)
        connection.app = body.get("app", "okta")
        return asdict(connection)

    def _add_rotations(self, body: dict[str, Any]) -> Any:
        wanted = dict(body)
        count = wanted.pop("count", None)
        store, rotations = self._app.store, self._app.rotations
        if count is None:
            wanted.setdefault("name", f"okta-client-{new_id()[:8]}")
            wanted.setdefault("secretsMapping", _mapping(wanted["name"]))
            return rotation_state(store, add_rotation(store, rotations, wanted))
        base = wanted.pop("name", "okta-client")
        made = []
        for number in range(int(count)):
            name = f"{base}-{number + 1:05d}"
            one = {"secretsMapping": _mapping(name), **wanted, "name": name}
            made.append(rotation_state(store, add_rotation(store, rotations, one)))
        return {"rotations": made}

    def _add_application(self, body: dict[str, Any]) -> Any:
        """At Okta, with secrets that were made by hand."""
        data = self._app.store.data
        app = data.okta.setdefault(body["clientId"], OktaApp(body["clientId"]))
        for _unused in range(body.get("secrets", 1)):
            Okta(data.okta, {}, self._app.store.now).create(app.clientId, force=True)
        return app.view()

    def _change_application(self, app: OktaApp, body: dict[str, Any]) -> Any:
        for name, value in body.items():
            if name not in ("status", "authMethod"):
                raise ValueError(f"cannot change {name!r} of an application")
            setattr(app, name, value)
        return app.view()

    def _add_secret(self, body: dict[str, Any]) -> Any:
        store = self._app.store
        place = {"projectId": store.first_project().id, "environment": "prod", "secretPath": "/okta", **body}
        now = store.now()
        made = MappedSecret(id=new_id(), version=1, rotationId=None, createdAt=now, updatedAt=now, **place)
        store.ensure_folder(store.data.projects[made.projectId], made.environment, made.secretPath)
        store.data.secrets[made.id] = made
        return asdict(made)

    def _rival(self, rotation: Rotation, body: dict[str, Any]) -> Any:
        fails = body.get("failure")
        if fails is True:
            fails = "Okta is not reachable"
        rotations = self._app.rotations
        owner = rotations.acquire(rotation.id, hidden=bool(body.get("hidden", False)))
        seconds = float(body.get("seconds", 0))
        self._app.spawn(rotations.rival(rotation, owner, seconds=seconds, fails=fails or None))
        return {"owner": owner}

    def _settings(self, body: dict[str, Any]) -> Any:
        changes = dict(body)
        store = self._app.store
        if "okta" in changes:
            self._okta(changes.pop("okta"))
        if "rateLimits" in changes:
            self._app.limiter.switch(changes.pop("rateLimits"))
        if "clockOffset" in changes:
            store.clock.offset = float(changes.pop("clockOffset"))
        if "clockAdvance" in changes:
            store.clock.advance(float(changes.pop("clockAdvance")))
        if "clockFrozen" in changes:
            if changes.pop("clockFrozen"):
                store.clock.freeze()
            else:
                store.clock.unfreeze()
        store.settings.update(changes)
        return state(self._app)["settings"]

    def _okta(self, modes: dict[str, int] | None) -> None:
        failures = self._app.store.data.oktaFailures
        failures.clear()
        for mode, times in (modes or {}).items():
            if mode not in OKTA_MODES:
                raise ValueError(f"unknown Okta failure {mode!r}; known: {', '.join(OKTA_MODES)}")
            failures[mode] = int(times)

    def _orphan(self, body: dict[str, Any]) -> Any:
        data = self._app.store.data
        client_id = body.get("clientId")
        if client_id is None:
            rotation_id = body.get("rotationId") or next(iter(data.rotations))
            client_id = data.rotations[rotation_id].parameters["clientId"]
        okta = Okta(data.okta, {}, self._app.store.now)
        if body.get("action", "add") == "remove":
            okta.remove(client_id, body["secretId"])
            return data.okta[client_id].view()
        if client_id not in data.okta:
            raise KeyError(client_id)
        okta.create(client_id, force=True)
        return data.okta[client_id].view()

    def _faults(self, body: Any) -> Any:
        raw = body if isinstance(body, list) else body.get("faults", [body])
        return {"faults": [asdict(fault) for fault in self._app.faults.add(raw)]}

    def _clear_faults(self, body: dict[str, Any]) -> Any:
        self._app.faults.clear()
        return {}

    def _close_idle(self, body: dict[str, Any]) -> Any:
        return {"closed": self._app.server.close_idle()}


def _mapping(name: str) -> dict[str, str]:
    base = name.upper().replace("-", "_")
    return {"clientId": f"{base}_CLIENT_ID", "clientSecret": f"{base}_CLIENT_SECRET"}
