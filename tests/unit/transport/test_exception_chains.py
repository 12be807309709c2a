# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No exception of a library is behind one of ours: ansible-core shows the whole chain, and they quote what they saw."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible_collections.secretops.infisical.plugins.inventory import okta_client_secret_rotations as inventory
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login import metadata
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION, merged
from ansible_collections.secretops.infisical.plugins.modules import login, okta_client_secret_rotation
from simulator.client import Simulator
from support.peers import canned
from support.raw_peer import LOGIN, READ, READ_AFTER, REVOKE, ROTATE, Ending, RawPeer, Step, listening
from support.tasks import Runner

SECRET = "hunter2-hunter2"

Prepare = Callable[[Path, pytest.MonkeyPatch], dict[str, Any]]


def chain(error: BaseException) -> list[BaseException]:
    """It and everything behind it, the suppressed too."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__]
    return found


def checked(error: BaseException, *kinds: type[BaseException]) -> None:
    assert {type(each) for each in chain(error)} <= set(kinds), chain(error)
    assert SECRET not in "".join(traceback.format_exception(error))


def failed(module: Any, options: dict[str, Any]) -> InfisicalError:
    with pytest.raises(InfisicalError) as caught:
        Runner(module).run({"wait_timeout": 0, **options})
    checked(caught.value, InfisicalError)
    return caught.value


def not_parsed(options: dict[str, Any], **own: Any) -> str:
    """The same options given to the inventory, which fails with one exception and no other behind it: its text."""

    class Plugin(inventory.InventoryModule):
        """ansible-core's own options belong to whom it loaded."""

        def _set_core_options(self, options: Any) -> None:
            self._options = {"cache": False}

    with tempfile.TemporaryDirectory() as folder, pytest.raises(AnsibleParserError) as caught:
        file = Path(folder) / "fleet.okta_rotations.yml"
        given = {"plugin": Plugin.NAME, "projects": {"payments": "p"}, "wait_timeout": 0, **options, **own}
        file.write_text(yaml.safe_dump(given), encoding="utf-8")
        Plugin().parse(InventoryData(), DataLoader(), str(file), cache=False)
    checked(caught.value, AnsibleParserError)
    return str(caught.value)


SPEC = merged(CONNECTION, AUTHENTICATION)


