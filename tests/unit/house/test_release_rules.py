# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version may follow which, and which change needs which fragment."""

from __future__ import annotations

from pathlib import Path

import pytest
from release import fragments
from release.versions import Refused, Step, Version, check_step

FILES = (
    "meta/runtime.yml",
    "playbooks/report.meta.yml",
    "playbooks/templates/report/page.html.j2",
    "plugins/action/login.py",
    "plugins/lookup/secret.py",
    "plugins/module_utils/_login/methods.py",
    "plugins/modules/login.py",
    "roles/handover/tasks/main.yml",
    "extensions/patterns/rotate/meta/pattern.json",
    "extensions/README.md",
)
CHANGELOG = "---\nreleases: {}\n"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """As it was released."""
    for file in FILES:
        write(tmp_path / file, "before")
    write(tmp_path / "changelogs" / "changelog.yaml", CHANGELOG)
    (tmp_path / "changelogs" / "fragments").mkdir()
    fragments.write_record(tmp_path)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def found(collection: Path) -> fragments.Changes:
    changes = fragments.changes(collection)
    assert changes is not None
    return changes


def unexplained(collection: Path) -> set[str]:
    return fragments.unexplained(found(collection), fragments.pending(collection))


def least_step(collection: Path) -> Step | None:
    return fragments.least_step(found(collection), fragments.pending(collection))


@pytest.mark.parametrize(
    ("version", "least"),
    [("1.2.4", Step.PATCH), ("1.3.0", Step.MINOR), ("2.0.0", Step.MAJOR), ("1.3.0", Step.PATCH), ("2.0.0", Step.MINOR)],
)
def test_a_step_that_is_large_enough(version: str, least: Step) -> None:
    check_step(Version(1, 2, 3), Version(*map(int, version.split("."))), least)


@pytest.mark.parametrize("version", ["1.2.3", "1.2.2", "1.2.5", "1.3.1", "1.4.0", "2.0.1", "2.1.0", "3.0.0", "0.9.0"])
def test_no_semantic_step(version: str) -> None:
    with pytest.raises(Refused, match=r"After 1\.2\.3 comes 1\.2\.4 or 1\.3\.0 or 2\.0\.0, because"):
        check_step(Version(1, 2, 3), Version(*map(int, version.split("."))), Step.PATCH)


@pytest.mark.parametrize(("version", "least"), [("1.2.4", Step.MINOR), ("1.2.4", Step.MAJOR), ("1.3.0", Step.MAJOR)])
def test_a_step_that_is_too_small_for_what_has_changed(version: str, least: Step) -> None:
    with pytest.raises(Refused, match=rf"is a {least.name.lower()} one; {version} is none of them"):
        check_step(Version(1, 2, 3), Version(*map(int, version.split("."))), least)


@pytest.mark.parametrize("text", ["", "1", "1.2", "v1.2.3", "1.2.3-rc.1", "1.2.3+1", "01.2.3", "1.2.3 1.2.4", "1.2.3 "])
def test_no_version(text: str) -> None:
    assert Version.parse(text) is None


def test_nothing_has_to_be_explained_before_the_first_release_or_without_a_change(collection: Path) -> None:
    assert unexplained(collection) == set()
    assert least_step(collection) is None
    (collection / fragments.RECORD).unlink()
    assert fragments.changes(collection) is None


@pytest.mark.parametrize(("file", "name"), list(zip(FILES, [
    "collection", "report", "report", "login", "secret", "collection", "login", "handover", "rotate", "extensions",
], strict=True)))  # fmt: skip
def test_each_change_must_be_named(collection: Path, file: str, name: str) -> None:
    write(collection / file, "after")
    assert unexplained(collection) == {name}
    fragment = collection / "changelogs" / "fragments" / "12-other.yml"
    write(fragment, f"bugfixes:\n  - other - {name} is mentioned, and that is by accident.\n")
    assert unexplained(collection) == {name}
    write(fragment, f"bugfixes:\n  - other, {name} - what was wrong.\n")
    assert unexplained(collection) == set()
    assert least_step(collection) is Step.PATCH


def test_a_change_that_nobody_sees_is_trivial_and_no_reason_for_a_release(collection: Path) -> None:
    write(collection / "plugins" / "module_utils" / "_login" / "methods.py", "after")
    write(collection / "changelogs" / "fragments" / "tidy.yaml", "trivial:\n  - collection - a name.\n")
    assert unexplained(collection) == set()
    assert least_step(collection) is None


def test_what_is_new_speaks_for_itself_and_is_a_minor_step(collection: Path) -> None:
    write(collection / "plugins" / "modules" / "logout.py", "new")
    assert unexplained(collection) == set()
    assert least_step(collection) is Step.MINOR
    write(collection / "extensions" / "patterns" / "report" / "README.md", "the changelog does not list these")
    write(collection / "playbooks" / "rotate.yml", "nor these, unless a fragment adds them")
    assert unexplained(collection) == {"report", "rotate"}
    fragment = collection / "changelogs" / "fragments" / "1.yml"
    write(fragment, "minor_changes:\n- report - a pattern.\nadd object.playbook:\n- name: rotate\n  description: It.\n")
    assert unexplained(collection) == set()


def test_what_is_gone_must_be_named_and_is_a_major_step(collection: Path) -> None:
    (collection / "plugins" / "lookup" / "secret.py").unlink()
    assert unexplained(collection) == {"secret"}
    assert least_step(collection) is Step.MAJOR


@pytest.mark.parametrize(
    ("section", "step"),
    [
        ("security_fixes", Step.PATCH),
        ("known_issues", Step.PATCH),
        ("minor_changes", Step.MINOR),
        ("deprecated_features", Step.MINOR),
        ("breaking_changes", Step.MAJOR),
        ("removed_features", Step.MAJOR),
        ("major_changes", Step.MAJOR),
    ],
)
def test_the_largest_section_decides(collection: Path, section: str, step: Step) -> None:
    folder = collection / "changelogs" / "fragments"
    write(folder / "1.yml", "bugfixes:\n  - login - one.\ntrivial:\n  - login - two.\n")
    write(folder / "2.yml", f"{section}:\n  - login - three.\n")
    assert least_step(collection) is step


def test_what_python_compiled_is_no_change(collection: Path) -> None:
    write(collection / "plugins" / "modules" / "__pycache__" / "login.cpython-313.pyc", "")
    assert unexplained(collection) == set()
    assert least_step(collection) is None
