# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a consumer takes a secret and how it is checked, way by way: idempotent, and in check mode without effect."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
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


class Host:
    """A consumer of one way, with its own files in the folder."""

    def __init__(self, handover: Handover, name: str) -> None:
        self.handover = handover
        self.name = name
        self.folder = handover.workspace.folder / name
        self.folder.mkdir()
        self.variables = handover.hosts[name]

    def take(self, **options: Any) -> None:
        self.variables["handover_take"] = options

    def check(self, **options: Any) -> None:
        self.variables["handover_check"] = options

    @property
    def active(self) -> str:
        return self.handover.active

    def api(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(other_collections.api(self.handover.workspace.folder).read_text("utf-8"))
        return found


#: What must be true of the consumer once it has the secret.
Afterwards = Callable[[], None]


def properties(host: Host) -> Afterwards:
    path = host.folder / "app.properties"
    path.write_text("# okta.secret = old\nokta.secret = old\nokta.id : x\nport 80\n", encoding="utf-8")
    keys = {"client_secret_key": "okta.secret", "client_id_key": "okta.id"}
    host.take(way="env_file", path=str(path), format="properties", mode="0640", **keys)
    host.check(way="okta")

    def afterwards() -> None:
        client_id = host.handover.rotation["parameters"]["clientId"]
        wanted = f"# okta.secret = old\nokta.secret = {host.active}\nokta.id : {client_id}\nport 80\n"
        assert path.read_text(encoding="utf-8") == wanted
        assert path.stat().st_mode & 0o777 == 0o640
        assert host.handover.restarted(host.name) == 1

    return afterwards


def template(host: Host) -> Afterwards:
    source = host.handover.workspace.folder / "okta.json.j2"
    source.write_text('{"id": "{{ handover_client_id }}", "secret": {{ handover_client_secret | to_json }}}\n', "utf-8")
    path = host.folder / "app.json"
    host.take(way="template", src=str(source), path=str(path))
    host.check(way="okta", pattern='"secret": "(.*?)"')

    def afterwards() -> None:
        text = path.read_text(encoding="utf-8")
        assert text.endswith("}\n")
        assert json.loads(text)["secret"] == host.active
        assert path.stat().st_mode & 0o777 == 0o600

    return afterwards


def systemd(host: Host, path: Path, wanted: str, **options: str) -> Afterwards:
    host.take(way="systemd", unit=f"{host.name}.service", **options)
    del host.variables["handover_restart"]
    host.check(way="command", argv=["test", "-s", str(path)])

    def afterwards() -> None:
        assert path.read_text(encoding="utf-8") == wanted
        assert path.stat().st_mode & 0o777 == 0o600
        calls = (host.handover.workspace.folder / "calls").read_text(encoding="utf-8").splitlines()
        orders = [line for line in calls if not line.startswith(("show", "is-"))]
        # Both consumers of this way in whichever order, each after what it must know.
        assert sorted(order.split()[0] for order in orders) == ["daemon-reload"] * 2 + ["restart"] * 2
        (restart,) = (number for number, order in enumerate(orders) if f"{host.name}.service" in order)
        assert orders[restart].startswith("restart")
        assert "daemon-reload" in orders[:restart]

    return afterwards


def systemd_credential(host: Host) -> Afterwards:
    there = {"credential": "okta", "credential_directory": str(host.folder / "credstore")}
    return systemd(host, host.folder / "credstore" / "okta", host.active, **there)


def systemd_drop_in(host: Host) -> Afterwards:
    there = {"client_secret_key": "OKTA_CLIENT_SECRET", "drop_in_directory": str(host.folder / "app.service.d")}
    wanted = f'[Service]\nEnvironment="OKTA_CLIENT_SECRET={host.active}"\n'
    return systemd(host, host.folder / "app.service.d" / "okta-client-secret.conf", wanted, **there)


def command(host: Host) -> Afterwards:
    """It reads the secret from its standard input."""
    store = host.folder / "store"
    store.write_text("", encoding="utf-8")
    note = host.folder / "note"
    host.take(way="command", argv=["sh", "-c", f"cat >{store}; echo stored"], note=str(note))
    host.variables["handover_check"] |= {"argv": ["grep", "-q", ".", str(store)]}

    def afterwards() -> None:
        assert store.read_text(encoding="utf-8") == f"{host.active}\n"
        # What it had comes back through the same command.
        handover, (older_id, older) = host.handover, list(host.handover.slots.items())[1]
        host.variables["handover_check"]["argv"] = ["grep", "-q", older, str(store)]
        note.unlink()
        handover.hosts = {host.name: host.variables}
        run = handover.run(rotate=False)
        assert run.returncode == 2, run.output
        assert store.read_text(encoding="utf-8") == f"{older}\n"
        assert handover.states()[host.name] == ("failed", older_id)

    return afterwards


def tasks(host: Host) -> Afterwards:
    """As for a consumer with Windows: everything is in a file of one's own, and handover_taken tells what it did."""
    path = host.folder / "app.ini"
    copied = {"content": "[okta]\nsecret = {{ handover_client_secret }}\n", "dest": str(path), "mode": "0600"}
    write = {"name": "Write it where it is read", "ansible.builtin.copy": copied, "register": "handover_taken"}
    look = {"name": "Look", "ansible.builtin.command": f"grep -q secret {path}", "changed_when": False}
    files = {}
    for name, task in (("take", write), ("check", look)):
        files[name] = host.handover.workspace.folder / f"{name}.yml"
        files[name].write_text(yaml.safe_dump([task]), encoding="utf-8")
    host.take(way="tasks", file=str(files["take"]))
    host.check(way="tasks", file=str(files["check"]))

    def afterwards() -> None:
        assert path.read_text(encoding="utf-8") == f"[okta]\nsecret = {host.active}\n"
        assert host.handover.restarted(host.name) == 1

    return afterwards


def kubernetes_secret(host: Host) -> Afterwards:
    keys = {"client_secret_key": "client-secret", "client_id_key": "client-id"}
    host.take(way="kubernetes_secret", name="okta", namespace="shop", **keys)

    def afterwards() -> None:
        secret = host.api()["secrets/shop/okta"]
        assert secret["metadata"]["annotations"] == {"secretops.infisical/secret-id": host.handover.active_id}
        data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        client_id = host.handover.rotation["parameters"]["clientId"]
        assert data == {"other": "kept", "client-secret": host.active, "client-id": client_id}

    return afterwards


CREDENTIAL = {"name": "Okta", "organization": "Default", "credential_type": "Okta application"}


def awx_credential(host: Host) -> Afterwards:
    host.take(way="awx_credential", client_secret_key="client_secret", **CREDENTIAL)
    del host.variables["handover_restart"]

    def afterwards() -> None:
        credential = host.api()["Okta"]
        assert credential["description"] == f"Okta secret {host.handover.active_id}"
        assert credential["inputs"] == {"domain": "kept", "client_secret": host.active}

    return afterwards


#: The command's last, which goes on with its consumer alone.
WAYS = (properties, template, systemd_credential, systemd_drop_in, tasks, kubernetes_secret, awx_credential, command)
#: What the API of the other collections' stand-ins has before.
THERE = {
    "secrets/shop/okta": {"kind": "Secret", "data": {"other": base64.b64encode(b"kept").decode()}},
    "Okta": {**CREDENTIAL, "description": "", "inputs": {"domain": "kept"}},
}


def changed(run: Run) -> set[str]:
    return {result.host for result in run.results if result["changed"]}


def test_each_way_is_foretold_then_taken_and_then_left_alone(workspace: Workspace, simulator: Simulator) -> None:
    """Check mode predicts and changes nothing, a run changes, a second one does not."""
    names = {way: way.__name__.replace("_", "-") for way in WAYS}
    handover = Handover(workspace, simulator, *names.values(), slots=2, activeIndex=1)
    afterwards = {way: way(Host(handover, name)) for way, name in names.items()}
    programs = workspace.folder / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL.format(calls=workspace.folder / "calls"), encoding="utf-8")
    (programs / "systemctl").chmod(0o755)
    collections = other_collections.write(workspace.folder)
    other_collections.api(workspace.folder).write_text(json.dumps(THERE), encoding="utf-8")
    env = {
        "PATH": f"{programs}:{workspace.environment()['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_FORKS": "10",
    }

    def files() -> dict[Path, bytes]:
        own = (path for name in names.values() for path in workspace.folder.glob(f"{name}*"))
        found = [path for each in own for path in (each, *each.rglob("*"))]
        return {path: path.read_bytes() for path in (*found, other_collections.api(workspace.folder)) if path.is_file()}

    def deliver(*arguments: str) -> Run:
        run = handover.run("--diff", *arguments, rotate=False, serial="100%", env=env)
        assert run.returncode == 0, run.output
        assert handover.active not in run.output
        return run

    before = files()
    # Whether a command would change anything is known by nobody who does not run it.
    assert changed(deliver("--check")) == set(names.values()) - {"command"}
    assert files() == before
    assert [handover.restarted(name) for name in names.values()] == [0] * len(WAYS)
    assert changed(deliver()) == set(names.values())
    assert changed(deliver()) == set()
    for each in afterwards.values():
        each()


@pytest.fixture
def handover(workspace: Workspace, simulator: Simulator) -> Handover:
    return Handover(workspace, simulator, "app", slots=2, activeIndex=1)


def test_a_check_by_http_fails_with_the_status_and_nothing_of_the_answer(handover: Handover) -> None:
    url = f"{handover.simulator.url}/api/v1/nothing"
    handover.hosts["app"]["handover_check"] = {"way": "http", "url": url, "retries": 0}
    run = handover.run(rotate=False)
    assert run.returncode == 2, run.output
    assert "the task 'Ask the consumer by HTTP' (module ansible.builtin.uri, rc 404) failed" in run.output
    assert "not found" not in run.output.partition("Summary")[2]
    handover.hosts["app"]["handover_check"] |= {"status_code": 404, "fetches_token": True}
    run = handover.run(rotate=False)
    assert run.returncode == 0, run.output
    assert handover.states()["app"] == ("proven", handover.active_id)


def test_okta_says_that_a_consumer_holds_another_secret(handover: Handover) -> None:
    handover.hosts["app"]["handover_check"] = {"way": "okta", "key": "PORT"}
    run = handover.run(rotate=False)
    assert run.returncode == 2, run.output
    assert "does not hold the secret where it should" in run.output
