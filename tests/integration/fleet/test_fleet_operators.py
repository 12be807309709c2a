# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that rotates a fleet, as people run it: surveys, several servers, strategies, what is misspelt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import Run, Workspace
from support.server import environment, login, tokens_left

PLAYBOOK = "secretops.infisical.rotate_fleet"
PLUGIN = "secretops.infisical.okta_client_secret_rotations"
BLANKS = ("rotate_hosts", "rotate_min_age", "rotate_serial", "rotate_max_fail_percentage", "rotate_wait_timeout")


@pytest.fixture
def second(simulator: Simulator) -> Iterator[Simulator]:
    """Another server, with the same ids, as a staging that was restored from a backup."""
    simulator.rotation()
    with Simulator() as other:
        yield other


def fleet(simulator: Simulator, size: int, name: str = "app") -> tuple[str, list[str]]:
    project = simulator.add_project(f"project-{name}")["id"]
    made = simulator.add_rotations(size, projectId=project, name=name) if size else []
    return project, [rotation["id"] for rotation in made]


def inventory(workspace: Workspace, name: str, projects: dict[str, str], **options: Any) -> Path:
    path = workspace.folder / f"{name}.okta_rotations.yml"
    path.write_text(yaml.safe_dump({"plugin": PLUGIN, "projects": projects, **options}), encoding="utf-8")
    return path


def run(
    workspace: Workspace, env: dict[str, str], *inventories: Path, extra: Any = None, more: tuple[str, ...] = ()
) -> Run:
    command = ["ansible-playbook", PLAYBOOK, *[part for path in inventories for part in ("-i", str(path))], *more]
    return workspace.command([*command, "-e", json.dumps(extra or {})], env)


def told(done: Run) -> str:
    found: str = done.named("Summary")["msg"]
    return found


def failures(done: Run) -> dict[str, str]:
    return {result.host: result["msg"] for result in done.results if result.status == "failed"}


@pytest.mark.before_release
@pytest.mark.parametrize("blank", ["", None])
def test_blank_answers_of_a_survey(workspace: Workspace, simulator: Simulator, blank: str | None) -> None:
    project, _ids = fleet(simulator, 2)
    extra = {**dict.fromkeys(BLANKS, blank), "rotate_report": blank, "infisical_auth_method": blank}
    done = run(workspace, environment(simulator), inventory(workspace, "f", {"p": project}), extra=extra)
    assert done.returncode == 0, done.output
    assert told(done) == "2 rotated, 0 not due, 0 failed, 0 not attempted."


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotate_serial": "ten"},
        pytest.param({"rotate_report": "no/such/r.json"}, marks=pytest.mark.before_release),
        pytest.param({"rotate_min_age": "soon"}, marks=pytest.mark.before_release),
        pytest.param({"rotate_min_age": "{{ 'soon' | no_such_filter }}"}, marks=pytest.mark.before_release),
    ],
    ids=str,
)
def test_a_wrong_variable_fails_before_the_login(
    workspace: Workspace, simulator: Simulator, wrong: dict[str, Any]
) -> None:
    project, _ids = fleet(simulator, 1)
    source = inventory(workspace, "f", {"p": project})
    done = run(workspace, environment(simulator), source, extra=wrong)
    assert done.returncode == 2, done.output
    refusal = done.named("Check the variables")["msg"]
    assert next(iter(wrong)) in refusal or "no_such_filter" in refusal
    assert len(simulator.log("/login$", "POST")) == 1, "that of the inventory"
    assert simulator.posts() == 0
    assert tokens_left(simulator) == []


@pytest.mark.before_release
@pytest.mark.parametrize("hosts", ["fleet_of_another_name", "all:&overdu"])
def test_a_misspelt_pattern_is_no_success(workspace: Workspace, simulator: Simulator, hosts: str) -> None:
    project, _ids = fleet(simulator, 1)
    source = inventory(workspace, "f", {"p": project})
    done = run(workspace, environment(simulator), source, extra={"rotate_hosts": hosts})
    assert done.returncode != 0
    assert "which is no group and no host" in " ".join(done.output.split())
    assert simulator.posts() == 0


