# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of steps, in the order in which they start: what takes longest comes first."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import LONG, ansible_test, browser, long_tests
from .engine import Step
from .environments import CACHE, PYTHON, Environment
from .installer import CHECKOUT, REQUIREMENTS
from .neighbours.table import NEIGHBOURS, missing
from .releasing import changelog_fragments, rehearsal
from .rooms import Failed, Room, Skipped, run_pytest
from .tarball import build, importer, installed
from .tower import tower
from .webpages import webpages


def _environment(name: str, distribution: str = "") -> Environment:
    return Environment(name, PYTHON, (), (REQUIREMENTS / f"{name}.txt",), distribution)


def _everyday(name: str) -> Environment:
    return Environment(name, PYTHON, (), (CHECKOUT / "tests" / "requirements.txt",), "pytest")


def _with_core(name: str, core: str, package: str) -> Environment:
    """With what the tests of services need, or those of Tower."""
    files = (REQUIREMENTS / "ansible-test.txt", CHECKOUT / "tests" / "integration" / "requirements.txt")
    packages = (ansible_test.pinned(core), package)
    return Environment(f"{name}-core-{core}", ansible_test.python_for(core), packages, files, "ansible-core")


def _empty(core: str) -> Environment:
    """What an execution environment has: an ansible-core, and what the collection asks for."""
    files = (CHECKOUT / "meta" / "ee-requirements.txt",)
    return Environment(
        f"empty-core-{core}", ansible_test.python_for(core), (ansible_test.pinned(core),), files, "ansible-core"
    )


_TOOLS = _environment("tools")
_COVERAGE = _environment("coverage")
DOCS = Environment("docs", PYTHON, (), (REQUIREMENTS / "docs.txt", REQUIREMENTS / "browser.txt"))
_IMPORTER = _environment("importer")
_BROWSER = _environment("browser", "playwright")
_TOWER = _environment("tower", "awx-plugins.interfaces")
_VENDOR_CLIENTS = _environment("vendor-clients", "infisicalsdk")

#: What npm says when there is no way to its registry.
_NO_REGISTRY = re.compile(r"npm error code (?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)")


def _installed(room: Room) -> None:
    installed(room, _TOOLS)


def _ansible_lint(room: Room) -> None:
    room.run("ansible-lint", "--profile", "production", "--offline", "--strict")


def _ruff_check(room: Room) -> None:
    room.run("ruff", "check", "--no-cache")


def _ruff_format(room: Room) -> None:
    room.run("ruff", "format", "--no-cache", "--diff")


def _mypy(room: Room) -> None:
    """From above the collection, so that its modules have the names by which they import each other."""
    collection = room.collection.relative_to(room.collections)
    settings = ("--config-file", collection / "pyproject.toml", "--cache-dir", room.temporary / "mypy")
    folders = (collection / "plugins", collection / "tests")
    room.run("mypy", *settings, *folders, cwd=room.collections, MYPYPATH=str(room.collections))


def _yamllint(room: Room) -> None:
    room.run("yamllint", "--strict", "--config-file", "tests/quality/yamllint.yml", ".")


def _workflows(room: Room) -> None:
    files = sorted((room.collection / ".github" / "workflows").glob("*.yml"))
    room.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


def _reuse(room: Room) -> None:
    room.run("reuse", "lint", "--lines")


def _docs_lint(room: Room) -> None:
    room.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all", ".")


def _changelog_lint(room: Room) -> None:
    room.run("antsibull-changelog", "lint")


def _pytest(file: str) -> Callable[[Room], None]:
    def check(room: Room) -> None:
        output = room.run("python", "-m", "pytest", "-n", "0", f"tests/unit/house/{file}")
        if " passed" not in output:
            raise Failed("no test ran")

    return check


def _neighbours(room: Room) -> None:
    absent = missing()
    if len(absent) == len(NEIGHBOURS):
        raise Skipped(f"not installed: {', '.join(neighbour.package for neighbour in absent)}")
    run_pytest(room, "-n", "0", "--tb=short", "tests/neighbours")
    if absent:
        room.remark = f"NOT INSTALLED: {', '.join(neighbour.package for neighbour in absent)}"


