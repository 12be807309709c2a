# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks in examples/ run as they stand, by the commands at their tops, and do what these say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support import okta
from support.ansible import COLLECTION, Run, Workspace
from support.listener import accepting, requested
from support.server import environment, tokens_left

# What a task does in a process of its own is compared by the tests of the modules.
pytestmark = pytest.mark.run_once

EXAMPLES = COLLECTION / "examples"
FILES = sorted(EXAMPLES.glob("*.yml"))
#: What stands in the examples for their reader's own.
ROTATION_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
PROJECT_ID = "8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b"
DAY = 86_400
SYSTEMCTL = """#!/bin/sh
case "$1" in
  show) echo "LoadState=loaded"; echo "ActiveState=active"; echo "UnitFileState=enabled";;
  *) echo "$@" >>"$SYSTEMCTL_LOG";;
esac
"""


def commands(example: Path) -> list[str]:
    head = example.read_text(encoding="utf-8").replace(" \\\n#    ", "")
    return re.findall(r"^#   (ansible\S* .*)$", head, re.MULTILINE)


def name_of_test(example: Path) -> str:
    return "test_" + re.sub(r"\W", "_", example.stem)


class Example:
    """A copy of the folder, two servers, and a rotation with the id that the examples name."""

    def __init__(self, workspace: Workspace, simulator: Simulator, path: Path) -> None:
        self.workspace = workspace
        self.simulator = simulator
        self.folder = workspace.folder
        self.output = ""
        self._commands = commands(path)
        self._secrets = set[str]()
        simulator.add_rotation(id=ROTATION_ID, name="okta-shop", slots=2, activeIndex=1)
        for each in FILES:
            shutil.copy(each, self.folder)
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        servers = {"payments_servers": {"hosts": {"app1": {}, "app2": {}}, "vars": local}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(servers), encoding="utf-8")
        systemctl = self.folder / "bin" / "systemctl"
        systemctl.parent.mkdir()
        systemctl.write_text(SYSTEMCTL, encoding="utf-8")
        systemctl.chmod(0o755)

    def run(self, number: int = 0, env: dict[str, str] | None = None, rc: int = 0, **variables: Any) -> Run:
        """One of its commands as it stands. Variables replace what the example assumes of the reader's world."""
        given = ["-e", json.dumps(variables)] if variables else []
        self._remember_secrets()
        run = self.workspace.command(
            shlex.split(self._commands[number]) + given,
            {
                **environment(self.simulator),
                "PATH": f"{self.folder / 'bin'}:{self.workspace.environment()['PATH']}",
                "SYSTEMCTL_LOG": str(self.folder / "systemctl.log"),
                **(env or {}),
            },
        )
        self._remember_secrets()
        self.output += run.output
        assert run.returncode == rc, run.output
        return run

    def _remember_secrets(self) -> None:
        applications = self.simulator.state()["okta"].values()
        self._secrets |= {each["client_secret"] for app in applications for each in app["secrets"]}

    def assert_nothing_leaked(self) -> None:
        assert self.output, "it was not run"
        assert [secret for secret in self._secrets if secret in self.output] == []
        assert tokens_left(self.simulator) == []

    # -- what happened

    def restarts(self) -> int:
        log = self.folder / "systemctl.log"
        return log.read_text(encoding="utf-8").count("restart payments.service") if log.exists() else 0

    def active(self) -> str:
        return next(iter(okta.slots(self.simulator, ROTATION_ID).values()))

    def server_file(self, name: str, suffix: str) -> str:
        return (self.folder / f"{name}.{suffix}").read_text(encoding="utf-8")

    def rotations(self) -> dict[str, dict[str, Any]]:
        """By name and environment."""
        return {f"{each['name']} {each['environment']['slug']}": each for each in self.simulator.state()["rotations"]}


@pytest.fixture
def example(request: pytest.FixtureRequest, workspace: Workspace, simulator: Simulator) -> Iterator[Example]:
    """The one that the test is named after."""
    (path,) = (path for path in FILES if name_of_test(path) == request.function.__name__)
    made = Example(workspace, simulator, path)
    yield made
    made.assert_nothing_leaked()


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_every_example_is_run_and_listed(path: Path) -> None:
    assert name_of_test(path) in globals(), "it has no test of its own"
    command = re.sub("=[0-9a-f-]{36}", "=...", commands(path)[0])
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert (
        len(
            re.findall(rf"^\| \[{path.name}\]\({path.name}\) \| .+ \| `{re.escape(command)}` \|$", readme, re.MULTILINE)
        )
        == 1
    )


