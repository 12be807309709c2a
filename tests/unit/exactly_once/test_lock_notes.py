# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task leaves beside the lock for the task after it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.lock import Note
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience

URL = "https://x.example"
BEFORE = Note(
    "2026-01-02T03:04:05.678Z",
    earliest=datetime(2026, 3, 4, 5, 4, 7, 890123, tzinfo=timezone.utc),
    written_at=datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=timezone.utc),
    settled=False,
)
AFTER = BEFORE._replace(last_rotated_at="2026-03-04T05:06:08.000Z", settled=True)
WRITTEN = {
    "last_rotated_at": "2026-01-02T03:04:05.678Z",
    "earliest": "2026-03-04T05:04:07.890123+00:00",
    "written_at": "2026-03-04T05:06:07.890123+00:00",
    "settled": False,
}
DAY = 24 * 60 * 60


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / f"secretops.infisical-{os.geteuid()}"
    made.mkdir(mode=0o700)
    return made


def path_of(rotation_id: str, ending: str = ".note") -> Path:
    return Path(lock.lock_path(URL, rotation_id)).with_suffix(ending)


def found(rotation_id: str = "a") -> Note | None:
    with lock.hold(URL, rotation_id, Patience(0)) as held:
        return held.note


def write(note: Note, rotation_id: str = "a") -> None:
    with lock.hold(URL, rotation_id, Patience(0)) as held:
        held.write(note)


def grown_old(path: Path, seconds: int = DAY + 60) -> Path:
    if not path.exists():
        path.write_text("{}", encoding="utf-8")
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_the_next_task_finds_the_last_note(place: Path) -> None:
    with lock.hold(URL, "a", Patience(0)) as held:
        assert held.note is None
        assert held.path == str(path_of("a"))
        held.write(BEFORE)
        assert json.loads(path_of("a").read_bytes()) == WRITTEN
        assert held.note is None
    assert found() == BEFORE
    write(AFTER)
    assert found() == AFTER
    assert found("b") is None
    assert list(place.iterdir()) == [path_of("a")]
    assert path_of("a").stat().st_mode & 0o777 == 0o600


def test_a_note_is_forgotten(tmp_path: Path) -> None:
    with lock.hold(URL, "a", Patience(0)) as held:
        held.forget()
        held.write(BEFORE)
        held.forget()
        held.forget()
    assert list(tmp_path.iterdir()) == []


def test_a_note_s_time_is_taken_for_what_it_is(place: Path) -> None:
    there = timezone(timedelta(hours=2))
    write(BEFORE._replace(written_at=BEFORE.written_at.astimezone(there)))
    note = found()
    assert note == BEFORE
    assert note.written_at.tzinfo is timezone.utc


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe\xff",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"[" * 100_000,
        b'{"settled": true}',
        json.dumps({**WRITTEN, "padding": "x" * 5000}).encode(),
        *(
            json.dumps({**WRITTEN, **wrong}).encode()
            for wrong in (
                {"last_rotated_at": None},
                {"last_rotated_at": 7},
                {"last_rotated_at": "yesterday"},
                {"last_rotated_at": "\ud800"},
                {"last_rotated_at": ["2026-01-02T03:04:05.678Z"]},
                {"written_at": 1767323045},
                {"earliest": None},
                {"earliest": "soon"},
                {"written_at": "0001-01-01T00:00:00+23:59"},
                {"settled": None},
                {"settled": "false"},
                {"settled": 1},
            )
        ),
    ],
)
def test_what_is_no_note_is_none_and_is_written_over(place: Path, text: bytes) -> None:
    path_of("a").write_bytes(text)
    assert found() is None
    write(AFTER)
    assert found() == AFTER


def as_a_link(path: Path) -> None:
    other = path.with_name("other")
    other.write_text(json.dumps(WRITTEN), encoding="utf-8")
    path.symlink_to(other)


def as_a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("made", [as_a_link, as_a_pipe])
def test_what_is_no_file_is_no_note_either(place: Path, made: Callable[[Path], None]) -> None:
    made(path_of("a"))
    assert found() is None
    write(AFTER)
    assert found() == AFTER
    assert path_of("a").is_file()
    assert not path_of("a").is_symlink()


@pytest.mark.parametrize("ending", [".note", ".new"])
def test_a_folder_in_the_place_of_a_note_is_told(place: Path, ending: str) -> None:
    path_of("a", ending).mkdir()
    assert found() is None
    with lock.hold(URL, "a", Patience(0)) as held:
        failure = refused(lambda: held.write(BEFORE))
        held.forget()
    assert str(path_of("a").with_suffix("")) in failure.problem
    assert list(place.iterdir()) == [path_of("a", ending)]


def refused(operation: Callable[[], object]) -> InfisicalError:
    with pytest.raises(InfisicalError) as caught:
        operation()
    failure = caught.value
    assert (failure.reason, failure.effect) == ("lock_unavailable", "none")
    assert (failure.__cause__, failure.__context__) == (None, None)
    return failure


