# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of AWX's REST API on loopback, with its state in memory: what the modules of awx.awx need of it."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import threading
from typing import Any

import jsonschema
from aiohttp import web

from .awx_fields import KINDS
from .awx_objects import ENCRYPTED, ROOT, Object, Objects, Refused
from .awx_rules import check_credential_type, check_inputs, check_survey, refused_answer

_Answer = tuple[int, Any]


class Awx(Objects):
    """``playbooks`` are the files of every project."""

    def __init__(self, user: str, password: str, playbooks: set[str]) -> None:
        super().__init__()
        self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.playbooks = playbooks
        #: Their ids.
        self.tokens: dict[str, int] = {}
        #: Method, path and body of what was asked.
        self.log: list[tuple[str, str, Any]] = []
        #: Fields that were sent and that no object of AWX has, which it ignores.
        self.strangers: set[tuple[str, str]] = set()
        self._loop = asyncio.new_event_loop()
        self.add("organizations", name="Default")

    # -- running

    def __enter__(self) -> Awx:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", ROOT + "{path:.*}", self._respond)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _respond(self, request: web.Request) -> web.Response:
        text = await request.text()
        body = json.loads(text) if text else {}
        self.log.append((request.method, request.path_qs.removeprefix(ROOT), body))
        try:
            status, answer = self._answer(request, copy.deepcopy(body))
        except Refused as refused:
            status, answer = refused.status, refused.body
        headers = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}
        if answer is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(answer, status=status, headers=headers)

    # -- requests

    def _answer(self, request: web.Request, body: Object) -> _Answer:
        parts = request.match_info["path"].strip("/").split("/")
        method, query = request.method, dict(request.query)
        authorization = request.headers.get("Authorization", "")
        if authorization != self.login and authorization.removeprefix("Bearer ") not in self.tokens:
            raise Refused(401, {"detail": "Authentication credentials were not provided. To establish a login ..."})
        if parts[0] == "tokens":
            return self._token(method, parts, query)
        if parts[0] == "project_updates":
            return 200, {"status": "successful", "finished": "2026-01-01T00:00:00Z", "failed": False}
        if parts[0] not in (*KINDS, "unified_job_templates"):
            raise Refused(404, {"detail": "Not found."})
        if len(parts) == 1:
            return self._list(parts[0], query) if method == "GET" else self._create(parts[0], body)
        found = self.objects[parts[0]].get(int(parts[1]))
        if found is None:
            raise Refused(404, {"detail": "Not found."})
        if len(parts) == 3:
            return self._below(parts[0], found, parts[2], method, body)
        if method == "DELETE":
            return self.delete(parts[0], found)
        if method == "PATCH":
            self.write(parts[0], found, body)
        return 200, self.shown(parts[0], found)

    def _token(self, method: str, parts: list[str], query: dict[str, str]) -> _Answer:
        if method == "DELETE":
            self.tokens = {token: number for token, number in self.tokens.items() if number != int(parts[1])}
            return 204, None
        if method == "POST":
            number = next(self.ids)
            self.tokens[f"token-{number}"] = number
            return 201, {"id": number, "token": f"token-{number}", "type": "o_auth2_access_token", "url": ""}
        found = [
            {"id": number, "type": "o_auth2_access_token", "url": f"{ROOT}tokens/{number}/"}
            for number in self.tokens.values()
            if str(number) == query["id"]
        ]
        return 200, {"count": len(found), "next": None, "results": found}

    def _list(self, kind: str, query: dict[str, str]) -> _Answer:
        size, page = int(query.pop("page_size", 25)), int(query.pop("page", 1))
        found = self.matching(kind, query)
        following = f"{ROOT}{kind}/?page={page + 1}" if len(found) > page * size else None
        return 200, {"count": len(found), "next": following, "results": found[page * size - size : page * size]}

    def _create(self, kind: str, body: Object) -> _Answer:
        rules = KINDS[kind]
        missing = {field: ["This field is required."] for field in rules.needed if not body.get(field)}
        if missing:
            raise Refused(400, missing)
        empty = {**copy.deepcopy(rules.fields), **dict.fromkeys(rules.links), **{name: [] for name in rules.many}}
        there = {"id": next(self.ids), **empty}
        self.write(kind, there, body)
        self.objects[kind][there["id"]] = there
        shown = self.shown(kind, there)
        if kind == "projects":
            shown["summary_fields"]["current_update"] = {"id": next(self.ids)}
        return 201, shown

    def add(self, endpoint: str, **fields: Any) -> Object:
        """As somebody else would make it."""
        made: Object = self._create(endpoint, fields)[1]
        return made

    def write(self, kind: str, there: Object, body: Object) -> None:
        """Raises Refused where AWX would refuse it."""
        rules = KINDS[kind]
        known = (*rules.fields, *rules.links)
        self.strangers |= {(kind, field) for field in body if field not in (*known, *rules.ignored)}
        # A text may be null, which counts as an empty one.
        new = {
            field: "" if value is None and rules.fields.get(field) == "" else value
            for field, value in body.items()
            if field in known
        }
        for field, value in new.items():
            if field in rules.links and value is not None:
                self.find(rules.links[field], value)
            elif type(value) is not type(rules.fields.get(field)) and rules.fields.get(field) is not None:
                raise Refused(400, {field: [f"Not a valid {type(rules.fields[field]).__name__}."]})
        try:
            getattr(self, f"_check_{kind}", lambda *_: None)(there, {**there, **new}, new)
        except (AssertionError, KeyError, jsonschema.ValidationError) as fault:
            raise Refused(400, {"detail": str(fault)}) from fault
        there.update(new)

    def _in_use(self, credential_type: Object) -> bool:
        return any(each["credential_type"] == credential_type["id"] for each in self.objects["credentials"].values())

    def _check_credential_types(self, there: Object, whole: Object, _new: Object) -> None:
        if self._in_use(there) and whole["inputs"] != there["inputs"]:
            told = "Modifications to inputs are not allowed for credential types that are in use"
            raise Refused(403, {"detail": told})
        check_credential_type(whole["kind"], whole["inputs"], whole["injectors"])

    def _check_credentials(self, there: Object, whole: Object, new: Object) -> None:
        kept = {key: there["inputs"][key] for key, value in whole["inputs"].items() if value == ENCRYPTED}
        new["inputs"] = {**whole["inputs"], **kept}
        check_inputs(self.objects["credential_types"][whole["credential_type"]], new["inputs"])

    def _check_job_templates(self, _there: Object, whole: Object, _new: Object) -> None:
        if whole["playbook"] not in self.playbooks:
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        assert whole["inventory"] or whole["ask_inventory_on_launch"]

    def _check_schedules(self, _there: Object, whole: Object, _new: Object) -> None:
        assert whole["rrule"].startswith("DTSTART:")
        questions = {each["variable"]: each for each in self.surveys[whole["unified_job_template"]]["spec"]}
        unanswered = {name for name, each in questions.items() if each["required"]} - set(whole["extra_data"])
        assert not unanswered, f"value missing: {unanswered}"
        wrong = [name for name, value in whole["extra_data"].items() if refused_answer(questions[name], value)]
        assert not wrong, wrong

    def _below(self, kind: str, there: Object, name: str, method: str, body: Object) -> _Answer:
        if name == "survey_spec":
            return self._survey(there, method, body)
        if name == "create_approval_template":
            status, made = self._create("workflow_approval_templates", body)
            there["unified_job_template"] = made["id"]
            return status, made
        if name not in KINDS[kind].many:
            raise Refused(404, {"detail": "Not found."})
        target = KINDS[kind].many[name]
        if method == "GET":
            found = [self.shown(target, self.objects[target][number]) for number in there[name]]
            return 200, {"count": len(found), "next": None, "results": found}
        self.find(target, body["id"])
        there[name] = [number for number in there[name] if number != body["id"]]
        if not body.get("disassociate"):
            there[name].append(body["id"])
        return 204, None

    def _survey(self, there: Object, method: str, body: Object) -> _Answer:
        if method == "GET":
            return 200, self.surveys.get(there["id"], {})
        try:
            check_survey(body)
        except (AssertionError, KeyError) as fault:
            raise Refused(400, {"error": str(fault)}) from fault
        self.surveys[there["id"]] = body
        return 200, {}

    def delete(self, kind: str, there: Object) -> _Answer:
        """An inventory goes in the background."""
        if kind == "credential_types" and self._in_use(there):
            raise Refused(403, {"detail": "Credential types that are in use cannot be deleted"})
        self.remove(kind, there["id"])
        return (202 if kind == "inventories" else 204), None
