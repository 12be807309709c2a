# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rotation is wanted to be: which values are taken, and what differs from the one that is there."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import wanted
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.finding import Target
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.kinds import OKTA_CLIENT_SECRET
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.wanted import Wanted
from support.options import ID, refused

ROTATION: dict[str, Any] = {
    "id": ID,
    "name": "okta",
    "description": None,
    "isAutoRotationEnabled": True,
    "rotationInterval": 30,
    "rotateAtUtc": {"hours": 3, "minutes": 30},
    "parameters": {"clientId": "0oa1"},
    "secretsMapping": {"clientId": "ID", "clientSecret": "SECRET"},
    "connectionId": "c",
    "environment": {"slug": "prod"},
    "folder": {"path": "/okta"},
    "projectId": "p",
}
TARGET = Target(None, "okta", "p", "prod", "/okta")


def parse(**given: Any) -> Wanted:
    return wanted.parse({option: given.get(option) for option in _states.OPTIONS["present"]}, OKTA_CLIENT_SECRET)


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({}, {}),
        ({"description": "text"}, {"description": "text"}),
        ({"description": " \ufeff text\n"}, {"description": "text"}),
        ({"description": "x" * 256}, {"description": "x" * 256}),
        # What a server that is written in JavaScript does not trim.
        ({"description": "\x1ftext\x85"}, {"description": "\x1ftext\x85"}),
        ({"description": " \u3000"}, {}),
        ({"description": ""}, {}),
        ({"new_name": "okta"}, {}),
        ({"new_name": "okta-2"}, {"name": "okta-2"}),
        ({"new_name": ""}, {}),
        ({"auto_rotation_enabled": True}, {}),
        ({"auto_rotation_enabled": False}, {"isAutoRotationEnabled": False}),
        ({"rotation_interval": 30}, {}),
        ({"rotation_interval": 1}, {"rotationInterval": 1}),
        ({"rotation_interval": 36500}, {"rotationInterval": 36500}),
        ({"rotate_at_utc": {"hours": 3, "minutes": 30}}, {}),
        ({"rotate_at_utc": {"hours": 0, "minutes": None}}, {"rotateAtUtc": {"hours": 0, "minutes": 30}}),
        ({"rotate_at_utc": {"hours": None, "minutes": 59}}, {"rotateAtUtc": {"hours": 3, "minutes": 59}}),
        ({"rotate_at_utc": {"hours": 23, "minutes": 0}}, {"rotateAtUtc": {"hours": 23, "minutes": 0}}),
        ({"rotate_at_utc": {}}, {}),
        ({"parameters": {"client_id": " 0oa1 "}}, {}),
        ({"parameters": {"client_id": "0oa2"}}, {"parameters": {"clientId": "0oa2"}}),
        ({"parameters": {"client_id": ""}}, {}),
        ({"secrets_mapping": {"client_id": "ID", "client_secret": "SECRET"}}, {}),
        (
            {"secrets_mapping": {"client_id": None, "client_secret": "S2"}},
            {"secretsMapping": {"clientId": "ID", "clientSecret": "S2"}},
        ),
        ({"connection_id": ID.upper()}, {}),
        ({"connection_name": "okta-main"}, {}),
    ],
)
def test_what_differs(given: dict[str, Any], changes: dict[str, Any]) -> None:
    assert parse(**given).changes(ROTATION) == changes


def test_a_number_is_the_same_however_the_server_writes_it() -> None:
    assert parse(rotation_interval=30).changes({**ROTATION, "rotationInterval": 30.0}) == {}


