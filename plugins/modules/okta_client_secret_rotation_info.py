#!/usr/bin/python
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read Okta client secret rotations of Infisical."""

from __future__ import annotations

DOCUMENTATION = r"""
module: okta_client_secret_rotation_info
short_description: Read Okta client secret rotations of Infisical
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Reads one Okta client secret rotation by its id or its name, or all of a project, and tells how old each secret is
    and which rotations are overdue, on the server's clock (the C(Date) header of its answer). Where that of the host
    disagrees on what is wanted or overdue, the task fails with RV(reason=clock_unreliable).
  - None of what it returns is a secret.
  - A list holds what the identity may read. What it may not is missing without a word from the server.
  - It takes one request. Logging in and revoking add one each, O(project_slug) adds one.
extends_documentation_fragment:
  - secretops.infisical.attributes
  - secretops.infisical.attributes.info
  - secretops.infisical.connection
  - secretops.infisical.authentication
options:
  rotation_id:
    description:
      - The id of one rotation, a UUID. Nothing else says which rotation is meant then.
      - Left out, O(name) tells the one that is wanted, else all of the project are.
    type: str
  name:
    description:
      - The name of one rotation. It needs the project, one O(environment), and one O(secret_path) unless it is in the
        root.
      - Left out, O(rotation_id) tells the one that is wanted, else all of the project are.
    type: str
  project_id:
    description:
      - The id of the project.
      - Left out, O(project_slug) or O(rotation_id) is needed.
    type: str
  project_slug:
    description:
      - The slug of the project, in place of O(project_id). The identity needs the action C(read) on the subject
        C(project).
      - Left out, O(project_id) or O(rotation_id) is needed.
    type: str
  environment:
    description:
      - Only rotations of these environments, by slug, as V(prod). One in which no rotation is found is warned of. With
        O(name), the one environment that holds it.
      - Left out, those of all environments; with O(name) it is needed.
    type: list
    elements: str
  secret_path:
    description:
      - Only rotations in these folders and below, from the root, as V(/okta). With O(name), the one folder that holds
        it.
      - Left out, those of all folders; with O(name), the root.
    type: list
    elements: str
  status:
    description:
      - Only rotations whose last attempt ended like this. Not with O(rotation_id) or O(name).
      - Left out, all.
    type: list
    elements: str
    choices: [success, failed]
  older_than:
    description:
      - Only rotations whose last rotation is at least this long ago, as V(30d) or V(12h). Not with O(rotation_id) or
        O(name).
      - Left out, all.
    type: str
  due:
    description:
      - Only rotations whose next scheduled rotation is at most this far ahead, as V(7d). With V(0) those that are
        overdue. Not with O(rotation_id) or O(name).
      - Left out, all, those without a schedule too.
    type: str
  wait_timeout:
    description:
      - How many seconds the task may wait in all for a rate limit, and for an answer that is not a cache's.
      - Left out, it is 120 seconds.
    type: int
    default: 120
seealso:
  - module: secretops.infisical.okta_client_secret_rotation
  - plugin: secretops.infisical.okta_client_secret_rotations
    plugin_type: inventory
  - name: The endpoint behind this module
    description: List Okta client secret rotations, in Infisical's API reference.
    link: https://infisical.com/docs/api-reference/endpoints/secret-rotations/okta-client-secret/list
"""

EXAMPLES = r"""
- name: Read one rotation
  secretops.infisical.okta_client_secret_rotation_info:
    name: okta-payments
    project_slug: payments
    environment: prod
    secret_path: /okta
  register: rotation

- name: Tell where its secret is
  ansible.builtin.debug:
    msg: >-
      {{ rotation.secretRotations[0].secretsMapping.clientSecret }} is
      {{ (rotation.summary[0].age_seconds / 86400) | int }} days old

- name: Read all of a project
  secretops.infisical.okta_client_secret_rotation_info:
    project_slug: payments
  register: rotations

