# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience

URL = "https://x.example"
MODULE = lock.__name__


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The user's own folder, which is not made yet."""
    return tmp_path / f"secretops.infisical-{os.geteuid()}"


def impatient() -> Patience:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return Patience(1, lambda: now[0], sleep)


def path_of(rotation_id: str) -> Path:
    return Path(lock.lock_path(URL, rotation_id))


def refused() -> InfisicalError:
    """The error with which the lock cannot be used, after what every one of them must fulfil."""
    before = open_descriptors()
    with pytest.raises(InfisicalError) as caught:
        with lock.hold(URL, "a", impatient()):
            raise AssertionError("held")
    failure = caught.value
    assert (failure.reason, failure.effect) == ("lock_unavailable", "none")
    assert (failure.__cause__, failure.__context__) == (None, None)
    assert "TMPDIR" in failure.next_step
    assert open_descriptors() == before
    return failure


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_only_one_holds_it_and_the_other_learns_why() -> None:
    with lock.hold(URL, "a", impatient()):
        with pytest.raises(InfisicalError, match="another task of this machine") as caught:
            with lock.hold(URL, "a", impatient()):
                raise AssertionError("held twice")
        assert (caught.value.reason, caught.value.effect) == ("rotation_in_progress", "none")
        with lock.hold(URL, "b", impatient()):
            pass


@pytest.mark.parametrize("spelling", ["https://X.example", "HTTPS://x.example", "https://x.example:443", f"{URL}./"])
def test_a_server_has_one_lock_however_its_url_is_written(spelling: str) -> None:
    with lock.hold(URL, "ab", impatient()):
        with pytest.raises(InfisicalError, match="another task of this machine"):
            with lock.hold(spelling, "AB", impatient()):
                raise AssertionError("held twice")


@pytest.mark.parametrize("other", ["http://x.example", "https://x.example:444", "https://x.example/prefix"])
def test_another_server_has_another_lock(other: str) -> None:
    with lock.hold(URL, "a", impatient()), lock.hold(other, "a", impatient()):
        pass


def test_nothing_is_left_behind(tmp_path: Path, place: Path) -> None:
    before = open_descriptors()
    with pytest.raises(KeyboardInterrupt):
        with lock.hold(URL, "a", impatient()):
            assert [path.name for path in tmp_path.iterdir()] == [place.name]
            assert place.stat().st_mode & 0o777 == 0o700
            assert list(place.iterdir()) == [path_of("a")]
            assert path_of("a").stat().st_mode & 0o777 == 0o600
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert open_descriptors() == before
    with lock.hold(URL, "a", impatient()):
        pass


def test_the_temporary_folder_is_the_one_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMP", "TMP"):
        monkeypatch.setenv(name, "/elsewhere")
    found = []
    for value in ("/chosen/", "/with//", "", None):
        if value is None:
            monkeypatch.delenv("TMPDIR")
        else:
            monkeypatch.setenv("TMPDIR", value)
        found.append(os.path.normpath(Path(lock.lock_path(URL, "a")).parents[1]))
    assert found == ["/chosen", "/with", "/tmp", "/tmp"]  # noqa: S108


def test_a_killed_task_keeps_nobody_out(tmp_path: Path) -> None:
    """The kernel has released the lock; what is left is the file."""
    code = (
        "import sys, time\n"
        f"from {MODULE} import hold\n"
        "from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience\n"
        f"with hold({URL!r}, 'a', Patience(0)):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=pipe, stdout=pipe, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(InfisicalError, match="another task of this machine"):
                with lock.hold(URL, "a", impatient()):
                    raise AssertionError("held twice")
        finally:
            other.kill()
    assert path_of("a").exists()
    with lock.hold(URL, "a", impatient()):
        assert path_of("a").exists()
    assert list(tmp_path.iterdir()) == []


def as_a_file(place: Path) -> None:
    place.write_text("of somebody else", encoding="utf-8")


def as_a_pipe(place: Path) -> None:
    os.mkfifo(place, 0o700)


def as_a_link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(place.parent / "elsewhere")


def as_a_link_to_nowhere(place: Path) -> None:
    place.symlink_to(place.parent / "nowhere")


@pytest.mark.parametrize("made", [as_a_file, as_a_pipe, as_a_link, as_a_link_to_nowhere])
def test_what_stands_in_the_folder_s_place_is_refused(place: Path, made: Callable[[Path], None]) -> None:
    made(place)
    before = sorted(place.parent.rglob("*"))
    failure = refused()
    assert f"Could not use {place} for the lock: " in failure.problem
    assert "Remove what stands in its place" in failure.next_step
    assert sorted(place.parent.rglob("*")) == before


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o710, 0o702, 0o1777])
def test_a_folder_that_others_may_use_is_refused(place: Path, mode: int) -> None:
    place.mkdir()
    place.chmod(mode)
    failure = refused()
    assert str(place) in failure.problem
    assert f"mode {mode:04o} instead of 0700" in failure.problem
    assert list(place.iterdir()) == []


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    if owner:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    place = tmp_path / f"secretops.infisical-{os.geteuid()}"
    place.mkdir(mode=0o700)
    if not owner:
        owner = 65534
        os.chown(place, owner, owner)
    failure = refused()
    assert str(place) in failure.problem
    assert f"belongs to user {owner} " in failure.problem
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("made", [Path.mkdir, as_a_link, as_a_link_to_nowhere])
def test_what_stands_in_the_file_s_place_is_refused(place: Path, made: Callable[[Path], None]) -> None:
    place.mkdir(mode=0o700)
    made(path_of("a"))
    before = sorted(place.rglob("*"))
    assert f"Could not use {path_of('a')} for the lock: " in refused().problem
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("temporary", "mode", "why"),
    [
        ("missing", 0o700, os.strerror(errno.ENOENT)),
        ("file", 0o700, os.strerror(errno.ENOTDIR)),
        ("folder", 0o777, "every user may rename what is in it"),
        ("folder", 0o1777, None),
        ("folder", 0o775, None),
    ],
)
def test_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: str, mode: int, why: str | None
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(mode)
    monkeypatch.setenv("TMPDIR", str(tmp_path / temporary))
    if why is None:
        with lock.hold(URL, "a", impatient()):
            assert list((tmp_path / temporary).iterdir()) == [path_of("a").parent]
    else:
        failure = refused()
        assert f"Could not use {tmp_path / temporary} for the lock: {why}." in failure.problem
        assert "sticky bit" in failure.next_step
        assert list((tmp_path / "folder").iterdir()) == []


