# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to the files of a consumer, on one that has them in memory."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_host import Consumer, Host
from support.options import refused
from unit.handover.files_in_memory import VARIABLES, Machine

SECRET = "s3cret-of_40_characters"
TAKE: dict[str, Any] = {
    "way": "env_file",
    "path": "/etc/app.env",
    "format": "env",
    "client_id_key": None,
    "client_secret_key": "KEY",
    "credential": None,
    "note": "/etc/app.env.handover",
    "mode": "0640",
    "owner": "app",
    "group": None,
}
CHECK: dict[str, Any] = {"way": "okta", "path": "/etc/app.env", "key": None, "pattern": None}


def consumer(machine: Machine, take: dict[str, Any] | None = None, *, restart: Any = None, **check: Any) -> Consumer:
    action: Any = machine
    return Consumer(Host(action, VARIABLES), {**TAKE, **(take or {})}, {**CHECK, **check}, restart)


# -- reading


def test_a_file_that_is_not_there_is_none_and_one_that_cannot_be_read_a_failure() -> None:
    host: Any = Machine({"/a": b"x"})
    assert Host(host, VARIABLES).read("/a") == b"x"
    assert Host(host, VARIABLES).read("/b") is None
    assert host.asked() == ["slurp", "slurp", "stat"]
    for fails, told in (
        ({"slurp": "Permission denied"}, "Permission denied"),
        ({"slurp": "no", "stat": "no stat"}, "no"),
        ({"slurp": None}, "no message"),
    ):
        host = Machine({"/a": b"x"}, **fails)
        assert (
            refused(lambda host=host: Host(host, VARIABLES).read("/a")) == f"Could not read /a on the consumer: {told}."
        )


@pytest.mark.parametrize("module", ["slurp", "copy", "file"])
def test_what_ansible_core_cannot_do_there_is_no_fault_of_ours(module: str) -> None:
    """As becoming another user: its text stays where it is, for it may quote what was to be written."""
    host: Any = Machine({"/a": b"x"}, **{module: AnsibleError(SECRET)}, stat="no")
    work = {
        "slurp": lambda: Host(host, VARIABLES).read("/a"),
        "copy": lambda: Host(host, VARIABLES).write("/a", b"y"),
        "file": lambda: Host(host, VARIABLES).remove("/a"),
    }
    what = {"slurp": "read", "copy": "write", "file": "remove"}[module]
    told = "AnsibleError of ansible-core, as its own modules would end there"
    assert refused(work[module]) == f"Could not {what} /a on the consumer: {told}."
    lost: Any = Machine({"/a": b"x"}, slurp=AnsibleConnectionFailure("gone"))
    with pytest.raises(AnsibleConnectionFailure):
        Host(lost, VARIABLES).read("/a")


@pytest.mark.parametrize(
    "note",
    [
        None,
        b"",
        b"{}",
        b'{"secret_id": "ocs1"}',
        # As they were written before they told the restart.
        b'{"secret_id": "ocs1", "since": "2026"}',
        b"ocs1",
        b'["secret_id", "since", "restart"]',
        b"7",
        b"\xff\xfe",
    ],
)
def test_a_note_that_nobody_can_read_is_none(note: bytes | None) -> None:
    machine = Machine({} if note is None else {"/etc/app.env.handover": note})
    assert consumer(machine).note() == {"secret_id": "", "since": ""}


def test_a_consumer_without_a_note_has_none() -> None:
    machine = Machine()
    for note in (None, ""):
        found = consumer(machine, {"note": note})
        assert found.note() == {"secret_id": "", "since": ""}
        assert found.write_note("ocs1", "2026") == {"changed": False, "secret_id": "ocs1", "since": "2026"}
    assert machine.calls == []


def test_a_note_is_for_its_owner_and_read_as_it_was_written() -> None:
    machine = Machine()
    found = consumer(machine)
    assert found.write_note("ocs1", "2026") == {"changed": True, "secret_id": "ocs1", "since": "2026"}
    assert machine.calls[0][1]["mode"] == "0600"
    assert found.note() == {"secret_id": "ocs1", "since": "2026"}


RESTARTS: tuple[Any, ...] = (
    None,
    {"unit": None, "method": "none", "argv": None},
    {"unit": "app", "method": "reload", "argv": None},
    {"unit": None, "method": "restart", "argv": ["app", "--token", SECRET]},
)


@pytest.mark.parametrize("before", RESTARTS, ids=range(4))
@pytest.mark.parametrize("now", RESTARTS, ids=range(4))
def test_a_note_of_another_restart_is_none(before: Any, now: Any) -> None:
    """Whoever corrects how a consumer is restarted wants it to be restarted so."""
    machine = Machine()
    consumer(machine, restart=before).write_note("ocs1", "2026")
    assert consumer(machine, restart=now).note()["secret_id"] == ("ocs1" if now == before else "")
    assert SECRET.encode() not in machine.files["/etc/app.env.handover"]


# -- taking


def test_an_env_file_is_changed_and_what_was_there_comes_back() -> None:
    machine = Machine({"/etc/app.env": b"ID=0\nKEY='old'\n"})
    found = consumer(machine, {"client_id_key": "ID"})
    taken = found.take("0oa1", SECRET, "", check_mode=False)
    assert machine.files["/etc/app.env"] == f"ID=0oa1\nKEY='{SECRET}'\n".encode()
    assert taken == {"changed": True, "before": base64.b64encode(b"ID=0\nKEY='old'\n").decode()}
    name, args = machine.calls[-1]
    assert (name, {**args, "content": ""}) == (
        "copy",
        {"dest": "/etc/app.env", "content": "", "mode": "0640", "owner": "app"},
    )
    assert found.take("0oa1", SECRET, "", check_mode=False)["changed"] is False
    assert found.give_back(taken["before"]) == {"changed": True}
    assert machine.files["/etc/app.env"] == b"ID=0\nKEY='old'\n"
    assert machine.calls[-1][1]["mode"] == "0640"


