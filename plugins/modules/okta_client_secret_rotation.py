#!/usr/bin/python
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rotate, create, change and remove Okta client secret rotations in Infisical."""

from __future__ import annotations

DOCUMENTATION = r"""
module: okta_client_secret_rotation
short_description: Rotate the client secret of an Okta application through Infisical, and manage its rotation
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Makes Infisical rotate the client secret of an Okta application, exactly once, and tells the truth about it. It also
    creates, changes and removes the rotation itself, the object in Infisical that keeps the secret.
  - Okta holds at most two secrets for an application. A rotation deletes the older one and creates a new one, so the
    secret in use before stays valid until the next rotation. Two rotations in a row cut off whoever still uses it. The
    option O(min_age) protects from that.
  - A request is sent once. When its answer is lost or unclear, the rotation is read until RV(secretRotation) shows
    what happened; it is never requested again.
  - Under check mode the rotation is read and the decision is predicted; nothing is sent but reading.
  - With O(state=present), what is left out is left alone, and one request changes what differs. A change makes the
    server plan the next rotation anew, from the last one; what then lies before the next midnight (UTC) it makes at
    once, even because of a new O(description). The task foretells that, takes what is within five minutes of that
    border for a rotation, and fails with RV(reason=rotation_not_allowed) unless O(allow_rotation) is true.
    RV(rotated) says whether it happened.
  - A creation issues a real secret at Okta at once, and deletes none. It fails with RV(reason=conflict) where another
    rotation of the project is for the same application, where the folder has secrets of the mapped names, or another
    rotation of the name. It warns when the first rotation will delete a secret that was made by hand.
  - The server cannot change the project, the environment, the folder and the app connection of a rotation, and must
    not change its application, whose credentials it keeps. The task fails with RV(reason=not_changeable) and says
    what to do.
  - Tasks of one user of one machine that rotate the same rotation take turns, by a lock file in a folder of that
    user's in the temporary folder. A note beside it keeps a later task from deciding by a reading that is older than
    what an earlier one knew; it binds for ten minutes.
  - Readings ask not to be answered by a cache, by headers and by a query key C(fresh) that no cache has seen. One that
    is stale all the same is read again within O(wait_timeout), then the task fails with RV(reason=stale_reading).
  - When C(activeIndex) tells that the secret was rotated more than once, the task warns, for the secret that was in use
    before is then deleted.
  - With a token it takes two requests, one of them when the rotation is not due. Logging in and revoking add one
    each, and O(name) adds one when the rotation is due.
extends_documentation_fragment:
  - secretops.infisical.attributes
  - secretops.infisical.attributes.rotation
  - secretops.infisical.rotation
  - secretops.infisical.connection
  - secretops.infisical.authentication
