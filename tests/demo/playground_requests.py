# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each request to the playground as a line, without a secret or a token in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from simulator.app import App
from simulator.clock import iso
from simulator.requestlog import ROTATE_PATH, Entry

HEADINGS = f"{'time':8}  {'method':6} {'status':>6} {'ms':>6}  {'identity':14}  path"
#: An id has 36 characters. What is longer may be a secret that somebody put into the path.
_LONG = re.compile(r"[^/]{37,}")


class Requests:
    def __init__(self, app: Callable[[], App], show: Callable[[str], None]) -> None:
        self._app = app
        self._show = show
        #: Told of the id of a rotation that is to be rotated, before it is.
        self.asked: Callable[[str], None] = lambda _rotation_id: None

    def __call__(self, entry: Entry) -> Callable[[], None]:
        """A watch of the simulator."""
        began = time.monotonic()
        rotation_id = entry.path.split("/")[-2] if entry.method == "POST" and ROTATE_PATH.search(entry.path) else ""
        before = self._completed(rotation_id)
        # Afterwards its token may be gone.
        identity = self._identity(entry)
        if rotation_id:
            self.asked(rotation_id)

        def over() -> None:
            status = "lost" if entry.status is None else str(entry.status)
            spent = f"{(time.monotonic() - began) * 1000:.0f}"
            path = _LONG.sub("...", entry.path).encode("ascii", "backslashreplace").decode()
            did = f"  => {self._did(rotation_id, before, entry)}" if rotation_id else ""
            self._show(f"{entry.time[11:19]}  {entry.method:6} {status:>6} {spent:>6}  {identity:14}  {path}{did}")

        return over

    def note(self, text: str) -> None:
        """What happened without a request."""
        self._show(f"{iso(self._app().store.now())[11:19]}  {text}")

    def _completed(self, rotation_id: str) -> int:
        rotation = self._app().store.data.rotations.get(rotation_id)
        return 0 if rotation is None else rotation.completed

    def _identity(self, entry: Entry) -> str:
        data = self._app().store.data
        told = entry.body if isinstance(entry.body, dict) else {}
        token = entry.token or str(told.get("accessToken", ""))[-12:]
        for each in data.tokens.values():
            if token and each.accessToken.endswith(token):
                return data.identities[each.identityId].name
        known = (each.name for each in data.identities.values() if each.clientId == told.get("clientId"))
        return next(known, "unknown")

    def _did(self, rotation_id: str, before: int, entry: Entry) -> str:
        data = self._app().store.data
        rotation = data.rotations.get(rotation_id)
        if rotation is None:
            return "there is no such rotation"
        name = f"{rotation.name} of {rotation.environment}"
        if rotation.completed > before:
            held = " and ".join(each.id for each in data.okta[rotation.parameters["clientId"]].secrets)
            lost = ", and the answer was lost" if entry.status is None else ""
            return f"rotated {name}: Okta now has {held}{lost}"
        if rotation_id in data.locks:
            return f"refused, for {name} is being rotated by another party"
        if entry.workStatus == 500:
            return f"failed: {rotation.lastRotationMessage}"
        return f"{name} was not rotated"
