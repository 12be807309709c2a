# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users see of the changes since the last release, and whether fragments of the changelog say it.

Compared is the tree with a list of its files at the last release, which the release itself writes: neither tags nor
commits are asked for, so that the check says the same in a shallow clone, and however a change was merged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from .versions import Step

#: In the format of sha256sum.
RECORD = "changelogs/released.sha256"
_HEADER = """\
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# What users saw of the last release. Written by make release.
"""
_FOLDERS = ("extensions", "meta", "playbooks", "plugins", "roles")
_STEPS = {
    "major_changes": Step.MAJOR,
    "breaking_changes": Step.MAJOR,
    "removed_features": Step.MAJOR,
    "minor_changes": Step.MINOR,
    "deprecated_features": Step.MINOR,
}
#: It is not in the changelog.
_TRIVIAL = "trivial"
#: What many things share has one name, as nobody but this project calls it by its own.
_SHARED = {"doc_fragments", "module_utils", "plugin_utils"}
_COLLECTION = "collection"
_PARTS_OF_PLAYBOOKS = {"files", "tasks", "templates", "vars"}


class Thing(NamedTuple):
    """What a fragment's entry begins with, and where its like are."""

    wing: str
    name: str

    @property
    def listed(self) -> bool:
        """Whether the changelog says by itself that it is new."""
        return self.wing not in {"extensions", "playbooks", _COLLECTION}

    @classmethod
    def of(cls, path: str) -> Thing:
        top, *below = PurePosixPath(path).parts
        if top == "meta" or below[0] in _SHARED:
            return cls(_COLLECTION, _COLLECTION)
        if top == "plugins":
            # An action is the module of its name.
            top = below[0].replace("action", "modules")
            below = below[1:]
        elif top == "extensions" or below[0] in _PARTS_OF_PLAYBOOKS:
            below = below[1:]
        return cls(top, (below or [top])[0].partition(".")[0])


class Changes(NamedTuple):
    """Since the last release."""

    new: set[Thing]
    gone: set[Thing]
    changed: set[Thing]


def visible_files(collection: Path) -> dict[str, str]:
    """Each file that users see, and its checksum."""
    files = (path for folder in _FOLDERS for path in (collection / folder).rglob("*") if path.is_file())
    return {
        path.relative_to(collection).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
        if path.suffix != ".pyc"
    }


def write_record(collection: Path) -> None:
    lines = [f"{checksum}  {path}\n" for path, checksum in visible_files(collection).items()]
    (collection / RECORD).write_text(_HEADER + "".join(lines), encoding="utf-8")


def changes(collection: Path) -> Changes | None:
    """None before the first release."""
    record = collection / RECORD
    if not record.exists():
        return None
    lines = [line for line in record.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    before = {path: checksum for checksum, path in (line.split("  ", 1) for line in lines)}
    now = visible_files(collection)
    things_before, things_now = set(map(Thing.of, before)), set(map(Thing.of, now))
    differing = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    new, gone = things_now - things_before, things_before - things_now
    return Changes(new, gone, set(map(Thing.of, differing)) - new - gone)


def released_versions(collection: Path) -> set[str]:
    return set(_changelog(collection))


def announced(collection: Path, version: str) -> set[str]:
    """The names of what the changelog lists as new in a release."""
    release = _changelog(collection)[version]
    groups = (release.get("modules", ()), *release.get("plugins", {}).values(), *release.get("objects", {}).values())
    return {entry["name"] for group in groups for entry in group}


def pending(collection: Path) -> list[dict[str, Any]]:
    """The fragments. A release takes them away."""
    return [_read(file) for file in sorted((collection / "changelogs" / "fragments").glob("[!.]*.y*ml"))]


def unexplained(found: Changes, fragments: Iterable[dict[str, Any]]) -> set[str]:
    """The names of what has changed and is in no fragment."""
    explained = {
        name
        for fragment in fragments
        for entries in fragment.values()
        if isinstance(entries, list)
        for entry in entries
        for name in _names(entry)
    }
    speaking = found.changed | found.gone | {thing for thing in found.new if not thing.listed}
    return {thing.name for thing in speaking} - explained


def least_step(found: Changes, fragments: Iterable[dict[str, Any]]) -> Step | None:
    """The smallest that is large enough, or None where users would see nothing."""
    sections = {section for fragment in fragments for section in fragment} - {_TRIVIAL}
    steps = [_STEPS.get(section, Step.PATCH) for section in sections]
    steps += [Step.MINOR] * bool(found.new) + [Step.MAJOR] * bool(found.gone)
    return max(steps, default=None)


def _names(entry: str | dict[str, str]) -> list[str]:
    """Of `NAME, NAME - what changed`, or of a new playbook."""
    if isinstance(entry, dict):
        return [entry.get("name", "")]
    names, dash, _text = entry.replace("`", "").partition(" - ")
    return [name.strip() for name in names.split(",")] if dash else []


def _changelog(collection: Path) -> dict[str, dict[str, Any]]:
    return _read(collection / "changelogs" / "changelog.yaml").get("releases") or {}


def _read(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {}