def body(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


#: Each quotes the secret where it breaks the answer.
BROKEN = {
    "no status line": f"{SECRET}\r\n\r\n",
    "odd status line": f"HTTP/9.9 {SECRET} OK\r\n\r\n",
    "odd status": f"HTTP/1.1 {SECRET}\r\n\r\n",
    "long line": f"HTTP/1.1 200 {SECRET * 9000}\r\n\r\n",
    "odd header": f"HTTP/1.1 200 OK\r\n{SECRET}\r\nContent-Length: {SECRET}\r\n\r\n{{}}",
    "cut header": f"HTTP/1.1 200 OK\r\nSet-Cookie: {SECRET}",
    "cut body": f"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{SECRET}",
    "two lengths": f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{SECRET}",
    "chunk size": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n{{}}\r\n0\r\n\r\n",
    "chunk cut": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff;{SECRET}\r\n{SECRET}",
    "no gzip": f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(SECRET)}\r\n\r\n{SECRET}",
    "location": f"HTTP/1.1 302 Found\r\nLocation: http://[{SECRET}\r\nContent-Length: 0\r\n\r\n",
    "tunnel": f"HTTP/1.1 502 Tunnel connection failed: {SECRET}\r\nContent-Length: 0\r\n\r\n",
    "nothing": "",
}
BODIES = {
    "no JSON": f'{{"secretRotation": {SECRET}',
    "no object": f'["{SECRET}"]',
    "deep": "[" * 100_000 + SECRET,
    "incomplete": f'{{"secretRotation": "{SECRET}", "secretRotations": ["{SECRET}"]}}',
}
ANSWERS = {name: text.encode() for name, text in BROKEN.items()} | {name: body(text) for name, text in BODIES.items()}
BY_ID = {"rotation_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "token": SECRET}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_broken_answers_to_a_reading(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with canned(answer) as peer:
        failed(okta_client_secret_rotation, {"url": f"http://{peer.host}", **BY_ID})
        assert "Could not list" in not_parsed({"url": f"http://{peer.host}", "token": SECRET})
    # ansible-core has the logs of all libraries in its own.
    assert caplog.text == ""


@pytest.fixture(scope="module")
def peer() -> Iterator[RawPeer]:
    with listening() as peer:
        yield peer


@pytest.mark.parametrize("kind", [LOGIN, READ, ROTATE, READ_AFTER, REVOKE])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_broken_answers_on_the_way(peer: RawPeer, kind: str, answer: bytes) -> None:
    broken = Step(lambda _body, _fields: answer, ending=Ending.CLOSE, works=False)
    # What reads after the request does so because that got no answer.
    steps = {READ_AFTER: broken, ROTATE: broken} if kind == READ_AFTER else {kind: broken}
    world = peer.begin(steps)
    options = {"url": peer.url, "universal_auth_client_id": "i", "universal_auth_client_secret": SECRET}
    runner = Runner(okta_client_secret_rotation)
    given = {**options, "rotation_id": world.rotation["id"], "wait_timeout": 0, "timeout": 2}
    try:
        runner.run(given)
    except InfisicalError as failure:
        checked(failure, InfisicalError)
        assert kind != REVOKE
    else:
        assert kind == REVOKE
    assert SECRET not in "".join(runner.warnings)
    assert kind in world.seen


def closed(_folder: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"url": "http://127.0.0.1:9"}


def unresolvable(_folder: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"url": "http://no-such-host.invalid"}


def proxy(value: str) -> Prepare:
    def prepare(_folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
        patch.setenv("http_proxy", value)
        patch.delenv("no_proxy", raising=False)
        patch.delenv("NO_PROXY", raising=False)
        return {"url": "http://infisical.example"}

    return prepare


def file(option: str, content: bytes | None) -> Prepare:
    def prepare(folder: Path, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
        path = folder / "file"
        if content is not None:
            path.write_bytes(content)
        return {"url": "https://127.0.0.1:9", option: str(path)}

    return prepare


def without(library: str, **more: Any) -> Prepare:
    def prepare(_folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
        patch.setitem(sys.modules, library, None)
        return {"url": "http://127.0.0.1:9", **more}

    return prepare


PREPARED: dict[str, Prepare] = {
    "refused port": closed,
    "unknown host": unresolvable,
    "proxy that is none": proxy(f"http://robot:{SECRET}@[bad"),
    "proxy without a host": proxy(f"http://robot:{SECRET}@"),
    "proxy with an odd port": proxy(f"http://robot:{SECRET}@127.0.0.1:port"),
    "proxy of another kind": proxy(f"gopher://robot:{SECRET}@127.0.0.1:9"),
    "proxy that is not there": proxy(f"http://robot:{SECRET}@127.0.0.1:9"),
    "SOCKS proxy": proxy(f"socks5://robot:{SECRET}@127.0.0.1:9"),
    "authorities that are not there": file("ca_path", None),
    "authorities that are none": file("ca_path", SECRET.encode()),
    "certificate that is none": file("client_cert", SECRET.encode()),
    "requests is missing": without("requests"),
}


@pytest.mark.parametrize("prepare", PREPARED.values(), ids=PREPARED)
def test_what_fails_before_anything_is_sent(prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"token": SECRET, **prepare(tmp_path, monkeypatch)}
    failed(okta_client_secret_rotation, {**BY_ID, **options})
    assert "a fault of this collection" not in not_parsed(options)


def aws(**environment: str) -> Prepare:
    def prepare(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        program = f"{sys.executable} -c \"print('{SECRET}')\""
        (folder / "config").write_text(f"[profile odd]\ncredential_process = {program}\n", encoding="utf-8")
        (folder / "broken").write_text(f"{SECRET}\n", encoding="utf-8")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
        patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
        for name, value in environment.items():
            patch.setenv(name, value.format(folder=folder))
        return {"auth_method": "aws_auth"}

    return prepare


def no_metadata_service(_folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    patch.setattr(metadata, "PATIENCE", 0)
    return {"auth_method": "azure_auth", "metadata_url": "http://127.0.0.1:9"}


LOGINS: dict[str, Prepare] = {
    "file that is no text": file("jwt_path", b"\xff" + SECRET.encode()),
    "file that is no token": file("jwt_path", f"{SECRET} {SECRET}".encode()),
    "file that is not there": file("jwt_path", None),
    "AWS without credentials": aws(),
    "AWS with an unknown profile": aws(AWS_PROFILE=SECRET),
    "AWS with an odd program": aws(AWS_PROFILE="odd"),
    "AWS with a broken file": aws(AWS_CONFIG_FILE="{folder}/broken"),
    "AWS without botocore": without("botocore.auth", auth_method="aws_auth"),
    "metadata service that is not there": no_metadata_service,
    "credentials that are no text": lambda _folder, _patch: {
        "auth_method": "ldap_auth",
        "ldap_username": "robot",
        "ldap_password": f"{SECRET}\udc80",
    },
}


@pytest.mark.parametrize("prepare", LOGINS.values(), ids=LOGINS)
def test_logins_that_fail_before_anything_is_sent(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "url": "http://127.0.0.1:9",
        "identity_id": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55",
        **prepare(tmp_path, monkeypatch),
    }
    assert failed(login, options).reason != "internal_error"
    assert "a fault of this collection" not in not_parsed(options)


@pytest.mark.parametrize("answer", [SECRET, f'{{"access_token": ["{SECRET}"]}}', "[" * 100_000], ids=str)
def test_a_metadata_service_that_answers_with_no_token(answer: str) -> None:
    with canned(body(answer)) as peer:
        options = {
            "identity_id": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55",
            "metadata_url": f"http://{peer.host}",
            "auth_method": "azure_auth",
        }
        failed(login, options)


def test_tls() -> None:
    with Simulator(client_cert_required=True) as simulator:
        for trusted in ({}, {"ca_path": simulator.ca_path}):
            options = {"url": simulator.url, "token": SECRET, **trusted}
            failed(okta_client_secret_rotation, {**BY_ID, **options})
            not_parsed(options)


def test_a_port_that_speaks_no_tls(simulator: Simulator) -> None:
    options = {"url": simulator.url.replace("http:", "https:"), "token": SECRET}
    failed(okta_client_secret_rotation, {**BY_ID, **options})
    not_parsed(options)


def test_the_lock(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    options = {"url": simulator.url, "token": simulator.mint_token(), "rotation_id": simulator.rotation()["id"]}
    assert failed(okta_client_secret_rotation, options).reason == "lock_unavailable"


@pytest.mark.parametrize("own", [{"projects": {}}, {"projects": {"a.b": "p"}}, {"older_than": "soon"}], ids=str)
def test_options_of_the_inventory(own: dict[str, Any]) -> None:
    not_parsed({"url": "http://127.0.0.1:9", "token": SECRET}, **own)


def test_an_unforeseen_fault_in_the_inventory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_task: Any) -> dict[str, Any]:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(inventory, "_fetched", fault)
    assert "a fault of this collection" in not_parsed({"url": "http://127.0.0.1:9", "token": SECRET})


def test_an_interrupt_of_the_inventory_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        try:
            raise OSError(SECRET)
        except OSError:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt) as caught:
        inventory._checked(interrupted)
    checked(caught.value, KeyboardInterrupt)
