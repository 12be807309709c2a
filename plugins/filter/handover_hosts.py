# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The consumers of a handover, checked."""

from __future__ import annotations

DOCUMENTATION = r"""
name: handover_hosts
short_description: The consumers of a handover, or a failure
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - For C(hosts) of a play that hands a secret over. ansible-core skips a play whose pattern matches nothing, and the
    exit code is 0. This filter fails instead, before anything is done.
  - It fails where a term of the pattern is no group and no host, where there is no consumer, and where C(--limit)
    leaves none.
positional: _input, pattern, limited
options:
  _input:
    description: The magic variable C(groups).
    type: dict
    required: true
  pattern:
    description:
      - The consumers, as C(hosts) of a play takes them, a text or a list.
      - Left out, or blank, it is V(handover_consumers).
    type: raw
  limited:
    description:
      - The names of all hosts that C(--limit) leaves. In C(hosts) of a play that is C(ansible_play_hosts_all).
      - Left out, none is left out by it.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Hand the secret over
  hosts: "{{ groups | secretops.infisical.handover_hosts('localhost', ['localhost']) }}"
  gather_facts: false
  tasks:
    - name: Say to whom
      ansible.builtin.debug:
        msg: "{{ ansible_play_hosts }}"
      run_once: true
"""

RETURN = r"""
_value:
  description: The terms of the pattern.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import checked
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import consumers


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"handover_hosts": handover_hosts}


def handover_hosts(
    groups: Mapping[str, Sequence[str]], pattern: Any = None, limited: Sequence[str] | None = None
) -> list[str]:
    return checked(lambda: consumers(groups, pattern, limited), AnsibleFilterError, "choose the hosts")