def test_what_an_older_server_does_not_tell_differs() -> None:
    without = {key: value for key, value in ROTATION.items() if key != "rotateAtUtc"}
    assert parse(rotate_at_utc={"hours": 1, "minutes": 2}).changes(without) == {
        "rotateAtUtc": {"hours": 1, "minutes": 2}
    }


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"new_name": "Okta"}, ["new_name is 'Okta'", "small letters"]),
        ({"new_name": "okta_2"}, ["new_name"]),
        ({"new_name": "-okta"}, ["new_name"]),
        ({"new_name": "okta--2"}, ["new_name"]),
        ({"new_name": "a" * 65}, ["new_name", "64 at most"]),
        ({"new_name": "ökta"}, ["new_name"]),
        ({"description": "x" * 257}, ["description has 257 characters", "256 at most"]),
        # The server counts halves of what is outside of the basic plane.
        ({"description": "\U0001f511" * 129}, ["description has 258 characters"]),
        ({"description": "\ud800" * 257}, ["description has 257 characters"]),
        ({"rotation_interval": 0}, ["rotation_interval is 0", "1 to 36500 days"]),
        ({"rotation_interval": -1}, ["rotation_interval"]),
        ({"rotation_interval": 36501}, ["rotation_interval"]),
        ({"rotate_at_utc": {"hours": 24, "minutes": 0}}, ["rotate_at_utc.hours is 24", "0 to 23 hours"]),
        ({"rotate_at_utc": {"hours": 0, "minutes": 60}}, ["rotate_at_utc.minutes is 60"]),
        ({"rotate_at_utc": {"hours": -1, "minutes": 0}}, ["rotate_at_utc.hours is -1"]),
        ({"secrets_mapping": {"client_id": "A:B", "client_secret": "S"}}, ["'A:B'", "no :"]),
        ({"secrets_mapping": {"client_id": "A", "client_secret": "S/T"}}, ["'S/T'"]),
        ({"secrets_mapping": {"client_id": "A", "client_secret": " A "}}, ["clientId and clientSecret", "'A'"]),
        ({"connection_id": "42"}, ["connection_id is '42'", "UUID"]),
        ({"connection_id": ID, "connection_name": "okta-main"}, ["connection_id and connection_name contradict"]),
    ],
)
def test_what_the_server_would_refuse_is_refused_before_anything_is_sent(
    given: dict[str, Any], named: list[str]
) -> None:
    message = refused(partial(parse, **given))
    assert [name for name in named if name not in message] == []


def test_a_mapping_that_is_completed_maps_to_different_secrets_too() -> None:
    changes = parse(secrets_mapping={"client_id": "SECRET", "client_secret": None}).changes(ROTATION)
    assert "to one secret, 'SECRET'" in refused(lambda: wanted.check_mapping(changes["secretsMapping"]))


COMPLETE = {
    "connection_name": "okta-main",
    "parameters": {"client_id": "0oa1"},
    "secrets_mapping": {"client_id": "ID", "client_secret": "SECRET"},
    "rotation_interval": 30,
}


def test_everything_that_a_creation_lacks_is_named() -> None:
    assert parse().missing() == [
        "connection_id or connection_name",
        "parameters.client_id",
        "secrets_mapping.client_id",
        "secrets_mapping.client_secret",
        "rotation_interval",
    ]
    assert parse(**COMPLETE).missing() == []
    without = {**COMPLETE, "connection_name": None, "connection_id": ID}
    assert parse(**without).missing() == []
    partly = {**COMPLETE, "secrets_mapping": {"client_id": "ID", "client_secret": " "}}
    assert parse(**partly).missing() == ["secrets_mapping.client_secret"]


def test_a_creation_is_sent_complete() -> None:
    assert parse(**COMPLETE, rotate_at_utc={"hours": 4, "minutes": None}).body(TARGET, ID) == {
        "name": "okta",
        "description": None,
        "projectId": "p",
        "environment": "prod",
        "secretPath": "/okta",
        "connectionId": ID,
        "isAutoRotationEnabled": True,
        "rotationInterval": 30,
        "rotateAtUtc": {"hours": 4, "minutes": 0},
        "parameters": {"clientId": "0oa1"},
        "secretsMapping": {"clientId": "ID", "clientSecret": "SECRET"},
    }


def test_the_difference_of_a_creation_shows_what_a_reading_shows() -> None:
    body = parse(**COMPLETE, rotate_at_utc={"hours": 3, "minutes": 30}).body(TARGET, "c")
    assert wanted.view_of_new(body) == wanted.view(ROTATION)
    assert wanted.view({"name": "okta"})["environment"] is None


@pytest.mark.parametrize(("name", "environment"), [("Okta_1", "prod"), ("okta", "Prod")])
def test_a_new_one_has_a_name_and_an_environment_that_the_server_takes(name: str, environment: str) -> None:
    refused(lambda: wanted.check_new(TARGET._replace(name=name, environment=environment)))
    wanted.check_new(TARGET)
