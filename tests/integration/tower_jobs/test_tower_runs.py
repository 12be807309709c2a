# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates of Tower through ansible-runner: answers of their surveys, what a job leaves, what it hands on."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.release import __version__
from simulator.client import Simulator
from support.ansible import LOCAL, Workspace
from support.leaks import forms
from support.server import tokens_left
from support.tower import PROJECT_ID, Job, Tower, localhost, questions, tower_for

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]

#: From then on !unsafe text is what YAML makes of it.
TYPED = tuple(int(part) for part in __version__.split(".")[:2]) >= (2, 19)
APPLICATION = "/etc/app"


@pytest.fixture
def tower(workspace: Workspace, simulator: Simulator) -> Tower:
    return tower_for(simulator, workspace)


def answers(playbook: str, how: str, **required: Any) -> dict[str, Any]:
    """Those of the survey: left blank, or what it offers. The required ones are given."""
    asked = {each["variable"]: each for each in questions(playbook)}
    given = {name: "" if how == "blank" else each.get("default", "") for name, each in asked.items()}
    return {**given, **required}


def consumers(tower: Tower, simulator: Simulator) -> dict[str, Any]:
    """The example's, with a file on this machine in place of theirs."""
    there = tower.folder / "application"
    there.mkdir()
    (there / "okta.env").write_text("OKTA_CLIENT_SECRET=before\n", encoding="utf-8")
    tower.configure("consumers.yml", APPLICATION, str(there))
    tower.configure("consumers.yml", "https://example.okta.com", simulator.okta_url)
    inventory = tower.sync("consumers.yml")
    for variables in inventory["_meta"]["hostvars"].values():
        variables.update(LOCAL)
    return inventory


def secrets(simulator: Simulator) -> dict[str, str]:
    """Every token that there ever was, the identity's secret, every secret of Okta."""
    state = simulator.state()
    found = {f"token {token['id']}": token["accessToken"] for token in state["tokens"]}
    found["client secret"] = state["identity"]["clientSecret"]
    for client_id, application in state["okta"].items():
        for secret in application["secrets"]:
            found[f"secret {secret['id']} of {client_id}"] = secret["client_secret"]
    return found


def leaks(job: Job, found: dict[str, str]) -> list[str]:
    """Where in the job's folder, but for the two places in which Tower keeps the environment itself."""
    own = {job.folder / "env" / "envvars", *job.folder.glob("artifacts/*/command")}
    written = {name: forms(secret) for name, secret in found.items()}
    files = [path for path in job.folder.rglob("*") if path.is_file() and path not in own]
    # What the collection's own link leads to is no part of what a job leaves.
    assert len(files) > 20
    return [
        f"{path.relative_to(job.folder)}: {name} ({how})"
        for path in files
        for content in [path.read_bytes()]
        for name, ways in written.items()
        for form, how in ways.items()
        if form in content
    ]


HOW = pytest.mark.parametrize("how", ["blank", "defaults"])


def launched(
    tower: Tower,
    simulator: Simulator,
    how: str,
    playbook: str,
    inventory: dict[str, Any],
    *,
    check: bool = False,
    **given: Any,
) -> Job:
    """With the answers of the survey. One of its defaults tells all that it can, and no secret is in what it leaves:
    events, output, artifacts, facts. The environment, with what the credential gave, is stored by ansible-runner.
    """
    verbosity = 4 if how == "defaults" else 0
    job = tower.launch(playbook, inventory, answers(playbook, how, **given), check=check, verbosity=verbosity)
    assert job.status == "successful", job.stdout
    if verbosity:
        found = secrets(simulator)
        assert len(found) >= 3
        assert len(job.events) > 10
        assert leaks(job, found) == []
        (stored,) = job.folder.glob("artifacts/*/command")
        text = stored.read_text(encoding="utf-8")
        assert [name for name, secret in found.items() if secret in text] == ["client secret"]
    return job


@HOW
def test_rotate_one(tower: Tower, simulator: Simulator, how: str) -> None:
    job = launched(tower, simulator, how, "rotate.yml", localhost(), rotate_rotation=simulator.rotation()["id"])
    assert simulator.rotations_done() == 1
    assert job.told["summary"] == "okta-payments: Rotated: last rotated 40 days ago, at least min_age 5 minutes."
    assert job.told["summary"] in job.stdout
    assert tokens_left(simulator) == []


@HOW
def test_rotate_the_fleet(tower: Tower, simulator: Simulator, how: str) -> None:
    tower.configure("fleet.okta_rotations.yml", PROJECT_ID, simulator.state()["project"]["id"])
    job = launched(tower, simulator, how, "rotate_fleet.yml", tower.sync())
    assert simulator.rotations_done() == 1
    assert job.told["summary"] == "1 rotated, 0 not due, 0 failed, 0 not attempted."
    assert tokens_left(simulator) == []


@HOW
def test_a_dry_run_of_the_handover(tower: Tower, simulator: Simulator, how: str) -> None:
    required = {
        "handover_rotation_id": simulator.rotation()["id"],
        "handover_consumers_count": 2,
        # The question has no blank answer.
        "handover_rotate": "no",
    }
    job = launched(tower, simulator, how, "handover.yml", consumers(tower, simulator), check=True, **required)
    assert simulator.posts() == 0
    assert "Delivered only, not rotated: handover_rotate is false." in job.stdout
    assert (tower.folder / "application" / "okta.env").read_text() == "OKTA_CLIENT_SECRET=before\n"


def with_server() -> dict[str, Any]:
    """Localhost, and a host that has the page published."""
    inventory = localhost()
    inventory["_meta"]["hostvars"]["web"] = LOCAL
    return {**inventory, "report_servers": {"hosts": ["web"]}}


