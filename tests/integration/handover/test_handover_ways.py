# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a consumer takes a secret and how it is checked, way by way: idempotent, and in check mode without effect."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support import other_collections
from support.ansible import Run, Workspace
from support.handover import Handover

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]

#: It records what it is asked, and knows every unit.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>{calls}
case "$1" in show) echo "LoadState=loaded"; echo "ActiveState=active"; echo "UnitFileState=enabled";; esac
"""


@pytest.fixture
def handover(workspace: Workspace, simulator: Simulator) -> Handover:
    return Handover(workspace, simulator, "app", slots=2, activeIndex=1)


def deliver(handover: Handover, *arguments: str, **env: str) -> Run:
    run = handover.run("--diff", *arguments, rotate=False, env=env)
    assert run.returncode == 0, run.output
    assert handover.active not in run.output
    return run


def changed(run: Run) -> list[str]:
    return [result.task.rpartition(" : ")[2] for result in run.results if result["changed"]]


def take(handover: Handover, **options: Any) -> dict[str, Any]:
    handover.hosts["app"]["handover_take"] = options
    return options


def both_ways_round(handover: Handover, **env: str) -> None:
    """Check mode predicts and changes nothing, a run changes, a second one does not."""
    before = {path: path.read_bytes() for path in handover.workspace.folder.glob("app*") if path.is_file()}
    deliver(handover, "--check", **env)
    assert {path: path.read_bytes() for path in before} == before
    assert handover.restarted("app") == 0
    assert changed(deliver(handover, **env)) != []
    assert changed(deliver(handover, **env)) == []


def test_properties(handover: Handover) -> None:
    path = handover.path("app")
    path.write_text("# okta.secret = old\nokta.secret = old\nokta.id : x\nport 80\n", encoding="utf-8")
    keys = {"client_secret_key": "okta.secret", "client_id_key": "okta.id"}
    take(handover, way="env_file", path=str(path), format="properties", mode="0640", **keys)
    handover.hosts["app"]["handover_check"] = {"way": "okta"}
    both_ways_round(handover)
    client_id = handover.rotation["parameters"]["clientId"]
    wanted = f"# okta.secret = old\nokta.secret = {handover.active}\nokta.id : {client_id}\nport 80\n"
    assert path.read_text(encoding="utf-8") == wanted
    assert path.stat().st_mode & 0o777 == 0o640
    assert handover.restarted("app") == 1


def test_template(handover: Handover) -> None:
    (handover.workspace.folder / "okta.json.j2").write_text(
        '{"id": "{{ handover_client_id }}", "secret": {{ handover_client_secret | to_json }}}\n', encoding="utf-8"
    )
    path = handover.workspace.folder / "app.json"
    source = str(handover.workspace.folder / "okta.json.j2")
    take(handover, way="template", src=source, path=str(path))
    handover.hosts["app"]["handover_check"] = {"way": "okta", "pattern": '"secret": "(.*?)"'}
    both_ways_round(handover)
    assert path.read_text(encoding="utf-8").endswith("}\n")
    assert json.loads(path.read_text(encoding="utf-8"))["secret"] == handover.active
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["credential", "drop-in"])
def test_systemd(handover: Handover, kind: str) -> None:
    folder = handover.workspace.folder
    calls = folder / "calls"
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "systemctl").write_text(SYSTEMCTL.format(calls=calls), encoding="utf-8")
    (bin_folder / "systemctl").chmod(0o755)
    if kind == "credential":
        options = {"credential": "okta", "credential_directory": str(folder / "credstore")}
        path, wanted = folder / "credstore" / "okta", handover.active
    else:
        options = {"client_secret_key": "OKTA_CLIENT_SECRET", "drop_in_directory": str(folder / "app.service.d")}
        path = folder / "app.service.d" / "okta-client-secret.conf"
        wanted = f'[Service]\nEnvironment="OKTA_CLIENT_SECRET={handover.active}"\n'
    take(handover, way="systemd", unit="app.service", **options)
    del handover.hosts["app"]["handover_restart"]
    handover.hosts["app"]["handover_check"] = {"way": "command", "argv": ["test", "-s", str(path)]}
    both_ways_round(handover, PATH=f"{bin_folder}:{handover.workspace.environment()['PATH']}")
    assert path.read_text(encoding="utf-8") == wanted
    assert path.stat().st_mode & 0o777 == 0o600
    orders = [line for line in calls.read_text(encoding="utf-8").splitlines() if not line.startswith(("show", "is-"))]
    assert [order.split()[0] for order in orders] == ["daemon-reload", "restart"]
    assert "app.service" in orders[1]


def test_a_command_reads_the_secret_from_its_standard_input(handover: Handover) -> None:
    store = handover.workspace.folder / "app.store"
    store.write_text("", encoding="utf-8")
    note = str(handover.workspace.folder / "app.note")
    take(handover, way="command", argv=["sh", "-c", f"cat >{store}; echo stored"], note=note)
    handover.hosts["app"]["handover_check"] |= {"argv": ["grep", "-q", ".", str(store)]}
    both_ways_round(handover)
    assert store.read_text(encoding="utf-8") == f"{handover.active}\n"
    # What it had comes back through the same command.
    older = list(handover.slots.values())[1]
    handover.hosts["app"]["handover_check"]["argv"] = ["grep", "-q", older, str(store)]
    Path(note).unlink()
    run = handover.run(rotate=False)
    assert run.returncode == 2, run.output
    assert store.read_text(encoding="utf-8") == f"{older}\n"
    assert handover.states()["app"] == ("failed", list(handover.slots)[1])


def test_a_task_file_of_ones_own(handover: Handover) -> None:
    """As for a consumer with Windows: everything is in it, and what it does is told by handover_taken."""
    path = handover.workspace.folder / "app.ini"
    tasks = [
        {
            "name": "Write it where the consumer reads it",
            "ansible.builtin.copy": {
                "content": "[okta]\nsecret = {{ handover_client_secret }}\n",
                "dest": str(path),
                "mode": "0600",
            },
            "register": "handover_taken",
        }
    ]
    (handover.workspace.folder / "take.yml").write_text(yaml.safe_dump(tasks), encoding="utf-8")
    check = [{"name": "Look", "ansible.builtin.command": f"grep -q secret {path}", "changed_when": False}]
    (handover.workspace.folder / "check.yml").write_text(yaml.safe_dump(check), encoding="utf-8")
    take(handover, way="tasks", file="take.yml")
    handover.hosts["app"]["handover_check"] = {"way": "tasks", "file": "check.yml"}
    playbook = handover.workspace.folder / "own.yml"
    playbook.write_text(yaml.safe_dump([{"import_playbook": "secretops.infisical.handover"}]), encoding="utf-8")
    handover.hosts["app"]["handover_take"]["file"] = str(handover.workspace.folder / "take.yml")
    handover.hosts["app"]["handover_check"]["file"] = str(handover.workspace.folder / "check.yml")
    both_ways_round(handover)
    assert path.read_text(encoding="utf-8") == f"[okta]\nsecret = {handover.active}\n"
    assert handover.restarted("app") == 1


def test_a_kubernetes_secret(handover: Handover) -> None:
    collections = other_collections.write(handover.workspace.folder)
    api = other_collections.api(handover.workspace.folder)
    kept = base64.b64encode(b"kept").decode()
    api.write_text(json.dumps({"secrets/shop/okta": {"kind": "Secret", "data": {"other": kept}}}), encoding="utf-8")
    keys = {"client_secret_key": "client-secret", "client_id_key": "client-id"}
    take(handover, way="kubernetes_secret", name="okta", namespace="shop", **keys)
    both_ways_round(handover, ANSIBLE_COLLECTIONS_PATH=str(collections))
    (secret,) = json.loads(api.read_text(encoding="utf-8")).values()
    assert secret["metadata"]["annotations"] == {"secretops.infisical/secret-id": handover.active_id}
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    client_id = handover.rotation["parameters"]["clientId"]
    assert data == {"other": "kept", "client-secret": handover.active, "client-id": client_id}


def test_an_awx_credential(handover: Handover) -> None:
    collections = other_collections.write(handover.workspace.folder)
    api = other_collections.api(handover.workspace.folder)
    there = {"name": "Okta", "organization": "Default", "credential_type": "Okta application", "description": ""}
    api.write_text(json.dumps({"Okta": {**there, "inputs": {"domain": "kept"}}}), encoding="utf-8")
    place = {key: there[key] for key in ("name", "organization", "credential_type")}
    take(handover, way="awx_credential", client_secret_key="client_secret", **place)
    del handover.hosts["app"]["handover_restart"]
    both_ways_round(handover, ANSIBLE_COLLECTIONS_PATH=str(collections))
    credential = json.loads(api.read_text(encoding="utf-8"))["Okta"]
    assert credential["description"] == f"Okta secret {handover.active_id}"
    assert credential["inputs"] == {"domain": "kept", "client_secret": handover.active}


def test_a_check_by_http_fails_with_the_status_and_nothing_of_the_answer(handover: Handover) -> None:
    url = f"{handover.simulator.url}/api/v1/nothing"
    handover.hosts["app"]["handover_check"] = {"way": "http", "url": url, "retries": 0}
    run = handover.run(rotate=False)
    assert run.returncode == 2, run.output
    assert "the task 'Ask the consumer by HTTP' (module ansible.builtin.uri, rc 404) failed" in run.output
    assert "not found" not in run.output.partition("Summary")[2]
    handover.hosts["app"]["handover_check"] |= {"status_code": 404, "fetches_token": True}
    deliver(handover)
    assert handover.states()["app"] == ("proven", handover.active_id)


def test_okta_says_that_a_consumer_holds_another_secret(handover: Handover) -> None:
    handover.hosts["app"]["handover_check"] = {"way": "okta", "key": "PORT"}
    run = handover.run(rotate=False)
    assert run.returncode == 2, run.output
    assert "does not hold the secret where it should" in run.output
