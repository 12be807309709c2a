# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the playbook rotate_fleet that are about the whole fleet. They run in the controller's process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible.utils.vars import load_extra_vars
from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION, defaults
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.modules import login, logout
from ansible_collections.secretops.infisical.plugins.plugin_utils import (
    _fleet_members,
    _fleet_plan,
    _fleet_summary,
    _internals,
    _inventory_file,
    _run_settings,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import plain
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet import FLEET, UNREAD
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import templated, tried
from ansible_collections.secretops.infisical.plugins.plugin_utils._on_controller import ControllerAction
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import refuse_none
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import refuse_unsafe_fork

#: Beside the playbook. The folder of the running playbook may be another's, which imports it.
_META = Path(__file__).resolve().parents[2] / "playbooks" / "rotate_fleet.meta.yml"
_OF_INVENTORY = ("rotation_id", "infisical_rotation", "infisical_inventory")


class ActionModule(ControllerAction):
    what = "do the step {step} of the fleet"

    def work(self, given: dict[str, Any]) -> dict[str, Any]:
        step = given.pop("step")
        steps: dict[str, Callable[..., dict[str, Any]]] = {
            "check": self._check,
            "login": self._login,
            "plan": self._plan,
            "batch": self._batch,
            "logout": self._logout,
            "summary": self._summary,
        }
        return steps[step](self._variables_of(step, self._hosts(step, given)), **given)

    # -- the steps

    def _check(self, hosts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Everything that can be wrong before anything is sent."""
        refuse_unsafe_fork()
        refuse_none(self._variables["groups"], self._variables.get("rotate_hosts"))
        self._refuse_unread()
        typed = _run_settings.typed_each(self._spec(), hosts)
        settings = _run_settings.settings(_run_settings.common(typed), os.environ)
        found = self._members(hosts, typed)
        for text in found.warnings:
            self.warn(text)
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
        typed = _run_settings.typed_each(self._spec(), hosts)
        for each in self._members(hosts, typed).logins:
            params = {**each.params, "wait_timeout": run["settings"]["wait_timeout"]}
            task = self.task_with(params, f"login at {each.url}", each.environ)
            result, fault = tried(partial(login.execute, task), "log in")
            if fault:
                failures.append(f"{each.url}: {fault}")
            made.append(result and {"login_data": result["login_data"], "made": result["outcome"] == "logged_in"})
        return {"logins": made, "failures": failures}

    def _plan(self, _hosts: Mapping[str, Any], run: Mapping[str, Any], logins: Sequence[Any]) -> dict[str, Any]:
        """Never fails itself: what it cannot read is told after the tokens were revoked."""
        members = [_fleet_members.Member(**member) for member in run["members"]]
        due: dict[str, bool] = {}
        unread: dict[str, str] = {}
        problems: list[str] = []
        for number, made in enumerate(logins):
            own = [member for member in members if member.login == number]
            look, fault = tried(partial(_look, self._with(run, number, made), own, run["settings"]["min_age"]), "plan")
            if look is not None:
                due.update(look.due)
                unread.update(look.unread)
            told = [fault] if look is None else look.problems
            problems += [f"{run['logins'][number]['url']}: {problem}" for problem in told]
        order = [] if problems else _fleet_plan.in_order(members, due)
        number_of = {member.host: member.login for member in members}
        return {
            # Small and by host: up to ansible-core 2.18 a reference to a variable costs as much as all that it holds.
            "order": [{"host": host, "settings": _of_host(run, number_of[host])} for host in order],
            "due": sum(due.values()),
            "unread": unread,
            "problems": problems,
        }

    def _batch(self, hosts: Mapping[str, Any], run: Any, plan: Any) -> dict[str, Any]:
        results = [_fleet_summary.result_of(found.get("fleet_rotation")) for found in hosts.values()]
        why = _fleet_summary.why_stop(
            results,
            run["settings"]["max_fail_percentage"],
            first=plan["order"][0]["host"] in hosts,
            due=plan["due"],
        )
        return {"stop": why}

    def _logout(self, _hosts: Mapping[str, Any], run: Mapping[str, Any], logins: Sequence[Any]) -> dict[str, Any]:
        """The tokens that this run made: one that was given belongs to whoever gave it."""
        failures = []
        for number, made in enumerate(logins):
            if made and made["made"]:
                _result, fault = tried(partial(logout.execute, self._with(run, number, made)), "revoke the token")
                if fault:
                    failures.append(f"The token for {run['logins'][number]['url']} may still be good. {fault}")
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
                results[name] = _fleet_summary.result_of(hosts[name].get("fleet_rotation"))
        stops = [found["fleet_batch"]["stop"] for found in hosts.values() if "stop" in found.get("fleet_batch", {})]
        made = partial(
            _fleet_summary.summary,
            results,
            same=run["same"],
            warnings=run["flagged"],
            stopped=next(filter(None, stops), ""),
            check_mode=bool(self._task.check_mode),
        )
        summed = made(problems=problems)
        fault = _run_settings.write_report(run["settings"]["report"], summed["report"])
        if fault:
            summed = made(problems=[*problems, fault])
        return summed

    # -- what they share

    def _hosts(self, step: str, given: Mapping[str, Any]) -> Iterable[str]:
        """The hosts whose variables the step needs."""
        if step in ("plan", "logout"):
            return []
        if step == "login":
            return [each["host"] for each in given["run"]["logins"]]
        if step == "batch":
            return list(self._variables["ansible_play_batch"])
        return list(self._variables["ansible_play_hosts_all"])

    def _variables_of(self, step: str, hosts: Iterable[str]) -> dict[str, dict[str, Any]]:
        before = step in ("check", "login")
        # Later on a variable that cannot be templated any more must not end the run with its tokens alive.
        names = (*self._spec(), *_OF_INVENTORY) if before else ("fleet_rotation", "fleet_batch")
        of_play = self.templated(self._of_play() & {*names})
        found = {}
        for host in hosts:
            there = self._variables["hostvars"][host]
            own = {
                name: templated(f"The variable {name} of {host}", partial(there.__getitem__, name))
                for name in names
                if name in there
            }
            found[host] = plain({**own, **of_play})
        return found

    def _of_play(self) -> set[str]:
        """The names of variables that the play sets, as import_playbook hands them on: hostvars do not know them."""
        play = _internals.play_of(self._task)
        return {name for name in (play.get_vars() if play else {}) if name in self._variables}

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

    def _members(self, hosts: Mapping[str, dict[str, Any]], typed: Mapping[str, Any]) -> _fleet_members.Members:
        # The play of an empty fleet is over localhost, to say so.
        names = [] if list(hosts) == ["localhost"] and "rotation_id" not in hosts["localhost"] else list(hosts)
        return _fleet_members.members_of(
            [
                _fleet_members.Host(name, typed[name], *(hosts[name].get(key) for key in _OF_INVENTORY))
                for name in names
            ],
            environ=os.environ,
            in_file=self._in_file,
            extra=load_extra_vars(self._loader),
            warn=self.warn,
        )

    def _in_file(self, path: str) -> Mapping[str, Any]:
        """An inventory that was made elsewhere has no file here."""
        if not os.path.exists(path):
            return {}
        options: Mapping[str, Any] = _inventory_file.read(path, self._loader, self._templar)
        return options

    def _with(self, run: Mapping[str, Any], number: int, made: Mapping[str, Any]) -> Task:
        """A task with the token of a login."""
        there = run["logins"][number]
        params = {
            **defaults({**CONNECTION, **AUTHENTICATION}),
            **there["connection"],
            "login_data": made["login_data"],
            "wait_timeout": run["settings"]["wait_timeout"],
        }
        return self.task_with(params, there["url"])


def _of_host(run: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What the task of one rotation needs to be told, tokens aside."""
    settings = {name: run["settings"][name] for name in ("min_age", "wait_timeout", "outcome_timeout")}
    return {**settings, "login": number, "connection": run["logins"][number]["connection"]}


def _look(task: Task, members: Sequence[_fleet_members.Member], min_age: int) -> _fleet_plan.Found:
    with task.session(task.connection(), task.patience()) as session:
        return _fleet_plan.look(Api(session), members, min_age, partial(datetime.now, timezone.utc))