def test_rotate_when_due(example: Example) -> None:
    first = example.run().named("Say how it ended, and where the secret is")
    assert "It is OKTA_SHOP_CLIENT_SECRET in the folder /okta of prod" in first["msg"]
    assert example.simulator.rotations_done(ROTATION_ID) == 1
    assert example.run().named("Rotate it when it is older than 30 days")["outcome"] == "not_due"
    assert example.simulator.posts() == 1


@pytest.mark.before_release
def test_rotate_environments(example: Example) -> None:
    for environment_ in ("dev", "staging"):
        example.simulator.add_rotation(name="okta-payments", environment=environment_)
    example.simulator.settings(okta={"createError": 1})
    failed = example.run(rc=2)
    assert [result.task for result in failed.results] == ["Rotate where nobody is hurt"]
    done = {name: each["completed"] for name, each in example.rotations().items() if name.startswith("okta-payments")}
    assert done == {"okta-payments dev": 0, "okta-payments staging": 1, "okta-payments prod": 0}
    said = example.run().named("Say how each ended")["results"]
    assert [each["item"]["outcome"] for each in said] == ["rotated", "not_due", "rotated"]
    example.run()
    assert [each["completed"] for each in example.rotations().values()] == [1, 0, 1, 1]


@pytest.mark.before_release
def test_one_login(example: Example) -> None:
    example.simulator.add_rotation(name="young", lastRotatedAt=DAY)
    example.run()
    done = {name: each["completed"] for name, each in example.rotations().items()}
    assert done == {"okta-payments prod": 1, "okta-shop prod": 1, "young prod": 0}
    assert len(example.simulator.log("/login$", "POST")) == 1
    again = example.run()
    assert again.named("Find what is older than 30 days")["secretRotations"] == []
    assert example.simulator.posts() == 2


@pytest.mark.before_release
def test_write_settings(example: Example) -> None:
    variables: dict[str, Any] = {"payments_settings": f"{example.folder}/{{{{ inventory_hostname }}}}.env"}
    example.run(**variables)
    client_id = example.simulator.rotation(ROTATION_ID)["parameters"]["clientId"]
    expected = f"OKTA_CLIENT_ID={client_id}\nOKTA_CLIENT_SECRET={example.active()}\n"
    assert [example.server_file(name, "env") for name in ("app1", "app2")] == [expected, expected]
    assert (example.folder / "app1.env").stat().st_mode & 0o777 == 0o600
    assert (example.simulator.rotations_done(ROTATION_ID), example.restarts()) == (1, 2)
    example.run(**variables)
    assert (example.simulator.rotations_done(ROTATION_ID), example.restarts()) == (1, 2)


@pytest.mark.before_release
def test_handover_service(example: Example) -> None:
    variables: dict[str, Any] = {
        "okta_url": example.simulator.okta_url,
        "payments_settings": f"{example.folder}/{{{{ inventory_hostname }}}}.env",
        "payments_health": f"{example.simulator.url}/",
    }
    # One that Infisical is about to make itself is waited for.
    example.simulator.change_rotation(ROTATION_ID, nextRotationAt=9 * DAY)
    example.run(**variables)
    assert example.simulator.rotations_done(ROTATION_ID) == 1
    for name in ("app1", "app2"):
        assert f"OKTA_CLIENT_SECRET={example.active()}\n" in example.server_file(name, "env")
    # Each took the secret that was active, and then the new one.
    assert example.restarts() == 4
    report = json.loads((example.folder / "handover-report.json").read_text(encoding="utf-8"))
    assert {each["host"]: each["state"] for each in report["consumers"]} == {"app1": "proven", "app2": "proven"}
    example.run(**variables)
    assert (example.simulator.rotations_done(ROTATION_ID), example.restarts()) == (1, 4)


