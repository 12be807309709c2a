# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hosts of a run over a fleet, checked."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rotate_fleet_hosts
short_description: The hosts of a run over a fleet, or a failure
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - For C(hosts) of a play over rotations. ansible-core skips a play whose pattern matches nothing, and the exit code is
    0. This filter fails instead, before anything is done.
  - It fails where there is no inventory of rotations, where one could not be read and no other has a rotation, where a
    term of the pattern is no group and no host, and where C(--limit) leaves none of the hosts.
  - Where the pattern is right and there is nothing to rotate, and where there is no inventory at all, it returns
    V(localhost), for a play that says so.
positional: _input, pattern, limited, limit
options:
  _input:
    description: The magic variable C(groups).
    type: dict
    required: true
  pattern:
    description:
      - The hosts, as C(hosts) of a play takes them, a text or a list.
      - Left out, or blank, it is V(okta_client_secret_rotations).
    type: raw
  limited:
    description:
      - The names of all hosts that C(--limit) leaves. In C(hosts) of a play that is C(ansible_play_hosts_all).
      - Left out, none is left out by it.
    type: list
    elements: str
  limit:
    description:
      - The text of C(--limit), as C(ansible_limit) has it.
      - Left out, there is none, so that a play over V(localhost) can run where there is no inventory at all.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Rotate what is overdue
  hosts: "{{ groups | secretops.infisical.rotate_fleet_hosts('overdue', ansible_play_hosts_all) }}"
  gather_facts: false
  tasks:
    - name: Say which
      ansible.builtin.debug:
        msg: "{{ ansible_play_hosts }}"
      run_once: true
"""

RETURN = r"""
_value:
  description: The terms of the pattern, or V(localhost) alone.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import checked
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import selected


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"rotate_fleet_hosts": rotate_fleet_hosts}


def rotate_fleet_hosts(
    groups: Mapping[str, Sequence[str]], pattern: Any = None, limited: Sequence[str] | None = None, limit: str = ""
) -> list[str]:
    hosts = checked(lambda: selected(groups, pattern, limited, limit), AnsibleFilterError, "choose the hosts")
    return hosts or ["localhost"]
