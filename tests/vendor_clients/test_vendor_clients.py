# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's released clients work on the simulator, unchanged: what they read and write is what it holds."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator

FOLDER = "/okta"
HERE = Path(__file__).resolve().parent


class Refused(Exception):
    """What the client raises when the server refuses."""


class PythonClient:
    """infisicalsdk, on which the vendor's Ansible collection stands."""

    def __init__(self, simulator: Simulator) -> None:
        sdk: Any = importlib.import_module("infisical_sdk")
        self._refusal = sdk.infisical_requests.APIError
        # No answer out of the client's own cache.
        self._client = sdk.InfisicalSDKClient(host=simulator.url, cache_ttl=None)
        self._place = {
            "project_id": simulator.state()["project"]["id"],
            "environment_slug": "dev",
            "secret_path": FOLDER,
        }

    def close(self) -> None:
        self._client.close()

    def _call(self, name: str, **options: Any) -> Any:
        refusal = None
        try:
            return getattr(self._client.secrets, name)(**{**self._place, **options})
        except self._refusal as error:
            refusal = str(error)
        raise Refused(refusal)

    def login(self, client_id: str, client_secret: str) -> None:
        self._client.auth.universal_auth.login(client_id=client_id, client_secret=client_secret)

    def list(self, path: str = FOLDER, *, recursive: bool = False) -> Any:
        answer = self._call("list_secrets", secret_path=path, recursive=recursive)
        return [secret.to_dict() for secret in answer.secrets]

    def get(self, name: str) -> Any:
        return self._call("get_secret_by_name", secret_name=name).to_dict()

    def create(self, name: str, value: str, comment: str) -> Any:
        made = self._call("create_secret_by_name", secret_name=name, secret_value=value, secret_comment=comment)
        return made.to_dict()

    def update(self, name: str, value: str) -> Any:
        return self._call("update_secret_by_name", current_secret_name=name, secret_value=value).to_dict()

    def delete(self, name: str) -> Any:
        return self._call("delete_secret_by_name", secret_name=name).to_dict()

    def create_folder(self, name: str) -> Any:
        place = {"project_id": self._place["project_id"], "environment_slug": "dev", "path": FOLDER}
        return self._client.folders.create_folder(name, **place).to_dict()

    def folders(self, *, recursive: bool) -> Any:
        place = {"project_id": self._place["project_id"], "environment_slug": "dev", "path": "/"}
        return [folder.to_dict() for folder in self._client.folders.list_folders(**place, recursive=recursive).folders]