@pytest.mark.before_release
def test_check_before_deploy(example: Example) -> None:
    variables: dict[str, Any] = {
        "okta_url": example.simulator.okta_url,
        "payments_settings": f"{example.folder}/{{{{ inventory_hostname }}}}.json",
    }
    rotation = example.simulator.rotation()
    application = rotation["parameters"]["clientId"]
    example.run(**variables)
    deployed = {"clientId": application, "clientSecret": rotation["mappedSecrets"]["OKTA_CLIENT_SECRET"]["value"]}
    assert [json.loads(example.server_file(name, "json")) for name in ("app1", "app2")] == [deployed, deployed]
    assert not [result for result in example.run(**variables).results if result.result.get("changed")]
    # Somebody made a new one at Okta by hand and removed the one that Infisical has.
    example.simulator.orphan(rotation["id"])
    (known, _by_hand) = example.simulator.okta_secrets()
    example.simulator.control(
        "POST", "orphan", {"rotationId": rotation["id"], "action": "remove", "secretId": known["id"]}
    )
    (example.folder / "app1.json").unlink()
    failed = example.run(rc=2, **variables).results[-1]
    assert (failed["outcome"], failed["accepted"]) == ("refused", False)
    assert not (example.folder / "app1.json").exists()
    assert example.simulator.posts() == 0


@pytest.mark.before_release
def test_create_rotations(example: Example) -> None:
    for client_id in ("0oa1bcd2efGHIJKlm3n4", "0oa5opq6rsTUVWXyz7a8"):
        example.simulator.add_application(client_id)
    planned = example.run(0).only["results"]
    assert [each["outcome"] for each in planned] == ["would_create", "would_create"]
    assert "okta-billing prod" not in example.rotations()
    example.run(1)
    made = example.rotations()
    assert made["okta-reporting prod"]["parameters"] == {"clientId": "0oa5opq6rsTUVWXyz7a8"}
    assert made["okta-billing prod"]["rotateAtUtc"] == {"hours": 3, "minutes": 30}
    assert list(made["okta-billing prod"]["mappedSecrets"]) == ["BILLING_OKTA_CLIENT_ID", "BILLING_OKTA_CLIENT_SECRET"]
    assert [each["outcome"] for each in example.run(1).only["results"]] == ["unchanged", "unchanged"]
    assert example.rotations() == made


@pytest.mark.before_release
def test_remove_rotation(example: Example) -> None:
    example.simulator.add_application("0oa1bcd2efGHIJKlm3n4")
    made = example.simulator.add_rotation(name="okta-billing", clientId="0oa1bcd2efGHIJKlm3n4")
    assert example.run(0).named("Remove the rotation and what it made")["outcome"] == "would_delete"
    assert "okta-billing prod" in example.rotations()
    assert example.run(1).named("Remove the rotation and what it made")["outcome"] == "deleted"
    state = example.simulator.state()
    assert "okta-billing prod" not in example.rotations()
    assert [secret for secret in state["secrets"] if secret["secretKey"] in made["mappedSecrets"]] == []
    # The one that was made by hand.
    assert len(state["okta"]["0oa1bcd2efGHIJKlm3n4"]["secrets"]) == 1
    assert example.run(1).named("Remove the rotation and what it made")["outcome"] == "absent"


@pytest.mark.before_release
def test_pipeline(example: Example) -> None:
    example.run(0)
    plan = json.loads((example.folder / "okta-plan.json").read_text(encoding="utf-8"))
    assert plan["lastRotatedAt"] == example.simulator.rotation(ROTATION_ID)["lastRotatedAt"]
    assert example.simulator.posts() == 0
    example.run(1)
    assert (example.simulator.posts(), example.simulator.rotations_done(ROTATION_ID)) == (1, 1)
    twice = example.run(1).named("Rotate the secret when it is older than 30 days")
    assert (twice["outcome"], example.simulator.posts()) == ("rotated_by_another", 1)


@pytest.mark.before_release
def test_branch_on_reason(example: Example) -> None:
    told: list[str] = []

    def chat(client: socket.socket) -> None:
        told.append(json.loads(requested(client).partition(b"\r\n\r\n")[2])["text"])
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        client.close()

    example.simulator.settings(okta={"validationError": 1})
    with accepting(chat) as port:
        webhook = {"CHAT_WEBHOOK_URL": f"http://127.0.0.1:{port}/hooks/very-secret"}
        failed = example.run(rc=2, env=webhook)
        assert failed.named("Rotate the secret when it is older than 30 days")["reason"] == "okta_secret_limit"
        example.simulator.change_identity(
            example.simulator.state()["identity"]["id"], without=[["rotate-secrets", "secret-rotation"]]
        )
        example.run(rc=2, env=webhook)
    assert told[0].endswith("Delete the secret at Okta that nobody uses, then run the job again.")
    assert ROTATION_ID in told[0]
    assert "rotate-secrets" in told[1]
    assert "Delete the secret" not in told[1]
    assert "very-secret" not in example.output


