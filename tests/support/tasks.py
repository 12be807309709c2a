# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's ``execute`` in the process of the test, with options as ansible-core would hand them over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience


@dataclass(frozen=True)
class TestTask(Task):
    """Its pauses end at once; ``sleep`` is told of each and may do something meanwhile."""

    __test__ = False

    sleep: Callable[[float], None] = lambda seconds: None

    def patience(self) -> Patience:
        return Patience(self.params["wait_timeout"], sleep=self.sleep)


@dataclass
class Runner:
    """Runs one module. What it warned of is kept."""

    module: ModuleType
    environ: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def params(self, given: dict[str, Any]) -> dict[str, Any]:
        spec = self.module.ARGUMENT_SPEC
        unknown = given.keys() - spec.keys()
        assert not unknown, f"no options of {self.module.__name__}: {unknown}"
        params = {option: given.get(option, details.get("default")) for option, details in spec.items()}
        if params.get("login_data"):
            params["login_data"] = {"expires_in": None, **params["login_data"]}
        return params

    def task(self, given: dict[str, Any], **task: Any) -> Task:
        surroundings = {"check_mode": False, "environ": self.environ, "warn": self.warnings.append, **task}
        return TestTask(params=self.params(given), **surroundings)

    def run(self, given: dict[str, Any], **task: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.module.execute(self.task(given, **task))
        return result

    def fail(self, given: dict[str, Any], **task: Any) -> InfisicalError:
        with pytest.raises(InfisicalError) as caught:
            self.run(given, **task)
        return caught.value
