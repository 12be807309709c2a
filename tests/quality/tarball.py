# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes to Galaxy: just the files that are meant to, and nothing that its importer complains about."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path

from .environments import Environment
from .rooms import Failed, Room

#: Everything that may be in the tarball. A new kind of file is a decision, made here.
ALLOWED = (
    r"(CHANGELOG\.rst|FILES\.json|LICENSE|MANIFEST\.json|REUSE\.toml)",
    r"(CODE_OF_CONDUCT|CONTRIBUTING|README|SECURITY)\.md",
    r"LICENSES/[\w.-]+\.txt",
    r"changelogs/(changelog|config)\.yaml",
    r"docs/docsite/(extra-docs|links|config)\.yml",
    r"docs/docsite/rst/\w+\.rst",
    r"examples/[\w.-]+\.(yml|md)",
    r"examples/tower/(README\.md|ansible\.cfg|(collections/)?[\w.-]+\.yml)",
    r"extensions/patterns/\w+/(README\.md|meta/pattern\.json|playbooks/\w+(\.meta)?\.yml)",
    r"meta/(ee-requirements\.txt|(execution-environment|runtime)\.yml)",
    r"playbooks/([\w-]+/)*[\w-]+(\.meta)?\.(yml|md|j2)",
    r"playbooks/templates/report/(page\.html\.j2|style\.css|sort\.js)",
    r"plugins/(action|doc_fragments|filter|inventory|lookup|modules|plugin_utils)/\w+\.py",
    r"plugins/module_utils/(_transport/|_login/|_rotations/)?\w+\.py",
    r"roles/\w+/(README\.md|(defaults|handlers|meta|tasks|templates|vars)/[\w-]+\.(yml|j2))",
    r"tests/(config\.yml|sanity/ignore-[\d.]+\.txt)",
)
#: Without these Galaxy, or a user, is at a loss.
REQUIRED = (
    "CHANGELOG.rst",
    "LICENSE",
    "LICENSES/GPL-3.0-or-later.txt",
    "MANIFEST.json",
    "README.md",
    "changelogs/changelog.yaml",
    "meta/ee-requirements.txt",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "plugins/modules/okta_client_secret_rotation.py",
    "tests/config.yml",
)
NAME = "secretops.infisical"
#: Without these the copy of the checkout is no collection any more.
TAKEN_AWAY = ("meta", "playbooks", "plugins", "roles")


def build(room: Room) -> None:
    with tarfile.open(_tarball(room)) as archive:
        names = sorted(member.name for member in archive.getmembers() if not member.isdir())
    judge(names)
    room.remark = f"{len(names)} files"


def judge(names: list[str]) -> None:
    """Of a tarball."""
    strangers = [name for name in names if not any(re.fullmatch(pattern, name) for pattern in ALLOWED)]
    missing = [name for name in REQUIRED if name not in names]
    if strangers:
        raise Failed(f"these do not belong in the tarball: {', '.join(strangers)}")
    if missing:
        raise Failed(f"these are missing in the tarball: {', '.join(missing)}")


def importer(room: Room) -> None:
    tarball = _tarball(room)
    output = room.run("python", "-m", "galaxy_importer.main", tarball, cwd=tarball.parent)
    complaints = re.findall(r"^(?:WARNING|ERROR|CRITICAL).*", output, re.MULTILINE)
    if complaints:
        raise Failed(f"the importer complains: {'; '.join(complaints)}")
    if "Importer processing completed successfully" not in output:
        raise Failed("the importer did not come to its end")


def installed(room: Room, everyday: Environment) -> None:
    """The demo in an environment that holds ansible-core and requests, with nothing but what is in the tarball.

    Simulator, services and demo come from the checkout, and run in the everyday environment. It leaves nothing.
    """
    target = room.folder / "installed"
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(target), "PYTHONPATH": ""}
    room.run("ansible-galaxy", "collection", "install", _tarball(room), "--offline", "-p", target, cwd=None, **alone)
    for folder in TAKEN_AWAY:
        shutil.rmtree(room.collection / folder)
    listed = json.loads(room.run("ansible-galaxy", "collection", "list", "--format", "json", cwd=None, **alone))
    if list(listed) != [str(target / "ansible_collections")]:
        raise Failed(f"there are collections in {', '.join(listed)}")
    room.run("ansible-galaxy", "collection", "verify", NAME, "--offline", cwd=None, **alone)
    demo = (room.collection / "tests" / "demo" / "demo.py", "--tools", room.environment.bin, "--installed", target)
    temporary, home = room.folder / "d", room.folder / "h"
    for empty in (temporary, home):
        empty.mkdir()
    own = {"TMPDIR": str(temporary), "HOME": str(home)}
    output = room.run(str(everyday.bin / "python"), *demo, cwd=None, **alone, **own)
    if "All of it held." not in output:
        raise Failed("the demo did not come to its end")
    left = [str(path) for empty in (temporary, home) for path in empty.rglob("*")]
    if left:
        raise Failed(f"the demo leaves {', '.join(left)}")


def _tarball(room: Room) -> Path:
    target = room.folder / "tarball"
    room.run("ansible-galaxy", "collection", "build", "--output-path", target)
    (tarball,) = target.glob("*.tar.gz")
    return tarball