options:
  state:
    description:
      - The state to reach.
      - V(rotated) rotates the secret when the last rotation is at least O(min_age) ago.
      - V(present) creates the rotation, or changes what differs. With O(rotation_id) it only changes.
      - V(absent) removes the rotation.
      - An option that does not belong to the state is refused.
      - Left out, it is V(rotated).
    type: str
    choices: [rotated, present, absent]
    default: rotated
  min_age:
    description:
      - Rotate only when the last rotation is at least this long ago, by the server's clock (the C(Date) header of its
        answer) and by that of the host that runs the task. Where they disagree on whether it is due, or the server's
        puts the last rotation into the future, the task fails with RV(reason=clock_unreliable) and nothing is sent.
        Without that header this host's clock alone is used, with a warning.
      - Whole seconds, or a number with V(s), V(m), V(h) or V(d), as V(90s), V(5m), V(12h), V(30d).
      - Left out, it is five minutes, so that a task that runs on fifty hosts or a job that is launched twice does not
        delete a secret that is still in use.
      - V(0) rotates always, once for every host and every run.
      - For the states V(rotated) and V(present); with the latter it holds for a change that rotates, which fails where
        the last rotation is younger.
    type: str
  only_if_last_rotated_at:
    description:
      - Rotate only when C(lastRotatedAt) is still this one, as V(2026-03-12T09:30:01.000Z), for a caller who decided by
        an earlier reading. Where it is newer, nothing is sent and the task ends with outcome V(rotated_by_another).
      - A reading that is older than this is stale and is not taken.
      - Left out, only O(min_age) decides.
    type: str
  new_name:
    description:
      - For O(state=present), the name that the rotation is to have; small letters, digits and single hyphens, 64 at
        most. With O(name), a rotation that has this name already is taken for the one that is meant.
      - Left out, the name is left alone.
    type: str
  description:
    description:
      - For O(state=present), a description of at most 256 characters.
      - Left out, it is left alone, and empty on creation. A blank one counts as left out.
    type: str
  connection_id:
    description:
      - For O(state=present), the id of the app connection to Okta. It cannot be changed.
      - Left out, O(connection_name) is used; a creation needs one of the two.
    type: str
  connection_name:
    description:
      - For O(state=present), the name of the app connection to Okta, looked for in the project first, then in the
        organisation, among those that the identity may connect. It cannot be changed.
      - Left out, O(connection_id) is used; a creation needs one of the two.
    type: str
  parameters:
    description:
      - For O(state=present), which application's secret is rotated.
      - Left out, it is left alone; a creation needs it.
    type: dict
    suboptions:
      client_id:
        description:
          - The client id of the Okta application. It cannot be changed.
          - Left out, it is left alone; a creation needs it.
        type: str
  secrets_mapping:
    description:
      - For O(state=present), the names of the two secrets in Infisical, in the folder of the rotation, that hold the
        client id and the client secret. A name has no V(:) and no V(/). A change renames the secrets in place, so that
        who reads them by their old names finds nothing.
      - Left out, it is left alone; a creation needs it.
    type: dict
    suboptions:
      client_id:
        description:
          - The name of the secret that holds the client id.
          - Left out, it is left alone; a creation needs it.
        type: str
      client_secret:
        description:
          - The name of the secret that holds the client secret.
          - Left out, it is left alone; a creation needs it.
        type: str
  rotation_interval:
    description:
      - For O(state=present), after how many days the server rotates by itself, 1 to 36500. A secret lives twice as
        long.
      - Left out, it is left alone; a creation needs it.
    type: int
  rotate_at_utc:
    description:
      - For O(state=present), the time of day at which the server rotates by itself, in UTC.
      - Left out, it is left alone, and midnight on creation.
    type: dict
    suboptions:
      hours:
        description:
          - The hour, 0 to 23.
          - Left out, it is left alone, and 0 on creation.
        type: int
      minutes:
        description:
          - The minute, 0 to 59.
          - Left out, it is left alone, and 0 on creation.
        type: int
  auto_rotation_enabled:
    description:
      - For O(state=present), whether the server rotates by itself. Switching it off does not stop a rotation that is
        planned for the present day (UTC).
      - Left out, it is left alone, and true on creation.
    type: bool
  allow_shared_application:
    description:
      - For O(state=present), whether to create a rotation for an application that another rotation of the project is
        for already. They delete each other's secrets.
      - Left out, it is false.
    type: bool
  allow_rotation:
    description:
      - For O(state=present), whether a change may make the server rotate at once.
      - Left out, it is false.
    type: bool
  delete_secrets:
    description:
      - For O(state=absent), whether to delete the two mapped secrets in Infisical too.
      - Left out, it is false, and they stay as secrets that nobody rotates.
    type: bool
  revoke_credentials:
    description:
      - For O(state=absent), whether to delete the secrets of the rotation at Okta too. Okta keeps the last secret of an
        application; some versions of the server take that as a failure, with RV(reason=revocation_failed).
      - Left out, it is false, and they stay valid.
    type: bool
  wait_timeout:
    description:
      - How many seconds the task may wait in all for another rotation to end, for an unclear outcome to become clear,
        for a rotation because of a change, for a reading that is not stale, and for a rate limit. It takes at most
        that long and one O(timeout) more. At most 86400, a day.
      - Left out, it is 120 seconds.
      - V(0) reads once and does not wait.
    type: int
    default: 120
  outcome_timeout:
    description:
      - How many seconds of O(wait_timeout) may at most go into finding out, by reading, how a request ended whose
        answer did not tell. Pauses for a rate limit are not counted, nor is the wait for somebody else's rotation that
        is in progress. Never more than O(wait_timeout), whatever is given. At most 86400.
      - Left out, it is 120 seconds.
      - V(0) reads once and does not wait.
    type: int
    default: 120
seealso:
  - name: Okta client secret rotation in Infisical
    description: How Infisical rotates the secret and how to set it up.
    link: https://infisical.com/docs/documentation/platform/secret-rotation/okta-client-secret
  - name: The endpoint behind this module
    description: Rotate Okta client secret, in Infisical's API reference.
    link: https://infisical.com/docs/api-reference/endpoints/secret-rotations/okta-client-secret/rotate-secrets
"""

EXAMPLES = r"""
- name: Rotate the secret when it is older than 30 days
  secretops.infisical.okta_client_secret_rotation:
    rotation_id: "{{ okta_rotation_id }}"
    min_age: 30d
  run_once: true
  register: rotation

