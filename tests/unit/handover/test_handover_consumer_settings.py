# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one consumer takes, begins to use and shows the secret: what is made of its variables, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_settings
from support.options import ID, refused
from unit.handover.handover_variables import ENV_FILE, HTTP, typed

TEMPLATE = {"way": "template", "path": "/etc/app.json"}
SYSTEMD = {"way": "systemd", "unit": "app.service"}
COMMAND = {"way": "command", "argv": ["store"], "note": "/var/note"}
KUBERNETES = {"way": "kubernetes_secret", "name": "okta", "namespace": "shop", "client_secret_key": ".dotted-key"}
AWX = {
    "way": "awx_credential",
    "name": "Okta",
    "organization": "Default",
    "credential_type": "Okta",
    "client_secret_key": "secret",
}
RESTART = {"unit": "app.service", "method": "reload"}


@pytest.fixture
def basedir(tmp_path: Path) -> str:
    (tmp_path / "app.j2").write_text("", encoding="utf-8")
    return str(tmp_path)


def consumer(basedir: str = "/base", **variables: Any) -> dict[str, Any]:
    given = {f"handover_{name}": value for name, value in variables.items()}
    return _handover_settings.consumer("app", typed(**given), basedir)


def refusal(**variables: Any) -> str:
    said = refused(partial(consumer, **variables))
    assert said.startswith("app: ")
    return said.removeprefix("app: ")


def test_what_a_consumer_of_an_env_file_has() -> None:
    found = consumer(rotation_id=f" {ID.upper()} ")
    assert (found["rotation_id"], found["restart"]) == (ID, None)
    take = {name: value for name, value in found["take"].items() if value is not None}
    assert take == {
        **ENV_FILE,
        "format": "env",
        "mode": "0600",
        "note": "/etc/app.env.handover",
        "credential_directory": "/etc/credstore",
    }
    check = {name: value for name, value in found["check"].items() if value is not None}
    assert check == {
        **HTTP,
        "status_code": 200,
        "validate_certs": True,
        "retries": 10,
        "delay": 2,
        "fetches_token": False,
    }


@pytest.mark.parametrize("value", ["x", f"{ID}0", "ocs1"])
def test_an_id_of_a_rotation_is_a_uuid(value: str) -> None:
    assert refusal(rotation_id=value) == f"handover_rotation_id of app is '{value}', which is not a UUID."


@pytest.mark.parametrize(
    ("take", "path", "note"),
    [
        ({**SYSTEMD, "credential": "okta"}, "/etc/credstore/okta", "/etc/credstore/okta.handover"),
        ({**SYSTEMD, "credential": "okta", "credential_directory": "/run/c/"}, "/run/c/okta", "/run/c/okta.handover"),
        (
            {**SYSTEMD, "client_secret_key": "KEY"},
            "/etc/systemd/system/app.service.d/okta-client-secret.conf",
            "/etc/systemd/system/app.service.d/okta-client-secret.conf.handover",
        ),
        (
            {**SYSTEMD, "client_secret_key": "KEY", "drop_in_directory": "/run/d/"},
            "/run/d/okta-client-secret.conf",
            "/run/d/okta-client-secret.conf.handover",
        ),
        ({**ENV_FILE, "note": "/var/note"}, "/etc/app.env", "/var/note"),
        (COMMAND, None, "/var/note"),
        (KUBERNETES, None, None),
        (AWX, None, None),
    ],
)
def test_where_the_secret_and_the_note_are(take: dict[str, Any], path: str | None, note: str | None) -> None:
    found = consumer(take=take)["take"]
    assert (found["path"], found["note"]) == (path, note)


