# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which logins the server refused during this run of Ansible: three refusals lock an identity for everybody.

What is known stands in ansible-core's temporary folder of the run, which its workers share and which goes with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from ansible import constants
from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import Credentials
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import (
    credentials as credentials_of,
)

#: How long a login waits for the outcome of the same login of another host. A refusal comes quickly.
_WAIT = 15.0
_STEP = 0.02
_PROOFS = ("universal_auth_client_secret", "ldap_password", "jwt", "jwt_path")
#: Nobody learns a password by trying which name it would give. All workers of a run have this one, also those that read
#: this file themselves, and no file holds it.
_KEY = bytes(multiprocessing.current_process().authkey)


@contextmanager
def gate(credentials: Credentials, url: str) -> Iterator[None]:
    """Around a login. The first one with these credentials goes alone; once it was refused, no other is sent."""
    with _turn(credentials, url, ends=_is_whole(credentials)) as outcome:
        try:
            yield
        except InfisicalError as failure:
            if _is_refusal(failure.reason, failure.http_status):
                outcome.update(problem=failure.problem, next_step=failure.next_step)
            raise


def attempted(credentials: Credentials, url: str, run: Callable[[], dict[str, Any]], *, ends: bool) -> dict[str, Any]:
    """The same around a task that logs in elsewhere and tells it by its result.

    ``ends`` says that it has ended then. Raises InfisicalError, and does not ``run``, once that login was refused.
    """
    with _turn(credentials, url, ends=ends) as outcome:
        result = run()
        message = str(result.get("msg"))
        # A token can be refused too, later on.
        if _is_refusal(result.get("reason"), result.get("http_status")) and message.startswith("Could not log in"):
            outcome.update(problem=message)
        return result


@contextmanager
def _turn(credentials: Credentials, url: str, *, ends: bool) -> Iterator[dict[str, str]]:
    """The first login goes alone, if what it came to is known when this ``ends``, and written into what this gives."""
    path = _path(credentials, url)
    outcome = {"problem": "", "next_step": ""}
    file = _opened(path) if ends else None
    known = _known(path)
    if file is None:
        _check(credentials, known)
        yield outcome
        return
    with file:
        if known is None:
            _alone(file)
            known = _known(path)
        _check(credentials, known)
        if known is not None:
            fcntl.flock(file, fcntl.LOCK_UN)
        try:
            yield outcome
        finally:
            if known is None or outcome["problem"]:
                _note(path, outcome)


def login_of(params: Mapping[str, Any], environ: Mapping[str, str], *, here: bool) -> tuple[Credentials, str] | None:
    """The login of a task that runs as a module, with its url, as far as it can be told from here.

    ``here`` says that it runs on this machine, whose files it reads.
    """
    if "login_data" not in params:
        # It has no option of a login.
        return None
    try:
        found = credentials_of(params, environ)
        url = _settings.connection(params, environ, warn=_ignore).url
    except InfisicalError:
        return None
    told = _is_whole(found) and (here or "jwt_path" not in found.values)
    return (found, url) if told else None


def _is_whole(credentials: Credentials) -> bool:
    """Whether they name all that the login proves itself with. What a cloud's host has may be another the next time."""
    return any(option in credentials.values for option in _PROOFS)


def _ignore(_text: str) -> None:
    """The task itself warns."""


def _is_refusal(reason: str | None, http_status: int | None) -> bool:
    return reason == "authentication_failed" and http_status is not None


def _check(credentials: Credentials, known: dict[str, Any] | None) -> None:
    if known and known["problem"]:
        raise InfisicalError(
            "authentication_failed",
            f"Could not log in with {credentials.method}: this login was refused before in this run, so that nothing "
            f"was sent. {known['problem']}",
            str(known["next_step"]),
        )


def _path(credentials: Credentials, url: str) -> str:
    told: list[Any] = [url, credentials.method, sorted(credentials.values.items())]
    with suppress(OSError, KeyError):
        # A file that was renewed holds another token.
        told.append(os.stat(credentials.values["jwt_path"]).st_mtime_ns)
    name = hashlib.blake2b(json.dumps(told).encode(), key=_KEY, digest_size=16).hexdigest()
    return os.path.join(constants.DEFAULT_LOCAL_TMP, "secretops.infisical.logins", name)


def _opened(path: str) -> IO[bytes] | None:
    """The lock of a login; None where there can't be one, which is no reason not to log in."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        return open(f"{path}.lock", "wb")
    except OSError:
        return None


def _alone(file: IO[bytes]) -> None:
    """Wait until no other worker is at this login, but not for a server that does not answer."""
    end = time.monotonic() + _WAIT
    while time.monotonic() < end:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_STEP)


def _known(path: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
        known: dict[str, Any] = json.load(file)
        return known
    return None


def _note(path: str, outcome: dict[str, str]) -> None:
    own = f"{path}.{os.getpid()}"
    with suppress(OSError):
        with open(own, "w", encoding="utf-8") as file:
            json.dump(outcome, file)
        os.replace(own, path)