def test_a_file_that_was_not_there_is_removed_again() -> None:
    machine = Machine()
    found = consumer(machine)
    taken = found.take("0oa1", SECRET, "", check_mode=False)
    assert (taken, machine.files) == ({"changed": True, "before": None}, {"/etc/app.env": f"KEY={SECRET}\n".encode()})
    assert found.give_back(None) == {"changed": True}
    assert machine.files == {}


def test_bytes_that_are_no_utf_8_stay() -> None:
    """Properties files were written in Latin-1 for decades."""
    before = "# Schlüssel\nKEY=old\n".encode("latin-1")
    machine = Machine({"/etc/app.env": before})
    found = consumer(machine, key="KEY")
    taken = found.take("0oa1", SECRET, "", check_mode=False)
    assert machine.files["/etc/app.env"] == before.replace(b"old", SECRET.encode())
    assert found.value() == SECRET
    found.give_back(taken["before"])
    assert machine.files["/etc/app.env"] == before


@pytest.mark.parametrize("content", [f"<{SECRET}> ü", ""])
def test_a_template_is_written_as_it_came(content: str) -> None:
    machine = Machine({"/etc/app.env": b"old"})
    consumer(machine, {"way": "template"}).take("0oa1", SECRET, content, check_mode=False)
    assert machine.files["/etc/app.env"] == content.encode()


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("take", "written"),
    [
        ({"credential": "okta", "client_secret_key": None}, SECRET),
        ({}, f'[Service]\nEnvironment="KEY={SECRET}"\n'),
        ({"client_id_key": "ID"}, f'[Service]\nEnvironment="KEY={SECRET}"\nEnvironment="ID=0oa1"\n'),
    ],
)
def test_what_systemd_reads_gets_its_folder_but_not_in_check_mode(
    take: dict[str, Any], written: str, check_mode: bool
) -> None:
    machine = Machine()
    path = "/etc/systemd/system/app.service.d/okta.conf"
    taken = consumer(machine, {**take, "way": "systemd", "path": path}).take("0oa1", SECRET, "", check_mode=check_mode)
    assert taken == {"changed": True, "before": None}
    # In check mode it is ansible-core's copy that writes nothing.
    assert machine.files == {path: written.encode()}
    made = [args for name, args in machine.calls if name == "file"]
    assert made == ([] if check_mode else [{"path": "/etc/systemd/system/app.service.d", "state": "directory"}])


@pytest.mark.parametrize(
    ("module", "way", "told"),
    [
        ("copy", "env_file", "Could not write /etc/app.env on the consumer: no space."),
        ("file", "systemd", "Could not make the folder /etc on the consumer: no space."),
        ("slurp", "env_file", "Could not read /etc/app.env on the consumer: no space."),
    ],
)
def test_what_cannot_be_written_is_a_failure_that_quotes_no_secret(module: str, way: str, told: str) -> None:
    machine = Machine({"/etc/app.env": b"KEY=old\n"}, **{module: "no space"})
    said = refused(lambda: consumer(machine, {"way": way}).take("0oa1", SECRET, "", check_mode=False))
    assert said == told
    assert machine.files == {"/etc/app.env": b"KEY=old\n"}


def test_what_cannot_be_removed_is_a_failure() -> None:
    machine = Machine(file="busy")
    said = refused(lambda: consumer(machine).give_back(None))
    assert said == "Could not remove /etc/app.env on the consumer: busy."


# -- the value that Okta is asked about


@pytest.mark.parametrize(
    ("content", "check", "value"),
    [
        (b"A=1\nKEY='x y'\n", {"key": "KEY"}, "x y"),
        (b"A=1\n", {"key": "KEY"}, None),
        (b" \nx y\n\n", {}, "x y"),
        (b'{"id": "i", "secret": "x"}', {"pattern": '"secret": "(.*?)"'}, "x"),
        (b'{"id": "i"}', {"pattern": '"secret": "(.*?)"'}, None),
        # A pattern counts more than a key.
        (b"KEY=1\nOTHER=2\n", {"pattern": "OTHER=(.)", "key": "KEY"}, "2"),
        (None, {}, None),
        (None, {"key": "KEY"}, None),
    ],
)
def test_the_value_that_a_file_holds(content: bytes | None, check: dict[str, Any], value: str | None) -> None:
    machine = Machine({} if content is None else {"/etc/app.env": content})
    assert consumer(machine, **check).value() == value


def test_the_value_of_a_properties_file() -> None:
    machine = Machine({"/etc/app.env": b"okta.key : x\n"})
    assert consumer(machine, {"format": "properties"}, key="okta.key").value() == "x"
    assert consumer(machine, key="okta.key").value() is None


@pytest.mark.parametrize("secret", [SECRET, 'a"b\\c%d', "%%", '\\\\"'])
def test_the_value_that_a_drop_in_sets(secret: str) -> None:
    """What was written can be read back, or the check by Okta could never pass."""
    machine = Machine()
    found = consumer(machine, {"way": "systemd", "client_id_key": "KEY2"}, key="KEY")
    found.take("0oa1", secret, "", check_mode=False)
    assert found.value() == secret
    assert consumer(machine, {"way": "systemd"}, key="KE").value() is None
    # Another file that is checked is none of systemd's.
    machine.files["/run/app.env"] = b"KEY=x\n"
    assert consumer(machine, {"way": "systemd"}, key="KEY", path="/run/app.env").value() == "x"
