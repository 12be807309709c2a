# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a run: which rotation and which batch is next, how far the secret came, and a run from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.action.handover import ActionModule
from ansible_collections.secretops.infisical.plugins.module_utils._transport import urls
from ansible_collections.secretops.infisical.plugins.modules import handover as documented
from simulator.client import Simulator
from support.server import tokens_left
from unit.handover.handed_consumers import Consumers
from unit.handover.handover_cycle import Handed
from unit.handover.handover_steps import act

COLLECTION = Path(__file__).resolve().parents[3]
ROTATIONS = [
    {"rotation_id": "i", "hosts": ["a", "b"], "listed": ["a", "b", "c"]},
    {"rotation_id": "j", "hosts": ["d"], "listed": ["d"]},
]
RUN: dict[str, Any] = {"run": "r1", "rotations": ROTATIONS, "cut_off": [], "report": None}
LOOK = {"problem": "", "active_id": "ocs1", "batches": [["a"], ["b", "c"]]}


def state(name: str, held: str = "ocs1", **more: Any) -> dict[str, Any]:
    """As it stands among the variables of a host."""
    usual = {"run": "r1", "since": None, "how": "", "problem": ""}
    return {"handover_state": {**usual, "secret_id": held, "state": name, **more}}


def hostvars(**states: dict[str, Any]) -> dict[str, Any]:
    return {"hostvars": {name: {} for name in "abcd"} | states, "inventory_hostname": "a"}


# -- next


def test_one_rotation_after_the_other() -> None:
    first = act("next", {}, run=RUN)
    assert (first["rotation_id"], first["hosts"], first["listed"]) == ("i", ["a", "b"], ["a", "b", "c"])
    second = act("next", {}, run=RUN, rotation=first, rotated={"refused": ""})
    assert second["rotation_id"] == "j"
    nothing = {"rotation_id": "", "hosts": [], "listed": [], "changed": False}
    assert act("next", {}, run=RUN, rotation=second, rotated={}) == nothing
    assert act("next", {}, run=RUN, rotation=first, rotated={"refused": "Not rotated."}) == nothing


# -- batch


def batch(last: dict[str, Any] | None, check_mode: bool = False, run: Any = None, **states: Any) -> dict[str, Any]:
    args: dict[str, Any] = {"run": RUN | (run or {}), "look": LOOK, **({"batch": last} if last else {})}
    found: dict[str, Any] = act("batch", hostvars(**states), check_mode=check_mode, **args)
    return found


FIRST = {"number": 0, "hosts": ["a"], "stop": ""}


def test_one_batch_after_the_other() -> None:
    assert batch(None) == {**FIRST, "changed": False}
    second = batch(FIRST, a=state("proven"))
    assert (second["number"], second["hosts"], second["stop"]) == (1, ["b", "c"], "")
    last = batch(second, b=state("checked"), c=state("delivered"))
    assert (last["number"], last["hosts"], last["stop"]) == (2, [], "")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (state("failed", problem="it burns"), "it burns"),
        (state("proven", "ocs0"), "proven"),
        ({}, "not reached"),
        # Variables of that name from an inventory, or from a run before.
        (state("proven", run="r0"), "not reached"),
        ({"handover_state": "proven"}, "not reached"),
        (state("predicted"), "not reached"),
    ],
)
def test_a_batch_waits_for_the_one_before(found: dict[str, Any], told: str) -> None:
    stopped = batch(FIRST, a=found)
    assert (stopped["hosts"], stopped["stop"]) == ([], f"a ({told}) did not take ocs1.")
    # Who may be cut off stops nobody, and under check mode nobody takes anything.
    assert batch(FIRST, run={"cut_off": ["a"]}, a=found)["hosts"] == ["b", "c"]
    assert batch(FIRST, check_mode=True, a=found)["hosts"] == ["b", "c"]


def test_a_look_with_a_problem_has_no_batch() -> None:
    look = {"problem": "Nobody there.", "active_id": "", "batches": [["a"]]}
    found = act("batch", hostvars(), run=RUN, look=look)
    assert (found["hosts"], found["stop"]) == ([], "Nobody there.")


# -- record


def test_how_far_the_secret_came_is_kept() -> None:
    note = {"secret_id": "ocs0", "since": "2025"}
    found = act("record", {}, run=RUN, state="proven", secret_id="ocs1", note=note, since="2026", how="http check")
    assert found == {
        "changed": False,
        "run": "r1",
        "secret_id": "ocs1",
        "state": "proven",
        "since": "2026",
        "how": "http check",
        "problem": "",
        "diff": {"before": {"secret_id": "ocs0"}, "after": {"secret_id": "ocs1"}},
    }
    task = {"name": "Write", "action": "x.copy", "rc": "", "said": ""}
    failed = act("record", {}, run=RUN, state="failed", secret_id="", failed_task=task, ending="It stayed.", since="")
    assert failed["problem"] == "the task 'Write' (module x.copy) failed. It stayed."
    assert (failed["since"], failed["how"], failed["diff"]["before"]) == (None, "", {"secret_id": ""})
    assert act("record", {}, run=RUN, state="predicted", secret_id="ocs1")["state"] == "predicted"


