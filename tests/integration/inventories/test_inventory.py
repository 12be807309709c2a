# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet as an inventory, through ansible-inventory and ansible-playbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import MODULE, Run, Workspace
from support.server import environment, login, tokens_left

DAY = 86_400
BEFORE_RELEASE = pytest.mark.before_release
NAME = "secretops.infisical.okta_client_secret_rotations"


class Fleet:
    """An inventory file beside a server that holds a known fleet."""

    def __init__(self, workspace: Workspace, simulator: Simulator) -> None:
        self.workspace = workspace
        self.simulator = simulator
        self.payments = simulator.state()["project"]["id"]
        self.shop = simulator.add_project("shop", environments=["prod", "dev"])["id"]
        simulator.add_rotation(name="young", lastRotatedAt=DAY, secretPath="/okta")
        simulator.add_rotation(name="broken", environment="dev", rotationStatus="failed", secretPath="/")
        simulator.add_rotation(name="till", projectId=self.shop, secretPath="/apps/okta", lastRotatedAt=10 * DAY)

    @property
    def path(self) -> Path:
        return self.workspace.folder / "fleet.okta_rotations.yml"

    def write(self, **options: Any) -> None:
        text = {"plugin": NAME, "projects": {"payments": self.payments, "shop": self.shop}, **options}
        self.path.write_text(yaml.safe_dump(text), encoding="utf-8")

    def run(self, *arguments: str, **env: str) -> Run:
        return self.workspace.command(
            ["ansible-inventory", "-i", str(self.path), *arguments], {**environment(self.simulator), **env}
        )

    def listed(self, env: dict[str, str] | None = None, /, **options: Any) -> dict[str, Any]:
        self.write(**options)
        run = self.run("--list", "--export", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true", **(env or {}))
        assert run.returncode == 0, run.output
        found: dict[str, Any] = json.loads(run.stdout)
        return found

    def hosts(self, env: dict[str, str] | None = None, /, **options: Any) -> list[str]:
        return sorted(self.listed(env, **options)["_meta"]["hostvars"])


@pytest.fixture
def fleet(workspace: Workspace, simulator: Simulator) -> Fleet:
    return Fleet(workspace, simulator)


ALL = [
    "broken.dev.payments",
    "okta-payments.okta.prod.payments",
    "till.okta.apps.prod.shop",
    "young.okta.prod.payments",
]


def members(listed: dict[str, Any], group: str) -> list[str]:
    return sorted(listed.get(group, {}).get("hosts", []))


def raw(value: Any) -> Any:
    """ansible-inventory marks what is no template."""
    if isinstance(value, dict):
        return (
            raw(value["__ansible_unsafe"])
            if set(value) == {"__ansible_unsafe"}
            else {k: raw(v) for k, v in value.items()}
        )
    return [raw(item) for item in value] if isinstance(value, list) else value


def test_hosts_groups_and_variables(fleet: Fleet) -> None:
    listed = fleet.listed()
    variables = raw(listed["_meta"]["hostvars"])
    assert sorted(variables) == ALL
    assert members(listed, "okta_client_secret_rotations") == ALL
    assert members(listed, "project_shop") == ["till.okta.apps.prod.shop"]
    assert members(listed, "environment_dev") == members(listed, "status_failed") == ["broken.dev.payments"]
    assert "okta-payments.okta.prod.payments" in members(listed, "overdue")
    assert "young.okta.prod.payments" not in members(listed, "overdue")

    one = variables["okta-payments.okta.prod.payments"]
    rotation = fleet.simulator.rotation()
    assert one["rotation_id"] == rotation["id"]
    told = one["infisical_summary"]
    assert (told["id"], told["name"], told["overdue"]) == (rotation["id"], rotation["name"], True)
    assert told["age_seconds"] // 86400 == 40
    assert one["infisical_rotation"] == {key: rotation[key] for key in one["infisical_rotation"]}
    assert one["infisical_project"] == "payments"
    assert (one["infisical_url"], one["infisical_validate_certs"]) == (fleet.simulator.url, True)
    assert one["ansible_connection"] == "local"
    assert one["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"


def test_one_login_that_is_revoked_and_no_secret_anywhere(fleet: Fleet) -> None:
    listed = fleet.listed()
    requests = [(entry["method"], entry["path"].rpartition("/")[2]) for entry in fleet.simulator.log()]
    lists = [("GET", "okta-client-secret")] * 2
    assert requests == [("POST", "login"), *lists, ("POST", "revoke")]
    assert tokens_left(fleet.simulator) == []
    text = json.dumps(listed)
    assert login(fleet.simulator)["universal_auth_client_secret"] not in text
    assert not [token["accessToken"] for token in fleet.simulator.state()["tokens"] if token["accessToken"] in text]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"environment": "dev", "status": ["failed"]}, ["broken.dev.payments"]),
        ({"environment": ["prod"], "secret_path": ["/apps"]}, ["till.okta.apps.prod.shop"]),
        ({"due": "0", "older_than": "20d"}, ["broken.dev.payments", "okta-payments.okta.prod.payments"]),
        pytest.param({"due": "25d"}, [name for name in ALL if not name.startswith("young")], marks=BEFORE_RELEASE),
    ],
    ids=str,
)
def test_filters(fleet: Fleet, options: dict[str, Any], expected: list[str]) -> None:
    assert fleet.hosts(**options) == expected


