# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault through ansible-playbook, each on a rotation of its own, and the guide's table of what came of it."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.exactly_once.fault_cases import CASES, Case
from simulator.client import Simulator
from support.ansible import MODULE, Run, Workspace
from support.server import login, tokens_left
from support.tables import check_table

ROTATE = "/rotate-secrets$"
REFUSALS = ("unauthorized", "token_error")
HEADINGS = ("What goes wrong", "Requests to rotate", "Rotations", "changed", "outcome or reason")


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Servers:
    """The simulators, one for each kind of trouble that a whole server has."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._own: dict[str, Simulator] = {}
        self.usual = stack.enter_context(Simulator())
        self.nobody = self.usual.mint_token()

    def of(self, case: Case) -> Simulator:
        if case.server not in ("okta_fails", "late_failure", "killed_before", "killed_after", "tls"):
            return self.usual
        if case.server not in self._own:
            keeps = case.server.startswith("killed")
            self._own[case.server] = self._stack.enter_context(Simulator(keep_state=keeps, tls=case.server == "tls"))
            if case.server == "okta_fails":
                self._own[case.server].settings(okta={"listError": 0})
            if case.server == "late_failure":
                self._own[case.server].settings(lateFailure=1000)
        return self._own[case.server]

    def all(self) -> list[Simulator]:
        return [self.usual, *self._own.values()]

    def options(self, case: Case, simulator: Simulator, rotation: dict[str, Any]) -> dict[str, Any]:
        """Where the case's task goes, and as whom."""
        options = {**login(simulator), "rotation_id": rotation["id"], "min_age": 0, **case.options}
        url = options["url"]
        urls = {
            "closed": f"http://127.0.0.1:{_closed_port()}",
            "nowhere": "http://no-such-host.invalid",
            "not_tls": url.replace("http://", "https://"),
            "web_page": f"{url}/web",
            "no_route": f"{url}/api/v9",
        }
        options["url"] = urls.get(case.server, url)
        if case.server == "other_rotation":
            options["rotation_id"] = "11111111-2222-4333-8444-555555555555"
        token = None
        if case.without:
            identity = simulator.add_identity(without=[[action, "secret-rotation"] for action in case.without])
            token = simulator.mint_token(identityId=identity["id"])
        elif case.server in ("given_token", "web_page"):
            token = self.nobody
        if token:
            options = {key: value for key, value in options.items() if not key.startswith("universal")} | {
                "token": token
            }
        return options


class Prepared:
    """One case, ready to run."""

    def __init__(self, case: Case, servers: Servers) -> None:
        self.case = case
        self.simulator = servers.of(case)
        # A first rotation would clear the orphan away.
        slots = {"slots": 2} if case.server == "orphan" else {}
        self.rotation = self.simulator.add_rotation(name=_host(case), **slots)
        if case.server == "orphan":
            for _unused in range(2):
                self.simulator.orphan(self.rotation["id"])
        for planned in case.rotate:
            self.simulator.fault(path=f"{self.rotation['id']}{ROTATE}", method="POST", **planned)
        for planned in case.read:
            self.simulator.fault(path=f"{self.rotation['id']}$", method="GET", **planned)
        self.options = servers.options(case, self.simulator, self.rotation)
        self.posts_before_restart = 0

    @property
    def posts(self) -> int:
        found = self.simulator.log(f"{self.rotation['id']}{ROTATE}", "POST")
        return self.posts_before_restart + len(found)

    def now(self) -> dict[str, Any]:
        return self.simulator.rotation(self.rotation["id"])


def _host(case: Case) -> str:
    return re.sub(r"[^a-z0-9]+", "-", case.what.lower()).strip("-")[:60].strip("-")


@contextmanager
def meanwhile(*watches: Callable[[], bool]) -> Iterator[None]:
    """Does what has to happen while the tasks run: each is asked until it says that it has done its part."""
    done = threading.Event()

    def keep_asking(watch: Callable[[], bool]) -> None:
        while not done.wait(0.1) and not watch():
            pass

    threads = [threading.Thread(target=keep_asking, args=(watch,)) for watch in watches]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _rival(prepared: Prepared) -> Callable[[], bool]:
    def watch() -> bool:
        if not prepared.posts:
            return False
        prepared.simulator.rival(prepared.rotation["id"], **(prepared.case.rival or {}))
        return True

    return watch