@HOW
def test_the_report(tower: Tower, simulator: Simulator, how: str) -> None:
    page = tower.folder / "published.html"
    given: dict[str, Any] = {"report_projects": "payments", "report_publish_path": str(page)}
    job = launched(tower, simulator, how, "report.yml", with_server(), **given)
    assert job.told["counts"]["rotations"] == "1"
    assert "okta-payments" in page.read_text(encoding="utf-8")
    assert simulator.posts() == 0


def test_a_report_that_fails_because_of_what_it_found_is_published(tower: Tower) -> None:
    """Just then it is wanted. Of several answers Tower makes a list."""
    page = tower.folder / "published.html"
    chosen = {"report_projects": "payments", "report_fail_on": ["overdue", "failed"]}
    given = {**answers("report.yml", "blank", **chosen), "report_publish_path": str(page)}
    job = tower.launch("report.yml", with_server(), given)
    assert job.status == "failed", job.stdout
    assert job.told["counts"]["overdue"] == "1"
    assert page.read_bytes() == (job.folder / "project" / "okta-secrets.html").read_bytes()


def test_an_answer_of_nought_is_none_that_is_left_out(tower: Tower, simulator: Simulator) -> None:
    """Typed at a launch, and handed on by a workflow."""
    for number in (0, "0"):
        given = answers("rotate.yml", "blank", rotate_rotation=simulator.rotation()["id"], rotate_min_age=number)
        job = tower.launch("rotate.yml", localhost(), given)
        assert job.status == "successful", job.stdout
    assert simulator.rotations_done() == 2


@pytest.mark.parametrize("wrong", ["1e3", "2026-01-01", "False"])
def test_an_answer_that_yaml_makes_something_else_of_is_refused(tower: Tower, simulator: Simulator, wrong: str) -> None:
    given = answers("rotate.yml", "blank", rotate_rotation=simulator.rotation()["id"], rotate_min_age=wrong)
    job = tower.launch("rotate.yml", localhost(), given)
    assert job.status == "failed", job.stdout
    assert "min_age" in job.stdout
    assert simulator.log() == []


def rotated_by_name(tower: Tower, made: dict[str, Any]) -> Job:
    required = {
        "rotate_rotation": made["name"],
        "rotate_project": "payments",
        "rotate_environment": made["environment"]["slug"],
        "rotate_secret_path": made["folder"]["path"],
    }
    return tower.launch("rotate.yml", localhost(), answers("rotate.yml", "blank", **required))


@pytest.mark.parametrize("name", ["0", "1e3", "2026-01-01"])
def test_a_name_that_looks_like_something_else_is_found(tower: Tower, simulator: Simulator, name: str) -> None:
    made = simulator.add_rotation(name=name)
    job = rotated_by_name(tower, made)
    assert job.status == "successful", job.stdout
    assert simulator.rotations_done(made["id"]) == 1


@pytest.mark.parametrize("name", ["on", "0123"])
def test_a_name_that_yaml_changes_needs_the_id(tower: Tower, simulator: Simulator, name: str) -> None:
    """From ansible-core 2.19 on nobody can know what was typed. It is not found, and nothing else is rotated."""
    made = simulator.add_rotation(name=name)
    job = rotated_by_name(tower, made)
    assert job.status == ("failed" if TYPED else "successful"), job.stdout
    assert simulator.posts() == (0 if TYPED else 1)


NEXT = [
    {
        "name": "Next",
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "name": "See",
                "ansible.builtin.debug": {
                    "msg": {
                        "summary": "{{ secretops_infisical.summary | type_debug }}",
                        "rotated": "{{ secretops_infisical.counts.rotated | string }}",
                        "moment": "{{ secretops_infisical.moments.lastRotatedAt | string }}",
                        "id": "{{ secretops_infisical.rotation.id | string }}",
                    }
                },
            }
        ],
    }
]


def test_what_the_next_job_of_a_workflow_gets(tower: Tower, simulator: Simulator) -> None:
    """Texts stay texts, except that from ansible-core 2.19 on a moment is one: ``| string`` shows it with a space."""
    rotation = simulator.rotation()["id"]
    given = answers("rotate.yml", "defaults", rotate_rotation=rotation)
    first = tower.launch("rotate.yml", localhost(), given)
    (tower.project / "next.yml").write_text(yaml.safe_dump(NEXT), encoding="utf-8")
    seen = tower.launch("next.yml", localhost(), first.artifacts).result("See")["msg"]
    moment = simulator.rotation()["lastRotatedAt"]
    assert seen.pop("summary") in {"_AnsibleTaggedStr", "AnsibleUnsafeText", "str"}
    shown = f"{moment[:10]} {moment[11:23]}000+00:00" if TYPED else moment
    assert seen == {"rotated": "1", "moment": shown, "id": rotation}
    # A job of ours is not disturbed by them.
    second = tower.launch("rotate.yml", localhost(), {**first.artifacts, **given})
    assert second.status == "successful", second.stdout
    assert second.told["counts"] == {"rotated": "0", "not_due": "1", "failed": "0"}
    assert second.told["moments"]["lastRotatedAt"] == moment


def test_an_inventory_update_without_the_skeleton_s_settings(tower: Tower) -> None:
    """Why the project has an ansible.cfg."""
    with pytest.raises(RuntimeError, match=PROJECT_ID):
        tower.sync()
    (tower.project / "ansible.cfg").unlink()
    with pytest.raises(RuntimeError, match="plugin" if TYPED else PROJECT_ID):
        tower.sync()