@pytest.mark.before_release
def test_refused_credentials_with_a_pattern(workspace: Workspace, simulator: Simulator) -> None:
    """That nothing was read must not look like nothing to do."""
    project, _ids = fleet(simulator, 2)
    source = inventory(workspace, "f", {"p": project})
    env = {**environment(simulator), "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "wrong"}
    done = run(workspace, env, source, extra={"rotate_hosts": "overdue"})
    assert done.returncode != 0, done.output
    assert simulator.posts() == 0


@pytest.mark.before_release
def test_one_of_two_inventories_cannot_be_read(workspace: Workspace, simulator: Simulator) -> None:
    project, _ids = fleet(simulator, 1)
    sources = [inventory(workspace, "f", {"p": project}), inventory(workspace, "g", {"p": project}, enviroment=["x"])]
    done = run(workspace, environment(simulator), *sources)
    assert done.returncode == 2, done.output
    assert "g.okta_rotations.yml" in done.named("Check the variables")["msg"]
    assert simulator.posts() == 0


@pytest.mark.before_release
def test_an_empty_fleet_says_so(workspace: Workspace, simulator: Simulator) -> None:
    project, _ids = fleet(simulator, 0)
    done = run(workspace, environment(simulator), inventory(workspace, "f", {"p": project}))
    assert done.returncode == 0, done.output
    assert told(done) == "There is nothing to rotate: no rotation was selected."


@pytest.mark.before_release
@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_any_strategy_of_the_configuration(workspace: Workspace, simulator: Simulator, strategy: str) -> None:
    project, ids = fleet(simulator, 4)
    env = {**environment(simulator), "ANSIBLE_STRATEGY": f"ansible.builtin.{strategy}"}
    done = run(workspace, env, inventory(workspace, "f", {"p": project}))
    assert done.returncode == 0, done.output
    assert [simulator.rotations_done(each) for each in ids] == [1] * 4
    assert len(simulator.log("/login$", "POST")) == 2, "one for the inventory, one for all rotations"
    assert tokens_left(simulator) == []


@pytest.mark.parametrize(
    "in_file", [False, pytest.param(True, marks=pytest.mark.before_release)], ids=["group variables", "inventory file"]
)
@pytest.mark.uncounted
def test_two_servers_with_the_same_ids(
    workspace: Workspace, simulator: Simulator, second: Simulator, in_file: bool
) -> None:
    """Each rotation is asked of its own server, and the environment's credentials go to the one that it names."""
    sources, ids = [], []
    for name, server in (("a", simulator), ("b", second)):
        shared = {"id": "5d0f2a40-0000-4000-8000-000000000001"}
        project = server.add_project("payments")["id"]
        ids.append(server.add_rotation(projectId=project, name="app", **shared)["id"])
        options = {"url": server.url} if name == "a" else login(server)
        sources.append(inventory(workspace, name, {name: project}, **options))
    if not in_file:
        own = {f"infisical_{option}": value for option, value in login(second).items()}
        folder = workspace.folder / "group_vars"
        folder.mkdir()
        (folder / "project_b.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    done = run(workspace, environment(simulator), *sources)
    assert done.returncode == 0, done.output
    assert told(done).startswith("2 rotated, 0 not due, 0 failed, 0 not attempted.")
    for server, rotation_id in zip((simulator, second), ids, strict=True):
        assert server.rotations_done(rotation_id) == 1
        assert tokens_left(server) == []


@pytest.mark.before_release
def test_a_second_server_without_credentials_fails_before_the_login(
    workspace: Workspace, simulator: Simulator, second: Simulator
) -> None:
    project, _ids = fleet(simulator, 1)
    source = inventory(workspace, "a", {"p": project}, url=simulator.url)
    stray = workspace.folder / "hosts.yml"
    rotation_id = second.rotation()["id"]
    hosts = {"stray": {"rotation_id": rotation_id, "infisical_url": second.url, "ansible_connection": "local"}}
    stray.write_text(yaml.safe_dump({"okta_client_secret_rotations": {"hosts": hosts}}), encoding="utf-8")
    done = run(workspace, environment(simulator), source, stray)
    assert done.returncode == 2, done.output
    assert f"There are no credentials for {second.url}" in done.named("Check the variables")["msg"]
    assert simulator.posts() == second.posts() == 0
    assert second.log("/login$") == []


@pytest.mark.before_release
def test_one_project_under_two_names_is_rotated_once(workspace: Workspace, simulator: Simulator) -> None:
    project, ids = fleet(simulator, 2)
    source = inventory(workspace, "f", {"p": project, "q": project})
    done = run(workspace, environment(simulator), source, extra={"rotate_min_age": 0})
    assert done.returncode == 0, done.output
    assert [simulator.rotations_done(each) for each in ids] == [1, 1]
    assert told(done).startswith("2 rotated, 0 not due, 0 failed, 0 not attempted, 2 the same as another.")


@pytest.mark.before_release
def test_the_canary_is_one_that_is_due(workspace: Workspace, simulator: Simulator) -> None:
    """The first by name was rotated just now, and the others would fail."""
    project, ids = fleet(simulator, 6)
    source = inventory(workspace, "f", {"p": project})
    assert run(workspace, environment(simulator), source, more=("--limit", "app-00001*")).returncode == 0
    simulator.fault("status", path="rotate-secrets", times=0, status=403)
    done = run(workspace, environment(simulator), source)
    assert done.returncode == 2, done.output
    assert told(done).startswith("0 rotated, 0 not due, 1 failed, 5 not attempted.")
    assert simulator.posts() == 2
    assert simulator.rotations_done(ids[0]) == 1


@pytest.mark.before_release
def test_a_revocation_that_fails_is_told(workspace: Workspace, simulator: Simulator) -> None:
    project, _ids = fleet(simulator, 2)
    # The first one is the inventory's.
    simulator.fault("status", path="token/revoke", after=1, times=0, status=403)
    done = run(
        workspace,
        environment(simulator),
        inventory(workspace, "f", {"p": project}),
        extra={"rotate_report": "r.json", "rotate_wait_timeout": 5},
    )
    assert done.returncode == 2, done.output
    assert told(done).startswith("2 rotated, 0 not due, 0 failed, 0 not attempted.")
    assert "may still be good" in failures(done)["app-00001.okta.prod.p"]
    report = json.loads((workspace.folder / "r.json").read_text(encoding="utf-8"))
    assert "may still be good" in report["problems"][0]


@pytest.mark.before_release
def test_a_project_that_cannot_be_listed_ends_the_run(workspace: Workspace, simulator: Simulator) -> None:
    project, _ids = fleet(simulator, 2)
    simulator.fault("status", path="okta-client-secret$", method="GET", after=1, times=0, status=403)
    done = run(workspace, environment(simulator), inventory(workspace, "f", {"p": project}))
    assert done.returncode == 2, done.output
    assert told(done).startswith("0 rotated, 0 not due, 0 failed, 2 not attempted.")
    why = failures(done)["app-00001.okta.prod.p"]
    assert f"Could not list the secret rotations of project {project}" in why
    assert simulator.posts() == 0
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_variables_of_an_importing_playbook_count(workspace: Workspace, simulator: Simulator) -> None:
    """They are the play's, of which hostvars know nothing."""
    project, _rotations = fleet(simulator, 2)
    path = inventory(workspace, "fleet", {"fleet": project})
    imported = {"import_playbook": PLAYBOOK, "vars": {"rotate_min_age": "100d"}}
    run = workspace.playbook([imported], "-i", str(path), env=environment(simulator))
    assert run.returncode == 0, run.output
    assert "0 rotated, 2 not due" in run.output
    assert simulator.posts() == 0
