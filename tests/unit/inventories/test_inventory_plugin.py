# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory plugin leaves behind when it fails, and what it makes of a cache. No server is asked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible_collections.secretops.infisical.plugins.inventory import okta_client_secret_rotations as plugin

PROJECT = "8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b"
FLEET, UNREAD = "okta_client_secret_rotations", "infisical_inventories_unread"


def rotation(name: str, number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"3c90c3cc-0d44-4b50-8888-00000000000{number}",
        "name": name,
        "environment": {"slug": "prod"},
        "folder": {"path": "/"},
        "rotationStatus": "success",
        "lastRotatedAt": "2026-03-10T12:00:00.000Z",
        **changes,
    }


class World:
    """Inventory files before a server that answers ``rotations`` at a clock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.inventory = InventoryData()
        self.rotations = [rotation("a", 1), rotation("b", 2)]
        self.asked = 0
        self.cache: dict[str, Any] = {}
        self.core: dict[str, Any] = {"cache": False, "strict": True, "compose": {}, "groups": {}, "keyed_groups": []}
        monkeypatch.setattr(plugin, "_fetched", self.fetched)

    def fetched(self, task: Any, *_more: Any) -> dict[str, Any]:
        self.asked += 1
        return {"rotations": dict.fromkeys(task.params["projects"], self.rotations), "clock": None}

    def parse(self, name: str = "fleet", **options: Any) -> InventoryData:
        file = self.folder / f"{name}.okta_rotations.yml"
        given = {
            "plugin": plugin.InventoryModule.NAME,
            "url": "https://infisical.example.com",
            "token": "aaa.bbb.ccc",
            "projects": {"payments": PROJECT},
            **options,
        }
        file.write_text(yaml.safe_dump(given), encoding="utf-8")
        core, cache = self.core, self.cache

        class Plugin(plugin.InventoryModule):
            """ansible-core's own options belong to whom it loaded."""

            def _set_core_options(self, options: Any) -> None:
                self._options = {**core, **{key: options[key] for key in core if options.get(key) is not None}}
                self._cache = cache

            def get_cache_key(self, path: str) -> str:
                return path

        Plugin().parse(self.inventory, DataLoader(), str(file))
        return self.inventory

    def fail(self, name: str = "fleet", **options: Any) -> str:
        with pytest.raises(AnsibleError) as caught:
            self.parse(name, **options)
        return str(caught.value)

    @property
    def unread(self) -> list[dict[str, str]]:
        return [dict(each) for each in self.inventory.groups[FLEET].vars.get(UNREAD, [])]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_one_name_from_two_files_is_an_error_of_the_second(world: World) -> None:
    world.parse("first")
    before = sorted(world.inventory.hosts)
    world.rotations = [rotation("0", 3), rotation("a", 4)]
    problem = world.fail("second")
    first, second = (str(world.folder / f"{name}.okta_rotations.yml") for name in ("first", "second"))
    assert "The host a.prod.payments of a (3c90c3cc-0d44-4b50-8888-000000000004)" in problem
    assert f"from {first}" in problem
    assert world.unread == [{"source": second, "problem": problem}]
    assert UNREAD in world.inventory.groups
    assert sorted(world.inventory.hosts) == before


def test_the_same_rotation_from_two_files_is_one_host(world: World) -> None:
    world.parse("first")
    assert sorted(world.parse("second").hosts) == ["a.prod.payments", "b.prod.payments"]
    assert world.unread == []


def test_hosts_of_a_file_that_fails_later_are_taken_back_and_a_success_takes_the_note_back(world: World) -> None:
    world.rotations = [rotation("a", 1), rotation("b", 2, parameters=None)]
    broken: dict[str, Any] = {"compose": {"app": "infisical_rotation.parameters.clientId"}}
    world.rotations[0]["parameters"] = {"clientId": "x"}
    world.fail(**broken)
    world.fail(**broken)
    assert len(world.unread) == 1
    assert dict(world.inventory.hosts) == {}
    world.parse()
    assert world.unread == []
    assert UNREAD not in world.inventory.groups
    assert len(world.inventory.hosts) == 2


def test_a_host_name_of_ones_own(world: World) -> None:
    world.parse(host_name="{{ infisical_rotation.name }}-{{ infisical_project }}")
    assert sorted(world.inventory.hosts) == ["a-payments", "b-payments"]


@pytest.mark.parametrize(
    ("host_name", "said"),
    [
        ("{{ infisical_project }}", "both have the name payments"),
        ("{{ infisical_rotation.name }}:1", "the name 'a:1'"),
        ("{{ '' }}", "the name ''"),
        ("{{ infisical_rotation.name.nothing.there }}", "host_name cannot be templated for the rotation a"),
    ],
)
def test_a_host_name_that_does_not_fit(world: World, host_name: str, said: str) -> None:
    assert said in world.fail(host_name=host_name)


def test_an_unforeseen_fault_does_not_show_its_text(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_anything: Any) -> None:
        raise ValueError("hunter22")

    monkeypatch.setattr(plugin, "_fetched", break_down)
    with pytest.raises(AnsibleError) as caught:
        world.parse()
    assert "ValueError" in str(caught.value)
    assert "hunter22" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "hunter22" not in str(world.unread)


def test_an_interruption_goes_on_without_what_was_behind_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_anything: Any) -> None:
        raise KeyboardInterrupt from ValueError("hunter22")

    monkeypatch.setattr(plugin, "_fetched", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        world.parse()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_an_environment_without_a_rotation_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(plugin.display, "warning", told.append)
    world.parse(environment=["prd"])
    assert told == ["environment names prd, where these projects have no rotation; they have some in prod."]


def test_another_identity_is_another_entry_of_the_cache(world: World) -> None:
    world.core["cache"] = True
    for token in ("aaa.bbb.ccc", "aaa.bbb.ccc", "ddd.eee.fff"):
        world.parse(token=token)
    assert world.asked == 2
    assert "aaa.bbb.ccc" not in str(world.cache)


@pytest.mark.parametrize(
    "kept",
    [
        5,
        {},
        {"clock": "soon"},
        {"clock": 0.0, "rotations": []},
        {"clock": 0.0, "rotations": {"other": []}},
        {"rotations": {"payments": []}},
        {"clock": 0.0, "rotations": {"payments": [{"id": 1}]}},
        {"clock": 0.0, "rotations": {"payments": [5]}},
    ],
    ids=str,
)
def test_a_cache_of_another_shape_is_read_anew(world: World, kept: Any) -> None:
    world.core["cache"] = True
    world.parse()
    for key in world.cache:
        world.cache[key] = kept
    assert len(world.parse().hosts) == 2
    assert world.asked == 2


def test_variables_hold_no_interpreter_and_no_secret(world: World) -> None:
    variables = world.parse().hosts["a.prod.payments"].vars
    assert str(variables["ansible_python_interpreter"]) == "{{ ansible_playbook_python }}"
    assert "aaa.bbb.ccc" not in str(variables)
    assert variables["infisical_inventory"] == str(world.folder / "fleet.okta_rotations.yml")


def test_outside_of_the_main_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a signal's handler cannot be set. The server is nobody."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    found: list[str] = []

    def parse() -> None:
        with monkeypatch.context() as own:
            world = World(tmp_path, own)
            own.undo()
            found.append(world.fail(url="http://127.0.0.1:9", wait_timeout=0))

    thread = threading.Thread(target=parse)
    thread.start()
    thread.join()
    assert "Could not list the secret rotations" in found[0]
