# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts a release: everything is done in a working tree beside the checkout, which gets what is finished, or nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from quality.rooms import Failed
from quality.tarball import judge

from . import fragments
from .versions import Refused, Version, check_step

CHECKOUT = Path(__file__).resolve().parents[2]
DONE = """\
{tag} is committed and tagged here, and nothing has left this machine.

  look at it    git show {tag}
  push it       git push --atomic {remote} {branch} {tag}
  publish it    ansible-galaxy collection publish {tarball}

Galaxy's token stands in the file that ANSIBLE_GALAXY_TOKEN_PATH names, and never on the command line.
Before it is pushed, this takes it back: git tag --delete {tag} && git reset --keep {before}"""


class Release:
    """One version, cut from one checkout."""

    def __init__(self, checkout: Path, text: str, tools: Path) -> None:
        version = Version.parse(text)
        if version is None:
            raise Refused(f"A version is x.y.z, like 1.2.3, without anything before or behind it: not {text!r}.")
        self.version = version
        self.tag = f"v{version}"
        self._checkout = checkout
        self._tools = tools

    def cut(self) -> str:
        """What to do next. Raises Refused, and then nothing has changed."""
        branch, last = self._repository()
        before = self._git("rev-parse", "--short", "HEAD")
        with self._beside() as (tree, temporary):
            prepared = self._changes(tree, last)
            self._write(tree, temporary, prepared)
            tarball = self._tarball(tree, temporary)
            self._git("add", "--all", cwd=tree)
            self._git("commit", "--quiet", "--message", f"Release {self.version}", cwd=tree)
            kept = self._keep(tarball, self._git("rev-parse", "HEAD", cwd=tree))
        remote = self._git("config", "--default", "origin", f"branch.{branch}.remote")
        return DONE.format(tag=self.tag, remote=remote, branch=branch, tarball=kept, before=before)

    def _repository(self) -> tuple[str, Version | None]:
        """The branch, and the last release on it, if the version may follow that as far as git knows."""
        branch = self._git("branch", "--show-current")
        if not branch:
            raise Refused("No branch is checked out, which could hold the release. Check one out.")
        if changed := self._git("status", "--porcelain"):
            raise Refused(f"These are not committed: commit them, or take them away.\n{changed}")
        if self._git("tag", "--list", self.tag):
            raise Refused(f"The tag {self.tag} is there already. Choose the next version.")
        tags = self._git("tag", "--list", "v*", "--merged", "HEAD").splitlines()
        last = max(filter(None, (Version.parse(tag[1:]) for tag in tags)), default=None)
        known = fragments.released_versions(self._checkout)
        if last is None:
            prepared = str(yaml.safe_load((self._checkout / "galaxy.yml").read_text(encoding="utf-8"))["version"])
            if (self._checkout / fragments.RECORD).exists():
                raise Refused("There were releases, and their tags are not here: git fetch --tags")
            if str(self.version) != prepared:
                raise Refused(f"The first release is the version of galaxy.yml, {prepared}.")
        elif str(self.version) in known:
            raise Refused(f"The changelog has {self.version} already. Choose the next version.")
        elif missing := known - {tag[1:] for tag in tags}:
            raise Refused(f"The changelog has versions without a tag here, {', '.join(missing)}: git fetch --tags")
        return branch, last

    def _changes(self, tree: Path, last: Version | None) -> bool:
        """Whether the changelog has this version already, if the version fits what has changed."""
        for arguments in (("lint",), ("lint-changelog-yaml", "changelogs/changelog.yaml")):
            self._run(tree, "antsibull-changelog", *arguments)
        found = fragments.changes(tree)
        if last is None or found is None:
            return str(self.version) in fragments.released_versions(tree)
        pending = fragments.pending(tree)
        if unexplained := fragments.unexplained(found, pending):
            raise Refused(
                f"These have changed since {last}, and no fragment says how: {', '.join(sorted(unexplained))}."
                " CONTRIBUTING.md shows what a fragment looks like."
            )
        least = fragments.least_step(found, pending)
        if least is None:
            raise Refused(f"There is no fragment of something that users see, so nothing to release after {last}.")
        check_step(last, self.version, least)
        return False

    def _write(self, tree: Path, temporary: Path, prepared: bool) -> None:
        """The version, the changelog, and the list that the next release is compared with."""
        galaxy = tree / "galaxy.yml"
        text = galaxy.read_text(encoding="utf-8")
        galaxy.write_text(re.sub(r"(?m)^version:.*$", f"version: {self.version}", text), encoding="utf-8")
        found = fragments.changes(tree)
        self._run(
            tree,
            "antsibull-changelog",
            *("release", "--version", str(self.version), "--reload-plugins", "--cummulative-release"),
            *(["--update-existing"] if prepared else []),
            ANSIBLE_COLLECTIONS_PATH=str(temporary),
        )
        new = {thing.name for thing in found.new if thing.listed} if found else set()
        if silent := new - fragments.announced(tree, str(self.version)):
            raise Refused(
                f"The changelog does not list what is new: {', '.join(sorted(silent))}."
                f" Its documentation must say version_added: {self.version}."
            )
        fragments.write_record(tree)

    def _tarball(self, tree: Path, temporary: Path) -> Path:
        """Built, holding what it is meant to, installed and verified."""
        built, installed = temporary / "built", temporary / "installed"
        self._run(tree, "ansible-galaxy", "collection", "build", "--output-path", built)
        (tarball,) = built.iterdir()
        with tarfile.open(tarball) as archive:
            manifest = archive.extractfile("MANIFEST.json")
            info = json.load(manifest)["collection_info"] if manifest else {}
            try:
                judge([member.name for member in archive.getmembers() if not member.isdir()])
            except Failed as problem:
                raise Refused(f"{tarball.name}: {problem}") from None
        if info.get("version") != str(self.version):
            raise Refused(f"{tarball.name} says that it is {info.get('version')}.")
        where = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
        self._run(tree, "ansible-galaxy", "collection", "install", "--offline", "-p", installed, tarball, **where)
        name = f"{info['namespace']}.{info['name']}"
        self._run(tree, "ansible-galaxy", "collection", "verify", "--offline", "-p", installed, name, **where)
        return tarball

    def _keep(self, tarball: Path, commit: str) -> Path:
        """Brings tarball, tag and commit into the checkout; where one of them fails, none."""
        kept = Path(".cache", "release", tarball.name)
        target = self._checkout / kept
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(tarball, target)
            self._git("tag", "--annotate", "--message", f"Release {self.version}", self.tag, commit)
            try:
                self._git("merge", "--ff-only", "--quiet", commit)
            except Refused:
                self._git("tag", "--delete", self.tag)
                raise
        except (OSError, Refused):
            target.unlink(missing_ok=True)
            raise
        return kept

    @contextmanager
    def _beside(self) -> Iterator[tuple[Path, Path]]:
        """What is committed, where antsibull-changelog wants a collection."""
        with tempfile.TemporaryDirectory(prefix="release") as name:
            temporary = Path(name)
            tree = temporary / "ansible_collections" / "secretops" / "infisical"
            self._git("worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
            try:
                yield tree, temporary
            finally:
                self._git("worktree", "remove", "--force", str(tree))

    def _git(self, *arguments: str, cwd: Path | None = None) -> str:
        return _output(["git", *arguments], cwd or self._checkout, dict(os.environ))

    def _run(self, tree: Path, tool: str, *arguments: str | Path, **variables: str) -> None:
        """With a home that goes with the tree, and no server of the user's."""
        home = tree.parents[2] / "home"
        path = f"{self._tools}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(home), "ANSIBLE_HOME": str(home), "LC_ALL": "C.UTF-8", **variables}
        _output([str(self._tools / tool), *map(str, arguments)], tree, environment)


def _output(command: list[str], cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = f"{Path(command[0]).name} {' '.join(command[1:3])} returned {done.returncode}"
        raise Refused(f"{said}:\n{done.stdout.strip()}")
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    try:
        print(Release(CHECKOUT, " ".join(arguments), Path(sys.executable).parent).cut())
    except Refused as reason:
        print(f"Nothing was released, and nothing has changed. {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
