# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repository must be like for a release; what is refused, or fails on the way, leaves it as it was.

The tools are stand-ins here: `make quality` cuts whole releases with the real ones.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from release import cut, fragments
from release.versions import Refused


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.tools = folder / "tools"
        (self.folder / "changelogs" / "fragments").mkdir(parents=True)
        self.tools.mkdir()
        self.write(".gitignore", ".cache/\n")
        self.write("plugins/modules/login.py", "before")
        self.say("1.0.0")
        for tool in ("antsibull-changelog", "ansible-galaxy"):
            self.tool(tool, "exit 0")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def say(self, *versions: str) -> None:
        """The changelog has these, and galaxy.yml the last."""
        self.write("galaxy.yml", f"version: {versions[-1]}\n")
        releases = "".join(f"  {version}: {{}}\n" for version in versions)
        self.write("changelogs/changelog.yaml", f"releases:\n{releases}")

    def tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (self.tools / name).chmod(0o755)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")

    def released(self, *versions: str) -> None:
        self.say(*versions)
        fragments.write_record(self.folder)
        self.commit()
        for version in versions:
            self.git("tag", f"v{version}")

    def state(self) -> tuple[str, ...]:
        kept = sorted(path.name for path in self.folder.glob(".cache/release/*"))
        questions = ("rev-parse HEAD", "status --porcelain", "tag", "worktree list", "branch --list")
        return (*(self.git(*question.split()) for question in questions), *kept)

    def refused(self, version: str, reason: str) -> None:
        before = self.state()
        with pytest.raises(Refused, match=reason):
            cut.Release(self.folder, version, self.tools).cut()
        assert self.state() == before


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "nobody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "nobody@example.com")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return Repository(tmp_path)


@pytest.mark.parametrize("version", ["", "v1.0.0", "1.0", "1.0.0-rc.1", "one"])
def test_what_is_no_version(repository: Repository, version: str) -> None:
    repository.refused(version, r"A version is x\.y\.z")


@pytest.mark.parametrize("name", ["plugins/modules/login.py", "forgotten.txt"])
def test_a_tree_that_is_not_clean(repository: Repository, name: str) -> None:
    repository.write(name, "after")
    repository.refused("1.0.0", f"These are not committed(.|\n)*{name}")


def test_no_branch(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--detach")
    repository.refused("1.0.0", "No branch is checked out")


def test_a_tag_that_is_there_even_on_another_branch(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "other")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "elsewhere")
    repository.git("tag", "v1.0.0")
    repository.git("checkout", "--quiet", "main")
    repository.refused("1.0.0", r"The tag v1\.0\.0 is there already")


@pytest.mark.parametrize("version", ["1.0.1", "0.9.0", "2.0.0"])
def test_the_first_release_is_the_version_of_galaxy_yml(repository: Repository, version: str) -> None:
    repository.refused(version, r"The first release is the version of galaxy\.yml, 1\.0\.0")


def test_a_clone_without_its_tags_is_not_taken_for_one_without_releases(repository: Repository) -> None:
    repository.released("1.0.0")
    repository.git("tag", "--delete", "v1.0.0")
    repository.refused("1.0.0", "git fetch --tags")
    repository.refused("1.0.1", "git fetch --tags")
    repository.released("1.0.0", "1.1.0")
    repository.git("tag", "--delete", "v1.1.0")
    repository.refused("1.0.1", r"without a tag here, 1\.1\.0: git fetch --tags")


def test_a_version_that_the_changelog_has_already(repository: Repository) -> None:
    repository.released("1.0.0")
    repository.say("1.0.0", "1.1.0")
    repository.commit()
    repository.refused("1.1.0", r"The changelog has 1\.1\.0 already")


