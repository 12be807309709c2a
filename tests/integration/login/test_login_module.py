# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""login and logout through ansible-playbook, as modules and in the controller's process."""

from __future__ import annotations

from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import login, tokens_left

LOGIN, LOGOUT = "secretops.infisical.login", "secretops.infisical.logout"
CENSORED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.fixture(
    params=[pytest.param("0", marks=pytest.mark.before_release), "1"], ids=["as modules", "in the controller's process"]
)
def env(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"SECRETOPS_INFISICAL_IN_PROCESS": str(request.param)}


def shared(rotation_id: str, credentials: dict[str, Any]) -> list[dict[str, Any]]:
    """One login for a rotation and a logout, by the defaults of the action group."""
    return [
        {"name": "login", LOGIN: credentials, "register": "infisical"},
        {
            "module_defaults": {
                "group/secretops.infisical.all": {"login_data": "{{ infisical.login_data }}", "revoke_token": True}
            },
            "block": [
                {"name": "rotate", MODULE: {"rotation_id": rotation_id}},
                {"name": "logout", LOGOUT: None},
            ],
        },
    ]


@pytest.mark.before_release
@pytest.mark.counted
def test_check_mode_of_a_whole_play(workspace: Workspace, simulator: Simulator, env: dict[str, str]) -> None:
    tasks = shared(simulator.rotation()["id"], login(simulator))
    checked = workspace.tasks(tasks, "--check", env=env)
    assert checked.returncode == 0, checked.output
    assert checked.named("rotate")["outcome"] == "would_rotate"
    changes = {result.task: result["changed"] for result in checked.results}
    assert changes == {"login": False, "rotate": True, "logout": True}
    # Check mode made a token that only its end revokes; nothing else was made.
    assert (simulator.posts(), len(tokens_left(simulator))) == (0, 1)
    assert checked.named("login")["auth_method"] == "universal_auth"
    done = workspace.tasks(tasks, env=env)
    assert {result.task: result["changed"] for result in done.results} == changes
    assert (simulator.posts(), len(tokens_left(simulator))) == (1, 1)


def test_a_given_token_passes_through_unharmed(workspace: Workspace, simulator: Simulator, env: dict[str, str]) -> None:
    token = simulator.mint_token()
    given = {"url": simulator.url, "token": token}
    tasks = shared(simulator.rotation()["id"], given)
    run = workspace.tasks(tasks, "-vvv", env={**env, "ANSIBLE_INJECT_INVOCATION": "true"})
    assert run.returncode == 0, run.output
    result = run.named("login")
    assert result["login_data"] == {
        "url": simulator.url,
        "access_token": token,
        "expires_in": 0,
        "auth_method": "token_auth",
        "identity": "",
    }
    assert result["auth_method"] == "token_auth"
    assert f'"token": "{CENSORED}"' in run.stdout
    assert run.named("rotate")["outcome"] == "rotated"
    assert f'"access_token": "{CENSORED}"' in run.stdout
    # The result of login alone holds the token.
    shown = [line.strip().rstrip(",") for line in run.stdout.splitlines() if token in line]
    assert shown == [f'"access_token": "{token}"']
    assert run.named("logout")["changed"]


@pytest.mark.uncounted
def test_what_another_login_censored_is_recognised(
    workspace: Workspace, simulator: Simulator, env: dict[str, str]
) -> None:
    tasks = [
        {
            "name": token,
            MODULE: {
                "rotation_id": simulator.rotation()["id"],
                "login_data": {"url": simulator.url, "access_token": token},
            },
            "ignore_errors": True,
        }
        for token in (CENSORED, "<check_mode_token>")
    ]
    run = workspace.tasks(tasks, env=env)
    assert [result["reason"] for result in run.results] == ["invalid_arguments"] * 2
    assert "secretops.infisical.login, which passes it on" in run.results[0]["msg"]
    assert "secretops.infisical.login, which does" in run.results[1]["msg"]
    assert simulator.log() == []
