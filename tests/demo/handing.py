# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is handed over to services that work meanwhile, and then the one before, which leaked, is killed."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from services.account import fingerprint
from services.load import Load
from services.services import UNITS, Services
from simulator.client import Simulator
from support import children, okta

from demo.shown import HERE, broken, run

_DAY = 86_400
_TOKENS = r"/okta/oauth2/.*/token$"
#: In seconds: nobody lives on a token of a secret that is gone.
_TOKEN_LIFETIME = 2
_QUIET = {
    "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
    "ANSIBLE_STDOUT_CALLBACK": "changes",
    **{f"ANSIBLE_DISPLAY_{kind}_HOSTS": "false" for kind in ("OK", "SKIPPED", "INCLUDED")},
}


def hand_over(simulator: Simulator, folder: Path, environment: dict[str, str]) -> list[str]:
    """Every promise that was broken."""
    simulator.settings(oktaTokenLifetime=_TOKEN_LIFETIME)
    rotation = simulator.add_rotation(name="okta-services", lastRotatedAt=20 * _DAY, slots=2, activeIndex=1)
    with Services(folder / "host", simulator.okta_url) as services, contextlib.ExitStack() as stack:
        # Before the folder goes, into which an interrupted command still writes.
        stack.callback(children.end_all)
        shown = _Shown(simulator, services, str(rotation["id"]), folder, environment)
        shown.start()
        found = shown.under_load("Hand its secret over while the services work")
        leaked_id, leaked = list(shown.slots().items())[1]
        found += shown.under_load("The secret from before leaked: rotate it away", leaked_id)
        return found + shown.killed(leaked)


@dataclass(frozen=True)
class _Shown:
    simulator: Simulator
    services: Services
    rotation_id: str
    folder: Path
    environment: dict[str, str]

    @property
    def units(self) -> tuple[str, ...]:
        return UNITS if self.services.balanced else ("reporting",)

    @property
    def report(self) -> Path:
        return self.folder / "report.json"

    @property
    def variables(self) -> Path:
        return self.folder / "handover.json"

    @property
    def client_id(self) -> str:
        return str(self.simulator.rotation(self.rotation_id)["parameters"]["clientId"])

    def slots(self) -> dict[str, str]:
        return okta.slots(self.simulator, self.rotation_id)

    def start(self) -> None:
        """One service was forgotten in the last rotation: it holds the secret that the next one deletes."""
        active, previous = self.slots().values()
        for unit in UNITS:
            self.services.write_settings(unit, self.client_id, previous if unit == UNITS[-1] else active)
        self.services.start()
        told = {
            "rotation_id": self.rotation_id,
            "okta_url": self.simulator.okta_url,
            "folder": str(self.services.folder),
            "ports": {unit: self.services.port(unit) for unit in UNITS},
            "report": str(self.report),
            **({} if self.services.balanced else {"handover_hosts": "reloaded"}),
        }
        self.variables.write_text(json.dumps(told), encoding="utf-8")
        if not self.services.balanced:
            print("\nHAPROXY IS NOT INSTALLED: nothing is shown of services that are restarted behind it.")

    def under_load(self, title: str, leaked_id: str = "") -> list[str]:
        self.simulator.clear_log()
        rotations = self.simulator.rotations_done(self.rotation_id)
        leaked = ["-e", f"handover_leaked_secret_id={leaked_id}"] if leaked_id else []
        path = f"{self.services.path_folder}:{self.environment['PATH']}"
        command = ["ansible-playbook", "-i", "consumers.yml", "secretops.infisical.handover"]
        with Load(self.services.steady_urls) as load:
            load.wait()
            arguments = [*command, "-e", f"@{self.variables}", *leaked]
            run(title, arguments, {**self.environment, **_QUIET, "PATH": path})
            load.wait()
        report = json.loads(self.report.read_text(encoding="utf-8"))
        print("\n".join(["", "=== What the report says", *report["told"]]))
        for each in report["consumers"]:
            print(f"{each['host']}: {each['state']} {each['secret_id']} since {each['since']} ({each['how']})")
        newest_id, newest = next(iter(self.slots().items()))
        asked = self.simulator.log(_TOKENS)
        refused = [entry for entry in asked if entry["status"] != 200]
        states = {each["host"]: (each["state"], each["secret_id"]) for each in report["consumers"]}
        return broken(
            "What the others saw",
            {
                f"of {load.requests} requests to the services, {len(load.failures)} failed": not load.failures,
                f"of {len(asked)} requests for a token, Okta refused {len(refused)}": bool(asked) and not refused,
                "the server rotated once": self.simulator.rotations_done(self.rotation_id) == rotations + 1,
                f"every service holds the new secret {newest_id}": all(
                    self.services.held(unit) == fingerprint(newest) for unit in self.units
                ),
                "the report proves it of every service": states == dict.fromkeys(self.units, ("proven", newest_id)),
                "every token that a task made is revoked": all(
                    token["revoked"] for token in self.simulator.state()["tokens"]
                ),
            },
        )

    def killed(self, leaked: str) -> list[str]:
        newest = next(iter(self.slots().values()))
        return broken(
            "What became of the leaked secret",
            {
                "Okta gives no token for it": okta.token_status(self.simulator, self.client_id, leaked) == 401,
                "Okta gives one for the newest": okta.token_status(self.simulator, self.client_id, newest) == 200,
            },
        )
