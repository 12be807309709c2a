# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A handover whose consumers are real services, and what it cost them: requests lost, tokens refused."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.account import fingerprint
from services.load import Load
from services.services import UNITS, Services
from simulator.client import Simulator
from support.ansible import Run, Workspace
from support.handover import KEY, Handover

_TOKENS = r"/okta/oauth2/.*/token$"


class HandedServices(Handover):
    """``units`` are the consumers; the other services have the active secret and are told nothing of a new one."""

    def __init__(
        self,
        workspace: Workspace,
        simulator: Simulator,
        services: Services,
        *,
        units: Iterable[str] = UNITS,
        lagging: Iterable[str] = (),
    ) -> None:
        """``lagging`` are those that hold the previous secret. Services that run already change the application."""
        super().__init__(workspace, simulator, slots=2, activeIndex=1)
        self.services = services
        # So that nobody lives on a token of a secret that is gone.
        simulator.settings(oktaTokenLifetime=1)
        self.client_id = str(self.rotation["parameters"]["clientId"])
        self.hosts = {unit: self._unit(unit) for unit in units}
        active, previous = self.slots.values()
        for unit in UNITS:
            services.write_settings(unit, self.client_id, previous if unit in lagging else active)
        if services.units.pid(UNITS[0]):
            done = services.systemctl("reload", *UNITS)
            assert done.returncode == 0, done.stderr
        else:
            services.start()

    def _unit(self, unit: str) -> dict[str, Any]:
        return {
            "handover_take": {
                "way": "env_file",
                "path": str(self.services.settings_path(unit)),
                "client_id_key": "OKTA_CLIENT_ID",
                "client_secret_key": KEY,
            },
            "handover_restart": {"unit": unit, "method": "reload" if unit == "reporting" else "restart"},
            "handover_check": {"way": "http", "url": f"{self.services.url(unit)}/health", "fetches_token": True},
        }

    def run(self, *arguments: str, env: dict[str, str] | None = None, **more: Any) -> Run:
        path = f"{self.services.path_folder}:{Path(sys.executable).parent}:/usr/bin:/bin"
        return super().run(*arguments, env={"PATH": path, **(env or {})}, **more)

    def killed(self, at: int, task: str = "", **more: Any) -> str:
        """The task that changed something and was the last one, or nothing where fewer than ``at`` did."""
        last = self.workspace.folder / "killed"
        last.unlink(missing_ok=True)
        settings = {"KILLED_AT": str(at), "KILLED_TASK": task, "KILLED_FILE": str(last)}
        run = self.run(env={"ANSIBLE_CALLBACKS_ENABLED": "results,killed", **settings}, **more)
        killed = last.exists()
        assert run.returncode == (-signal.SIGKILL if killed else 0), run.output
        return last.read_text(encoding="utf-8").rpartition(" : ")[2] if killed else ""

    # -- what it cost

    def refused(self) -> list[Any]:
        """What Okta answered to those who asked for a token, apart from a token."""
        asked = self.simulator.log(_TOKENS)
        assert asked
        return [entry["status"] for entry in asked if entry["status"] != 200]

    def assert_nobody_noticed(self, load: Load) -> None:
        """Neither those who asked the services, nor Okta."""
        assert load.failures == [], load.summary()
        assert load.requests > 0
        assert self.refused() == []

    def assert_handed_over(self) -> None:
        """Every consumer has the newest in memory, and the report says so."""
        assert {unit: self.services.held(unit) for unit in self.hosts} == dict.fromkeys(
            self.hosts, fingerprint(self.active)
        )
        assert self.states() == dict.fromkeys(self.hosts, ("proven", self.active_id))
