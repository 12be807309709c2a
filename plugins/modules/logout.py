#!/usr/bin/python
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revoke the token of a login to Infisical."""

from __future__ import annotations

DOCUMENTATION = r"""
module: logout
short_description: Revoke the token of a login to Infisical
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Revokes the token that M(secretops.infisical.login) made, or any other that it is given, so that nobody can use it
    any more. A task that logs in by itself needs no logout.
  - A token that has expired or was revoked before is left alone, and reported as no change. What is no token of this
    server fails, and so does a token that cannot be revoked, a user's or a service token, for it goes on working.
  - It first asks C(/api/status) whether the server still takes the token, for a newer server says of a token that was
    revoked before that it revokes it. Then it asks once to revoke it, and only where that answer is lost it asks
    C(/api/status) again. So it takes two requests, one under check mode or when the token is no longer good, and three
    when the answer was lost. Each question uses one of the token's uses where they are limited, the revocation none.
  - An identity that refuses the host's address does not keep its token from being revoked.
extends_documentation_fragment:
  - secretops.infisical.attributes
  - secretops.infisical.connection
  - secretops.infisical.authentication
attributes:
  check_mode:
    description:
      - Asks the server whether it still takes the token, and predicts. Revokes nothing. That a token is a user's, which
        cannot be revoked, is not seen by this.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: A second run finds the token revoked and changes nothing.
    support: full
options:
  wait_timeout:
    description:
      - How many seconds the task may wait in all for a rate limit and for a server that can't be reached.
      - Left out, it is 120 seconds.
    type: int
    default: 120
  token:
    description:
      - The access token to revoke.
      - Left out, O(login_data) is needed. A token in E(INFISICAL_TOKEN) is left alone, for other tasks and jobs use it.
    type: str
  login_data:
    description:
      - What a login module returned, C(infisical.vault.login) or the one of this collection. Its token is revoked, even
        if that login was given it and only passed it on, which RV(secretops.infisical.login#module:auth_method) tells.
      - Left out, O(token) is needed.
    type: dict
  revoke_token:
    description:
      - Without effect here. It is here so that C(module_defaults) of the action group may set it.
      - Left out, the token is revoked too.
    type: bool
    default: true
seealso:
  - module: secretops.infisical.login
"""

EXAMPLES = r"""
- name: Log in
  secretops.infisical.login:
  register: infisical
  no_log: true
  run_once: true

- name: Revoke the token
  secretops.infisical.logout:
    login_data: "{{ infisical.login_data }}"
  # A token from INFISICAL_TOKEN was only passed on, and others may use it.
  when: infisical.auth_method != 'token_auth'
  run_once: true
"""

RETURN = r"""
changed:
  description: Whether the token was revoked; under check mode, whether it would be. False when it was good no longer.
  returned: always
  type: bool
  sample: true
outcome:
  description:
    - V(revoked), the token was good and is good no longer.
    - V(would_revoke), under check mode only, the task would revoke it.
    - V(nothing_to_revoke), the token had expired or was revoked before.
    - V(failed), the task failed and did not revoke the token.
    - V(unknown), the task failed and may have revoked the token.
  returned: always
  type: str
  sample: revoked
msg:
  description: What happened, in one sentence; for a failure the cause and the next step.
  returned: always
  type: str
  sample: Revoked the token.
reason:
  description:
    - Why the task failed, one value of the closed list in the guide on failures.
  returned: failure
  type: str
  sample: unreachable
http_status:
  description: The HTTP status of the answer that decided, or null when there was none.
  returned: failure
  type: int
  sample: 503
request_id:
  description: The C(reqId) of that answer, by which it is found in the server's log, or null.
  returned: failure
  type: str
  sample: req-4Bx9dKq1LmTz0A
"""

from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._module import run
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION, merged
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task

ARGUMENT_SPEC = merged({"wait_timeout": {"type": "int", "default": 120}}, CONNECTION, AUTHENTICATION)


def execute(task: Task) -> dict[str, Any]:
    """Revoke the token, or predict it under check mode. Raises InfisicalError."""
    if not task.params["login_data"] and not task.params["token"]:
        raise invalid_arguments(
            "logout revokes the token that it is given: set login_data, or token. One in the environment is left "
            "alone, for other tasks use it."
        )
    patience = task.patience()
    connection = task.connection()
    with task.session(connection, patience) as session:
        revocation = session.revocation()
        # Asked first, for a server that is asked to revoke what is revoked says that it did.
        changed = revocation.is_due() and (task.check_mode or revocation.revoke())
    if not changed:
        outcome, message = "nothing_to_revoke", "The token was no longer good; nothing was revoked."
    elif task.check_mode:
        outcome, message = "would_revoke", "Would revoke the token."
    else:
        outcome, message = "revoked", "Revoked the token."
    return {"changed": changed, "outcome": outcome, "msg": message}


def main() -> None:
    run(execute, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
