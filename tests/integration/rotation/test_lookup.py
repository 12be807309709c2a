# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup through ansible-playbook and ad hoc: whose credentials come."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
import yaml
from integration.rotation.lookups import BY_NAME, LOOKUP, active, looked_up, refusal, value
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.leaks import Watch
from support.processes import Playbook, until
from support.server import environment, login, tokens_left
from support.stale_front import front

CREDENTIALS = "/generated-credentials"


@pytest.mark.before_release
@pytest.mark.counted
def test_whose_credentials_come(workspace: Workspace, simulator: Simulator) -> None:
    second = simulator.add_rotation(name="second", activeIndex=1, secretPath="/")
    first = simulator.rotation()["id"]
    run = looked_up(
        workspace,
        simulator,
        f"'{first}'",
        f"'okta-payments', {BY_NAME}",
        f"'{second['id'].upper()}', all=true",
        f"'{first}', '{second['id']}', wantlist=true",
        f"'okta-payments', {BY_NAME}, source='secret'",
        f"'second', project_id='{second['projectId']}', environment='prod', all='no', source=' credentials '.strip()",
    )
    assert run.returncode == 0, run.output
    one, two = active(simulator, first), active(simulator, second["id"])
    assert [value(workspace, number) for number in range(6)] == [
        one,
        one,
        {"generatedCredentials": simulator.rotation(second["id"])["generatedCredentials"], "activeIndex": 1},
        [one, two],
        one,
        two,
    ]
    assert tokens_left(simulator) == []


def test_all_terms_share_one_login(workspace: Workspace, simulator: Simulator) -> None:
    ids = [rotation["id"] for rotation in simulator.add_rotations(3)]
    run = looked_up(workspace, simulator, ", ".join(f"'{each}'" for each in ids))
    assert run.returncode == 0, run.output
    assert value(workspace) == [active(simulator, each) for each in ids]
    assert [entry["path"].rpartition("/")[2] for entry in simulator.log()] == [
        "login",
        *["generated-credentials"] * 3,
        "revoke",
    ]


@pytest.mark.before_release
def test_an_older_server_has_another_route_for_secrets(workspace: Workspace, simulator: Simulator) -> None:
    simulator.settings(secretsV4=False)
    run = looked_up(workspace, simulator, f"'okta-payments', {BY_NAME}, source='secret'")
    assert run.returncode == 0, run.output
    assert value(workspace) == active(simulator)
    assert len(simulator.log("/api/v3/secrets/raw/OKTA_CLIENT")) == 2


@pytest.mark.before_release
def test_where_options_come_from(workspace: Workspace, simulator: Simulator) -> None:
    """The lookup's own, then the variables, which a host of the inventory has, then the environment."""
    options = login(simulator)
    identity = {name: options[f"universal_auth_client_{name}"] for name in ("id", "secret")}
    wrong = {"INFISICAL_URL": "http://127.0.0.1:9", "INFISICAL_TOKEN": "wrong"}
    variables = {
        "infisical_url": "{{ 'http://127.0.0.1:' ~ port }}",
        "port": simulator.url.rpartition(":")[2],
        "infisical_validate_certs": True,
        "infisical_timeout": 90,
        "infisical_project_slug": "payments",
        "infisical_environment": "prod",
        "infisical_secret_path": "/okta",
        "infisical_universal_auth_client_id": identity["id"],
        "infisical_universal_auth_client_secret": identity["secret"],
    }
    token = simulator.mint_token()
    run = looked_up(
        workspace,
        simulator,
        "'okta-payments'",
        # The login of the call is no contradiction to that of the variables.
        f"'okta-payments', token='{token}', project_id='{simulator.state()['project']['id']}'",
        # What is blank in the call is not given.
        "'okta-payments', url=' ', token='', project_id=none, wait_timeout=''",
        env=wrong,
        vars=variables,
    )
    assert run.returncode == 0, run.output
    assert [value(workspace, number) for number in range(3)] == [active(simulator)] * 3
    assert len(simulator.log("login")) == 2


