# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a run over a fleet is about. A pattern that means nothing is a failure and no empty run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader
from ansible_collections.secretops.infisical.plugins.module_utils import _options
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet import FLEET, UNREAD

#: The group of all consumers of secrets.
CONSUMERS = "handover_consumers"


def pattern_of(given: Any) -> list[str]:
    """The terms of ``rotate_hosts``; none where it was left out or is blank, in whatever way."""
    terms = given if isinstance(given, (list, tuple)) else [given]
    texts = [str(term).strip() for term in terms if not is_blank(term)]
    return [term for text in texts for term in split_host_pattern(text)]


def is_blank(value: Any) -> bool:
    """Whether the value stands for one that was not given, as a survey's blank answer does."""
    # A template that yields null is the text "None" up to ansible-core 2.18.
    return _options.is_blank(value) or (isinstance(value, str) and value.strip() == "None")


def refuse_none(groups: Mapping[str, Sequence[str]], given: Any) -> None:
    """Fail where nobody said what is to be rotated."""
    if FLEET not in groups and not pattern_of(given):
        raise InfisicalError(
            "invalid_arguments",
            "There is no inventory of rotations, or it could not be read.",
            "Give one with -i FILE.okta_rotations.yml.",
        )


def selected(groups: Mapping[str, Sequence[str]], given: Any, limited: Sequence[str] | None, limit: str) -> list[str]:
    """The terms for the play over the fleet; none where there is nothing to rotate. ``limited`` is under --limit."""
    terms = pattern_of(given)
    if UNREAD in groups and not groups.get(FLEET):
        raise _unread()
    if not (terms or groups["all"] or FLEET in groups or limit):
        # A check of the syntax has no inventory. A run fails at its first task, which can run on localhost.
        return []
    refuse_none(groups, given)
    terms = terms or [FLEET]
    return terms if matched(groups, terms, limited, "rotate_hosts") else []


def consumers(groups: Mapping[str, Sequence[str]], given: Any, limited: Sequence[str] | None) -> list[str]:
    """The terms for the play of a handover, which is over somebody, or not at all."""
    terms = pattern_of(given) or [CONSUMERS]
    if not groups["all"]:
        # A check of the syntax has no inventory. A run over nobody is told by ansible-core.
        return terms
    if not matched(groups, terms, limited, "handover_hosts"):
        raise invalid_arguments(
            f"handover_hosts is {','.join(terms)}, and no host is in it: nothing was delivered or rotated. Put the "
            f"consumers into the group {CONSUMERS}, or name their group in handover_hosts."
        )
    return terms


def matched(
    groups: Mapping[str, Sequence[str]], terms: list[str], limited: Sequence[str] | None, option: str
) -> list[str]:
    """The hosts of the terms of ``option``. Each term means something, and --limit leaves somebody."""
    inventory = inventory_of(groups)
    for term in terms:
        name = term.lstrip("!&")
        if name not in inventory.groups and not _matched(inventory, name):
            raise invalid_arguments(
                f"{option} has {term!r}, which is no group and no host. Nothing was rotated: correct it, or see "
                "what there is with ansible-inventory --graph."
            )
    hosts = [host.name for host in inventory.get_hosts(terms)]
    if hosts and limited is not None and not set(hosts).intersection(limited):
        raise invalid_arguments(
            f"--limit leaves none of the {len(hosts)} hosts of {','.join(terms)}. Nothing was rotated: correct "
            f"--limit, or {option}."
        )
    return hosts


def _unread() -> InfisicalError:
    return InfisicalError(
        "invalid_arguments",
        "An inventory of rotations could not be read, and no other has a rotation. Nothing was rotated.",
        "The warning above says why. Mend it and run again.",
    )


def _matched(inventory: InventoryManager, name: str) -> bool:
    # What matches nothing can be told to be an error.
    with suppress(AnsibleError):
        return bool(inventory.get_hosts(name))
    return False


def inventory_of(groups: Mapping[str, Sequence[str]]) -> InventoryManager:
    """ansible-core's own reading of patterns, over the same groups."""
    inventory = InventoryManager(loader=DataLoader(), sources=[], parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group=group)
    return inventory
