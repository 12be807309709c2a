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
    rotations end up with one name, the first eight digits of their ids follow, or all of them where those agree too.
  - The variables of a host are C(rotation_id), C(infisical_rotation) (the rotation as the server sent it, which holds
    no secret), C(infisical_summary) (its C(age_seconds) and whether it is C(overdue), as
    M(secretops.infisical.okta_client_secret_rotation_info) tells them), C(infisical_project), those of the connection
    (C(infisical_url), C(infisical_validate_certs), C(infisical_ca_path) and so on), C(infisical_inventory) (this
    file), C(ansible_connection) (V(local)) and C(ansible_python_interpreter) (a template that names the
    controller's). None of them holds a token or another secret.
  - The groups are C(okta_client_secret_rotations) (all), C(project_...), C(environment_...), C(status_...) and
    C(overdue), whose next scheduled rotation should have happened already, on the server's clock.
  - The file's name ends with C(okta_rotations.yml) or C(okta_rotations.yaml).
  - All options may be templates, with lookups too; C(compose), C(groups), C(keyed_groups) and O(host_name) are
    templated for each host. A key that is no option is refused, and so is what has another type after templating.
  - A host of that name that is in the inventory already, from another file, is an error, unless it is the same rotation
    of the same server.
  - Where a file cannot be read, its hosts are taken back, and the group C(okta_client_secret_rotations) has a variable
    C(infisical_inventories_unread), a list of C(source) and C(problem), beside an empty group of that name.
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
  secret_path:
    description:
      - Only rotations in these folders and below, from the root, as V(/okta).
      - Left out, those of all folders.
    type: list
    elements: str
  status:
    description:
      - Only rotations whose last attempt ended like this.
      - Left out, all.
    type: list
    elements: str
    choices: [success, failed]
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
  host_name:
    description:
      - A template of a host's name, over the variables of the host, as
        V({{ infisical_rotation.name }}.{{ infisical_project }}). It gives letters, digits, C(.), C(_) and C(-), and for
        each rotation another name.
      - Left out, names are as described above.
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
#     key: infisical_rotation.rotationInterval | string
# compose:
#   okta_client_id: infisical_rotation.parameters.clientId
# groups:
#   by_hand: not infisical_rotation.isAutoRotationEnabled
# cache: true
# cache_plugin: ansible.builtin.jsonfile
# cache_connection: /var/cache/ansible/okta
# cache_timeout: 600
"""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display
from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import Credentials, credentials
from ansible_collections.secretops.infisical.plugins.module_utils._options import FILTERS
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.selection import (
    Selection,
    of_both_clocks,
    summary,
)
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.urls import canonical
from ansible_collections.secretops.infisical.plugins.plugin_utils import _inventory_file, _refused
from ansible_collections.secretops.infisical.plugins.plugin_utils._announcing import announcing
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import (
    PYTHON_OF_CONTROLLER,
    TAGS_DATA,
    template,
    untrusted,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet import (
    FLEET,
    UNREAD,
    Member,
    check_host_names,
    check_known,
    members,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import checked
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import interruptible

display = Display()

_checked = partial(checked, error=AnsibleParserError, what="read the inventory")
_OVERDUE = "overdue"


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    NAME = _inventory_file.NAME

    def verify_file(self, path: str) -> bool:
        # One that cannot be read is ours too: what is passed over in silence would be missing in silence.
        return path.endswith(("okta_rotations.yml", "okta_rotations.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        added: list[str] = []
        fault = None
        try:
            self._parse(path, cache, added)
        except Exception as error:  # noqa: BLE001 - whatever it is, the hosts are missing
            fault = error
        if fault:
            for name in added:
                inventory.remove_host(inventory.hosts[name])
        self._note_unread(path, str(fault) if fault else None)
        if fault:
            raise fault

    def _parse(self, path: str, cache: bool, added: list[str]) -> None:
        options = _checked(lambda: _inventory_file.read(path, self.loader, self.templar))
        self._set_core_options(options)
        wanted = _checked(partial(Selection.parse, **{name: options[name] for name in FILTERS}))
        task = Task(
            params=options,
            check_mode=False,
            environ=os.environ,
            warn=display.warning,
            gate=_refused.gate,
            waits=announcing(path),
        )
        for option, source in _settings.sources(options, os.environ).items():
            display.vvv(f"{path}: {option} is from {source}.")
        connection = _checked(task.connection)
        login = _checked(lambda: credentials(options, os.environ))
        _checked(lambda: members(dict.fromkeys(options["projects"], ())))
        known = self._known(path, cache, task, connection, login)
        host_now = datetime.now(timezone.utc)
        everyone = _checked(lambda: members(known["rotations"]))
        rotations = [member.rotation for member in everyone]
        selected, overdue, moment = _checked(lambda: of_both_clocks(rotations, wanted, known["clock"], host_now))
        chosen = {rotation["id"] for rotation in selected}
        found = [member for member in everyone if member.rotation["id"] in chosen]
        self._warn_of_unknown_environments(wanted, known["rotations"])
        shared = _shared_variables(path, connection, login)
        named = [
            (member, self._variables(member, summary(member.rotation, moment, overdue), shared)) for member in found
        ]
        if options["host_name"] is not None:
            named = [
                (member.named(self._host_name(options["host_name"], variables)), variables)
                for member, variables in named
            ]
        _checked(lambda: check_host_names([member for member, _variables in named]))
        _checked(lambda: check_known([member for member, _variables in named], self._there(), connection.url))
        for group in (FLEET, _OVERDUE):
            self.inventory.add_group(group)
        for member, variables in named:
            if member.host not in self.inventory.hosts:
                added.append(member.host)
            self._add(member, member.rotation["id"] in overdue, variables)

    def _set_core_options(self, options: Mapping[str, Any]) -> None:
        """ansible-core's own options, which it would type before they are templated."""
        own = {
            key: options[key]
            for key in (*_inventory_file.CORE, "compose", "groups", "keyed_groups")
            if options.get(key) is not None
        }
        self.set_options(direct={**own, "projects": {}}, var_options=self._vars)
        if self.get_option("cache"):
            self.load_cache_plugin()

    def _known(self, path: str, cache: bool, task: Task, connection: Connection, login: Credentials) -> dict[str, Any]:
        """The rotations by project, from the cache or the server."""
        # What the filters leave out is kept all the same: they may change without a new request. Secrets that the
        # server made are too long to be guessed from a digest; a password is none of these.
        asked = [
            canonical(connection.url),
            task.params["projects"],
            login.method,
            login.identity,
            *(login.values.get(each, "") for each in ("organization_slug", "universal_auth_client_secret", "token")),
        ]
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{self.get_cache_key(path)}_{digest}"
        cached = self.get_option("cache")
        if cached and cache:
            known = self._cache.get(key)
            if _has_its_shape(known, task.params["projects"]):
                return dict(known)
        known = _checked(partial(_fetched, task, connection))
        if cached:
            self._cache[key] = known
        return known

    def _variables(self, member: Member, told: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
        own = {
            "rotation_id": member.rotation["id"],
            "infisical_rotation": member.rotation,
            "infisical_summary": {**told},
            "infisical_project": member.project,
        }
        return {**untrusted(own), **shared}

    def _host_name(self, text: Any, variables: dict[str, Any]) -> str:
        self.templar.available_variables = variables
        try:
            return str(self.templar.template(text))
        except AnsibleError as error:
            fault = str(error)
        raise AnsibleParserError(
            f"host_name cannot be templated for the rotation {variables['infisical_rotation']['name']}: {fault}"
        )

    def _there(self) -> dict[str, dict[str, Any]]:
        return {name: host.vars for name, host in self.inventory.hosts.items()}

    def _warn_of_unknown_environments(self, wanted: Selection, rotations: Mapping[str, Any]) -> None:
        there = {member.environment for member in members(rotations)}
        for slug in wanted.environments:
            if slug not in there:
                display.warning(
                    f"environment names {slug}, where these projects have no rotation; they have some in "
                    f"{', '.join(sorted(there)) or 'none'}."
                )

    def _note_unread(self, path: str, problem: str | None) -> None:
        """For the playbooks: ansible-core only warns, and goes on without the hosts."""
        source = os.path.abspath(path)
        group = self.inventory.groups.get(FLEET)
        noted = [each for each in (group.vars.get(UNREAD) or [] if group else []) if each["source"] != source]
        if problem is not None:
            noted.append(untrusted({"source": source, "problem": problem}))
        if not noted and (group is None or UNREAD not in group.vars):
            return
        self.inventory.add_group(FLEET)
        self.inventory.set_variable(FLEET, UNREAD, noted)
        if noted:
            self.inventory.add_group(UNREAD)
        else:
            # Up to ansible-core 2.18 it takes the name.
            self.inventory.remove_group(self.inventory.groups[UNREAD] if TAGS_DATA else UNREAD)

    def _add(self, member: Member, overdue: bool, variables: dict[str, Any]) -> None:
        groups = [
            FLEET,
            f"project_{member.project}",
            f"environment_{member.environment}",
            f"status_{member.status}",
            *([_OVERDUE] if overdue else []),
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


def _shared_variables(path: str, connection: Connection, login: Credentials) -> dict[str, Any]:
    """What every host of the file has. No token or other secret is among it."""
    files = {option: getattr(connection, option) for option in ("ca_path", "client_cert", "client_key")}
    told = {
        **{option: os.path.abspath(value) for option, value in files.items() if value},
        "url": connection.url,
        "validate_certs": connection.validate_certs,
        "timeout": connection.timeout,
        "organization_slug": login.values.get("organization_slug"),
        "inventory": os.path.abspath(path),
    }
    return {
        **untrusted({f"infisical_{option}": value for option, value in told.items() if value is not None}),
        "ansible_connection": "local",
        "ansible_python_interpreter": template(PYTHON_OF_CONTROLLER),
    }


def _has_its_shape(known: Any, projects: Mapping[str, Any]) -> bool:
    """Whether a cache holds what is kept there today; another version wrote something else."""
    if not isinstance(known, dict) or not isinstance(known.get("clock"), (int, float, type(None))):
        return False
    rotations = known.get("rotations")
    if not isinstance(rotations, dict) or set(rotations) != set(projects) or "clock" not in known:
        return False
    try:
        members(rotations)
    except Exception:  # noqa: BLE001 - what is no rotation fails in many ways
        return False
    return True


def _fetched(task: Task, connection: Connection) -> dict[str, Any]:
    """One login for all projects. The clock is how far the server's is ahead of ours; None where it told none."""
    rotations: dict[str, Any] = {}
    clock: float | None = None
    with interruptible(), task.session(connection, task.patience()) as session:
        api = Api(session)
        for name, project_id in task.params["projects"].items():
            readings = api.read_all(project_id)
            rotations[name] = [session.clean(reading.rotation) for reading in readings]
            for reading in readings[:1]:
                if reading.server_time is not None:
                    clock = (reading.server_time - datetime.now(timezone.utc)).total_seconds()
    if clock is None:
        display.vvv("The server told no time: what is overdue is taken from the clock of this host.")
    return {"rotations": rotations, "clock": clock}