- name: Tell which secret holds the new value
  ansible.builtin.debug:
    msg: >-
      {{ rotation.outcome }}: read {{ rotation.secretRotation.secretsMapping.clientSecret }}
      in {{ rotation.secretRotation.environment.slug }}:{{ rotation.secretRotation.folder.path }}

- name: Rotate by name, with a machine identity, on a server of one's own
  secretops.infisical.okta_client_secret_rotation:
    url: "{{ infisical_url }}"
    universal_auth_client_id: "{{ infisical_client_id }}"
    universal_auth_client_secret: "{{ infisical_client_secret }}"
    name: okta-payments
    project_id: "{{ infisical_project_id }}"
    environment: prod
    secret_path: /okta
  run_once: true

- name: See what would happen
  secretops.infisical.okta_client_secret_rotation:
    rotation_id: "{{ okta_rotation_id }}"
  check_mode: true
  diff: true
  run_once: true

- name: Create the rotation of an application, or change what differs
  secretops.infisical.okta_client_secret_rotation:
    state: present
    name: okta-payments
    project_slug: payments
    environment: prod
    secret_path: /okta
    description: The client secret of the payments service
    connection_name: okta-main
    parameters:
      client_id: "{{ okta_application_client_id }}"
    secrets_mapping:
      client_id: OKTA_CLIENT_ID
      client_secret: OKTA_CLIENT_SECRET
    rotation_interval: 30
    rotate_at_utc:
      hours: 3
      minutes: 30
  run_once: true

- name: Rotate every two weeks from now on, at once where the last rotation is that long ago
  secretops.infisical.okta_client_secret_rotation:
    state: present
    rotation_id: "{{ okta_rotation_id }}"
    rotation_interval: 14
    allow_rotation: true
  run_once: true

- name: Rotate now, whatever the age, and say so when Okta refuses
  block:
    - name: Rotate
      secretops.infisical.okta_client_secret_rotation:
        rotation_id: "{{ okta_rotation_id }}"
        min_age: 0
      run_once: true
      register: rotation
  rescue:
    - name: Ask for the orphan at Okta to be removed
      ansible.builtin.debug:
        msg: "{{ rotation.msg }}"
      # What ansible-core itself ends, by the keyword timeout, has no reason.
      when: rotation.reason | default('') == 'okta_secret_limit'

- name: Remove the rotation and its secrets in Infisical
  secretops.infisical.okta_client_secret_rotation:
    state: absent
    rotation_id: "{{ okta_rotation_id }}"
    delete_secrets: true
  run_once: true
"""

RETURN = r"""
changed:
  description:
    - Whether C(lastRotatedAt) moved forward between the reading that the task decided by, or
      O(only_if_last_rotated_at), and the end; with O(state=present) and O(state=absent), whether the rotation was
      created, changed or removed. Under check mode, whether it would. False for a failure.
  returned: always
  type: bool
  sample: true
outcome:
  description:
    - V(rotated), the secret was rotated by this task.
    - V(rotated_by_another), another request rotated it while this task waited for the end of that rotation, or after
      O(only_if_last_rotated_at). A second rotation was not made.
    - V(not_due), the last rotation is less than O(min_age) ago and nothing was done.
    - V(would_rotate), under check mode only, the task would rotate.
    - V(created), V(updated) and V(unchanged), with O(state=present).
    - V(would_create) and V(would_update), the same under check mode.
    - V(deleted) and V(absent), with O(state=absent), where the latter means that there was none.
    - V(would_delete), the same under check mode.
    - V(failed), the task failed and did not do it.
    - V(unknown), the task failed and may have done it, all or a part. Look at the rotation in Infisical before you run
      it again.
  returned: always
  type: str
  sample: rotated
msg:
  description:
    - What happened, in one sentence, with the ages in words; for a failure the cause and the next step.
    - Where the task waited for 5 seconds or more, how long and for what.
  returned: always
  type: str
  sample: "Rotated: last rotated 40 days ago, at least min_age 30 days."
rotated:
  description:
    - Whether the server rotated the secret because of a change; under check mode, whether it would. What is planned for
      later on the same day is not waited for beyond O(wait_timeout), and a warning tells it.
  returned: success, with O(state=present)
  type: bool
  sample: false