def test_a_state_that_is_none_is_refused() -> None:
    found = act("record", {}, run=RUN, state="perfect", secret_id="ocs1")
    assert (found["failed"], found["reason"]) == (True, "invalid_arguments")
    assert found["msg"] == "state is 'perfect': give one of failed, delivered, checked, proven."


# -- summary


def test_a_report_that_cannot_be_written_any_more_is_a_problem(tmp_path: Path) -> None:
    run = {**RUN, "report": str(tmp_path / "gone" / "r.json")}
    found = act("summary", hostvars(a=state("proven"), b=state("proven", run="r0")), run=run, rotated={"told": ["x"]})
    fault = found["marked"].pop("a")
    assert fault.endswith("r.json could not be written: No such file or directory.")
    assert found["told"] == (
        f"x Of 4 consumers: 1 proven, 3 not reached. Not in this run, or in another batch of it: c. Stopped: {fault}"
    )
    assert found["marked"] == dict.fromkeys(("b", "d"), "Not attempted, or not reached: see a.")
    failed = act("summary", hostvars(b=state("failed", problem="no")), run=run, rotated={"refused": "Not rotated."})
    assert failed["marked"] == {"b": "no", **dict.fromkeys(("a", "d"), "Not attempted, or not reached: see b.")}
    assert failed["told"].endswith(f"Stopped: Not rotated. {fault}")
    assert act("summary", hostvars(), run=RUN, check_mode=True)["report"]["check_mode"] is True


# -- a run from end to end


@pytest.fixture
def handed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Handed:
    return Handed(simulator, monkeypatch)


def test_a_run_from_end_to_end(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    consumers = Consumers(handed, monkeypatch, "a", "b")
    play, run = consumers.play, consumers.run
    rotation = play.act("next", run=run)
    look: dict[str, Any] = {}
    rotated: dict[str, Any] = {"again": True}
    while rotated["again"]:
        look = play.act("look", run=run, rotation=rotation, look=look, rotated=rotated)
        batch = play.act("batch", run=run, look=look)
        while batch["hosts"]:
            assert [consumers.deliver(host, look)["changed"] for host in batch["hosts"]] == [True]
            batch = play.act("batch", run=run, look=look, batch=batch)
        rotated = play.act("rotate", run=run, rotation=rotation, look=look, batch=batch, rotated=rotated)
    assert (rotated["refused"], handed.rotations(), look["round"]) == ("", 1, 2)
    active = handed.slots[0]
    for machine in consumers.machines.values():
        assert machine.files["/etc/app.env"] == f"KEY={active['clientSecret']}\n".encode()
        assert json.loads(machine.files["/etc/app.env.handover"])["secret_id"] == active["secretId"]
    summary = play.act("summary", run=run, rotated=rotated)
    assert summary["told"].rpartition("Of ")[2] == "2 consumers: 2 checked."
    assert not any(each["clientSecret"] in json.dumps([summary, rotated]) for each in handed.slots)
    assert tokens_left(handed.simulator) == []


def test_what_is_unsafe_is_warned_of_once(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "is_unprotected", lambda _url: True)
    leaked = {"handover_leaked_secret_id": "ocsGone", "handover_leaked_secret": "a value that leaked"}
    play = (consumers := Consumers(handed, monkeypatch, "a", **leaked)).play
    step = {"run": consumers.run, "rotation": play.act("next", run=consumers.run)}
    look = play.act("look", **step)
    # Okta is asked twice at the end.
    ended = play.act("rotate", look=look, batch=FIRST, **step)
    assert ended["told"][-1].endswith("refuses the leaked one, ocsGone.")
    assert [warning.split(" is ")[0] for warning in look["warnings"]] == ["url", "okta_url"]
    assert [warning.split(" is ")[0] for warning in ended["warnings"]] == ["okta_url"]


def test_the_steps_and_what_the_role_gives_them_are_documented() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert set(options["step"]["choices"]) == set(ActionModule.steps(Mock()))
    files = sorted((COLLECTION / "roles" / "handover" / "tasks").glob("*.yml"))
    waiting = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    given: set[str] = set()
    for each in waiting:
        if isinstance(each, dict):
            given |= set(each.get("secretops.infisical.handover", ()))
        waiting += each if isinstance(each, list) else each.values() if isinstance(each, dict) else ()
    assert given == set(options)
    assert yaml.safe_load(documented.EXAMPLES)
    assert yaml.safe_load(documented.RETURN)
