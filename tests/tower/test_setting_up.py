# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole set-up by the released modules of awx.awx, against a stand-in of AWX's API."""

from __future__ import annotations

import json

import pytest
from support.ansible import COLLECTION, Run, Workspace

from .awx_api import Awx
from .awx_objects import Refused
from .setting_up import CLIENT_SECRET, LOGIN, PASSWORD, PROJECT, run, way_to

GIVEN = {
    "tower_setup_project_url": PROJECT,
    "tower_setup_report_projects": "payments",
    "tower_setup_report_folder": "/srv/reports",
    "tower_setup_okta_url": "https://example.okta.com",
}
ALL = {
    "organizations": ["Default"],
    "credential_types": ["Infisical"],
    "credentials": ["Okta secrets: Infisical"],
    "execution_environments": ["Okta secrets: execution environment"],
    "projects": ["Okta secrets: playbooks"],
    "inventories": ["Okta secrets: consumers", "Okta secrets: localhost", "Okta secrets: rotations"],
    "hosts": ["localhost"],
    "inventory_sources": ["Okta secrets: consumers", "Okta secrets: rotations"],
    "job_templates": [
        "Okta secrets: handover",
        "Okta secrets: report",
        "Okta secrets: rotate one",
        "Okta secrets: rotate the fleet",
    ],
    "workflow_job_templates": ["Okta secrets: report and hand over"],
    "workflow_job_template_nodes": ["approve", "hand over", "report after", "report before"],
    "workflow_approval_templates": ["Okta secrets: approve the handover"],
    "schedules": ["Okta secrets: monthly"],
}


def changed(done: Run) -> list[str]:
    assert done.returncode == 0, done.output
    return [result.task for result in done.results if result.result.get("changed")]


def writes(awx: Awx) -> list[tuple[str, str]]:
    """What was asked to change, but for tokens."""
    return [(method, path) for method, path, _body in awx.log if method != "GET" and not path.startswith("tokens")]


def edges(awx: Awx) -> dict[str, list[str]]:
    nodes = awx.objects["workflow_job_template_nodes"]
    assert not [node for node in nodes.values() if node["failure_nodes"] or node["always_nodes"]]
    return {
        node["identifier"]: [nodes[number]["identifier"] for number in node["success_nodes"]] for node in nodes.values()
    }


