# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Okta client secret rotations as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: okta_client_secret_rotations
short_description: Okta client secret rotations as an inventory
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Makes a host of every Okta client secret rotation of the given projects, so that forks, C(serial), C(--limit),
    C(max_fail_percentage), retry files and Tower's job slicing work on rotations.
  - A host's name is read like one of the DNS, from the special to the general, namely the rotation, its folders from
    the inmost on, the environment, and the name that O(projects) gives the project, as
    C(okta-payments.okta.prod.payments).
    It depends on no filter. What is no letter, digit, C(_) or C(-) in the name of a folder becomes C(_); should two
    rotations end up with one name, the first eight digits of their ids follow.
  - The variables of a host are C(rotation_id), C(secretRotation) (the rotation as the server sent it, which holds no
    secret), C(infisical_project), those of the connection (C(infisical_url), C(infisical_validate_certs),
    C(infisical_ca_path) and so on), C(ansible_connection) (V(local)) and C(ansible_python_interpreter) (that of the
    controller). None of them holds a token or another secret.
  - The groups are C(okta_client_secret_rotations) (all), C(project_...), C(environment_...), C(status_...) and
    C(overdue), whose next scheduled rotation should have happened already, on the server's clock.
  - The file's name ends with C(okta_rotations.yml) or C(okta_rotations.yaml).
  - The options of connection and login, and O(projects), may be templates, with lookups too.
  - It takes one request for each project. Logging in and revoking add one each, once for all projects.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - secretops.infisical.connection
  - secretops.infisical.authentication
options:
  plugin:
    description: The name of this plugin, by which the file is recognised as its.
    type: str
    required: true
    choices: [secretops.infisical.okta_client_secret_rotations]
  projects:
    description: The ids of the projects whose rotations are wanted, each with a name of your choice before it.
    type: dict
    required: true
  environment:
    description:
      - Only rotations of these environments, by slug, as V(prod).
      - Left out, those of all environments.
    type: list
    elements: str
    default: []
  secret_path:
    description:
      - Only rotations in these folders and below, from the root, as V(/okta).
      - Left out, those of all folders.
    type: list
    elements: str
    default: []
  status:
    description:
      - Only rotations whose last attempt ended like this.
      - Left out, all.
    type: list
    elements: str
    choices: [success, failed]
    default: []
  older_than:
    description:
      - Only rotations whose last rotation is at least this long ago, on the server's clock, as V(30d) or V(12h).
      - Left out, all.
    type: str
  due:
    description:
      - Only rotations whose next scheduled rotation is at most this far ahead, on the server's clock, as V(7d). With
        V(0) those that are overdue.
      - Left out, all, those without a schedule too.
    type: str
  wait_timeout:
    description:
      - How many seconds may be waited in all for a rate limit.
      - Left out, it is 120 seconds.
    type: int
    default: 120
seealso:
  - plugin: secretops.infisical.okta_client_secret_rotation
    plugin_type: module
notes:
  - ansible-core only warns when an inventory cannot be read, and goes on without its hosts. Set
    C(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true) to make that an error.
"""

EXAMPLES = r"""
# fleet.okta_rotations.yml, credentials in the environment:
# ansible-inventory -i fleet.okta_rotations.yml --graph
---
plugin: secretops.infisical.okta_client_secret_rotations
url: https://infisical.example.com
projects:
  payments: 8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b
  shop: 1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9

# Only what was not rotated for a month in production, in groups by interval, with the answers kept for ten minutes.
# plugin: secretops.infisical.okta_client_secret_rotations
# projects:
#   payments: 8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b
# environment: [prod]
# older_than: 30d
# keyed_groups:
#   - prefix: interval
#     key: secretRotation.rotationInterval | string
# compose:
#   okta_client_id: secretRotation.parameters.clientId
# groups:
#   by_hand: not secretRotation.isAutoRotationEnabled
# cache: true
# cache_plugin: ansible.builtin.jsonfile
# cache_connection: /var/cache/ansible/okta
# cache_timeout: 600
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, TypeVar

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display
from ansible_collections.secretops.infisical.plugins.module_utils._errors import (
    InfisicalError,
    invalid_arguments,
    unforeseen,
)
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import plain, untrusted
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet import Member, Wanted, members
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import interruptible

