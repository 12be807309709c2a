# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the role handover: what is about all consumers, and what is done to the files of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_rule as rule
from ansible_collections.secretops.infisical.plugins.plugin_utils import (
    _handover_settings,
    _handover_summary,
    _internals,
    _run_settings,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import TAGS_DATA, plain
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import templated
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_cycle import Cycle
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_host import Consumer, Host
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_look import Okta
from ansible_collections.secretops.infisical.plugins.plugin_utils._on_controller import ControllerAction
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import (
    CONSUMERS,
    inventory_of,
    pattern_of,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import refuse_unsafe_fork

_SPEC = Path(__file__).resolve().parents[2] / "roles" / "handover" / "meta" / "argument_specs.yml"
Given = dict[str, Any]


class ActionModule(ControllerAction):
    what = "do the step {step} of the handover"

    def work(self, given: Given) -> Given:
        return self.steps()[given.pop("step")](given)

    def steps(self) -> dict[str, Callable[[Given], Given]]:
        return {
            "check": self._check,
            "own": self._own,
            "look": self._look,
            "read": self._read,
            "file": self._file,
            "back": self._back,
            "note": self._note,
            "okta": self._okta,
            "record": self._record,
            "next": self._next,
            "batch": self._batch,
            "rotate": self._rotate,
            "summary": self._summary,
        }

    # -- about all consumers

    def _check(self, _given: Given) -> Given:
        """Everything that can be wrong before anything is sent."""
        refuse_unsafe_fork()
        strategy = getattr(_internals.play_of(self._task), "strategy", "linear")
        if str(strategy).rpartition(".")[2] != "linear":
            raise invalid_arguments(
                f"The strategy of the play is {strategy}, where no batch waits for the one before: set it to linear."
            )
        play, batch = (list(self._variables[f"ansible_play_{name}"]) for name in ("hosts", "batch"))
        in_batches = set(batch) != set(play)
        # One that could not be reached before is one of them still, and keeps the others from being rotated.
        names = batch if in_batches else list(self._variables["ansible_play_hosts_all"])
        owns = {name: plain(self._variables["hostvars"][name].get("handover_own") or {}) for name in names}
        _handover_settings.check_shared(owns)
        common = self._typed()
        run = _handover_settings.checked(common, os.environ)
        task = self._task_of(common)
        task.session(task.connection(), task.patience())
        self._asking(common).check()
        if run["rotate"] and in_batches:
            raise invalid_arguments(
                "The play has serial, which hides the consumers of other batches from the check before a rotation. "
                "Leave serial out and set handover_serial, or set handover_rotate to false."
            )
        listed = self._listed(common["handover_hosts"])
        strangers = [name for name in names if name not in listed]
        if strangers:
            raise invalid_arguments(
                f"{', '.join(strangers)} of the play is none of handover_hosts: it is the complete list of consumers. "
                "Give the pattern of the play in it."
            )
        of_rotation = {name: own["rotation_id"] for name, own in owns.items()}
        for name in listed:
            if name not in of_rotation:
                told = self._variables["hostvars"][name].get("handover_rotation_id")
                of_rotation[name] = str(told or "").strip().lower()
        _handover_settings.check_cut_off(run["cut_off"], listed)
        rotations = [
            {
                "rotation_id": rotation_id,
                "hosts": [name for name in names if of_rotation[name] == rotation_id],
                # A consumer of which it is not known, for it is not in this run, may be one of each.
                "listed": [name for name in listed if of_rotation[name] in (rotation_id, "")],
            }
            for rotation_id in dict.fromkeys(own["rotation_id"] for own in owns.values())
        ]
        if run["leaked_secret_id"] and len(rotations) > 1:
            raise invalid_arguments(
                "handover_leaked_secret_id is of one rotation, and the consumers of this run name "
                f"{len(rotations)}: give --limit or handover_hosts for those of that one."
            )
        return {**run, "run": secrets.token_hex(8), "rotations": rotations, "total": len(listed)}

    def _own(self, _given: Given) -> Given:
        """What is of this consumer, and what it shares with the others; here, where all variables of a task are."""
        typed = self._typed()
        name = self._variables["inventory_hostname"]
        own = _handover_settings.consumer(name, typed, _run_settings.working_folder(os.environ))
        return {**own, "shared": _handover_settings.digests(typed)}

    def _look(self, given: Given) -> Given:
        """Never fails itself: the task must not be shown, and why must be."""
        cycle = self._cycle(given)
        return cycle.look(given.get("look") or {}, given.get("rotated") or {})

    def _rotate(self, given: Given) -> Given:
        cycle = self._cycle(given)
        states = {name: self._held(name, given["run"]) for name in given["rotation"]["listed"]}
        return cycle.decide(
            given.get("look") or {},
            states,
            given["batch"],
            given.get("rotated") or {},
            check_mode=bool(self._task.check_mode),
        )

    def _next(self, given: Given) -> Given:
        """The rotation after this one; without hosts where there is none, or one before was refused."""
        ids = [each["rotation_id"] for each in given["run"]["rotations"]]
        last = given.get("rotation")
        number = ids.index(last["rotation_id"]) + 1 if last else 0
        if number >= len(ids) or (given.get("rotated") or {}).get("refused"):
            return {"rotation_id": "", "hosts": [], "listed": []}
        return dict(given["run"]["rotations"][number])

    def _batch(self, given: Given) -> Given:
        """The batch after this one; without hosts where there is none, or must be none."""
        look, last = given["look"], given.get("batch")
        number = last["number"] + 1 if last else 0
        stop = look["problem"]
        if last and not self._task.check_mode:
            needed = [name for name in last["hosts"] if name not in given["run"]["cut_off"]]
            held = {name: self._held(name, given["run"]) for name in needed}
            stop = rule.why_stop(held, look["active_id"])
        done = stop or number >= len(look["batches"])
        return {"number": number, "hosts": [] if done else look["batches"][number], "stop": stop}

    def _summary(self, given: Given) -> Given:
        run = given["run"]
        listed = [name for each in run["rotations"] for name in each["listed"]]
        states = {name: self._state(name, run) for name in listed}
        rotated = given.get("rotated") or {}
        rotation = rotated.get("secretRotation")
        made = partial(
            _handover_summary.summary,
            run["rotations"],
            states,
            check_mode=bool(self._task.check_mode),
            moments={"lastRotatedAt": rotation["lastRotatedAt"]} if rotation else {},
        )
        told, refused = rotated.get("told", []), rotated.get("refused", "")
        summed = made(told, refused)
        fault = _run_settings.write_report(run["report"], summed["report"])
        return made(told, f"{refused} {fault}".strip()) if fault else summed

    # -- of one consumer

    def _read(self, given: Given) -> Given:
        return self._consumer(given).note()

    def _file(self, given: Given) -> Given:
        source = given["own"]["take"]["src"]
        return self._consumer(given).take(
            given["client_id"],
            given["client_secret"],
            self._rendered(source) if source else "",
            check_mode=bool(self._task.check_mode),
        )

    def _rendered(self, source: str) -> str:
        """Here and so, for up to ansible-core 2.18 what looks like JSON is made data of, also as an argument."""
        loader = self._shared_loader_obj.lookup_loader
        lookup = loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        as_text = {} if TAGS_DATA else {"convert_data": False}
        rendered = partial(lookup.run, [source], variables=self._variables, **as_text)
        return str(templated(f"The file {source}", rendered)[0])

    def _back(self, given: Given) -> Given:
        return self._consumer(given).give_back(given["before"])

    def _note(self, given: Given) -> Given:
        return self._consumer(given).write_note(given["secret_id"], _now())

    def _okta(self, given: Given) -> Given:
        """Ask Okta about the value that the consumer's file holds."""
        path = given["own"]["check"]["path"]
        value = self._consumer(given).value()
        expected = given.get("client_secret")
        if value is None or (expected and value != expected):
            raise invalid_arguments(f"{path} does not hold the secret where it should.")
        if not self._asking(self._typed()).accepts({"clientId": given["client_id"], "clientSecret": value}):
            raise InfisicalError("authentication_failed", f"Okta does not accept the secret that {path} holds.")
        return {"msg": f"Okta accepts the secret that {path} holds."}

    def _record(self, given: Given) -> Given:
        """How far the secret came to this consumer, in this run."""
        state = given["state"]
        if state not in (*rule.STATES, "predicted"):
            raise invalid_arguments(f"state is {state!r}: give one of {', '.join(rule.STATES)}.")
        before = (given.get("note") or {}).get("secret_id", "")
        return {
            "run": given["run"]["run"],
            "secret_id": given["secret_id"],
            "state": state,
            "since": given.get("since") or None,
            "how": given.get("how", ""),
            "problem": _handover_summary.problem_of(given.get("failed_task") or {}, given.get("ending", "")),
            "diff": {"before": {"secret_id": before}, "after": {"secret_id": given["secret_id"]}},
        }

    # -- what they share

    def _consumer(self, given: Given) -> Consumer:
        own = given["own"]
        return Consumer(Host(self, self._variables), own["take"], own["check"], own["restart"])

    def _cycle(self, given: Given) -> Cycle:
        common = self._typed()
        rotation = given["rotation"]
        return Cycle(
            run=given["run"],
            rotation=rotation,
            task=self._task_of(common),
            okta=self._asking(common),
            why_deliver_only=_handover_settings.why_deliver_only(given["run"], rotation),
            leaked_secret=common["handover_leaked_secret"],
        )

    def _asking(self, common: Mapping[str, Any]) -> Okta:
        options = {
            name.removeprefix("handover_okta_"): value
            for name, value in common.items()
            if name.startswith("handover_okta_") and name != "handover_okta_url"
        }
        wait_timeout = common["handover_wait_timeout"]
        return Okta({"okta_url": common["handover_okta_url"], **options}, wait_timeout, self.warn)

    def _task_of(self, common: Mapping[str, Any]) -> Task:
        return self.task_with(_handover_settings.task_params(common), "handover")

    def _typed(self) -> Mapping[str, Any]:
        """The variables of this task, wherever they come from: hostvars know nothing of those of plays and roles."""
        spec = self._loader.load_from_file(str(_SPEC))["argument_specs"]["main"]["options"]
        name = self._variables["inventory_hostname"]
        return _run_settings.typed_each(spec, {name: plain(self.templated(spec))})[name]

    def _listed(self, given: Any) -> list[str]:
        """The complete list of consumers, whatever --limit says."""
        groups: Mapping[str, Sequence[str]] = self._variables["groups"]
        terms = pattern_of(given) or [CONSUMERS]
        return [host.name for host in inventory_of(groups).get_hosts(terms)]

    def _state(self, host: str, run: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What this run recorded of a consumer; a variable of that name from elsewhere counts for nothing."""
        found = self._variables["hostvars"][host].get("handover_state")
        return plain(found) if isinstance(found, Mapping) and found.get("run") == run["run"] else None

    def _held(self, host: str, run: Mapping[str, Any]) -> rule.Held | None:
        found = self._state(host, run)
        if found is None or found["state"] not in rule.STATES:
            return None
        return rule.Held(found["secret_id"], found["state"], found["problem"])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
