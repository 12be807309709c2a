# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true after a task met a raw peer, whatever bytes it was answered with: one table."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module

from support.raw_peer import READ, REVOKE, ROTATE, TOKEN, RawPeer, Script, World, listening
from support.tasks import Runner, TestTask


class Truth(NamedTuple):
    """``ends`` is the outcome or the reason; ``posts`` counts requests to rotate, whole or in part."""

    ends: str
    changed: bool
    posts: int
    rotations: int


ROTATED = Truth("rotated", changed=True, posts=1, rotations=1)
UNKNOWN = Truth("outcome_unknown", changed=False, posts=1, rotations=0)


def refused(reason: str) -> Truth:
    return Truth(reason, changed=False, posts=0, rotations=0)


#: What happened to one of the requests, and what must be true then.
TRUTHS = {
    "any request, answered in any legal framing": ROTATED,
    "the request to rotate was done, and something else answers": ROTATED,
    "the request to rotate was done, and something else answers for ever": UNKNOWN._replace(rotations=1),
    "the request to rotate was not done, and something else answers": UNKNOWN,
    "the request to rotate was done, and its answer is cut": ROTATED,
    "the request to rotate is cut before its end": UNKNOWN,
    "the request to rotate is cut at its end": ROTATED,
    "the answer to the first reading is cut, the second one is whole": ROTATED,
    "the answer to the login is cut": refused("unreachable"),
    "something else answers the revocation": ROTATED,
    # With the reason that is fitting for what answers.
    "something else answers the reading or the login": refused("*"),
}
#: A reading that failed for one of these is tried again, twice.
TRIED_AGAIN = ("unreachable", "server_error")


class Clock:
    """Time that only pauses move, and peers that are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class VirtualTask(TestTask):
    clock: Clock = field(default_factory=Clock)

    def patience(self) -> Patience:
        return Patience(self.params["wait_timeout"], self.clock, self.clock.sleep)


@dataclass
class Run:
    """A task that has ended, and the world that it left."""

    result: dict[str, Any]
    world: World
    warnings: list[str]
    logs_in: bool

    @property
    def ends(self) -> str:
        return str(self.result.get("reason") or self.result["outcome"])

    def count(self, kind: str) -> int:
        return self.world.seen.count(kind)

    def problems(self, truth: Truth, *reasons: str) -> list[str]:
        """Where it is not as the truth says; ``reasons`` take the place of its asterisk."""
        failed = "reason" in self.result
        outcome = "unknown" if self.ends == "outcome_unknown" else "failed" if failed else self.ends
        expected = {
            "ends": (self.ends, reasons if truth.ends == "*" else (truth.ends,)),
            "changed": (self.result["changed"], (truth.changed,)),
            "outcome": (self.result.get("outcome"), (outcome,)),
            "requests to rotate": (self.count(ROTATE), (truth.posts,)),
            "rotations": (self.world.rotations, (truth.rotations,)),
            "requests that no task should make": ([kind for kind in self.world.seen if "unknown" in kind], ([],)),
            "sent over a connection that was to end": (self.world.stray, (b"",)),
            # A reading shows that the login went well.
            "revocations": (self.count(REVOKE), (int(self.logs_in and READ in self.world.seen),)),
            "fit for a terminal": (_fault_of_text(self.result), ("",)),
        }
        problems = [f"{what}: {got!r}, not {_or(right)}" for what, (got, right) in expected.items() if got not in right]
        if not failed and self.result["secretRotation"]["lastRotatedAt"] != self.world.rotation["lastRotatedAt"]:
            problems.append("lastRotatedAt in the result: older than the peer's")
        return problems


def _or(right: tuple[object, ...]) -> str:
    return " or ".join(repr(value) for value in right)


def _fault_of_text(result: dict[str, Any]) -> str:
    try:
        json.dumps(result, ensure_ascii=False).encode()
    except (TypeError, ValueError) as fault:
        return str(fault)
    return ""


@dataclass
class Stage:
    """Where tasks meet the peer, one after the other."""

    peer: RawPeer
    folder: Path
    _runs: int = 0

    def run(
        self,
        script: Script,
        *,
        logs_in: bool = False,
        wait_timeout: int = 20,
        task: type[VirtualTask] = VirtualTask,
        **rotation: Any,
    ) -> Run:
        world = self.peer.begin(script, **rotation)
        token = {"token": TOKEN}
        identity = {"universal_auth_client_id": "identity", "universal_auth_client_secret": "its secret"}
        runner = Runner(module)
        options = {"url": self.peer.url, "rotation_id": world.rotation["id"], "wait_timeout": wait_timeout}
        params = runner.params({**options, **(identity if logs_in else token), "timeout": 5})
        try:
            result = module.execute(task(params=params, check_mode=False, environ={}, warn=runner.warnings.append))
        except InfisicalError as failure:
            result = failure.result()
        except Exception as escaped:  # noqa: BLE001 - it is what the tests look for
            result = {"reason": repr(escaped), "outcome": "escaped", "changed": False, "msg": "It escaped."}
        self._runs += 1
        if not self._runs % 25:
            # Each rotation is another one, so that the notes of those before do no more than take time.
            for path in self.folder.iterdir():
                shutil.rmtree(path)
        return Run(result, world, runner.warnings, logs_in)


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Without proxies, and with an empty folder for temporary files, where the lock is."""
    with pytest.MonkeyPatch.context() as patch, listening() as peer:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        yield Stage(peer, folder)