display = Display()

_Made = TypeVar("_Made")

_ALL = "okta_client_secret_rotations"
_OVERDUE = "overdue"
_FILTERS = ("environment", "secret_path", "status", "older_than", "due")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    NAME = "secretops.infisical.okta_client_secret_rotations"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("okta_rotations.yml", "okta_rotations.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        filters = {name: self.get_option(name) for name in _FILTERS}
        wanted = _checked(partial(Wanted.parse, **filters))
        task = Task(params=self._parameters(), check_mode=False, environ=os.environ, warn=display.warning)
        known = self._known(path, cache, task)
        now = _checked(lambda: datetime.now(timezone.utc) + timedelta(seconds=known["clock"]))
        found = _checked(lambda: wanted.of(members(known["rotations"]), now))
        reached = _checked(task.connection)
        connection = {
            **{f"infisical_{option}": getattr(reached, option) for option in CONNECTION},
            "infisical_url": known["url"],
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        for group in (_ALL, _OVERDUE):
            self.inventory.add_group(group)
        for member in found:
            self._add(member, now, connection)

    def _parameters(self) -> dict[str, Any]:
        """The options of connection and login, as a task has them."""
        options = {name: self.get_option(name) for name in (*CONNECTION, *AUTHENTICATION, "projects", "wait_timeout")}
        return plain(self.templar.template(options))

    def _known(self, path: str, cache: bool, task: Task) -> dict[str, Any]:
        """The rotations by project, from the cache or the server."""
        # What the filters leave out is kept all the same: they may change without a new request.
        source = [_checked(task.connection).url, task.params["projects"]]
        digest = hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{self.get_cache_key(path)}_{digest}"
        cached = self.get_option("cache")
        if cached and cache:
            try:
                known: dict[str, Any] = self._cache[key]
            except KeyError:
                pass
            else:
                return known
        known = _checked(lambda: _fetched(task))
        if cached:
            self._cache[key] = known
        return known

    def _add(self, member: Member, now: datetime, connection: dict[str, Any]) -> None:
        own = {
            "rotation_id": member.rotation["id"],
            "secretRotation": member.rotation,
            "infisical_project": member.project,
        }
        variables = {**untrusted(own), **connection}
        groups = [
            _ALL,
            f"project_{member.project}",
            f"environment_{member.environment}",
            f"status_{member.status}",
            *([_OVERDUE] if member.overdue(now) else []),
        ]
        host = self.inventory.add_host(member.host) or member.host
        for name in groups:
            self.inventory.add_host(host, group=self.inventory.add_group(self._sanitize_group_name(name)))
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def _checked(work: Callable[[], _Made]) -> _Made:
    """What our own code makes. ansible-core shows every exception behind the one that it gets, and what is in them."""
    try:
        return work()
    except InfisicalError as caught:
        failure = caught
    except Exception as fault:  # noqa: BLE001 - its text may quote what the server echoed
        failure = unforeseen(fault, "read the inventory")
    except BaseException as end:
        end.__cause__ = end.__context__ = None
        raise
    raise AnsibleParserError(failure.message)


def _fetched(task: Task) -> dict[str, Any]:
    """One login for all projects. The clock is how far the server's is ahead of this host's."""
    projects = task.params["projects"]
    if not projects:
        raise invalid_arguments("projects is empty: give the id of a project at least, with a name before it.")
    members(dict.fromkeys(projects, ()))  # refuses a name that fits no host before anything is sent
    connection = task.connection()
    rotations: dict[str, Any] = {}
    clock: float | None = None
    with interruptible(), task.session(connection, task.patience()) as session:
        api = Api(session)
        for name, project_id in projects.items():
            readings = api.read_all(str(project_id))
            rotations[name] = [session.clean(reading.rotation) for reading in readings]
            for reading in readings[:1]:
                if reading.server_time is not None:
                    clock = (reading.server_time - datetime.now(timezone.utc)).total_seconds()
    if clock is None:
        display.vvv("The server told no time: what is overdue is taken from the clock of this host.")
    return {"url": connection.url, "rotations": rotations, "clock": clock or 0.0}
