# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the same tests saw when their tasks ran in the controller's process, and as modules: no difference."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Set to 0 around pytest, every task of the tests runs as a module.
IN_PROCESS = "SECRETOPS_INFISICAL_IN_PROCESS"
#: Names the folder in which every command of the tests is recorded.
RECORD = "RECORD_RESULTS"

#: How the names of our actions begin.
_OURS = "secretops.infisical."

#: What differs from run to run: times, request ids, places in the workspace.
_VARYING = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})?(Z|\+00:00)", "TIME"),
    (r"\d+ (day|hour|minute|second)s?( \d+ (hour|minute|second)s?)? (ago|in the future)", "SOME TIME"),
    # Which of many waits, and whether long enough to be worth a word, is chance.
    (r" It waited \d+ seconds for [^.]*\.", ""),
    (r"req-\w{14}", "REQUEST"),
    (r"\b(?!00000000-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    (r"(://[\w.\[\]:-]+|\]):\d{4,5}\b", r"\1:PORT"),
    (r"pytest-\d+/", ""),
    # Which worker of pytest runs a test.
    (r"popen-gw\d+/", ""),
    # How many tests of that name the worker ran before.
    (r"/(test_\w+?)\d+/", r"/\1/"),
    (r"playbook-\d+", "PLAYBOOK"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
    (r"j\d+\.\d+", "JOB"),
    (r"0oa\w{17}", "CLIENT"),
    (r"ocs\w{17}", "SECRET ID"),
    (r'"clientSecret": "[\w-]{64}"', '"clientSecret": "SECRET"'),
    (r'"age_seconds": \d+', '"age_seconds": 0'),
    (r"/t-\w{8}/", "/TEMPORARY/"),
    (r"/w-\w{8}/", "/WORKSPACE/"),
    (r"/\w{32}\.(lock|note)", "/LOCK"),
    # ansible-core's own report of a timeout names the line that it interrupted.
    (r'"frame": "[^"]*"', '"frame": "FRAME"'),
    # Before 2.19 a verbose failure holds a traceback, with the places of the files.
    (r'"exception": "  File (\\"|[^"])*"', '"exception": "TRACEBACK"'),
)
#: These say nothing of ours, and something else at each run.
_UNCOMPARED_ACTIONS = ("command", "copy", "shell", "uri")
#: Which task of several wins, and what random secrets are looked for, is another one at each run: the number of
#: results is compared, not what they are. The tests themselves assert what holds in spite of chance.
CHANCE = (
    "::test_fifty_hosts_without_run_once",
    "::test_twenty_hosts_with_a_wrong_secret",
    "::test_an_ad_hoc_command_for_many_hosts",
    "/test_leaks.py",
)
#: How soon a server is back that was killed decides what is said of it, and not how the task ends.
UNTIMELY = "server-killed-"


def normalised(value: Any) -> Any:
    """Without what differs from run to run."""
    text = json.dumps(value, sort_keys=True)
    for pattern, name in _VARYING:
        text = re.sub(pattern, name, text)
    return json.loads(text)


def _compared(result: dict[str, Any]) -> str:
    """Without what ansible-core adds to the results of modules alone, which the guide names."""
    told = result["result"]
    if result["host"].startswith(UNTIMELY):
        told = {key: told.get(key) for key in ("changed", "outcome", "reason")}
    facts = told.get("ansible_facts", {})
    facts.pop("discovered_interpreter_python", None)
    if "warnings" in told:
        told["warnings"] = [text for text in told["warnings"] if "discovered Python interpreter" not in str(text)]
    told = {key: value for key, value in told.items() if value or key not in ("ansible_facts", "warnings")}
    text = json.dumps(normalised({**result, "result": told}), sort_keys=True)
    return text.replace("Task failed: Module failed: ", "Task failed: ")


def record(returncode: int, results: list[dict[str, Any]]) -> None:
    """Called after each command of a test. One file for each process of pytest."""
    folder = os.environ.get(RECORD)
    if not folder:
        return
    test, _space, phase = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")
    if phase == "(setup)":
        # Of a fixture that several tests share it is the first one's, and which that is chance decides.
        return
    line = json.dumps({"test": test, "returncode": returncode, "results": results})
    with (Path(folder) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    for path in folder.iterdir():
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def with_tasks_of_ours(folder: Path) -> set[str]:
    """The tests that tell something new where tasks run in another way."""
    return {
        entry["test"]
        for entry in _entries(folder)
        if any(each["action"].startswith(_OURS) for each in entry["results"])
    }


def recorded(folder: Path) -> dict[str, list[Any]]:
    """The commands of each test in their order: return code, and the tasks' results.

    The results are in no order, because hosts that run side by side end in none.
    """
    commands = defaultdict(list)
    for entry in _entries(folder):
        results = [each for each in entry["results"] if each.pop("action") not in _UNCOMPARED_ACTIONS]
        told = [""] * len(results) if any(name in entry["test"] for name in CHANCE) else map(_compared, results)
        commands[entry["test"]].append((entry["returncode"], sorted(told)))
    return commands


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[str]:
    """A line or two for each test that did not see the same."""
    found = []
    for test in sorted({*one, *other}):
        if one.get(test) == other.get(test):
            continue
        pair = [[text for command in way.get(test, []) for text in _texts(command)] for way in (one, other)]
        for mine, theirs, name in ((pair[0], pair[1], "in process"), (pair[1], pair[0], "as a module")):
            found += [f"{test}: only {name}: {text}" for text in mine if text not in theirs]
        found.append(f"{test}: {len(pair[0])} and {len(pair[1])} in all")
    return found


def _texts(command: tuple[int, list[str]]) -> list[str]:
    return [f"return code {command[0]}", *command[1]]
