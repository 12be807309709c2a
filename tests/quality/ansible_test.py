# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test on every supported ansible-core, in a copy of the collection outside any git checkout."""

from __future__ import annotations

import functools
import re

from . import LONG
from .engine import Step
from .environments import Environment, interpreters
from .installer import CHECKOUT, REQUIREMENTS, UV, variables
from .rooms import Failed, Room

#: The Pythons that each ansible-core supports as a controller, and of which at least one is needed.
CONTROLLERS = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
#: Integration runs on each of these: the oldest and the newest, and every week one between.
PAIRS = (("2.16", "3.10"), *([("2.19", "3.11")] if LONG else []), ("2.21", "3.13"))
#: Sanity runs once on each ansible-core, on this Python where it is here: together they are all of them.
SANITY = {"2.16": "3.10", "2.17": "3.12", "2.18": "3.11", "2.19": "3.11", "2.20": "3.12", "2.21": "3.13"}
#: What of sanity hangs on ansible-core. The rest, which takes most of the time, finds the same in the same files: it
#: runs on the oldest and the newest.
OF_THE_CORE = ("action-plugin-docs", "ansible-doc", "compile", "import", "runtime-metadata", "validate-modules")
#: How many of each kind must have run on any machine.
FLOOR = {"sanity": 4, "units": 1, "integration": 2}

#: ansible-test fetches this script from a host that not every machine reaches; one in its cache it takes as it is.
#: It asks for a pip of a certain age a dozen times, and only to install: what does it here is uv.
GET_PIP = """\
import pathlib
import sysconfig

pip = pathlib.Path(sysconfig.get_path("purelib"), "pip")
pip.mkdir()
(pip / "__init__.py").touch()
(pip / "__main__.py").write_text({pip!r})
"""
PIP = """\
import os
import sys

arguments = [argument for argument in sys.argv[1:] if argument not in ("-y", "--disable-pip-version-check")]
os.environ.update({variables!r})
# What docutils makes Python say when it is compiled would be taken for a finding.
compiled = ["--compile-bytecode"] if any(name.endswith("sanity.changelog.txt") for name in arguments) else []
os.execv({uv!r}, ["uv", "pip", *arguments, "--quiet", "--python", sys.executable, *compiled])
"""
GET_PIP_NAMES = ("get_pip_23_1_2.py", "get_pip_24_2.py", "get_pip_25_2.py")


def steps() -> list[Step]:
    here = [core for core in CONTROLLERS if python_for(core) in interpreters()] or list(CONTROLLERS)
    sanity = {**dict.fromkeys(CONTROLLERS, _sanity_of_the_core), here[0]: _sanity, here[-1]: _sanity}
    return [
        *(
            Step("sanity", "ansible-test sanity", _environment(core, python_for(core)), sanity[core])
            for core in CONTROLLERS
        ),
        # On the newest they run every day, and once more by the coverage.
        Step("units", "ansible-test units", _environment(here[0], python_for(here[0])), _units),
        *(Step("integration", "ansible-test integration", _environment(*pair), _integration) for pair in PAIRS),
    ]


def python_for(core: str) -> str:
    """Another one that this ansible-core supports, where the chosen one is missing."""
    choices = [SANITY[core], *reversed(CONTROLLERS[core])]
    return next((python for python in choices if python in interpreters()), SANITY[core])


def pinned(core: str) -> str:
    listed = (REQUIREMENTS / "ansible-core.txt").read_text(encoding="utf-8")
    found = re.search(rf"^ansible-core=={re.escape(core)}\..*$", listed, re.MULTILINE)
    if not found:
        raise ValueError(f"ansible-core.txt names no ansible-core {core}")
    return found.group()


@functools.cache
def _environment(core: str, python: str) -> Environment:
    tests = CHECKOUT / "tests"
    files = (
        REQUIREMENTS / "ansible-test.txt",
        tests / "unit" / "requirements.txt",
        tests / "integration" / "requirements.txt",
    )
    return Environment(f"core-{core}-py{python}", python, (pinned(core),), files, distribution="ansible-core")


def _ansible_test(room: Room, command: str, *arguments: str) -> str:
    cache = room.environment.home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    pip = PIP.format(variables=variables(), uv=str(UV))
    for name in GET_PIP_NAMES:
        (cache / name).write_text(GET_PIP.format(pip=pip), encoding="utf-8")
    output = room.run("ansible-test", command, *arguments, "--color", "no")
    if "All targets skipped" in output:
        raise Failed("all targets were skipped")
    return output


def _sanity_of_the_core(room: Room) -> None:
    _sanity(room, OF_THE_CORE, *(word for name in OF_THE_CORE for word in ("--test", name)))


def _sanity(room: Room, wanted: tuple[str, ...] = (*OF_THE_CORE, "pep8", "pylint", "yamllint"), *which: str) -> None:
    """Of what is in the tarball. The tests are mypy's and ruff's, which look closer."""
    ignore_files = sorted(path.name for path in (room.collection / "tests" / "sanity").glob("ignore*"))
    if ignore_files:
        raise Failed(f"there are ignore files: {', '.join(ignore_files)}")
    output = _ansible_test(room, "sanity", "--exclude", "tests/", *which)
    tests = set(re.findall(r"Running sanity test \"([\w-]+)\"", output))
    missing = set(wanted) - tests
    if missing:
        raise Failed(f"these did not run: {', '.join(sorted(missing))}")
    room.remark = f"{len(tests)} tests"


def _units(room: Room) -> None:
    output = _ansible_test(room, "units", "--local", "--python", room.environment.python)
    passed = sum(map(int, re.findall(r"(\d+) passed", output)))
    if not passed:
        raise Failed("no test ran")
    room.remark = f"{passed} tests"


def _integration(room: Room) -> None:
    output = _ansible_test(room, "integration", "--local", "--python", room.environment.python)
    targets = {path.name for path in (room.collection / "tests" / "integration" / "targets").iterdir()}
    tested = {target for target in targets if not target.startswith("setup_")}
    missing = {target for target in tested if f"Running {target} integration test role" not in output}
    if missing or not tested:
        raise Failed(f"these did not run: {', '.join(sorted(missing)) or 'any'}")
    room.remark = f"{len(tested)} target" + "s" * (len(tested) != 1)
