# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether fragments say what has changed, and two releases, cut from a repository of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .rooms import Failed, Room

_FRAGMENTS = """\
import sys
from pathlib import Path
from release import fragments

found = fragments.changes(Path())
names = fragments.unexplained(found, fragments.pending(Path())) if found else ()
sys.exit(f"No fragment says how these have changed: {', '.join(sorted(names))}" if names else 0)
"""
_WHO = {
    "GIT_AUTHOR_NAME": "nobody",
    "GIT_AUTHOR_EMAIL": "nobody@example.com",
    "GIT_COMMITTER_NAME": "nobody",
    "GIT_COMMITTER_EMAIL": "nobody@example.com",
}
_CHANGE = """\
---
minor_changes:
  - login, collection - a rehearsal, which nobody sees.
add object.playbook:
  - name: rehearsed
    description: A rehearsal.
"""


def changelog_fragments(room: Room) -> None:
    room.run("python", "-c", _FRAGMENTS, PYTHONPATH="tests")


def rehearsal(room: Room) -> None:
    """What stands here is released: as the first release, or as the next; and one more after that."""
    (version,) = re.findall(r"(?m)^version: (.+)$", (room.collection / "galaxy.yml").read_text(encoding="utf-8"))
    following = f"{int(version.partition('.')[0]) + 1}.0.0"
    _git(room, "init", "--quiet", "--initial-branch", "main")
    _commit(room)
    if (room.collection / "changelogs" / "released.sha256").exists():
        changelog = (room.collection / "changelogs" / "changelog.yaml").read_text(encoding="utf-8")
        for released in re.findall(r"(?m)^  (\d+\.\d+\.\d+):$", changelog):
            _git(room, "tag", f"v{released}")
    else:
        _release(room, version)
    stray = room.collection / "stray.txt"
    stray.touch()
    _refused(room, following, "These are not committed")
    _commit(room)
    _append(room.collection / "plugins" / "modules" / "login.py")
    _append(room.collection / "plugins" / "module_utils" / "_errors.py")
    _append(room.collection / "playbooks" / "rehearsed.yml")
    module = (room.collection / "plugins" / "modules" / "logout.py").read_text(encoding="utf-8")
    module = module.replace("module: logout", "module: rehearsed").replace(
        "version_added: 1.0.0", f"version_added: {following}"
    )
    (room.collection / "plugins" / "modules" / "rehearsed.py").write_text(module, encoding="utf-8")
    _commit(room)
    _refused(room, following, "no fragment says how: collection, login, rehearsed")
    (room.collection / "changelogs" / "fragments" / "rehearsal.yml").write_text(_CHANGE, encoding="utf-8")
    _commit(room)
    _refused(room, following, "these do not belong in the tarball: stray.txt")
    stray.unlink()
    _commit(room)
    _release(room, following)
    changelog = (room.collection / "CHANGELOG.rst").read_text(encoding="utf-8")
    for said in ("- login, collection - a rehearsal", "rehearsed - A rehearsal.", "rehearsed - Revoke the token"):
        if said not in changelog:
            raise Failed(f"the changelog does not say: {said}")


def _release(room: Room, version: str) -> None:
    _cut(room, version)
    tarball = room.collection / ".cache" / "release" / f"secretops-infisical-{version}.tar.gz"
    if not tarball.is_file():
        raise Failed(f"there is no {tarball.name}")
    if _git(room, "cat-file", "-t", f"v{version}") != "tag":
        raise Failed(f"v{version} is no annotated tag")
    if _git(room, "rev-parse", f"v{version}^{{commit}}") != _git(room, "rev-parse", "HEAD"):
        raise Failed(f"v{version} is not what is checked out")
    if _git(room, "status", "--porcelain"):
        raise Failed("the release left something that is not committed")
    room.remark = f"{room.remark}, {version}".lstrip(", ")


def _refused(room: Room, version: str, reason: str) -> None:
    before = _state(room)
    try:
        _cut(room, version)
    except Failed:
        pass
    else:
        raise Failed(f"it was released, although: {reason}")
    if reason not in room.log.read_text(encoding="utf-8"):
        raise Failed(f"it was refused for another reason than: {reason}")
    if _state(room) != before:
        raise Failed(f"it was refused, and something has changed all the same: {reason}")


def _state(room: Room) -> tuple[str, ...]:
    questions = (("rev-parse", "HEAD"), ("status", "--porcelain"), ("tag",), ("worktree", "list"))
    kept = sorted(path.name for path in (room.collection / ".cache" / "release").glob("*"))
    return (*(_git(room, *question) for question in questions), *kept)


def _cut(room: Room, version: str) -> None:
    variables = {**_WHO, "PYTHONPATH": "tests", "PYTHONDONTWRITEBYTECODE": "1"}
    room.run("python", "-m", "release.cut", version, cwd=None, **variables)


def _append(file: Path) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write("# rehearsed\n")


def _commit(room: Room) -> None:
    _git(room, "add", "--all")
    _git(room, "commit", "--quiet", "--message", "Rehearsed")


def _git(room: Room, *arguments: str) -> str:
    return room.run(shutil.which("git") or "git", *arguments, cwd=None, **_WHO).strip()
