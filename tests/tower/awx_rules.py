# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24 refuses in a credential type, in a survey and in an answer, written by hand from its code."""

from __future__ import annotations

from typing import Any

import jsonschema
from awx_plugins.interfaces._temporary_private_inject_api import ENV_BLOCKLIST
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

_IDENTIFIER = r"^[a-zA-Z_]+[a-zA-Z0-9_]*$"
_INPUTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "required": {"type": "array", "items": {"type": "string"}},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "label"],
                "properties": {
                    "id": {"type": "string", "pattern": _IDENTIFIER},
                    "label": {"type": "string"},
                    "help_text": {"type": "string"},
                    "type": {"enum": ["string", "boolean"]},
                    "format": {"enum": ["ssh_private_key", "url"]},
                    "choices": {"type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True},
                    "multiline": {"type": "boolean"},
                    "secret": {"type": "boolean"},
                    "default": {},
                },
            },
        },
    },
}
_ASCII = {"type": "string", "pattern": r"^[\x00-\x7F]*$"}
_INJECTORS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": {"type": "string"}},
        },
        "env": {"type": "object", "additionalProperties": False, "patternProperties": {_IDENTIFIER: _ASCII}},
        "extra_vars": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {_IDENTIFIER: {"type": "string"}},
        },
    },
}
#: The types of questions, and of the defaults that they take.
_QUESTIONS = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}


class Files:
    """``tower.filename``: what no injector of files names is not there."""

    def __init__(self, templates: dict[str, str]) -> None:
        for name in templates:
            setattr(self, name.partition(".")[2], "EXAMPLE_FILENAME")


class Tower:
    """The reserved name."""

    def __init__(self, templates: dict[str, str]) -> None:
        self.filename = Files(templates)


def check_credential_type(kind: str, inputs: dict[str, Any], injectors: dict[str, Any]) -> None:
    """Raises what says why AWX would refuse it."""
    assert kind in ("cloud", "net")
    jsonschema.validate(inputs, _INPUTS)
    jsonschema.validate(injectors, _INJECTORS)
    fields = inputs["fields"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids))
    assert "tower" not in ids
    assert set(inputs["required"]) <= set(ids)
    for field in fields:
        if field.get("type", "string") != "string":
            assert not {"choices", "multiline", "format", "secret"} & set(field)
    for name in injectors.get("env", {}):
        assert not name.startswith("ANSIBLE_"), name
        assert name not in ENV_BLOCKLIST, name
    known = {**dict.fromkeys(ids, "EXAMPLE"), "tower": Tower(injectors.get("file", {}))}
    for templates in injectors.values():
        for template in templates.values():
            ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(known)


def check_inputs(credential_type: dict[str, Any], inputs: dict[str, Any]) -> None:
    """What a credential of the type may hold."""
    types = {field["id"]: field["type"] for field in credential_type["inputs"]["fields"]}
    assert set(inputs) <= set(types), f"undefined fields: {set(inputs) - set(types)}"
    for name, value in inputs.items():
        assert isinstance(value, bool if types[name] == "boolean" else str), name


def check_survey(survey: dict[str, Any]) -> None:
    """Raises what says why AWX would refuse it."""
    assert isinstance(survey["name"], str)
    assert isinstance(survey["description"], str)
    assert survey["spec"], "no questions"
    variables = [question["variable"] for question in survey["spec"]]
    assert len(variables) == len(set(variables))
    for question in survey["spec"]:
        kind = question["type"]
        assert all(isinstance(question[key], str) for key in ("type", "question_name", "variable"))
        assert isinstance(question["required"], bool)
        default = question.get("default", "")
        assert default == "" or (_is(default, _QUESTIONS[kind]) and "$encrypted$" not in str(default))
        assert all(_is(question[key], int) for key in ("min", "max") if key in question)
        if kind in ("multiplechoice", "multiselect"):
            assert set(str(default).splitlines()) <= set(question["choices"])


def _is(value: Any, kind: type) -> bool:
    """For AWX true is no number."""
    return isinstance(value, kind) and not isinstance(value, bool)


def refused_answer(question: dict[str, Any], value: Any) -> bool:
    """Whether AWX refuses it at the launch."""
    kind = question["type"]
    if kind in ("text", "textarea", "password"):
        return not isinstance(value, str) or not question.get("min", 0) <= len(value) <= question.get("max", len(value))
    if kind == "integer":
        return not _is(value, int) or not question["min"] <= value <= question["max"]
    if kind == "multiselect":
        return not isinstance(value, list) or not set(value) <= set(question["choices"])
    return value not in question["choices"]