@pytest.mark.before_release
def test_alarm_overdue(example: Example) -> None:
    failed = {"rotationStatus": "failed", "lastRotationMessage": "Okta is down", "nextRotationAt": DAY}
    example.simulator.add_rotation(name="okta-mail", **failed)
    run = example.run(rc=2)
    report = run.named("Write the report, and fail when something needs attention")
    assert report["reason"] == "attention_needed"
    said = [each["msg"] for each in run.named("Name what needs attention")["results"]]
    assert said[0].startswith("overdue: okta-payments (payments prod:/okta), okta-shop")
    assert said[1] == "failed: okta-mail (payments prod:/okta)"
    assert "okta-mail" in (example.folder / "okta-secrets.html").read_text(encoding="utf-8")
    assert "okta-mail" in (example.folder / "okta-secrets.prom").read_text(encoding="utf-8")
    for each in example.simulator.state()["rotations"]:
        example.simulator.change_rotation(each["id"], nextRotationAt=DAY, rotationStatus="success")
    example.run()
    assert example.simulator.posts() == 0


def fleet(simulator: Simulator) -> None:
    """In the project of the inventory file: two that are overdue, one of them in production, and others."""
    simulator.add_project("fleet", id=PROJECT_ID, environments=["dev", "prod"])
    place = {"projectId": PROJECT_ID}
    simulator.add_rotation(name="crm", nextRotationAt=-DAY, **place)
    simulator.add_rotation(name="mail", nextRotationAt=-DAY, environment="dev", secretPath="/okta/mail", **place)
    simulator.add_rotation(name="shop", nextRotationAt=DAY, lastRotatedAt=29 * DAY, **place)
    simulator.add_rotation(name="wiki", isAutoRotationEnabled=False, nextRotationAt=None, **place)


def rotated(example: Example) -> list[str]:
    return [name for name, each in example.rotations().items() if each["completed"]]


@pytest.mark.before_release
def test_fleet_okta_rotations(example: Example) -> None:
    fleet(example.simulator)
    shown = example.run().stdout
    groups = dict(re.findall(r"^  \|--@(\w+):\n((?:  \|  \|--.*\n)+)", shown, re.MULTILINE))
    hosts = {name: re.findall(r"--(\S+)$", lines, re.MULTILINE) for name, lines in groups.items()}
    assert hosts["by_hand_only"] == ["wiki.okta.prod.payments"]
    assert hosts["folder_okta_mail"] == ["mail.mail.okta.dev.payments"]
    assert len(hosts["folder_okta"]) == 3
    assert len(hosts["connection_okta_main"]) == 4


@pytest.mark.before_release
def test_rotate_overdue(example: Example) -> None:
    fleet(example.simulator)
    example.run()
    assert rotated(example) == ["crm prod"]
    assert "skipping: no hosts matched" in example.run().stdout
    example.run(1)
    assert example.simulator.posts() == 1


@pytest.mark.before_release
def test_rotate_fleet(example: Example) -> None:
    fleet(example.simulator)
    example.run(0)
    assert rotated(example) == []
    example.run(1)
    assert rotated(example) == ["crm prod", "mail dev", "shop prod"]
    report = json.loads((example.folder / "fleet-report.json").read_text(encoding="utf-8"))
    assert report["counts"]["rotated"] == 3
    example.run(1)
    assert example.simulator.posts() == 3


@pytest.mark.parametrize(
    ("leaked", "rotations"), [("active", 2), pytest.param("previous", 1, marks=pytest.mark.before_release)]
)
def test_leaked_secret(example: Example, leaked: str, rotations: int) -> None:
    slots = dict(zip(("active", "previous"), okta.slots(example.simulator, ROTATION_ID).values(), strict=True))
    env = {"LEAKED_SECRET": slots[leaked]}
    assert (
        "Okta refuses" in example.run(env=env, okta_url=example.simulator.okta_url).named("Have it in writing")["msg"]
    )
    assert example.simulator.rotations_done(ROTATION_ID) == rotations
    client_id = example.simulator.rotation(ROTATION_ID)["parameters"]["clientId"]
    assert okta.token_status(example.simulator, client_id, slots[leaked]) == 401
    assert okta.token_status(example.simulator, client_id, example.active()) == 200
    example.run(env=env, okta_url=example.simulator.okta_url)
    assert example.simulator.rotations_done(ROTATION_ID) == rotations