def test_a_temporary_folder_that_depends_on_the_working_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", ".")
    assert "another folder for each working folder" in refused().problem


def test_a_path_that_is_no_text_is_shown_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", f"{tmp_path}/\udcff")
    assert f"{tmp_path}/\\udcff for the lock" in refused().problem


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    failure = refused()
    assert f"{path_of('a')} for the lock: {os.strerror(number)}." in failure.problem
    assert "local file system" in failure.next_step


@pytest.mark.parametrize("number", [errno.EROFS, errno.EDQUOT, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("operation", ["mkdir", "open"])
def test_a_place_in_which_nothing_can_be_made_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, number: int, operation: str
) -> None:
    if operation == "open":
        place.mkdir(mode=0o700)
    monkeypatch.setattr(os, operation, failing(number, getattr(os, operation), ".lock" if operation == "open" else ""))
    where = path_of("a") if operation == "open" else place
    assert f"Could not use {where} for the lock: {os.strerror(number)}." in refused().problem


def test_an_error_without_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(fcntl, "flock", flock)
    assert "for the lock: TimeoutError." in refused().problem


def failing(number: int, real: Callable[..., object] | None = None, only: str = "") -> Callable[..., object]:
    """A system call that fails, or does so only for names with this ending."""

    def call(name: object, *arguments: object, **named: object) -> object:
        if real is not None and not str(name).endswith(only):
            return real(name, *arguments, **named)
        raise OSError(number, os.strerror(number))

    return call


def test_who_cleans_up_temporary_folders_fails_no_rotation(tmp_path: Path) -> None:
    with lock.hold(URL, "a", impatient()):
        path_of("a").unlink()
    assert list(tmp_path.iterdir()) == []
    with lock.hold(URL, "a", impatient()):
        path_of("a").unlink()
        path_of("a").write_text("of somebody else", encoding="utf-8")
    assert path_of("a").read_text(encoding="utf-8") == "of somebody else"


def test_a_file_that_was_replaced_before_it_was_locked_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder before removed the file while this task waited for it, and another task made a new one."""
    path = path_of("a")
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


@pytest.mark.parametrize("ending", ["", ".lock"], ids=["before it is opened", "before the file is made"])
def test_a_folder_that_another_task_removes_on_leaving_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    place.mkdir(mode=0o700)
    real, removed = os.open, list[str]()

    def opening(name: str, *arguments: int, **named: int) -> int:
        if not removed and name.endswith(ending):
            removed.append(name)
            place.rmdir()
        return real(name, *arguments, **named)

    monkeypatch.setattr(os, "open", opening)
    with lock.hold(URL, "a", Patience(0)):
        assert path_of("a").exists()
    assert len(removed) == 1


def test_a_folder_that_another_task_makes_first_is_taken(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.mkdir

    def mkdir(name: str, mode: int) -> None:
        real(name, mode)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    monkeypatch.setattr(os, "mkdir", mkdir)
    with lock.hold(URL, "a", Patience(0)):
        assert list(place.iterdir()) == [path_of("a")]


def test_a_file_that_never_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: path_of("a").unlink())
    assert f"{path_of('a')} for the lock: it is removed or replaced as soon as it is there" in refused().problem


def test_many_tasks_come_and_go(tmp_path: Path) -> None:
    """Each removes the file, and often the folder, that the next one is about to use."""
    inside = {"a": 0, "b": 0}
    most: list[int] = []
    everybody = threading.Barrier(8)

    def task(rotation_id: str) -> None:
        everybody.wait()
        for _unused in range(100):
            with lock.hold(URL, rotation_id, Patience(1e9, lambda: 0.0, lambda seconds: time.sleep(0))):
                inside[rotation_id] += 1
                time.sleep(0)
                most.append(inside[rotation_id])
                inside[rotation_id] -= 1

    with ThreadPoolExecutor(8) as pool:
        for ended in [pool.submit(task, rotation_id) for rotation_id in "abababab"]:
            ended.result()
    assert most == [1] * 800
    assert list(tmp_path.iterdir()) == []