@pytest.mark.parametrize("offset", [15 * DAY, -20000 * DAY])
def test_clocks_that_disagree_on_what_is_wanted_are_an_error(fleet: Fleet, offset: int) -> None:
    fleet.simulator.settings(clockOffset=offset)
    fleet.write(older_than="24d")
    run = fleet.run("--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert run.returncode != 0
    assert "they disagree on what is wanted or overdue" in " ".join(run.output.split())


def test_without_the_servers_time_it_is_this_hosts(fleet: Fleet) -> None:
    fleet.simulator.settings(sendDate=False)
    fleet.write(older_than="20d")
    run = fleet.run("--list", "-vvv")
    assert "The server told no time" in run.output
    assert "okta-payments.okta.prod.payments" in run.stdout
    assert "till.okta.apps.prod.shop" not in run.stdout


def test_constructed(fleet: Fleet) -> None:
    listed = fleet.listed(
        compose={"okta_app": "infisical_rotation.parameters.clientId"},
        groups={
            "by_hand": "not infisical_rotation.isAutoRotationEnabled",
            "of_the_shop": "infisical_project == 'shop'",
        },
        keyed_groups=[{"prefix": "interval", "key": "infisical_rotation.rotationInterval | string"}],
    )
    assert members(listed, "of_the_shop") == ["till.okta.apps.prod.shop"]
    assert members(listed, "interval_30") == ALL
    client_id = fleet.simulator.rotation()["parameters"]["clientId"]
    assert raw(listed["_meta"]["hostvars"])["okta-payments.okta.prod.payments"]["okta_app"] == client_id


def test_strict(fleet: Fleet) -> None:
    fleet.write(compose={"broken": "infisical_rotation.nothing.there"}, strict=True)
    run = fleet.run("--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert run.returncode != 0
    assert "Could not set broken" in " ".join(run.output.split())


@pytest.mark.uncounted
def test_what_a_server_sends_is_never_a_template(fleet: Fleet) -> None:
    fleet.simulator.add_rotation(name="hostile", description="{{ lookup('ansible.builtin.env', 'HOME') }}")
    fleet.write()
    plays = [
        {
            "hosts": "hostile.*",
            "gather_facts": False,
            "tasks": [{"name": "it", "ansible.builtin.debug": {"msg": "{{ infisical_rotation.description }}"}}],
        }
    ]
    run = fleet.workspace.playbook(plays, "-i", str(fleet.path), env=environment(fleet.simulator))
    assert run.only["msg"] == "{{ lookup('ansible.builtin.env', 'HOME') }}", run.output


@pytest.mark.before_release
@pytest.mark.counted
@BEFORE_RELEASE
def test_cache(fleet: Fleet) -> None:
    """Filters and time go on working, nothing secret is on disk, and another project is another entry."""
    cache = fleet.workspace.folder / "cache"
    options: dict[str, Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(cache),
    }
    assert fleet.hosts(**options) == ALL
    asked = len(fleet.simulator.log())
    assert fleet.hosts(**options) == ALL
    assert fleet.hosts(environment=["dev"], **options) == ["broken.dev.payments"]
    assert len(fleet.simulator.log()) == asked
    text = "".join(path.read_text(encoding="utf-8") for path in cache.iterdir())
    assert login(fleet.simulator)["universal_auth_client_secret"] not in text
    assert "accessToken" not in text
    assert fleet.hosts(projects={"other": fleet.shop}, **options) == ["till.okta.apps.prod.other"]
    assert len(fleet.simulator.log()) > asked
    asked = len(fleet.simulator.log())
    plays = [{"hosts": "all", "gather_facts": False, "tasks": []}]
    env = environment(fleet.simulator)
    run = fleet.workspace.playbook(plays, "-i", str(fleet.path), "--flush-cache", env=env)
    assert run.returncode == 0
    assert len(fleet.simulator.log()) > asked


def test_credentials_as_templates_and_an_empty_environment(fleet: Fleet) -> None:
    options = login(fleet.simulator)
    secret = "{{ lookup('ansible.builtin.env', 'MY_SECRET') }}"
    environ = dict.fromkeys(environment(fleet.simulator), "")
    given = {**options, "universal_auth_client_secret": secret}
    assert fleet.hosts({**environ, "MY_SECRET": options["universal_auth_client_secret"]}, **given) == ALL


@pytest.mark.before_release
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"projects": {}}, "projects is empty"),
        ({"projects": {"a.b": "x"}}, "use letters, digits"),
        ({"status": ["sleeping"]}, "sleeping"),
        ({"url": "ftp://example.com"}, "url is"),
        ({"projects": {"payments": "00000000-0000-4000-8000-000000000000"}}, "Could not list the secret rotations"),
        ({"token": "not-a-token-of-it"}, "TokenError"),
    ],
)
@BEFORE_RELEASE
def test_errors(fleet: Fleet, options: dict[str, Any], expected: str) -> None:
    fleet.write(**options)
    run = fleet.run("--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert run.returncode != 0
    assert expected in " ".join(run.output.split())
    assert tokens_left(fleet.simulator) == []


@pytest.mark.parametrize("options", [{"older_than": "soon"}, {"secret_path": ["okta"]}], ids=str)
@pytest.mark.uncounted
def test_what_makes_no_sense_is_refused_before_anything_is_sent(fleet: Fleet, options: dict[str, Any]) -> None:
    fleet.write(**options)
    run = fleet.run("--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert run.returncode != 0
    assert f"{next(iter(options))} is '" in " ".join(run.output.split())
    assert fleet.simulator.log() == []


@pytest.mark.before_release
@BEFORE_RELEASE
def test_it_waits_for_a_rate_limit(fleet: Fleet) -> None:
    fleet.simulator.settings(rateLimits={"window": 2, "read": 1})
    assert fleet.hosts() == ALL


@BEFORE_RELEASE
def test_five_hundred_are_read_with_one_request(fleet: Fleet) -> None:
    fleet.simulator.add_rotations(500)
    fleet.simulator.clear_log()
    assert len(fleet.hosts()) >= 500
    assert len(fleet.simulator.log("/secret-rotations/")) == len(fleet.simulator.state()["projects"])


def test_a_rotation_is_a_host_to_run_on(fleet: Fleet) -> None:
    fleet.write(environment=["prod"])
    task = {"name": "rotate", MODULE: {"url": "{{ infisical_url }}", "rotation_id": "{{ rotation_id }}"}}
    plays = [{"hosts": "all", "gather_facts": False, "tasks": [task]}]
    arguments = ("-i", str(fleet.path), "--limit", "*.payments")
    run = fleet.workspace.playbook(plays, *arguments, env=environment(fleet.simulator))
    assert run.returncode == 0, run.output
    assert {result.host: result["outcome"] for result in run.results} == {
        "okta-payments.okta.prod.payments": "rotated",
        "young.okta.prod.payments": "rotated",
    }
    assert tokens_left(fleet.simulator) == []


def test_what_it_does_not_understand_is_refused_and_noted(fleet: Fleet) -> None:
    fleet.write(enviroment=["dev"])
    shown = {"name": "it", "ansible.builtin.debug": {"msg": "{{ groups }}"}}
    run = fleet.workspace.tasks([shown], "-i", str(fleet.path), env=environment(fleet.simulator))
    assert "environment is meant?" in " ".join(run.output.split())
    assert run.only["msg"]["okta_client_secret_rotations"] == run.only["msg"]["infisical_inventories_unread"] == []
    assert fleet.simulator.log() == []


def test_types_are_those_of_the_template_and_names_may_be_composed(fleet: Fleet) -> None:
    listed = fleet.listed(
        validate_certs="{{ 'yes' }}",
        revoke_token="{{ true }}",
        environment=["{{ 'dev' }}"],
        host_name="{{ infisical_rotation.name }}.{{ infisical_project }}",
    )
    variables = raw(listed["_meta"]["hostvars"])
    assert sorted(variables) == ["broken.payments"]
    assert variables["broken.payments"]["infisical_validate_certs"] is True
    assert tokens_left(fleet.simulator) == []
