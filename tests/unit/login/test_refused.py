# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of Ansible remembers of refused logins."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import Credentials
from ansible_collections.secretops.infisical.plugins.plugin_utils import _refused

URL = "https://infisical.example.com"
LOGIN = Credentials("universal_auth", {"universal_auth_client_id": "me", "universal_auth_client_secret": "hunter22"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


def refused(reason: str = "authentication_failed", status: int | None = 401) -> InfisicalError:
    return InfisicalError(reason, "Could not log in: no.", "Mend it.", http_status=status)


def fail(failure: InfisicalError, login: Credentials = LOGIN, url: str = URL) -> InfisicalError:
    with pytest.raises(InfisicalError) as caught, _refused.gate(login, url):
        raise failure
    return caught.value


def passes(login: Credentials = LOGIN, url: str = URL) -> bool:
    try:
        with _refused.gate(login, url):
            return True
    except InfisicalError:
        return False


REFUSED = {"reason": "authentication_failed", "http_status": 401, "msg": "Could not log in with x: no."}


def attempts(result: dict[str, Any]) -> bool:
    """Whether a module is run, whose result is that."""
    try:
        return _refused.attempted(LOGIN, URL, lambda: result, ends=True) is result
    except InfisicalError:
        return False


def test_a_refused_login_is_not_sent_again(folder: Path) -> None:
    assert passes()
    fail(refused())
    again = fail(refused())
    assert again.message.endswith("nothing was sent. Could not log in: no. Mend it.")
    assert (again.reason, again.http_status) == ("authentication_failed", None)
    assert not attempts({})
    files = list((folder / "secretops.infisical.logins").iterdir())
    assert not [file for file in files if "hunter22" in file.name + file.read_text(encoding="utf-8")]
    assert (folder / "secretops.infisical.logins").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("failure", [refused("unreachable", None), refused("server_error", 500)], ids=str)
def test_what_is_no_refusal_keeps_nobody_out(failure: InfisicalError) -> None:
    assert fail(failure) is failure
    assert passes()
    assert attempts({})


def test_another_login_is_not_meant() -> None:
    fail(refused())
    assert passes(Credentials("universal_auth", {**LOGIN.values, "universal_auth_client_secret": "right"}))
    assert passes(url="https://other.example.com")
    assert not passes()


def test_a_renewed_token_file_is_another_login(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text("one", encoding="utf-8")
    login = Credentials("oidc_auth", {"identity_id": "i", "jwt_path": str(file)})
    fail(refused(), login)
    assert not passes(login)
    os.utime(file, ns=(1, 1))
    assert passes(login)


@pytest.mark.parametrize("method", ["aws_auth", "gcp_auth", "azure_auth"])
def test_what_the_host_proves_itself_with_may_be_another_the_next_time(method: str) -> None:
    login = Credentials(method, {"identity_id": "i"})
    fail(refused(), login)
    assert passes(login)
    with_jwt = Credentials(method, {"identity_id": "i", "jwt": "a.b.c"})
    fail(refused(), with_jwt)
    assert not passes(with_jwt)


def test_a_login_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is the test's own."""
    moments = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(moments)))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    path = _refused._path(LOGIN, URL)
    file = _refused._opened(path)
    assert file is not None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert passes()


@pytest.mark.parametrize("blocked", [Path.touch, Path.mkdir], ids=["a file", "what is noted is a folder"])
def test_a_folder_that_cannot_be_used_keeps_nobody_out(folder: Path, blocked: Any) -> None:
    if blocked is Path.touch:
        (folder / "secretops.infisical.logins").touch()
    else:
        Path(_refused._path(LOGIN, URL)).mkdir(parents=True)
    fail(refused())
    assert attempts(REFUSED)
    assert passes()


@pytest.mark.parametrize(
    ("result", "remembered"),
    [
        (REFUSED, True),
        ({"reason": "authentication_failed", "http_status": 401, "msg": "Could not read the secret rotation"}, False),
        ({"reason": "authentication_failed", "http_status": None, "msg": "Could not log in: refused before"}, False),
        ({"reason": "unreachable", "msg": "Could not log in with universal_auth: nobody there."}, False),
        ({"msg": "MODULE FAILURE"}, False),
    ],
)
def test_the_result_of_a_module(result: dict[str, Any], remembered: bool) -> None:
    assert attempts(result)
    assert passes() is not remembered
    assert attempts({}) is not remembered


@pytest.mark.parametrize(("ends", "alone"), [(True, True), (False, False)])
def test_the_first_module_goes_alone_where_its_end_is_seen(ends: bool, alone: bool) -> None:
    """An async one has only begun when ansible-core returns."""

    def run() -> dict[str, Any]:
        file = _refused._opened(_refused._path(LOGIN, URL))
        assert file is not None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return {"alone": True}
            return {"alone": False}

    assert _refused.attempted(LOGIN, URL, run, ends=ends)["alone"] is alone
    assert _refused.attempted(LOGIN, URL, run, ends=ends)["alone"] is False, "the login is known to be none of those"


PARAMS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "auth_method", "universal_auth_client_id", "universal_auth_client_secret", "token", "identity_id", "jwt",
            "jwt_path", "ldap_username", "ldap_password", "metadata_url", "azure_resource", "aws_region", "login_data",
            "organization_slug", "url", "validate_certs", "ca_path", "client_cert", "client_key", "timeout",
        )
    ),
    "url": "http://infisical.example.com",
}  # fmt: skip


UUID = "9f6f0b2c-7f04-4a3a-9e0f-0a1c7ec6b1aa"
FILE = {"auth_method": "oidc_auth", "identity_id": UUID, "jwt_path": __file__}


@pytest.mark.parametrize(
    ("given", "here", "told"),
    [
        ({"universal_auth_client_id": "me", "universal_auth_client_secret": "s"}, True, "universal_auth"),
        ({"universal_auth_client_id": "me", "universal_auth_client_secret": "s"}, False, "universal_auth"),
        ({"token": "aaa.bbb.ccc"}, True, None),
        ({"auth_method": "aws_auth", "identity_id": UUID}, True, None),
        (FILE, True, "oidc_auth"),
        (FILE, False, None),
        ({}, True, None),
    ],
    ids=["credentials", "on another host", "a token", "the host's own", "a file", "a file of another host", "nothing"],
)
def test_the_login_of_a_task_that_runs_as_a_module(given: dict[str, Any], here: bool, told: str | None) -> None:
    found = _refused.login_of({**PARAMS, **given}, {}, here=here)
    assert (found and (found[0].method, found[1])) == (told and (told, "http://infisical.example.com"))


def test_a_module_without_options_of_a_login_has_none() -> None:
    assert _refused.login_of({"okta_url": URL}, {}, here=True) is None