class NodeClient:
    """@infisical/sdk, in a process of its own."""

    def __init__(self, simulator: Simulator) -> None:
        self._process = subprocess.Popen(
            ["node", HERE / "client.mjs", simulator.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
        )
        self._place = {
            "projectId": simulator.state()["project"]["id"],
            "environment": "dev",
            "secretPath": FOLDER,
        }

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _call(self, call: str, options: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([call, options]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["returned"]

    def login(self, client_id: str, client_secret: str) -> None:
        self._call("login", {"clientId": client_id, "clientSecret": client_secret})

    def list(self, path: str = FOLDER, *, recursive: bool = False) -> Any:
        return self._call("list", {**self._place, "secretPath": path, "recursive": recursive})["secrets"]

    def get(self, name: str) -> Any:
        return self._call("get", {**self._place, "secretName": name})

    def create(self, name: str, value: str, comment: str) -> Any:
        options = {"secretName": name, "secretValue": value, "secretComment": comment}
        return self._call("create", {**self._place, **options})["secret"]

    def update(self, name: str, value: str) -> Any:
        return self._call("update", {**self._place, "secretName": name, "secretValue": value})["secret"]

    def delete(self, name: str) -> Any:
        return self._call("delete", {**self._place, "secretName": name})["secret"]

    def create_folder(self, name: str) -> Any:
        return self._call("createFolder", {**self._place, "name": name, "path": FOLDER})

    def folders(self, *, recursive: bool) -> Any:
        return self._call("listFolders", {**self._place, "path": "/", "recursive": recursive})


Client = PythonClient | NodeClient


@pytest.fixture(params=[PythonClient, NodeClient], ids=["infisicalsdk", "@infisical/sdk"])
def client(simulator: Simulator, request: pytest.FixtureRequest) -> Iterator[Client]:
    made = request.param(simulator)
    yield made
    made.close()


@pytest.fixture
def logged_in(simulator: Simulator, client: Client) -> Client:
    identity = simulator.state()["identity"]
    client.login(identity["clientId"], identity["clientSecret"])
    return client


def _held(simulator: Simulator, environment: str = "dev") -> dict[str, tuple[str, int, str]]:
    return {
        secret["secretKey"]: (secret["secretValue"], secret["version"], secret["secretComment"])
        for secret in simulator.state()["secrets"]
        if secret["environment"] == environment
    }


def _seen(secrets: Any) -> dict[str, tuple[str, int, str]]:
    return {s["secretKey"]: (s["secretValue"], s["version"], s["secretComment"]) for s in secrets}


def test_a_wrong_client_secret_is_refused(simulator: Simulator, client: Client) -> None:
    with pytest.raises(Exception, match="Invalid credentials"):
        client.login(simulator.state()["identity"]["clientId"], "wrong")


def test_secrets_are_created_read_changed_and_deleted(simulator: Simulator, logged_in: Client) -> None:
    client = logged_in
    assert client.list() == []
    for name in ("ONE", "TWO"):
        made = client.create(name, f"first {name}", f"about {name}")
        assert _seen([made]) == {name: (f"first {name}", 1, f"about {name}")}
    assert _held(simulator) == {"ONE": ("first ONE", 1, "about ONE"), "TWO": ("first TWO", 1, "about TWO")}
    assert _seen(client.list()) == _held(simulator)
    assert _seen(client.list("/", recursive=True)) == _held(simulator)
    assert client.list("/") == []
    assert _seen([client.get("ONE")]) == {"ONE": _held(simulator)["ONE"]}

    changed = client.update("ONE", "second ONE")
    assert (changed["secretValue"], changed["version"]) == ("second ONE", 2)
    assert _held(simulator)["ONE"] == ("second ONE", 2, "about ONE")
    assert _seen([client.get("ONE")]) == {"ONE": _held(simulator)["ONE"]}

    gone = client.delete("ONE")
    assert (gone["secretKey"], gone["secretValue"]) == ("ONE", "second ONE")
    assert set(_held(simulator)) == {"TWO"}
    assert _seen(client.list()) == _held(simulator)


def test_what_the_server_refuses_is_refused(simulator: Simulator, logged_in: Client) -> None:
    with pytest.raises(Refused, match="Secret with name 'NONE' not found"):
        logged_in.get("NONE")
    with pytest.raises(Refused, match="Secret not found"):
        logged_in.delete("NONE")
    logged_in.create("ONE", "first", "")
    with pytest.raises(Refused, match="Secret already exists"):
        logged_in.create("ONE", "second", "")
    assert _held(simulator) == {"ONE": ("first", 1, "")}
    assert logged_in.list("/nowhere") == []


def test_folders_are_created_and_listed(simulator: Simulator, logged_in: Client) -> None:
    made = logged_in.create_folder("deep")
    assert (made["name"], made["path"]) == ("deep", f"{FOLDER}/deep")
    held = [f["path"] for f in simulator.state()["projects"][0]["folders"] if f["environment"] == "dev"]
    assert held == ["/", FOLDER, f"{FOLDER}/deep"]
    assert [folder["name"] for folder in logged_in.folders(recursive=False)] == ["okta"]
    assert [folder["name"] for folder in logged_in.folders(recursive=True)] == ["okta", "deep"]
