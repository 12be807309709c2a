# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job templates as Tower runs them, and the report, against a simulated Infisical: nothing else is needed."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from simulator.client import Simulator  # noqa: E402
from support import children  # noqa: E402
from support.ansible import LOCAL, Workspace  # noqa: E402
from support.server import environment, tokens_left  # noqa: E402
from support.tower import PROJECT_ID, Job, Tower, localhost, tower_for  # noqa: E402

from demo.shown import Failed, broken, heed_signals, run  # noqa: E402

CACHE = TESTS.parent / ".cache"
_DAY = 86_400
#: Name, days since the last rotation, days until the next one.
_ROTATIONS = (("okta-shop", 3, 27), ("okta-billing", 12, 18), ("okta-mail", 29, 1), ("okta-crm", 95, -5))


def seeded() -> Simulator:
    """Secrets of several ages, one of them refused by Okta the last time."""
    simulator = Simulator()
    for name, age, ahead in _ROTATIONS:
        simulator.add_rotation(name=name, lastRotatedAt=age * _DAY, nextRotationAt=ahead * _DAY)
    failed = {"rotationStatus": "failed", "lastRotationMessage": "Okta is down"}
    simulator.add_rotation(name="okta-search", lastRotatedAt=200 * _DAY, nextRotationAt=-110 * _DAY, **failed)
    return simulator


def job_templates(simulator: Simulator, workspace: Workspace) -> list[str]:
    """Every promise that was broken."""
    tower = tower_for(simulator, workspace)
    tower.configure("fleet.okta_rotations.yml", PROJECT_ID, simulator.state()["project"]["id"])
    print("\n=== Update the inventory, with nothing but the credential's environment")
    print("$ ansible-inventory --list --export -i project/fleet.okta_rotations.yml", flush=True)
    rotations = tower.sync()
    print("\n".join(rotations["_meta"]["hostvars"]))
    page = CACHE / "tower" / "okta-secrets.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    servers = localhost()
    servers["_meta"]["hostvars"]["web"] = LOCAL
    servers["report_servers"] = {"hosts": ["web"]}
    one = {"rotate_rotation": "okta-crm", "rotate_project": "payments", "rotate_environment": "prod"}
    one |= {"rotate_secret_path": "/okta", "rotate_min_age": "", "rotate_dry_run": ""}
    asked = {"report_projects": "payments", "report_fail_on": "", "report_publish_path": str(page)}
    jobs = [
        _launch(tower, "Report", "report.yml", servers, asked),
        _launch(tower, "Rotate one", "rotate.yml", localhost(), one),
        _launch(tower, "Rotate the fleet", "rotate_fleet.yml", rotations, {"rotate_min_age": "25d"}),
        _launch(tower, "Report", "report.yml", servers, asked),
    ]
    print(f"\nThe report, as the last job published it: {page}")
    print("Nothing of what the jobs wrote is left but this page.")
    done = {each["name"]: each["completed"] for each in simulator.state()["rotations"]}
    young, old = ("okta-shop", "okta-billing"), ("okta-crm", "okta-mail", "okta-search", "okta-payments")
    return broken(
        "What the server saw",
        {
            "every job was successful": all(job.status == "successful" for job in jobs),
            "each secret older than 25 days was rotated once": all(done[name] == 1 for name in old),
            "the younger ones were left alone": all(done[name] == 0 for name in young),
            "every token that a job made is revoked": not tokens_left(simulator),
            "what one job hands to the next is text": jobs[2].told["counts"]["rotated"] == "3",
        },
    )


def _launch(tower: Tower, title: str, playbook: str, inventory: Mapping[str, Any], answers: Mapping[str, Any]) -> Job:
    given = ", ".join(f"{name}={value}" for name, value in answers.items() if value)
    print(
        f"\n=== {title}, with the answers {given}\n$ ansible-runner run PRIVATE_FOLDER --playbook {playbook}",
        flush=True,
    )
    job = tower.launch(playbook, inventory, answers, forks=20)
    print(f"{job.status}: {job.told['summary']}" if job.status == "successful" else job.stdout)
    return job


def report(simulator: Simulator, workspace: Workspace) -> list[str]:
    """The page, and the files for programs."""
    folder = CACHE / "report"
    folder.mkdir(parents=True, exist_ok=True)
    names = {"html": "index.html", "json": "report.json", "csv": "report.csv", "prometheus": "report.prom"}
    command = ["ansible-playbook", "secretops.infisical.report", "-e", "report_projects=payments"]
    command += [word for kind, name in names.items() for word in ("-e", f"report_{kind}={folder / name}")]
    run("Report", command, workspace.environment(environment(simulator)))
    print(f"\nOpen {folder / 'index.html'}")
    return [name for name in names.values() if not (folder / name).stat().st_size]


def main(show: Callable[[Simulator, Workspace], list[str]]) -> int:
    heed_signals()
    with tempfile.TemporaryDirectory(prefix="tower-") as name, contextlib.ExitStack() as stack:
        # It has a temporary folder of its own.
        tempfile.tempdir = name
        stack.callback(children.end_all)
        simulator = stack.enter_context(seeded())
        found = show(simulator, Workspace(Path(name)))
    if found:
        print(f"\nIt failed: {', '.join(found)}.")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(report if sys.argv[1:] == ["report"] else job_templates))
    except (Failed, RuntimeError) as failure:
        sys.exit(f"\nIt failed: {failure}.")
