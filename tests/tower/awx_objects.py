# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the stand-in: how they are found, how they are shown, and what goes with one that is deleted."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from .awx_fields import CASCADE, KINDS, NODES, UNIFIED

ENCRYPTED = "$encrypted$"
ROOT = "/api/v2/"
Object = dict[str, Any]


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Objects:
    """By kind and id. An id is of one kind only, as those of templates are in AWX."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Object]] = {kind: {} for kind in KINDS}
        self.surveys: dict[int, Object] = {}
        self.ids = itertools.count(1)

    def named(self, kind: str, name: str) -> Object:
        """As it is stored."""
        (found,) = [each for each in self.objects[kind].values() if each["name"] == name]
        return found

    def names(self) -> dict[str, list[str]]:
        """All that is there."""
        return {
            kind: sorted(each.get("name") or each["identifier"] for each in found.values())
            for kind, found in self.objects.items()
            if found
        }

    def find(self, kind: str, number: Any) -> tuple[str, Object]:
        """What an id of this kind is, and the object."""
        for each in UNIFIED if kind == "unified_job_templates" else (kind,):
            if number in self.objects[each]:
                return each, self.objects[each][number]
        raise Refused(400, {"detail": f'Invalid pk "{number}" - object does not exist.'})

    def matching(self, kind: str, query: dict[str, str]) -> list[Object]:
        """What a list with these filters shows."""
        wanted = query.pop("type", None)
        return [
            self.shown(each, there)
            for each in (UNIFIED if kind == "unified_job_templates" else (kind,))
            if wanted in (None, KINDS[each].type)
            for there in self.objects[each].values()
            if all(value in self._values(each, there, key.split("__")) for key, value in query.items())
        ]

    def _values(self, kind: str, there: Object, path: list[str]) -> list[str]:
        """What a filter compares with: the field, or that of what it points to."""
        name = path[0]
        if name == "credentials" and kind == "inventory_sources":
            return self._values(kind, there, ["credential", *path[1:]])
        own = {"organization": "organizations"} if kind in UNIFIED else {}
        links = {**KINDS[kind].links, **KINDS[kind].many, **own}
        if name not in (*KINDS[kind].fields, *links, "id"):
            raise Refused(400, {"detail": f"{KINDS[kind].type} has no field named '{name}'"})
        value = self._organization(kind, there) if name == "organization" else there[name]
        if len(path) == 1:
            return [str(value)]
        numbers = value if isinstance(value, list) else [value] if value else []
        found = [self.find(links[name], number) for number in numbers]
        return [text for each, other in found for text in self._values(each, other, path[1:])]

    def _organization(self, kind: str, there: Object) -> Any:
        link = {"job_templates": "project", "inventory_sources": "inventory"}.get(kind)
        if link is None:
            return there.get("organization")
        return self.find(KINDS[kind].links[link], there[link])[1]["organization"] if there[link] else None

    def remove(self, kind: str, number: int) -> None:
        """With what belongs to it; links to it become empty."""
        there = self.objects[kind].pop(number)
        for other, link in CASCADE.get(kind, ()):
            for each in [each["id"] for each in self.objects[other].values() if each[link] == number]:
                self.remove(other, each)
        if kind == NODES:
            self.objects["workflow_approval_templates"].pop(there["unified_job_template"], None)
        for other, rules in KINDS.items():
            for each in self.objects[other].values():
                each.update({link: None for link in rules.links if each[link] == number})
                each.update({name: [one for one in each[name] if one != number] for name in rules.many})

    def shown(self, kind: str, there: Object) -> Object:
        """As the API tells it."""
        url = f"{ROOT}{kind}/{there['id']}/"
        shown = {**copy.deepcopy(there), "type": KINDS[kind].type, "url": url, "related": {}, "summary_fields": {}}
        for name in KINDS[kind].many:
            del shown[name]
        for link, to in KINDS[kind].links.items():
            if there[link]:
                each, other = self.find(to, there[link])
                shown["related"][link] = f"{ROOT}{each}/{other['id']}/"
                shown["summary_fields"][link] = {"id": other["id"], "name": other["name"]}
        if kind in UNIFIED:
            shown["organization"] = self._organization(kind, there)
        if kind in ("job_templates", "workflow_job_templates"):
            shown["related"]["survey_spec"] = f"{url}survey_spec/"
        if kind == "projects":
            shown["related"]["update"], shown["scm_revision"] = f"{url}update/", "5" * 40
        if kind == "credential_types":
            shown["managed"] = False
        if kind == "credentials":
            fields = self.objects["credential_types"][there["credential_type"]]["inputs"]["fields"]
            secret = {field["id"] for field in fields if field.get("secret")}
            shown["inputs"].update(dict.fromkeys(secret & set(shown["inputs"]), ENCRYPTED))
        return shown