def test_a_login_of_a_task_before_is_shared(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()["id"]
    tasks: list[dict[str, Any]] = [
        {"name": "login", "secretops.infisical.login": login(simulator), "register": "session"},
        {
            "name": "look up",
            "ansible.builtin.set_fact": {
                "found": "{{ lookup('" + LOOKUP + f"', '{rotation}', login_data=session.login_data).clientId }}}}"
            },
        },
    ]
    # It knows its server.
    run = workspace.tasks(tasks, env={"INFISICAL_URL": ""}, vars={"infisical_url": "http://127.0.0.1:9"})
    assert run.returncode == 0, run.output
    assert run.named("look up")["ansible_facts"]["found"] == active(simulator)["clientId"]
    assert len(simulator.log("login")) == 1


def test_on_the_hosts_of_the_inventory(workspace: Workspace, simulator: Simulator) -> None:
    inventory = workspace.folder / "fleet.okta_rotations.yml"
    project = simulator.state()["project"]["id"]
    options = {"plugin": "secretops.infisical.okta_client_secret_rotations", "url": simulator.url}
    inventory.write_text(yaml.safe_dump({**options, "projects": {"payments": project}}), encoding="utf-8")
    play = {
        "hosts": "okta_client_secret_rotations",
        "gather_facts": False,
        "tasks": [
            {
                "name": "look up",
                "ansible.builtin.set_fact": {"found": "{{ lookup('" + LOOKUP + "', rotation_id).clientId }}"},
            }
        ],
    }
    # The hosts know their server.
    env = {**environment(simulator), "INFISICAL_URL": "http://127.0.0.1:9"}
    run = workspace.playbook([play], "-i", str(inventory), env=env)
    assert run.returncode == 0, run.output
    assert run.named("look up")["ansible_facts"]["found"] == active(simulator)["clientId"]


# -- after a rotation


@pytest.mark.parametrize("source", ["credentials", "secret"])
def test_after_a_rotation_only_the_new_ones_come(workspace: Workspace, simulator: Simulator, source: str) -> None:
    rotation = simulator.rotation()["id"]
    tasks: list[dict[str, Any]] = [
        {"name": "rotate", MODULE: {"rotation_id": rotation}, "register": "rotation"},
        {
            "name": "look up",
            "ansible.builtin.copy": {
                "content": "{{ lookup('"
                + LOOKUP
                + f"', '{rotation}', after=rotation.secretRotation, source='{source}')"
                " | to_json }}",
                "dest": str(workspace.home / "value-0"),
                "mode": "0600",
            },
            "no_log": True,
        },
    ]
    before = active(simulator)
    run = workspace.tasks(tasks, env=environment(simulator))
    assert run.returncode == 0, run.output
    assert value(workspace) == active(simulator) != before


class _Old:
    """A cache that keeps the credentials from before for so many answers."""

    def __init__(self, answers: int) -> None:
        self._left = answers
        self._kept: Any = None

    def __call__(self, request: Any, onward: Any) -> Any:
        if not request.path.endswith(CREDENTIALS):
            return onward(request)
        self._kept = self._kept or onward(request)
        self._left -= 1
        return self._kept if self._left >= 0 else onward(request)


@pytest.mark.before_release
def test_a_cache_before_the_server_is_waited_out(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()["id"]
    options = login(simulator)
    with front(simulator.url, _Old(2)) as url:
        calls = (f"'{rotation}', url='{url}'", f"'{rotation}', url='{url}', after=after")
        first = looked_up(workspace, simulator, calls[0])
        assert first.returncode == 0, first.output
        rotated = workspace.task({**options, "rotation_id": rotation})
        after = {key: rotated.only["secretRotation"][key] for key in ("id", "activeIndex", "lastRotatedAt")}
        second = looked_up(workspace, simulator, calls[1], vars={"after": after})
    assert second.returncode == 0, second.output
    assert value(workspace) == active(simulator)


def test_what_was_rotated_once_more_is_not_handed_out(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()
    after = {key: rotation[key] for key in ("id", "activeIndex", "lastRotatedAt")}
    simulator.rival(rotation["id"])
    simulator.state()
    call = f"'{rotation['id']}', after=after, wait_timeout=0"
    message = refusal(workspace, simulator, call, vars={"after": after})
    assert "rotated once more" in message
    assert "(reason: stale_reading)" in message


@pytest.mark.before_release
@pytest.mark.counted
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_wait_leaves_no_token(workspace: Workspace, simulator: Simulator, number: int) -> None:
    rotation = simulator.rotation()
    after = {**{key: rotation[key] for key in ("id", "lastRotatedAt")}, "activeIndex": 1 - rotation["activeIndex"]}
    options = {**login(simulator), "after": after, "wait_timeout": 600}
    found = (
        "{{ lookup('" + LOOKUP + f"', '{rotation['id']}', {', '.join(f'{key}=options.{key}' for key in options)}) }}}}"
    )
    task = {"name": "look up", "vars": {"options": options}, "ansible.builtin.set_fact": {"found": found}}
    with Playbook(workspace, [task], {}) as playbook:
        until(lambda: len(simulator.log(f"{CREDENTIALS}$")) > 1, "the lookup waits")
        assert len(tokens_left(simulator)) == 1
        # The worker is the youngest.
        os.kill(max(playbook.family()), number)
        assert playbook.wait() != 0
        until(lambda: not playbook.family(), "all its processes ended")
    assert tokens_left(simulator) == []


# -- whichever way it is called


def test_a_secret_with_braces_is_no_template(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()["id"]
    braces = "{{ lookup('pipe', 'echo executed') }}"
    credentials = {"clientId": "0oa", "clientSecret": braces, "secretId": "ocs"}
    body = {"rotationId": rotation, "activeIndex": 0, "generatedCredentials": [credentials]}
    simulator.fault("status", path=CREDENTIALS, status=200, body=body, times=0)
    tasks = [
        {"name": "keep", "ansible.builtin.set_fact": {"kept": "{{ lookup('" + LOOKUP + f"', '{rotation}') }}}}"}},
        {"name": "show", "ansible.builtin.debug": {"msg": "{{ kept.clientSecret }}"}},
    ]
    run = workspace.tasks(tasks, env=environment(simulator))
    assert run.returncode == 0, run.output
    assert run.named("show")["msg"] == braces


def test_ad_hoc(workspace: Workspace, simulator: Simulator) -> None:
    rotation = simulator.rotation()["id"]
    message = "msg={{ lookup('" + LOOKUP + f"', '{rotation}').clientId }}}}"
    run = workspace.command(["ansible", "localhost", "-m", "debug", "-a", message], environment(simulator))
    assert run.returncode == 0, run.output
    assert active(simulator)["clientId"] in run.stdout


@pytest.mark.before_release
def test_nothing_is_shown_or_left(workspace: Workspace, simulator: Simulator, tmp_path_factory: Any) -> None:
    rotation = simulator.rotation()
    options = environment(simulator)
    secrets = {
        "login": options["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"],
        "credentials": active(simulator)["clientSecret"],
        "token": simulator.mint_token(),
    }
    watch = Watch(secrets, workspace)
    variables = tmp_path_factory.mktemp("inputs") / "variables.json"
    variables.write_text(json.dumps({"token": secrets["token"]}), encoding="utf-8")
    found = "{{ (lookup('" + LOOKUP + f"', '{rotation['id']}'"
    tasks = [
        {"name": name, "ansible.builtin.debug": {"msg": f"{found}{more}).clientSecret | length) > 0 }}}}"}}
        for name, more in (
            ("environment", ""),
            ("token", ", token=token"),
            ("refused", ", token=token ~ 'x'"),
            ("secret", ", source='secret'"),
        )
    ]
    env = {**options, "ANSIBLE_LOG_PATH": str(workspace.folder / "ansible.log"), "ANSIBLE_DISPLAY_TRACEBACK": "always"}
    run = workspace.tasks(
        [{**task, "ignore_errors": True} for task in tasks], "-vvvv", "--extra-vars", f"@{variables}", env=env
    )
    assert [result.status for result in run.results] == ["ok", "ok", "failed", "ok"], run.output
    for token in simulator.state()["tokens"]:
        watch.add(f"token {token['id']}", token["accessToken"])
    assert watch.leaks(run.output) == []


def test_its_documentation_tells_the_variables() -> None:
    """Which the code reads by their names."""
    from ansible_collections.secretops.infisical.plugins.doc_fragments.variables import ModuleDocFragment
    from ansible_collections.secretops.infisical.plugins.lookup.okta_client_credentials import SPEC

    told = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {name: [each["name"] for each in option["vars"]] for name, option in told.items()} == {
        name: [f"infisical_{name}"] for name in SPEC if name not in ("all", "source", "after", "wait_timeout")
    }


@pytest.mark.before_release
def test_as_a_loop(workspace: Workspace, simulator: Simulator) -> None:
    """Where ansible-core gives a lookup an option of its own."""
    ids = [rotation["id"] for rotation in simulator.add_rotations(2)]
    task = {
        "name": "look up",
        "ansible.builtin.debug": {"msg": "{{ item.clientId }}"},
        "loop_control": {"label": "credentials"},
        f"with_{LOOKUP}": ids,
    }
    run = workspace.tasks([task], env=environment(simulator))
    assert run.returncode == 0, run.output
    assert [each["msg"] for each in run.only["results"]] == [active(simulator, each)["clientId"] for each in ids]