def test_a_second_run_changes_nothing_and_all_of_it_can_be_removed(workspace: Workspace, awx: Awx) -> None:
    theirs = awx.add("projects", name="theirs", organization=1)
    awx.add("inventories", name="theirs", organization=1)
    before = awx.names()
    first = run(workspace, awx, "-vvvv", "-e", json.dumps(GIVEN))
    assert len(changed(first)) == 12
    assert first.named("Say how it ended")["msg"] == (
        "Tower is set up: 4 job templates, a workflow, and a schedule, which rests until you turn it on. Begin with "
        "the job template Okta secrets: report."
    )
    made = {kind: [name for name in names if name != "theirs"] for kind, names in awx.names().items()}
    assert made == ALL
    assert edges(awx) == {
        "report before": ["approve"],
        "approve": ["hand over"],
        "hand over": ["report after"],
        "report after": [],
    }
    assert awx.named("credentials", "Okta secrets: Infisical")["inputs"] == {
        "url": "https://infisical.example.com",
        "client_id": "8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b",
        "client_secret": CLIENT_SECRET,
    }
    host = json.loads(awx.named("hosts", "localhost")["variables"])
    assert host == {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    report = awx.named("job_templates", "Okta secrets: report")
    assert json.loads(report["extra_vars"])["report_prometheus"] == "/srv/reports/rotations.prom"
    assert awx.surveys[report["id"]]["spec"][0]["default"] == "payments"
    fleet = awx.named("job_templates", "Okta secrets: rotate the fleet")
    assert [name for name, value in fleet.items() if name.startswith("ask_") and value] == [
        "ask_limit_on_launch",
        "ask_job_type_on_launch",
    ]
    assert fleet["job_slice_count"] == 1
    assert "delivers nothing" in fleet["description"]
    schedule = awx.named("schedules", "Okta secrets: monthly")
    assert (schedule["enabled"], schedule["extra_data"]) == (False, {"rotate_min_age": "25d"})
    # Every field that the modules sent is one of AWX's.
    assert awx.strangers == set()

    # Secrets: in the one request that stores them, and nowhere else.
    holding = [path for _method, path, body in awx.log if CLIENT_SECRET in json.dumps([path, body], ensure_ascii=False)]
    assert holding == ["credentials/"]
    assert PASSWORD not in json.dumps(awx.log, ensure_ascii=False)
    assert not [secret for secret in (CLIENT_SECRET, PASSWORD) if secret in first.output]
    assert awx.tokens == {}

    # What the team turned on stays on, and what it wrote into the credential stays there.
    schedule["enabled"] = True
    awx.named("credentials", "Okta secrets: Infisical")["inputs"]["skip_verify"] = True
    awx.log.clear()
    assert changed(run(workspace, awx, "-e", json.dumps(GIVEN), env={"INFISICAL_TOKEN": "x"})) == []
    assert changed(run(workspace, awx, "--check", "-e", json.dumps(GIVEN))) == []
    assert writes(awx) == []
    assert schedule["enabled"] is True

    gone = run(workspace, awx, "-e", "tower_setup_state=absent")
    assert len(changed(gone)) == 7
    assert gone.named("Say how it ended")["msg"] == "What this playbook made in Tower is removed."
    assert awx.names() == before
    assert awx.objects["projects"][theirs["id"]]["name"] == "theirs"
    assert changed(run(workspace, awx, "-e", "tower_setup_state=absent")) == []


def test_what_others_have_built_on_stays(workspace: Workspace, awx: Awx) -> None:
    """Set up as the skeleton does it, with an inventory and a credential of the team's own."""
    awx.add("inventories", name="our servers", organization=1)
    kind = {"kind": "net", "inputs": {"required": [], "fields": []}}
    machine = awx.add("credential_types", name="Machine", **kind)
    awx.add("credentials", name="ssh", organization=1, credential_type=machine["id"])
    own = {"tower_setup_consumers_inventory": "our servers", "tower_setup_consumers_credential": "ssh"}
    skeleton = str(COLLECTION / "examples" / "tower" / "tower.yml")
    done = workspace.command(["ansible-playbook", skeleton, "-e", json.dumps(own)], {**way_to(awx), **LOGIN})
    assert done.returncode == 0, done.output
    assert awx.names()["inventories"] == ["Okta secrets: localhost", "Okta secrets: rotations", "our servers"]
    handover = awx.named("job_templates", "Okta secrets: handover")
    credentials = {awx.objects["credentials"][number]["name"] for number in handover["credentials"]}
    assert credentials == {"Okta secrets: Infisical", "ssh"}
    assert awx.objects["inventories"][handover["inventory"]]["name"] == "our servers"
    assert handover["extra_vars"] == "{}"

    project = awx.named("projects", "Okta secrets: playbooks")
    localhost = awx.named("inventories", "Okta secrets: localhost")
    built = awx.add(
        "job_templates", name="built on it", project=project["id"], inventory=localhost["id"], playbook="rotate.yml"
    )
    login = awx.named("credentials", "Okta secrets: Infisical")
    awx.objects["job_templates"][built["id"]]["credentials"] = [login["id"]]
    workflow = awx.add("workflow_job_templates", name="their workflow", organization=1)
    report = awx.named("job_templates", "Okta secrets: report")
    awx.add(
        "workflow_job_template_nodes",
        identifier="first",
        workflow_job_template=workflow["id"],
        unified_job_template=report["id"],
    )
    gone = run(workspace, awx, "-e", "tower_setup_state=absent")
    assert gone.returncode == 0, gone.output
    assert gone.named("Say how it ended")["msg"] == (
        "What this playbook made in Tower is removed. What others use stays: Okta secrets: report, by their workflow; "
        "Okta secrets: localhost, by built on it; Okta secrets: playbooks, by built on it; Okta secrets: execution "
        "environment, by Okta secrets: report; Okta secrets: Infisical, by built on it; Infisical, by Okta secrets: "
        "Infisical."
    )
    assert awx.names() == {
        "organizations": ["Default"],
        "credential_types": ["Infisical", "Machine"],
        "credentials": ["Okta secrets: Infisical", "ssh"],
        "execution_environments": ["Okta secrets: execution environment"],
        "projects": ["Okta secrets: playbooks"],
        "inventories": ["Okta secrets: localhost", "our servers"],
        "hosts": ["localhost"],
        "job_templates": ["Okta secrets: report", "built on it"],
        "workflow_job_templates": ["their workflow"],
        "workflow_job_template_nodes": ["first"],
    }


def test_the_credential_is_written_anew_where_that_is_asked_for(workspace: Workspace, awx: Awx) -> None:
    """First without a login, which is told; then with one of another kind."""
    given = {"tower_setup_project_url": PROJECT, "tower_setup_prefix": "Other"}
    without = {name: "" for name in LOGIN if name != "INFISICAL_URL"}
    ca = workspace.folder / "ca.pem"
    ca.write_text("an authority\n", encoding="utf-8")
    done = run(workspace, awx, "-e", json.dumps(given), env=without)
    assert done.named("Say how it ended")["msg"].endswith(
        "Its credential Other: Infisical cannot log in yet: the environment named no login. Fill it in."
    )
    again = {**given, "tower_setup_update_credential": True}
    login = {**without, "INFISICAL_TOKEN": CLIENT_SECRET, "INFISICAL_CA_PATH": "ca.pem"}
    assert changed(run(workspace, awx, "-e", json.dumps(again), env=login)) == ["Make the credential"]
    assert awx.named("credentials", "Other: Infisical")["inputs"] == {
        "url": "https://infisical.example.com",
        "token": CLIENT_SECRET,
        "ca": "an authority",
    }


NO_COLLECTION = {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false", "ANSIBLE_COLLECTIONS_PATH": "collections"}
WHICH_TOWER = "Which Tower is meant, and who are you there? Set CONTROLLER_HOST, and CONTROLLER_OAUTH_TOKEN or"


@pytest.mark.parametrize(
    ("given", "env", "told"),
    [
        (
            {},
            NO_COLLECTION,
            "The collection awx.awx is not installed where this ansible-playbook looks for collections.",
        ),
        ({}, {"CONTROLLER_HOST": ""}, WHICH_TOWER),
        ({}, {"CONTROLLER_PASSWORD": ""}, WHICH_TOWER),
        (
            {"tower_setup_project_url": PROJECT},
            {"CONTROLLER_PASSWORD": "wrong"},
            "Failed to get token: HTTP Error 401: Unauthorized",
        ),
        (
            {"tower_setup_state": "absent"},
            {"CONTROLLER_PASSWORD": "wrong"},
            "Tower cannot be asked: Failed to get token: HTTP Error 401: Unauthorized. Nothing was changed.",
        ),
        ({}, {}, "tower_setup_project_url is missing: the git repository with the playbooks of the job templates."),
        (
            {"tower_setup_project_url": f"https://robot:{CLIENT_SECRET}@git.example.com/a.git"},
            {},
            "tower_setup_project_url holds a password, which Tower would show.",
        ),
        (
            {"tower_setup_project_url": PROJECT},
            {"INFISICAL_URL": ""},
            "The server of Infisical is missing: set INFISICAL_URL in the environment, or tower_setup_infisical_url.",
        ),
        ({"tower_setup_state": "gone"}, {}, "value of tower_setup_state must be one of: present, absent, got: gone"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_changed(
    workspace: Workspace, awx: Awx, given: dict[str, str], env: dict[str, str], told: str
) -> None:
    link = workspace.folder / "collections" / "ansible_collections" / "secretops" / "infisical"
    link.parent.mkdir(parents=True)
    link.symlink_to(COLLECTION)
    done = run(workspace, awx, "-e", json.dumps(given), env=env)
    assert done.returncode == 2, done.output
    failed = [result for result in done.results if result.status == "failed"]
    assert len(failed) == 1
    assert told in failed[0]["msg"]
    assert writes(awx) == []
    assert awx.tokens == {}


def test_check_mode_before_the_first_run(workspace: Workspace, awx: Awx) -> None:
    done = run(workspace, awx, "--check", "-e", f"tower_setup_project_url={PROJECT}")
    assert done.returncode == 2, done.output
    assert "Check mode compares with a Tower that is set up, and this one is not yet." in done.output
    assert writes(awx) == []


def test_the_stand_in_refuses_what_awx_refuses(awx: Awx) -> None:
    """Else the set-up would prove nothing."""
    inputs = {"required": ["url"], "fields": [{"id": "url", "label": "URL", "type": "string"}]}
    kind = awx.add("credential_types", name="A", kind="cloud", inputs=inputs)
    with pytest.raises(Refused, match="undefined fields"):
        awx.add("credentials", name="B", credential_type=kind["id"], inputs={"uri": "x"})
    awx.add("credentials", name="B", credential_type=kind["id"], inputs={"url": "x"})
    stored = awx.named("credential_types", "A")
    with pytest.raises(Refused, match="Modifications to inputs are not allowed"):
        awx.write("credential_types", stored, {"inputs": {"required": [], "fields": []}})
    with pytest.raises(Refused, match="in use cannot be deleted"):
        awx.delete("credential_types", stored)
    with pytest.raises(Refused, match="ANSIBLE_CONFIG"):
        awx.add("credential_types", name="C", kind="cloud", inputs=inputs, injectors={"env": {"ANSIBLE_CONFIG": "x"}})
    with pytest.raises(Refused, match="Not a valid bool"):
        awx.add("projects", name="D", scm_clean="no")