- name: Show a table of ages, the oldest first
  ansible.builtin.debug:
    msg: "{{ table.splitlines() }}"
  vars:
    table: |
      {% for each in rotations.summary | sort(attribute='age_seconds', reverse=true) %}
      {{ '%5d days  %-7s  %s' | format(each.age_seconds // 86400, 'overdue' if each.overdue else '', each.name) }}
      {% endfor %}

- name: Fail when anything is overdue
  ansible.builtin.assert:
    that: overdue | length == 0
    fail_msg: "Overdue: {{ overdue | join(', ') }}"
    quiet: true
  vars:
    overdue: "{{ rotations.summary | selectattr('overdue') | map(attribute='name') }}"

- name: Read what is to be rotated in production within a week
  secretops.infisical.okta_client_secret_rotation_info:
    project_slug: payments
    environment: prod
    due: 7d
  register: soon

- name: Tell when
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.nextRotationAt }}"
  loop: "{{ soon.secretRotations }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
changed:
  description: Always false.
  returned: always
  type: bool
  sample: false
outcome:
  description:
    - V(read), the rotations were read.
    - V(failed), the task failed.
  returned: always
  type: str
  sample: read
msg:
  description: How many were read, and how many of them are overdue; for a failure the cause and the next step.
  returned: always
  type: str
  sample: "Read 3 rotations of the project 8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b, 1 overdue."
secretRotations:
  description:
    - The rotations as the server sent them, in the order of environment, folder and name. They hold no secret. An empty
      list where none is wanted; one that is asked for by O(rotation_id) or O(name) and is not there is a failure.
    - Source is U(https://infisical.com/docs/api-reference/endpoints/secret-rotations/okta-client-secret/list).
  returned: success
  type: list
  elements: dict
  sample:
    - id: 3c90c3cc-0d44-4b50-8888-8dd25736052a
      name: okta-payments
      lastRotatedAt: "2026-03-12T09:30:01.000Z"
summary:
  description: What the server does not tell, in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the rotation.
      returned: success
      type: str
    name:
      description: Its name.
      returned: success
      type: str
    age_seconds:
      description: How many seconds the last rotation is ago, on the server's clock.
      returned: success
      type: int
    overdue:
      description: Whether its next scheduled rotation should have happened already, on the server's clock.
      returned: success
      type: bool
  sample:
    - id: 3c90c3cc-0d44-4b50-8888-8dd25736052a
      name: okta-payments
      age_seconds: 3456000
      overdue: false
reason:
  description:
    - Why the task failed, one value of the closed list in the guide on failures.
  returned: failure
  type: str
  sample: not_found
http_status:
  description: The HTTP status of the answer that decided, or null when there was none.
  returned: failure
  type: int
  sample: 403
request_id:
  description: The C(reqId) of that answer, by which it is found in the server's log, or null.
  returned: failure
  type: str
  sample: req-4Bx9dKq1LmTz0A
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._module import run
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    FILTERS,
    is_blank,
    merged,
)
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import finding
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.finding import Target
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.observer import Observer
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.projects import Projects
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.selection import (
    Selection,
    environment_of,
    of_both_clocks,
    path_of,
    summary,
)
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import printable

ARGUMENT_SPEC = merged(
    {
        "rotation_id": {"type": "str"},
        "name": {"type": "str"},
        "project_id": {"type": "str"},
        "project_slug": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 120},
    },
    FILTERS,
    CONNECTION,
    AUTHENTICATION,
)


def execute(task: Task) -> dict[str, Any]:
    """Read, under check mode too. Raises InfisicalError."""
    target, selection = _asked(task.params)
    patience = task.patience()
    connection = task.connection()
    now = partial(datetime.now, timezone.utc)
    with task.session(connection, patience) as session:
        api = Api(session)
        target = finding.with_project(Projects(session), target)
        if target.rotation_id or target.name:
            readings = [Observer(patience, now).fresh(lambda: finding.read(api, target))]
        else:
            readings = finding.listed(api, target.project_id, patience)
        host_now = now()
        rotations = [finding.complete(reading.rotation) for reading in readings]
        there = {environment_of(rotation) for rotation in rotations}
        for slug in sorted(set(selection.environments) - there):
            task.warn(
                f"environment names {slug}, where the project has no rotation that may be read; it has some in "
                f"{printable(session.clean(', '.join(sorted(there)) or 'none'), 600)}."
            )
        selected, overdue, moment = of_both_clocks(rotations, selection, finding.ahead(readings, host_now), host_now)
        ordered = sorted(selected, key=lambda each: (environment_of(each), path_of(each), each["name"], each["id"]))
        project_id = target.project_id or rotations[0]["projectId"]
        return {
            "changed": False,
            "outcome": "read",
            "msg": session.clean(f"Read {_counted(len(ordered))} of the project {project_id}, {len(overdue)} overdue."),
            "secretRotations": session.clean(ordered),
            "summary": session.clean([summary(each, moment, overdue) for each in ordered]),
        }


def _asked(params: Mapping[str, Any]) -> tuple[Target, Selection]:
    """The rotation that is asked for, or only its project, and which of that."""
    filters = {name: _given(params[name]) for name in FILTERS}
    if is_blank(params["rotation_id"]) and is_blank(params["name"]):
        project_id, project_slug = _settings.project(params)
        return Target(project_id=project_id, project_slug=project_slug), Selection.parse(**filters)
    foreign = [name for name in ("status", "older_than", "due") if filters[name]]
    if foreign:
        raise invalid_arguments(f"{', '.join(foreign)} and a rotation that is named contradict each other.")
    place = {}
    for name in ("environment", "secret_path"):
        values = filters[name] or [None]
        if len(values) > 1:
            raise invalid_arguments(f"{name} has {len(values)} values: give one for a rotation that is named.")
        place[name] = values[0]
    return _settings.target({**params, **place}), Selection()


def _given(value: Any) -> Any:
    """A blank value counts as not given."""
    found = [each for each in value if not is_blank(each)] if isinstance(value, list) else value
    return None if is_blank(found) else found or None


def _counted(number: int) -> str:
    return "1 rotation" if number == 1 else f"{number} rotations"


def main() -> None:
    run(execute, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