def _restart(prepared: Prepared) -> Callable[[], bool]:
    def watch() -> bool:
        if prepared.simulator.running:
            return False
        # What ended it was the request, which its log has forgotten.
        prepared.posts_before_restart = 1
        prepared.simulator.restart()
        return True

    return watch


def _run(workspace: Workspace, cases: list[Prepared]) -> Run:
    """One play, a host for each case."""
    hosts = {_host(each.case): each.options for each in cases}
    assert len(hosts) == len(cases), "two cases have one name"
    inventory = workspace.folder / "inventory.json"
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": local}}), encoding="utf-8")
    names = sorted({option for each in cases for option in each.options})
    # Options that a host does not have are left out.
    task = {MODULE: {name: f"{{{{ hostvars[inventory_hostname].{name} | default(omit) }}}}" for name in names}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"name": "rotate", **task, "ignore_errors": True}]}
    watches = [_rival(each) for each in cases if each.case.rival]
    watches += [_restart(each) for each in cases if each.case.server.startswith("killed")]
    with meanwhile(*watches):
        return workspace.playbook([play], "-i", str(inventory), "--forks", "16")


def _problems(prepared: Prepared, result: dict[str, Any]) -> Iterator[str]:
    case, now = prepared.case, prepared.now()
    moved = now["lastRotatedAt"] != prepared.rotation["lastRotatedAt"]
    if (ended := result.get("reason") or result["outcome"]) != case.ends:
        yield f"ended as {ended}"
    if prepared.posts != case.posts:
        yield f"{prepared.posts} requests to rotate"
    if now["completed"] != case.rotations:
        yield f"{now['completed']} rotations"
    if result["changed"] is not moved and case.ends != "outcome_unknown":
        yield f"changed is {result['changed']}, but lastRotatedAt moved: {moved}"
    if not re.search(case.says, result["msg"]):
        yield f"the message does not say {case.says!r}"


def _row(prepared: Prepared, result: dict[str, Any]) -> tuple[str, ...]:
    ended = result.get("reason") or result["outcome"]
    counted = (str(prepared.posts), str(prepared.now()["completed"]))
    return (prepared.case.what, *counted, str(result["changed"]).lower(), f"``{ended}``")


@pytest.mark.before_release
def test_every_fault_ends_as_the_guide_says(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with ExitStack() as stack:
        servers = Servers(stack)
        prepared = [Prepared(case, servers) for case in CASES]
        run = _run(workspace, prepared)
        results = {result.host: result.result for result in run.results}
        problems, rows = [], []
        for each in prepared:
            result = results[_host(each.case)]
            problems += [f"{each.case.what}: {found}\n    {result['msg']}" for found in _problems(each, result)]
            rows.append(_row(each, result))
        assert not problems, "\n".join(problems)
        left = [token for simulator in servers.all() for token in tokens_left(simulator)]
        # A token that the server called bad is not revoked: only these faults know that it was good.
        given_up = [
            case for case in CASES if case.server == "usual" and case.rotate and case.rotate[0]["action"] in REFUSALS
        ]
        # Where a killed server is not back yet, the result says that its token is still valid.
        said = [result for result in results.values() if "still valid" in str(result.get("warnings"))]
        assert len(left) == len(given_up) + len(said), "a token was not revoked"
        killed = {each.simulator for each in prepared if each.case.server.startswith("killed")}
        assert len(said) <= len(killed), "a token was not revoked"
    assert list(workspace.tmp.rglob("*.lock")) == []
    check_table("faults", "tests/integration/exactly_once/test_faults.py", HEADINGS, rows, (46, 12, 12, 10, 20))


def test_there_are_at_least_thirty_kinds() -> None:
    assert len({case.what for case in CASES}) >= 30


@pytest.mark.parametrize("case", CASES, ids=_host)
def test_no_case_expects_two_rotations(case: Case) -> None:
    assert case.rotations <= 1