def test_files_of_the_controller_are_found_from_the_working_folder_on(
    basedir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", basedir)
    for src in ("app.j2", f"{basedir}/app.j2"):
        assert consumer(basedir, take={**TEMPLATE, "src": src})["take"]["src"] == f"{basedir}/app.j2"
    assert consumer(take={**TEMPLATE, "src": "~/app.j2"})["take"]["src"] == f"{basedir}/app.j2"
    own = {"way": "tasks", "file": "app.j2"}
    found = consumer(basedir, take=own, check=own)
    assert (found["take"]["file"], found["check"]["file"]) == (f"{basedir}/app.j2",) * 2
    assert refusal(take={**TEMPLATE, "src": "app.j2"}) == (
        "handover_take.src is 'app.j2': there is no file /base/app.j2 on the controller."
    )
    assert refusal(take={"way": "tasks", "file": "/"}) == (
        "handover_take.file is '/': there is no file / on the controller."
    )
    assert refusal(check={"way": "tasks", "file": "../x.yml"}) == (
        "handover_check.file is '../x.yml': there is no file /base/../x.yml on the controller."
    )


def test_each_way_has_names_of_its_own() -> None:
    told = "is 'a.b-c', which is no name that it can have."
    assert refusal(take={**SYSTEMD, "client_secret_key": "a.b-c"}) == f"handover_take.client_secret_key {told}"
    for take in (ENV_FILE, KUBERNETES, AWX):
        assert consumer(take={**take, "client_secret_key": "a.b-c"})["take"]["client_secret_key"] == "a.b-c"
    assert refusal(take={**KUBERNETES, "client_secret_key": "a/b"}).endswith("which is no name that it can have.")


def test_a_unit_says_where_its_file_is() -> None:
    said = refusal(take={**SYSTEMD, "credential": "okta", "path": "/etc/okta"})
    assert said.startswith("handover_take.path is of no use for the way systemd")


ONLY_SYSTEMD = (
    "handover_take of the way systemd needs credential, the name of what the unit loads, or client_secret_key, the "
    "variable that a drop-in sets."
)


@pytest.mark.parametrize(
    ("take", "told"),
    [
        (SYSTEMD, ONLY_SYSTEMD),
        (
            {**ENV_FILE, "client_secret_key": "a b"},
            "handover_take.client_secret_key is 'a b', which is no name that it can have.",
        ),
        (
            {**ENV_FILE, "client_secret_key": "1A"},
            "handover_take.client_secret_key is '1A', which is no name that it can have.",
        ),
        (
            {**ENV_FILE, "client_id_key": "A=\n"},
            "handover_take.client_id_key is 'A=\\n', which is no name that it can have.",
        ),
        ({**ENV_FILE, "path": "app.env"}, "handover_take.path is 'app.env': give the path from the root on."),
        ({**ENV_FILE, "note": "~/note"}, "handover_take.note is '~/note': give the path from the root on."),
    ],
)
def test_what_is_wrong_with_how_it_takes_the_secret(take: dict[str, Any], told: str) -> None:
    assert refusal(take=take) == told


@pytest.mark.parametrize(
    ("take", "missing"),
    [
        ({"way": "env_file"}, "path, client_secret_key"),
        ({"way": "env_file", "path": "/x"}, "client_secret_key"),
        ({"way": "template", "path": "/x"}, "src"),
        ({"way": "systemd"}, "unit"),
        ({"way": "command", "argv": ["x"]}, "note"),
        ({"way": "kubernetes_secret", "name": "x"}, "namespace, client_secret_key"),
        ({"way": "awx_credential", "name": "x"}, "organization, credential_type, client_secret_key"),
        ({"way": "tasks"}, "file"),
    ],
)
@pytest.mark.parametrize("blank", [None, "", " ", "None"])
def test_what_a_way_needs_is_missing_also_where_it_is_blank(
    take: dict[str, Any], missing: str, blank: str | None
) -> None:
    """A template often fills an option with nothing."""
    blanks = dict.fromkeys(missing.split(", "), blank)
    said = refused(lambda: consumer(take={**take, **blanks}))
    assert f"missing: {missing} found in handover_take" in said


def test_a_blank_option_has_its_default() -> None:
    blank = {"mode": "", "format": " ", "note": "None", "owner": "", "client_id_key": None}
    assert consumer(take={**ENV_FILE, **blank}) == consumer()
    assert consumer(check={**HTTP, "status_code": "", "retries": None, "argv": ""}) == consumer()
    assert consumer(restart={"argv": ["x"], "unit": "", "method": ""})["restart"] == {
        "unit": None,
        "method": "restart",
        "argv": ["x"],
    }


@pytest.mark.parametrize(
    ("take", "restart", "found"),
    [
        (ENV_FILE, None, None),
        (COMMAND, None, None),
        ({**SYSTEMD, "credential": "c"}, None, ("app.service", "restart", None)),
        (AWX, None, (None, "none", None)),
        (ENV_FILE, RESTART, ("app.service", "reload", None)),
        (ENV_FILE, {"unit": "x"}, ("x", "restart", None)),
        (ENV_FILE, {"argv": ["x", "y"]}, (None, "restart", ["x", "y"])),
        (ENV_FILE, {"method": "none"}, (None, "none", None)),
        ({**SYSTEMD, "credential": "c"}, {"method": "reload"}, ("app.service", "reload", None)),
        ({**SYSTEMD, "credential": "c"}, {"unit": "b.service"}, ("b.service", "restart", None)),
        ({**SYSTEMD, "credential": "c"}, {"argv": ["x"]}, (None, "restart", ["x"])),
        ({**SYSTEMD, "credential": "c"}, {"method": "none"}, (None, "none", None)),
    ],
)
def test_how_a_consumer_begins_to_use_it(take: dict[str, Any], restart: Any, found: Any) -> None:
    wanted = None if found is None else dict(zip(("unit", "method", "argv"), found, strict=True))
    assert consumer(take=take, restart=restart)["restart"] == wanted


@pytest.mark.parametrize(
    ("take", "restart", "told"),
    [
        (ENV_FILE, {"unit": "x", "argv": ["y"]}, "handover_restart has unit and argv: give only one of them."),
        *(
            (
                take,
                {"method": method},
                "handover_restart needs unit or argv, or method none where the consumer reads the secret each time.",
            )
            for take, method in ((ENV_FILE, "reload"), (AWX, "restart"), (ENV_FILE, None))
        ),
    ],
)
def test_a_restart_of_nothing_is_refused(take: dict[str, Any], restart: dict[str, Any], told: str) -> None:
    assert refusal(take=take, restart=restart) == told
