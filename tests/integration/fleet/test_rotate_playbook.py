# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that rotates one: by id or name, with the answers of a survey, ending with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import Run, Workspace
from support.server import environment, login, tokens_left

PLAYBOOK = "secretops.infisical.rotate"
#: What a survey asks and nobody answered.
BLANK = dict.fromkeys(
    ("rotate_project", "rotate_environment", "rotate_secret_path", "rotate_min_age", "rotate_dry_run"), ""
)


class Unsafe(str):
    """As Tower writes an extra variable."""

    __slots__ = ()


class Dumper(yaml.SafeDumper):
    pass


Dumper.add_representer(Unsafe, lambda dumper, value: dumper.represent_scalar("!unsafe", str(value)))


def run(workspace: Workspace, simulator: Simulator, variables: dict[str, Any], *more: str, **env: str) -> Run:
    """With variables out of a file that is written as Tower does: text is !unsafe."""
    path = workspace.folder / "extra_vars.yml"
    marked = {name: Unsafe(value) if isinstance(value, str) else value for name, value in variables.items()}
    path.write_text(yaml.dump(marked, Dumper=Dumper), encoding="utf-8")
    command = ["ansible-playbook", PLAYBOOK, "-e", f"@{path}", *more]
    return workspace.command(command, {**environment(simulator), **env})


@pytest.mark.uncounted
def test_by_id_with_a_survey_left_blank(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()
    done = run(workspace, simulator, {"rotate_rotation": rotation["id"], **BLANK})
    assert done.returncode == 0, done.output
    assert simulator.rotations_done(rotation["id"]) == 1
    assert tokens_left(simulator) == []
    told = done.named("Say how it ended")["msg"]
    assert told.startswith(f"{rotation['name']}: Rotated: ")
    handed_on = done.named("Hand on what happened")["ansible_stats"]["data"]["secretops_infisical"]
    after = simulator.rotation(rotation["id"])
    assert handed_on == {
        "playbook": "rotate",
        "check_mode": "false",
        "summary": told,
        "counts": {"rotated": "1", "not_due": "0", "failed": "0"},
        "failures": [],
        "moments": {"lastRotatedAt": after["lastRotatedAt"], "nextRotationAt": after["nextRotationAt"]},
        "rotation": {
            "id": rotation["id"],
            "name": rotation["name"],
            "projectId": rotation["projectId"],
            "environment": rotation["environment"]["slug"],
            "secretPath": rotation["folder"]["path"],
            "clientSecret": rotation["secretsMapping"]["clientSecret"],
        },
    }


@pytest.mark.parametrize("project", ["id", pytest.param("slug", marks=pytest.mark.before_release)])
@pytest.mark.uncounted
def test_by_name(workspace: Workspace, simulator: Simulator, project: str) -> None:
    rotation, there = simulator.rotation(), simulator.state()["project"]
    answers = {
        "rotate_rotation": rotation["name"],
        "rotate_project": there[project],
        "rotate_environment": rotation["environment"]["slug"],
        "rotate_secret_path": rotation["folder"]["path"],
        # Text of a survey, which ansible-core 2.19 makes a number of.
        "rotate_min_age": "0",
        "rotate_dry_run": "no",
    }
    for _turn in range(2):
        done = run(workspace, simulator, answers)
        assert done.returncode == 0, done.output
    assert simulator.rotations_done(rotation["id"]) == 2


@pytest.mark.parametrize("how", ["survey", pytest.param("--check", marks=pytest.mark.before_release)])
def test_a_dry_run_rotates_nothing(workspace: Workspace, simulator: Simulator, how: str) -> None:
    rotation = simulator.rotation()
    answers = {"rotate_rotation": rotation["id"], "rotate_dry_run": "yes" if how == "survey" else ""}
    done = run(workspace, simulator, answers, *(["--check"] if how == "--check" else []))
    assert done.returncode == 0, done.output
    assert simulator.posts() == 0
    assert done.named("Say how it ended")["msg"].startswith(f"{rotation['name']}: Would rotate: ")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"rotate_rotation": " "}, "rotate_rotation"),
        pytest.param({"rotate_wait_timeout": "soon"}, "rotate_wait_timeout", marks=pytest.mark.before_release),
        pytest.param({"infisical_auth_method": "by_hand"}, "infisical_auth_method", marks=pytest.mark.before_release),
    ],
    ids=str,
)
def test_a_wrong_variable_fails_before_the_login(
    workspace: Workspace, simulator: Simulator, wrong: dict[str, str], named: str
) -> None:
    done = run(workspace, simulator, {"rotate_rotation": simulator.rotation()["id"], **wrong})
    assert done.returncode == 2, done.output
    refusal = done.named("Check the variables")
    assert named in refusal["msg"]
    assert refusal["reason"] == "invalid_arguments"
    assert simulator.log() == []


def test_a_failure_is_told_once_and_by_name(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()
    simulator.fault("status", path="rotate-secrets", status=403)
    done = run(workspace, simulator, {"rotate_rotation": rotation["id"]})
    assert done.returncode == 2, done.output
    failed = [result for result in done.results if result.status == "failed"]
    assert [result.task for result in failed] == ["Fail with the reason"]
    assert failed[0]["msg"].startswith(f"{rotation['name']}: Could not rotate")
    handed_on = done.named("Hand on what happened")["ansible_stats"]["data"]["secretops_infisical"]
    assert handed_on["failures"] == [failed[0]["msg"]]
    assert "secretsMapping" not in done.output, "no JSON"
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_no_secret_is_shown_however_it_was_given(workspace: Workspace, simulator: Simulator) -> None:
    options = login(simulator)
    given = {f"infisical_{option}": value for option, value in options.items()}
    answers = {"rotate_rotation": simulator.rotation()["id"], **given}
    blank = dict.fromkeys(environment(simulator), "")
    done = run(workspace, simulator, answers, "-vvvv", ANSIBLE_INJECT_INVOCATION="true", **blank)
    assert done.returncode == 0, done.output
    secrets = [token["accessToken"] for token in simulator.state()["tokens"]]
    secrets.append(options["universal_auth_client_secret"])
    assert not [secret for secret in secrets if secret in done.output]