def test_a_note_that_may_not_be_read_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may say that a request is under way."""
    write(BEFORE)
    real = os.open

    def opening(name: str, *arguments: int, **named: int) -> int:
        if name.endswith(".note"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(name, *arguments, **named)

    monkeypatch.setattr(os, "open", opening)
    failure = refused(found)
    assert f"Could not use {path_of('a')} for the lock: {os.strerror(errno.EACCES)}." in failure.problem
    assert "TMPDIR" in failure.next_step
    assert list(place.iterdir()) == [path_of("a")]


def test_a_note_that_cannot_be_written_leaves_the_one_before(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(BEFORE)

    def replace(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with lock.hold(URL, "a", Patience(0)) as held, monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        failure = refused(lambda: held.write(AFTER))
    assert f"{path_of('a')} for the lock: {os.strerror(errno.ENOSPC)}." in failure.problem
    assert found() == BEFORE
    assert list(place.iterdir()) == [path_of("a")]


def test_what_a_killed_task_was_writing_is_written_over(place: Path) -> None:
    path_of("a", ".new").write_text("{", encoding="utf-8")
    path_of("a", ".new").chmod(0o644)
    write(BEFORE)
    assert found() == BEFORE
    assert list(place.iterdir()) == [path_of("a")]
    assert path_of("a").stat().st_mode & 0o777 == 0o600


def removed(place: Path) -> None:
    path_of("a", ".lock").unlink()


def replaced(place: Path) -> None:
    path_of("a", ".lock").unlink()
    path_of("a", ".lock").touch()


def moved_away(place: Path) -> None:
    place.rename(place.with_name("elsewhere"))


def moved_and_made_again(place: Path) -> None:
    place.rename(place.with_name("elsewhere"))
    place.mkdir(mode=0o700)


@pytest.mark.parametrize("lost", [removed, replaced, moved_away, moved_and_made_again])
def test_a_lock_that_was_taken_away_is_noticed_before_the_request(place: Path, lost: Callable[[Path], None]) -> None:
    with lock.hold(URL, "a", Patience(0)) as first:
        lost(place)
        with lock.hold(URL, "a", Patience(0)) as second:
            assert second.note is None
            failure = refused(lambda: first.write(AFTER))
            assert str(path_of("a", ".lock")) in failure.problem
            assert not path_of("a").exists()
            second.write(BEFORE)
            first.forget()
    assert found() == BEFORE


def test_whoever_gets_in_after_the_note_was_written_reads_it(place: Path) -> None:
    with lock.hold(URL, "a", Patience(0)) as first:
        first.write(BEFORE)
        removed(place)
        assert found() == BEFORE


def test_a_lock_that_is_taken_away_while_the_note_is_written_is_noticed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def replace(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        removed(place)
        real(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    with lock.hold(URL, "a", Patience(0)) as held:
        monkeypatch.setattr(os, "replace", replace)
        assert "removed or replaced" in refused(lambda: held.write(BEFORE)).problem


def test_old_notes_go(place: Path) -> None:
    fresh = grown_old(path_of("fresh"), DAY - 60)
    foreign = [grown_old(place / name) for name in ("foreign.note", "f" * 32, f"{'g' * 32}.note")]
    for name in ("a", "b", "c"):
        grown_old(path_of(name))
    for ending in (".lock", ".new"):
        grown_old(path_of("killed", ending))
    path_of("a").write_text(json.dumps(WRITTEN), encoding="utf-8")
    grown_old(path_of("a"))
    assert found() is None
    assert sorted(place.iterdir()) == sorted([fresh, *foreign])


def test_a_rotation_whose_note_is_not_old_is_not_locked_on_the_way(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(BEFORE, "b")
    locked: list[int] = []
    monkeypatch.setattr(fcntl, "flock", lambda descriptor, _: locked.append(descriptor))
    found()
    assert len(locked) == 1


def test_an_old_note_stays_while_its_rotation_is_held(place: Path) -> None:
    with lock.hold(URL, "b", Patience(0)):
        grown_old(path_of("b"))
        grown_old(path_of("c"))
        assert found() is None
        assert sorted(place.iterdir()) == sorted([path_of("b"), path_of("b", ".lock")])


def test_a_note_that_is_replaced_at_that_moment_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown_old(path_of("b"))
    real, calls = fcntl.flock, list[int]()

    def flock(descriptor: int, operation: int) -> None:
        calls.append(descriptor)
        real(descriptor, operation)
        if len(calls) == 2:
            path_of("b").write_text(json.dumps(WRITTEN), encoding="utf-8")

    monkeypatch.setattr(fcntl, "flock", flock)
    found()
    assert len(calls) == 2
    assert list(place.iterdir()) == [path_of("b")]


def test_what_cannot_be_removed_fails_no_rotation(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path_of("b").mkdir()
    grown_old(path_of("b"))
    grown_old(path_of("c"))
    assert found() is None
    assert list(place.iterdir()) == [path_of("b")]

    def listdir(folder: object) -> list[str]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", listdir)
        assert found() is None
