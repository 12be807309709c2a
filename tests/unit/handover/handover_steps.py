# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the role handover in the process of the test, with the variables that a task of a play has."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader
from ansible_collections.secretops.infisical.plugins.action.handover import ActionModule


def act(
    step: str, variables: dict[str, Any], *, check_mode: bool = False, strategy: str = "linear", **args: Any
) -> Any:
    """The result of one step, as ansible-core would register it."""
    play = SimpleNamespace(strategy=strategy, get_vars=dict)
    action = ActionModule(
        task=Mock(args={"step": step, **args}, async_val=0, check_mode=check_mode, diff=False, _play=play),
        connection=Mock(),
        play_context=Mock(),
        loader=DataLoader(),
        templar=Mock(template=lambda value: value),
        shared_loader_obj=loader,
    )
    return json.loads(json.dumps(action.run(task_vars=variables)))


class Play:
    """``hosts`` are all consumers with variables of their own, ``there`` those of the play; others it shares."""

    def __init__(
        self,
        hosts: dict[str, dict[str, Any]],
        there: list[str] | None = None,
        *,
        batch: list[str] | None = None,
        lost: tuple[str, ...] = (),
        **shared: Any,
    ) -> None:
        self.hostvars: dict[str, dict[str, Any]] = {name: {**shared, **own} for name, own in hosts.items()}
        names = list(hosts) if there is None else there
        left = [name for name in names if name not in lost]
        self.variables: dict[str, Any] = {
            "groups": {"all": list(hosts), "handover_consumers": list(hosts)},
            "hostvars": self.hostvars,
            "ansible_play_hosts_all": names,
            "ansible_play_hosts": left,
            "ansible_play_batch": left if batch is None else batch,
        }
        for name in left:
            self.hostvars[name]["handover_own"] = self.act("own", host=name)

    def act(self, step: str, host: str = "", **args: Any) -> Any:
        """By a host, or by the first one as run_once has it."""
        name = host or self.variables["ansible_play_batch"][0]
        return act(step, {**self.variables, **self.hostvars[name], "inventory_hostname": name}, **args)
