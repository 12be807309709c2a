#!/usr/bin/python
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rotate the client secret of an Okta application through Infisical."""

from __future__ import annotations

DOCUMENTATION = r"""
module: okta_client_secret_rotation
short_description: Rotate the client secret of an Okta application through Infisical
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Makes Infisical rotate the client secret of an Okta application, exactly once, and tells the truth about it.
  - Okta holds at most two secrets for an application. A rotation deletes the older one and creates a new one, so the
    secret in use before stays valid until the next rotation. Two rotations in a row cut off whoever still uses it. The
    option O(min_age) protects from that.
  - The request is sent once. When its answer is lost or unclear, the rotation is read until RV(secretRotation) shows
    what happened; it is never requested again.
  - Under check mode the rotation is read and the decision is predicted; nothing is rotated.
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
      - Left out, it is V(rotated).
    type: str
    choices: [rotated]
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
    type: str
    default: 5m
  only_if_last_rotated_at:
    description:
      - Rotate only when C(lastRotatedAt) is still this one, as V(2026-03-12T09:30:01.000Z), for a caller who decided by
        an earlier reading. Where it is newer, nothing is sent and the task ends with outcome V(rotated_by_another).
      - A reading that is older than this is stale and is not taken.
      - Left out, only O(min_age) decides.
    type: str
  wait_timeout:
    description:
      - How many seconds the task may wait in all for another rotation to end, for an unclear outcome to become clear,
        for a reading that is not stale, and for a rate limit. It takes at most that long and one O(timeout) more. At
        most 86400, a day.
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
"""

RETURN = r"""
changed:
  description:
    - Whether C(lastRotatedAt) moved forward between the reading that the task decided by, or
      O(only_if_last_rotated_at), and the end; under check mode, whether it would. False for a failure.
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
    - V(failed), the task failed and did not rotate the secret.
    - V(unknown), the task failed and may have rotated the secret. Look at the rotation in Infisical before you run it
      again.
  returned: always
  type: str
  sample: rotated
msg:
  description: What happened, in one sentence, with the ages in words; for a failure the cause and the next step.
  returned: always
  type: str
  sample: "Rotated: last rotated 40 days ago, at least min_age 30 days."
secretRotation:
  description:
    - The rotation as the server sent it, the newest known. It holds no secret.
    - C(lastRotatedAt), C(nextRotationAt) and the like are ISO 8601 in UTC, C(rotationInterval) is in days.
    - C(secretsMapping) names the two secrets in Infisical that hold client id and client secret.
    - Source is U(https://infisical.com/docs/api-reference/endpoints/secret-rotations/okta-client-secret/rotate-secrets).
  returned: success, and for a failure once it was read
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
  returned: success
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
  description: C(lastRotatedAt), C(activeIndex), C(rotationStatus) and C(nextRotationAt) before and after.
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

from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._errors import DONE, NONE, unforeseen
from ansible_collections.secretops.infisical.plugins.module_utils._module import run
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    ROTATION,
    merged,
)
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import finding, lock
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api, Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import parse_duration
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.projects import Projects
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Outcome, Rotator
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task

ARGUMENT_SPEC = merged(
    {
        "state": {"type": "str", "choices": ["rotated"], "default": "rotated"},
        "min_age": {"type": "str", "default": "5m"},
        "only_if_last_rotated_at": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 120},
    },
    ROTATION,
    CONNECTION,
    AUTHENTICATION,
)


def execute(task: Task) -> dict[str, Any]:
    """Rotate, or predict it under check mode. Raises InfisicalError."""
    min_age = parse_duration("min_age", task.params["min_age"])
    only_if = _settings.moment("only_if_last_rotated_at", task.params["only_if_last_rotated_at"])
    target = _settings.target(task.params)
    patience = task.patience()
    connection = task.connection()
    with task.session(connection, patience) as session:
        api = Api(session)
        target = finding.with_project(Projects(session), target)
        rotator = Rotator(
            api,
            min_age=min_age,
            only_if_last_rotated_at=only_if,
            patience=patience,
            now=partial(datetime.now, timezone.utc),
            hold=partial(lock.hold, connection.url, patience=patience),
            warn=lambda text: task.warn(session.clean(text)),
        )
        outcome = _outcome(rotator, api, target, task.check_mode)
        try:
            return _result(outcome, session.clean)
        except Exception as fault:  # noqa: BLE001 - that it was rotated is known, whatever is wrong with saying so
            failure = unforeseen(fault, f"tell how the task ended, which is {outcome.outcome}")
        failure.effect = DONE if outcome.outcome == "rotated" else NONE
        raise failure


def _outcome(rotator: Rotator, api: Api, target: finding.Target, check_mode: bool) -> Outcome:
    if target.rotation_id and not check_mode:
        return rotator.rotate(target.rotation_id)
    predicted = rotator.predict(lambda: finding.read(api, target))
    if check_mode or predicted.outcome != "would_rotate":
        return predicted
    return rotator.rotate(predicted.after.id)


def _result(outcome: Outcome, clean: Callable[[Any], Any]) -> dict[str, Any]:
    """``clean`` takes secrets out of what the server sent."""
    rotation = clean(outcome.after.rotation)
    predicted = outcome.outcome == "would_rotate"
    return {
        "changed": predicted or outcome.after.last_rotated_at != outcome.before.last_rotated_at,
        "outcome": outcome.outcome,
        "msg": clean(outcome.message),
        "secretRotation": rotation,
        "ansible_facts": {"secretRotation": rotation},
        "diff": {
            "before": _compared(outcome.before, clean),
            "after": _foretold(outcome.before) if predicted else _compared(outcome.after, clean),
        },
    }


def _compared(reading: Reading, clean: Callable[[Any], Any]) -> dict[str, Any]:
    keys = ("lastRotatedAt", "activeIndex", "rotationStatus", "nextRotationAt")
    return {key: clean(reading.rotation.get(key)) for key in keys}


def _foretold(before: Reading) -> dict[str, Any]:
    next_at = "(set by the server)" if before.rotation.get("isAutoRotationEnabled") else None
    return {
        "lastRotatedAt": "(the time of the rotation)",
        "activeIndex": 0 if before.rotation.get("activeIndex") else 1,
        "rotationStatus": "success",
        "nextRotationAt": next_at,
    }


def main() -> None:
    run(execute, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