secretRotation:
  description:
    - The rotation as the server sent it, the newest known; of one that was removed, the last. It holds no secret.
    - C(lastRotatedAt), C(nextRotationAt) and the like are ISO 8601 in UTC, C(rotationInterval) is in days.
    - C(secretsMapping) names the two secrets in Infisical that hold client id and client secret.
    - Source is
      U(https://infisical.com/docs/api-reference/endpoints/secret-rotations/okta-client-secret/rotate-secrets).
  returned: success where there is one, and for a failure once it was read
  type: dict
  sample:
    id: 3c90c3cc-0d44-4b50-8888-8dd25736052a
    name: okta-payments
    description: null
    type: okta-client-secret
    isAutoRotationEnabled: true
    activeIndex: 1
    folderId: 7a1d0c4e-3d0b-4c0e-9a5e-0f3b2a1c4d5e
    connectionId: 2b7e1516-28ae-42a6-abf7-158809cf4f3c
    createdAt: "2026-01-01T00:00:00.000Z"
    updatedAt: "2026-03-12T09:30:01.042Z"
    rotationInterval: 30
    rotationStatus: success
    lastRotationAttemptedAt: "2026-03-12T09:30:01.000Z"
    lastRotatedAt: "2026-03-12T09:30:01.000Z"
    lastRotationJobId: null
    nextRotationAt: "2026-04-12T00:00:00.000Z"
    isLastRotationManual: true
    connection: {app: okta, name: okta-main, id: 2b7e1516-28ae-42a6-abf7-158809cf4f3c}
    environment: {slug: prod, name: Production, id: 5f2b1c3d-6e7f-4a8b-9c0d-1e2f3a4b5c6d}
    projectId: 8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b
    folder: {id: 7a1d0c4e-3d0b-4c0e-9a5e-0f3b2a1c4d5e, path: /okta}
    rotateAtUtc: {hours: 0, minutes: 0}
    lastRotationMessage: null
    parameters: {clientId: 0oa1b2c3d4e5f6g7h8i9}
    secretsMapping: {clientId: OKTA_CLIENT_ID, clientSecret: OKTA_CLIENT_SECRET}
ansible_facts:
  description: Facts for later tasks.
  returned: success, unless the rotation is absent, removed or not created yet
  type: dict
  contains:
    secretRotation:
      description:
        - The same as RV(secretRotation); later tasks read it as C(ansible_facts.secretRotation).
        - It is what this task returned. With a fact cache it is there in later runs too, as old as it then is; a result
          that is kept by C(register) ends with the run. With C(run_once) every host of the play is given either.
      returned: success
      type: dict
diff:
  description:
    - C(lastRotatedAt), C(activeIndex), C(rotationStatus) and C(nextRotationAt) before and after.
    - With O(state=present) and O(state=absent) the configuration, under the server's names.
  returned: success
  type: dict
  contains:
    before:
      description: At the first reading.
      returned: success
      type: dict
    after:
      description: At the end; under check mode as far as it can be foretold.
      returned: success
      type: dict
reason:
  description:
    - Why the task failed, one value of the closed list in the guide on failures.
  returned: failure
  type: str
  sample: outcome_unknown
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

from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._module import run
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    ROTATION,
    merged,
)
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.kinds import OKTA_CLIENT_SECRET as KIND
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task

ARGUMENT_SPEC = merged(
    {
        "state": {"type": "str", "choices": list(_states.OPTIONS), "default": "rotated"},
        "min_age": {"type": "str"},
        "only_if_last_rotated_at": {"type": "str"},
        "new_name": {"type": "str"},
        "description": {"type": "str"},
        "connection_id": {"type": "str"},
        "connection_name": {"type": "str"},
        "parameters": {"type": "dict", "options": {name: {"type": "str"} for name in KIND.parameters}},
        "secrets_mapping": {
            "type": "dict",
            # They are names.
            "no_log": False,
            "options": {name: {"type": "str", "no_log": False} for name in KIND.secrets_mapping},
        },
        "rotation_interval": {"type": "int"},
        "rotate_at_utc": {"type": "dict", "options": {"hours": {"type": "int"}, "minutes": {"type": "int"}}},
        "auto_rotation_enabled": {"type": "bool"},
        "allow_shared_application": {"type": "bool"},
        "allow_rotation": {"type": "bool"},
        "delete_secrets": {"type": "bool", "no_log": False},
        "revoke_credentials": {"type": "bool", "no_log": False},
        "wait_timeout": {"type": "int", "default": 120},
        "outcome_timeout": {"type": "int", "default": 120},
    },
    ROTATION,
    CONNECTION,
    AUTHENTICATION,
)


def execute(task: Task) -> dict[str, Any]:
    """Reach the state, or predict it under check mode. Raises InfisicalError."""
    return _states.execute(task, KIND)


def main() -> None:
    run(execute, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