def _browser(room: Room) -> None:
    if browser.find() is None:
        raise Skipped(f"not installed: {', '.join(browser.PACKAGES)}")
    # The site is looked at where it is made.
    run_pytest(room, "-n", "1", "--tb=short", "--ignore=tests/browser/test_site.py", "tests/browser")


def _handover(room: Room) -> None:
    """What is killed goes on where ansible-core chooses tasks, hosts and workers in another way too."""
    which = "planned" if LONG else "planned and rotation"
    run_pytest(
        room, "-m", "", "-n", "1", "--tb=short", "-k", which, "tests/integration/handover/test_handover_killed.py"
    )


def _tower_jobs(room: Room) -> None:
    """What AWX writes as extra variables is text up to ansible-core 2.18, and what YAML makes of it afterwards."""
    run_pytest(room, "-m", "", "-n", "2", "--tb=short", "tests/integration/tower_jobs/test_tower_runs.py")


def _vendor_clients(room: Room) -> None:
    """Their packages come into the copy of the checkout, and npm's cache into the checkout's."""
    settings = {"npm_config_cache": str(CACHE / "npm"), "npm_config_update_notifier": "false"}
    tests = room.collection / "tests" / "vendor_clients"
    try:
        room.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=tests, **settings)
    except Failed:
        if not _NO_REGISTRY.search(room.log.read_text(encoding="utf-8", errors="replace")):
            raise
        raise Skipped("the registry of npm cannot be reached") from None
    run_pytest(room, "-n", "0", "--tb=short", "tests/vendor_clients")


STEPS = [
    Step("whole suite", "coverage in process, then as modules", _COVERAGE, long_tests.whole_suite),
    Step("exactly once", "exactly once, many times", _everyday("exactly-once"), long_tests.exactly_once),
    Step("neighbours", "behind nginx, HAProxy, Apache, squid, Varnish", _everyday("neighbours"), _neighbours),
    Step("browser", "report in a browser", _BROWSER, _browser),
    Step("tower", "set-up of Tower by awx.awx", _TOWER, tower),
    Step("vendor clients", "vendor's clients on the simulator", _VENDOR_CLIENTS, _vendor_clients),
    *ansible_test.steps(),
    Step("handover", "handover killed under load", _with_core("handover", "2.16", "authlib"), _handover),
    *(
        Step("tower jobs", "jobs as Tower runs them", _with_core("tower", core, "ansible-runner"), _tower_jobs)
        for core in ("2.18", "2.21")
    ),
    *(
        Step("installed", "demo from the installed tarball", _empty(core), _installed, (_TOOLS,))
        for core in ("2.16", "2.21")
    ),
    Step("importer", "galaxy-importer", _IMPORTER, importer),
    Step("webpages", "antsibull-docs site", DOCS, webpages),
    Step("mypy", "mypy --strict", _TOOLS, _mypy),
    Step("ansible-lint", "ansible-lint production", _TOOLS, _ansible_lint),
    Step("documentation", "ansible-core ansible-doc against argument spec", _TOOLS, _pytest("test_documentation.py")),
    Step("imports", "pytest import rules", _TOOLS, _pytest("test_import_rules.py")),
    Step("tarball", "ansible-core ansible-galaxy build", _TOOLS, build),
    Step("docs lint", "antsibull-docs lint", DOCS, _docs_lint),
    Step("changelog", "antsibull-changelog lint", DOCS, _changelog_lint),
    Step("fragments", "antsibull-changelog fragments", DOCS, changelog_fragments),
    Step("release", "antsibull-changelog release", DOCS, rehearsal),
    Step("reuse", "reuse lint", _TOOLS, _reuse),
    Step("workflows", "check-jsonschema of workflows", _TOOLS, _workflows),
    Step("ruff check", "ruff check", _TOOLS, _ruff_check),
    Step("ruff format", "ruff format", _TOOLS, _ruff_format),
    Step("yamllint", "yamllint", _TOOLS, _yamllint),
]

#: How many of each kind must have run, so that a machine on which everything was skipped proves nothing.
FLOOR = {**{step.kind: 1 for step in STEPS}, **ansible_test.FLOOR}
if len(missing()) == len(NEIGHBOURS):
    # They are the distribution's: whoever has none of them is told so, and no more.
    del FLOOR["neighbours"]
if browser.find() is None:
    del FLOOR["browser"]
