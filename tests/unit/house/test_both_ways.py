# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of the suite's two runs finds what it is for, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import both_ways


def result(action: str = "login", **keys: Any) -> dict[str, Any]:
    return {"status": "ok", "host": "localhost", "task": "it", "action": action, "result": {"changed": False, **keys}}


@pytest.fixture
def differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is found between two ways, of which each is a list of commands' results."""

    def compare(
        *ways: list[dict[str, Any]], test: str = "a.py::test_one", returncodes: tuple[int, int] = (0, 0)
    ) -> Any:
        seen = []
        for number, (way, returncode) in enumerate(zip(ways, returncodes, strict=True)):
            folder = tmp_path / f"{test.replace('/', '-')}-{number}"
            folder.mkdir()
            monkeypatch.setenv(both_ways.RECORD, str(folder))
            monkeypatch.setenv("PYTEST_CURRENT_TEST", f"{test} (call)")
            both_ways.record(returncode, way)
            seen.append(both_ways.recorded(folder))
        return both_ways.differences(*seen)

    return compare


def test_equal_results_differ_in_nothing(differences: Any) -> None:
    one = [result(msg="At 2026-01-01T00:00:00.000Z from http://127.0.0.1:43210."), result(outcome="rotated")]
    other = [result(outcome="rotated"), result(msg="At 2026-01-02T01:02:03.456Z from http://127.0.0.1:12345.")]
    assert differences(one, other) == []
    folders = [[result(msg=f"There is no folder /tmp/t/popen-gw1/test_a_wrong_be{number}/no.")] for number in (1, 12)]
    assert differences(*folders, test="a.py::test_two") == []


@pytest.mark.parametrize(
    "other",
    [
        [],
        [result(msg="Rotated.", changed=True)],
        [result(msg="rotated.")],
        [result(msg="Rotated."), result(msg="Rotated.")],
        [{**result(msg="Rotated."), "status": "failed"}],
        [result(msg="Rotated.", warnings=["Mind the gap."])],
        [result(msg="Rotated.", ansible_facts={"secretRotation": {}})],
        [result(msg="Rotated.", status=None)],
    ],
)
def test_a_result_that_is_not_the_same_is_found(differences: Any, other: list[dict[str, Any]]) -> None:
    found = differences([result(msg="Rotated.")], other)
    assert found
    assert all("a.py::test_one" in line for line in found)


def test_the_worker_of_pytest_is_none(differences: Any) -> None:
    one, other = "q/1/t/popen-gw0/it0/home", "q/1/t/popen-gw1/it0/home"
    assert differences([result(path=one)], [result(path=other)]) == []


def test_of_a_server_that_was_killed_only_the_end_counts(differences: Any) -> None:
    one = {**result(reason="outcome_unknown", msg="Nobody knows."), "host": "server-killed-before"}
    later = {**result(reason="outcome_unknown", msg="Nobody answers.", warnings=["a"]), "host": "server-killed-before"}
    assert differences([one], [later], test="a.py::test_one") == []
    rotated = {**result(outcome="rotated"), "host": "server-killed-before"}
    assert differences([one], [rotated], test="a.py::test_two")


def test_a_return_code_is_a_difference(differences: Any) -> None:
    assert differences([result()], [result()], returncodes=(0, 2))


def test_what_ansible_core_adds_to_modules_is_none(differences: Any) -> None:
    discovered = {"discovered_interpreter_python": "/usr/bin/python3.13"}
    warning = "Host 'x' is using the discovered Python interpreter at '/usr/bin/python3.13', but ..."
    assert differences([result()], [result(ansible_facts=discovered, warnings=[warning])]) == []
    assert differences([result("copy", md5sum="1")], [result("copy", md5sum="2")], test="b.py::test_two") == []


def test_where_chance_decides_only_the_number_of_results_counts(differences: Any) -> None:
    test = "tests/integration/secrecy/test_leaks.py::test_twenty"
    assert differences([result(changed=True)], [result()], test=test) == []
    assert differences([result()], [result(), result()], test=test.replace("twenty", "thirty"))


def test_without_a_folder_nothing_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(both_ways.RECORD, raising=False)
    monkeypatch.chdir(tmp_path)
    both_ways.record(0, [result()])
    assert list(tmp_path.iterdir()) == []


def test_only_what_has_tasks_of_ours_is_worth_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(both_ways.RECORD, str(tmp_path))
    for test, action in (("one", "debug"), ("two", "secretops.infisical.login"), ("two", "debug"), ("three", "login")):
        monkeypatch.setenv("PYTEST_CURRENT_TEST", f"a.py::test_{test}[a b] (call)")
        both_ways.record(0, [result("debug"), result(action)])
    assert both_ways.with_tasks_of_ours(tmp_path) == {"a.py::test_two[a b]"}


def test_what_a_fixture_runs_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(both_ways.RECORD, str(tmp_path))
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "a.py::test_one (setup)")
    both_ways.record(0, [result("secretops.infisical.login")])
    assert both_ways.recorded(tmp_path) == {}
