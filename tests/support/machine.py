# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that runs tasks one after the other, in the test's process, with what they leave for each other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation

from support.tasks import Runner, TestTask

#: Of whoever runs the tests. Tasks have those of their own ``environ``.
SURROUNDINGS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Clock:
    """Time that only pauses move. ``meanwhile`` is what happens during the first pauses, one after the other."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.meanwhile: list[Callable[[], object]] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()


@dataclass(frozen=True)
class PacedTask(TestTask):
    """It pauses on a clock that moves by that alone."""

    clock: Clock = field(default_factory=Clock)

    def patience(self) -> Patience:
        # For the check of the option.
        Task.patience(self)
        return Patience(self.params["wait_timeout"], self.clock, self.clock.sleep)


@dataclass
class Machine:
    """``folder`` is its temporary folder, ``options`` are those of each of its tasks."""

    folder: Path
    options: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    #: Of the last task.
    warnings: list[str] = field(default_factory=list)

    def run(
        self, *, module: ModuleType = okta_client_secret_rotation, check_mode: bool = False, **options: Any
    ) -> dict[str, Any]:
        """The result of one task, of one that failed too. Whatever else is raised escapes to the test."""
        self.folder.mkdir(exist_ok=True)
        runner = Runner(module, self.environ)
        self.clock.pauses.clear()
        with pytest.MonkeyPatch.context() as patch:
            for name in SURROUNDINGS:
                patch.delenv(name, raising=False)
                patch.delenv(name.upper(), raising=False)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.setenv("TMPDIR", str(self.folder))
            patch.setattr(tempfile, "tempdir", str(self.folder))
            given = {name: value for name, value in {**self.options, **options}.items() if value is not None}
            task = PacedTask(
                params=runner.params(given),
                check_mode=check_mode,
                environ=self.environ,
                warn=runner.warnings.append,
                clock=self.clock,
            )
            try:
                result: dict[str, Any] = module.execute(task)
            except InfisicalError as failure:
                result = failure.result()
        self.warnings = runner.warnings
        return result

    @property
    def notes(self) -> list[Path]:
        """What its tasks left for the ones after them."""
        return sorted(self.folder.rglob("*.note"))

    def age_notes(self, minutes: float) -> None:
        """As if so much time had gone by since they were written."""
        for path in self.notes:
            note = json.loads(path.read_text(encoding="utf-8"))
            written = datetime.fromisoformat(note["written_at"]) - timedelta(minutes=minutes)
            path.write_text(json.dumps({**note, "written_at": written.isoformat()}), encoding="utf-8")


def ended(result: dict[str, Any]) -> tuple[str, bool]:
    """How a task ended: its reason, or its outcome where it has none, and whether it changed anything."""
    return str(result.get("reason") or result["outcome"]), bool(result["changed"])
