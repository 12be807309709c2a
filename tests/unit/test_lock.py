# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience

URL = "https://x.example"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def impatient() -> Patience:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return Patience(1, lambda: now[0], sleep)


def test_only_one_holds_it_and_the_other_learns_why() -> None:
    with lock.hold(URL, "a", impatient()):
        with pytest.raises(InfisicalError, match="another task of this machine") as caught:
            with lock.hold(URL, "a", impatient()):
                raise AssertionError("held twice")
        assert caught.value.reason == "rotation_in_progress"
        with lock.hold(URL, "b", impatient()):
            pass


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        with lock.hold(URL, "a", impatient()):
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with lock.hold(URL, "a", impatient()):
        pass


def test_the_file_of_a_killed_task_does_not_keep_anybody_out(tmp_path: Path) -> None:
    """The kernel has released the lock; what is left is the file."""
    left = Path(lock.lock_path(URL, "a"))
    left.touch()
    with lock.hold(URL, "a", impatient()):
        assert left.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    with lock.hold(URL, "a", impatient()):
        name = next(tmp_path.iterdir()).name
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InfisicalError, match="TMPDIR") as caught:
        with lock.hold(URL, "a", impatient()):
            raise AssertionError("followed a link")
    assert caught.value.reason == "lock_unavailable"
    assert not (tmp_path / "elsewhere").exists()


def test_who_cleans_up_temporary_folders_fails_no_rotation(tmp_path: Path) -> None:
    with lock.hold(URL, "a", impatient()):
        next(tmp_path.iterdir()).unlink()
    with lock.hold(URL, "a", impatient()):
        path = next(tmp_path.iterdir())
        path.unlink()
        path.write_text("of somebody else", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "of somebody else"


def test_a_file_that_was_replaced_before_it_was_locked_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder before removed the file while this task waited for it, and another task made a new one."""
    path = Path(lock.lock_path(URL, "a"))
    locked: list[int] = []

    def flock(descriptor: int, operation: int) -> None:
        if not locked:
            path.unlink()
            path.touch()
        locked.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(fcntl, "flock", flock)
    with lock.hold(URL, "a", impatient()):
        assert locked[-1] == path.stat().st_ino
    assert len(locked) == 2
    assert list(tmp_path.iterdir()) == []
