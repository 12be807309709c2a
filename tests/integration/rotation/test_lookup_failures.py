# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lookup says where no credentials come."""

from __future__ import annotations

from typing import Any

import pytest
from integration.rotation.lookups import BY_NAME, active, looked_up, refusal, refusals, value
from simulator.client import Simulator
from support.ansible import Workspace
from support.server import tokens_left

CREDENTIALS = "/generated-credentials"
NOBODY, OTHER = "3c90c3cc-0d44-4b50-8888-8dd25736052a", "11111111-0d44-4b50-8888-8dd25736052a"

#: Calls, and what is said of them. Of the first ones nothing is sent.
REFUSED = (
    ("''", "A term is empty"),
    ("'okta-payments'", "project_id or project_slug, environment is missing"),
    ("'okta', sorce='secret'", "no option sorce"),
    ("*[]", "No term is given"),
    ("5", "A term is empty or no string"),
    (f"'{NOBODY}', after=dict(id='{OTHER}', activeIndex=0, lastRotatedAt='2026-03-12T09:30:01Z')", "after is of"),
    (f"'{NOBODY}', timeout='soon'", "timeout is malformed"),
    (f"'okta-payments', {BY_NAME}, source='secret', all=true", "contradict"),
    (f"'okta-payments', {BY_NAME}, source='secrets'", "source is malformed"),
    (f"'okta-payments', {BY_NAME}, after='text'", "after is malformed"),
    (f"'okta-payments', {BY_NAME}, after=dict(id=1)", "after is no secretRotation"),
    (f"'okta-payments', {BY_NAME}, wait_timeout=-1", "wait_timeout is -1"),
)
FAILED = (
    ("'okta-payments', project_slug='payments', environment='dev'", "one of that name in prod:/okta"),
    ("'okta-payments', project_slug='payments', environment='prod'", "secret_path was left out"),
    (f"'{NOBODY}'", "HTTP 404"),
    (f"'okta-payments', {BY_NAME}, url='http://127.0.0.1:9'", "(reason: unreachable)"),
    (f"'okta-payments', {BY_NAME}, token='nonsense'", "(reason: authentication_failed)"),
    ("'okta-payments', project_slug='nobody', environment='prod'", "Could not find the project 'nobody'"),
)


@pytest.mark.before_release
def test_what_is_wrong_is_said(workspace: Workspace, simulator: Simulator) -> None:
    for calls in (REFUSED, FAILED):
        messages = refusals(workspace, simulator, [call for call, _told in calls])
        silent = [(call, message) for (call, told), message in zip(calls, messages, strict=True) if told not in message]
        assert silent == []
        if calls is REFUSED:
            assert [message for message in messages if "(reason: invalid_arguments)" not in message] == []
            assert simulator.log() == []
    assert tokens_left(simulator) == []


def test_a_login_that_was_refused_is_not_sent_again(workspace: Workspace, simulator: Simulator) -> None:
    call = f"'{NOBODY}', universal_auth_client_secret='wrong'"
    looked_up(workspace, simulator, call, call)
    assert len(simulator.log("login")) == 1


def test_no_credentials_go_to_the_vendor_for_want_of_a_url(workspace: Workspace, simulator: Simulator) -> None:
    assert "url is empty" in refusal(workspace, simulator, f"'{NOBODY}', token='own', url=' '", env={})


def test_a_variable_that_cannot_be_templated_is_named(workspace: Workspace, simulator: Simulator) -> None:
    message = refusal(workspace, simulator, "'okta'", vars={"infisical_url": "{{ missing }}"})
    assert "infisical_url" in message


@pytest.mark.parametrize(
    ("without", "call", "told"),
    [
        ([["read-generated-credentials", "secret-rotation"]], "", "read-generated-credentials"),
        ([["readValue", "secrets"]], ", source='secret'", "readValue"),
    ],
)
def test_a_right_that_is_missing_is_named(
    workspace: Workspace, simulator: Simulator, without: Any, call: str, told: str
) -> None:
    simulator.change_identity(simulator.state()["identity"]["id"], without=without)
    message = refusal(workspace, simulator, f"'okta-payments', {BY_NAME}{call}")
    assert told in message
    assert "(reason: permission_denied)" in message


def test_with_the_right_to_the_mapped_secret_alone(workspace: Workspace, simulator: Simulator) -> None:
    without = [["read-generated-credentials", "secret-rotation"]]
    simulator.change_identity(simulator.state()["identity"]["id"], without=without)
    run = looked_up(workspace, simulator, f"'okta-payments', {BY_NAME}, source='secret'")
    assert run.returncode == 0, run.output
    assert value(workspace) == active(simulator)


@pytest.mark.before_release
@pytest.mark.counted
def test_an_answer_that_is_none_is_refused(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()["id"]
    whole = {"clientId": "a", "clientSecret": "b", "secretId": "c"}
    bodies: list[dict[str, Any]] = [
        {},
        {"generatedCredentials": [], "activeIndex": 0},
        {"generatedCredentials": [{"clientId": "a"}], "activeIndex": 0},
        {"generatedCredentials": [whole], "activeIndex": 1},
        {"generatedCredentials": [whole], "activeIndex": 0, "rotationId": "other"},
    ]
    for body in bodies:
        simulator.fault("status", path=CREDENTIALS, status=200, body={"rotationId": rotation, **body})
    messages = refusals(workspace, simulator, [f"'{rotation}'"] * len(bodies))
    assert [message for message in messages if "(reason: invalid_response)" not in message] == []
