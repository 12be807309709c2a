# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the playbook rotate_fleet that are about the whole fleet. They run in the controller's process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.secretops.infisical.plugins.module_utils._errors import (
    InfisicalError,
    invalid_arguments,
    unforeseen,
)
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.modules import login, logout
from ansible_collections.secretops.infisical.plugins.plugin_utils import (
    _run_members,
    _run_plan,
    _run_settings,
    _run_summary,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import plain, untrusted
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import FLEET, UNREAD
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import interruptible

#: Beside the playbook. The folder of the running playbook may be another's, which imports it.
_META = Path(__file__).resolve().parents[2] / "playbooks" / "rotate_fleet.meta.yml"
_OF_INVENTORY = ("rotation_id", "infisical_rotation", "infisical_inventory")


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._variables = task_vars or {}
        given = plain(self._task.args)
        step = given.pop("step")
        steps = {
            "check": self._check,
            "login": self._login,
            "plan": self._plan,
            "batch": self._batch,
            "logout": self._logout,
            "summary": self._summary,
        }
        self._warnings: list[str] = []
        hosts = self._variables_of(self._hosts(step, given))
        try:
            with interruptible():
                result = steps[step](hosts, **given)
        except InfisicalError as failure:
            result = {"failed": True, **failure.result()}
        except Exception as fault:  # noqa: BLE001 - a traceback would quote what the server echoed
            result = {"failed": True, **unforeseen(fault, f"do the step {step} of the fleet").result()}
        told = {"warnings": self._warnings} if self._warnings else {}
        return untrusted({"changed": False, **result, **told})

    # -- the steps

    def _check(self, hosts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Everything that can be wrong before anything is sent."""
        self._refuse_unread()
        typed = _run_settings.typed_each(self._spec(), hosts)
        settings = _run_settings.settings(_run_settings.common(typed), os.environ)
        found = self._members(hosts, typed)
        for text in found.warnings:
            self._warn(text)
        return {
            "settings": settings,
            "members": [asdict(member) for member in found.members],
            "logins": [
                {"url": each.url, "host": each.hosts[0], "connection": each.connection} for each in found.logins
            ],
            "same": found.same,
            "flagged": found.warnings,
        }

    def _login(self, hosts: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
        """Never fails itself: the task must not be shown, and why must be."""
        made: list[dict[str, Any] | None] = []
        failures: list[str] = []
        for each, task in zip(run["logins"], self._tasks(hosts, run), strict=True):
            try:
                result = login.execute(task)
            except InfisicalError as failure:
                made.append(None)
                failures.append(f"{each['url']}: {failure.message}")
            else:
                made.append({"login_data": result["login_data"], "made": result["outcome"] == "logged_in"})
        return {"logins": made, "failures": failures}

    def _plan(
        self,
        hosts: Mapping[str, Any],
        run: Mapping[str, Any],
        logins: Sequence[Any],
    ) -> dict[str, Any]:
        members = [_run_members.Member(**member) for member in run["members"]]
        due: dict[str, bool] = {}
        unread: dict[str, str] = {}
        problems: list[str] = []
        for number, task in enumerate(self._tasks(hosts, run, logins)):
            own = [member for member in members if member.login == number]
            with task.session(task.connection(), task.patience()) as session:
                look = _run_plan.look(
                    Api(session), own, run["settings"]["min_age"], partial(datetime.now, timezone.utc)
                )
            due.update(look.due)
            unread.update(look.unread)
            problems += [f"{run['logins'][number]['url']}: {problem}" for problem in look.problems]
        order = [] if problems else _run_plan.in_order(members, due)
        return {
            "order": order,
            "due": sum(due.values()),
            "login": {member.host: member.login for member in members},
            "unread": unread,
            "problems": problems,
        }

    def _batch(self, hosts: Mapping[str, Any], run: Any, plan: Any) -> dict[str, Any]:
        results = [_run_summary.result_of(found.get("fleet_rotation")) for found in hosts.values()]
        why = _run_summary.why_stop(
            results,
            run["settings"]["max_fail_percentage"],
            first=plan["order"][0] in hosts,
            due=plan["due"],
        )
        return {"stop": why}

    def _logout(self, hosts: Mapping[str, Any], run: Mapping[str, Any], logins: Sequence[Any]) -> dict[str, Any]:
        """The tokens that this run made: one that was given belongs to whoever gave it."""
        failures = []
        for task, made in zip(self._tasks(hosts, run, logins), logins, strict=True):
            if made is None or not made["made"]:
                continue
            try:
                logout.execute(task)
            except InfisicalError as failure:
                failures.append(f"The token for {made['login_data']['url']} may still be good. {failure.message}")
        return {"failures": failures}

    def _summary(
        self,
        hosts: Mapping[str, Any],
        run: Mapping[str, Any],
        plan: Mapping[str, Any],
        problems: list[str],
    ) -> dict[str, Any]:
        # The plan is not made where a login failed.
        unread = plan.get("unread", {})
        results = {}
        for name in [member["host"] for member in run["members"]]:
            if name in unread:
                results[name] = {"outcome": "failed", "msg": unread[name]}
            else:
                results[name] = _run_summary.result_of(hosts[name].get("fleet_rotation"))
        stops = [found["fleet_batch"]["stop"] for found in hosts.values() if "stop" in found.get("fleet_batch", {})]
        made = partial(
            _run_summary.summary,
            results,
            same=run["same"],
            warnings=run["flagged"],
            stopped=next(filter(None, stops), ""),
            check_mode=bool(self._task.check_mode),
        )
        summed = made(problems=problems)
        fault = _written(run["settings"]["report"], summed["report"])
        if fault:
            summed = made(problems=[*problems, fault])
        return summed

    # -- what they share

    def _hosts(self, step: str, given: Mapping[str, Any]) -> Iterable[str]:
        """The hosts whose variables the step needs."""
        if step in ("login", "plan", "logout"):
            return [each["host"] for each in given["run"]["logins"]]
        if step == "batch":
            return list(self._variables["ansible_play_batch"])
        return list(self._variables["ansible_play_hosts_all"])

    def _variables_of(self, hosts: Iterable[str]) -> dict[str, dict[str, Any]]:
        names = (*self._spec(), *_OF_INVENTORY, "fleet_rotation", "fleet_batch")
        found = {}
        for host in hosts:
            there = self._variables["hostvars"][host]
            found[host] = plain({name: there[name] for name in names if name in there})
        return found

    def _spec(self) -> dict[str, dict[str, Any]]:
        spec: dict[str, dict[str, Any]] = self._loader.load_from_file(str(_META))["argument_specs"]["rotate_fleet"][
            "options"
        ]
        return spec

    def _refuse_unread(self) -> None:
        fleet = self._variables["groups"].get(FLEET, ())
        unread = [each for host in fleet[:1] for each in self._variables["hostvars"][host].get(UNREAD, ())]
        if unread:
            told = " ".join(f"{each['source']}: {each['problem']}" for each in unread)
            raise invalid_arguments(f"Not every inventory of rotations could be read, and nothing was rotated. {told}")

    def _members(self, hosts: Mapping[str, dict[str, Any]], typed: Mapping[str, Any]) -> _run_members.Members:
        # The play of an empty fleet is over localhost, to say so.
        names = [] if list(hosts) == ["localhost"] and "rotation_id" not in hosts["localhost"] else list(hosts)
        return _run_members.members_of(
            [_run_members.Host(name, typed[name], *(hosts[name].get(key) for key in _OF_INVENTORY)) for name in names],
            environ=os.environ,
            in_file=self._in_file,
            extra=load_extra_vars(self._loader),
            warn=self._warn,
        )

    def _in_file(self, path: str) -> Mapping[str, Any]:
        """An inventory that was made elsewhere has no file here."""
        if not os.path.exists(path):
            return {}
        from ansible_collections.secretops.infisical.plugins.plugin_utils import _inventory_file  # noqa: PLC0415

        return _inventory_file.read(path, self._loader, self._templar)

    def _tasks(
        self,
        hosts: Mapping[str, dict[str, Any]],
        run: Mapping[str, Any],
        logins: Sequence[Any] | None = None,
    ) -> list[Task]:
        """A task for each login, with the token where there is one."""
        typed = _run_settings.typed_each(self._spec(), hosts)
        found = self._members(hosts, typed).logins
        tasks = []
        for each, made in zip(found, logins or [None] * len(found), strict=True):
            params = {**each.params, "wait_timeout": run["settings"]["wait_timeout"]}
            if made:
                params = {
                    **params,
                    **dict.fromkeys(AUTHENTICATION),
                    "revoke_token": False,
                    "login_data": made["login_data"],
                }
            tasks.append(Task(params=params, check_mode=False, environ=each.environ, warn=self._warn))
        return tasks

    def _warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.append(text)


def _written(path: str | None, report: Mapping[str, Any]) -> str:
    """Why the report could not be written; empty where it was."""
    if path is None:
        return ""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)
            file.write(json.dumps(report, indent=4, sort_keys=True) + "\n")
    except OSError as fault:
        return f"The report {path} could not be written: {fault.strerror}."
    return ""