def test_tags_that_are_no_versions_are_no_releases(repository: Repository) -> None:
    repository.released("1.0.0")
    for tag in ("v2", "v3.0.0-rc.1", "visited"):
        repository.git("tag", tag)
    repository.write("changelogs/fragments/1.yml", "bugfixes:\n  - login - was wrong.\n")
    repository.commit()
    repository.refused("3.0.1", r"After 1\.0\.0 comes 1\.0\.1 or 1\.1\.0 or 2\.0\.0")


def test_nothing_to_release(repository: Repository) -> None:
    repository.released("1.0.0")
    repository.refused("1.0.1", r"nothing to release after 1\.0\.0")


def test_a_change_without_a_fragment_and_a_step_that_does_not_fit_it(repository: Repository) -> None:
    repository.released("1.0.0")
    repository.write("plugins/modules/login.py", "after")
    repository.commit()
    repository.refused("1.0.1", r"changed since 1\.0\.0, and no fragment says how: login\.")
    repository.write("changelogs/fragments/1.yml", "minor_changes:\n  - login - an option.\n")
    repository.commit()
    repository.refused("1.0.1", r"After 1\.0\.0 comes 1\.1\.0 or 2\.0\.0, because the largest change .* minor")


def test_a_changelog_that_is_refused(repository: Repository) -> None:
    repository.tool("antsibull-changelog", 'echo "1.yml:1:1: no such section"; [ "$1" != lint ]')
    repository.refused("1.0.0", "antsibull-changelog lint returned 1:\n1.yml:1:1: no such section")


def test_what_is_new_and_not_in_the_changelog(repository: Repository) -> None:
    repository.released("1.0.0")
    repository.write("plugins/modules/logout.py", "new")
    repository.commit()
    repository.tool(
        "antsibull-changelog", '[ "$1" = release ] && echo "  1.1.0: {}" >>changelogs/changelog.yaml; exit 0'
    )
    repository.refused("1.1.0", r"does not list what is new: logout\. .* version_added: 1\.1\.0")


def test_a_tool_that_fails_late(repository: Repository) -> None:
    repository.tool("ansible-galaxy", "echo the disk is full; exit 3")
    repository.refused("1.0.0", "ansible-galaxy collection build returned 3:\nthe disk is full")


def test_a_branch_that_moved_meanwhile(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tag and tarball, which were there already, go again."""

    def tarball(_release: cut.Release, _tree: Path, temporary: Path) -> Path:
        repository.git("commit", "--quiet", "--allow-empty", "--message", "meanwhile")
        (temporary / "it.tar.gz").touch()
        return temporary / "it.tar.gz"

    monkeypatch.setattr(cut.Release, "_tarball", tarball)
    with pytest.raises(Refused, match="git merge --ff-only"):
        cut.Release(repository.folder, "1.0.0", repository.tools).cut()
    assert repository.git("log", "--format=%s") == "meanwhile\na change"
    assert repository.state()[1:] == ("", "", f"{repository.folder}  {repository.state()[0][:7]} [main]", "* main")


def test_all_of_a_release_or_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def tarball(_release: cut.Release, _tree: Path, temporary: Path) -> Path:
        (temporary / "it-1.0.0.tar.gz").write_bytes(b"it")
        return temporary / "it-1.0.0.tar.gz"

    monkeypatch.setattr(cut.Release, "_tarball", tarball)
    said = cut.Release(repository.folder, "1.0.0", repository.tools).cut()
    assert "git push --atomic origin main v1.0.0" in said
    assert "ansible-galaxy collection publish .cache/release/it-1.0.0.tar.gz" in said
    assert (repository.folder / ".cache" / "release" / "it-1.0.0.tar.gz").read_bytes() == b"it"
    assert repository.git("rev-parse", "v1.0.0^{commit}") == repository.git("rev-parse", "main")
    assert repository.git("log", "--format=%s") == "Release 1.0.0\na change"
    assert repository.git("status", "--porcelain") == ""
    assert "plugins/modules/login.py" in (repository.folder / fragments.RECORD).read_text(encoding="utf-8")
