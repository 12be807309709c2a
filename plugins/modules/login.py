#!/usr/bin/python
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Log in to Infisical once for several tasks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: login
short_description: Log in to Infisical once for several tasks
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Logs in and returns RV(login_data), which every module of this collection takes as option O(login_data), most easily
    from C(module_defaults), and so do the modules of C(infisical.vault).
  - One login for many tasks makes sense where each login costs something, as with a client secret that has a use limit.
    Otherwise let each task log in by itself. It then revokes its token when it ends.
  - A task that is given the credentials beside O(login_data), as options or in its environment, replaces the token by
    one of its own where the shared one has expired or is used up, and revokes its own when it ends.
  - The result holds the token in clear, for that is its purpose. Set C(no_log) on the task, and revoke the token at the
    end with M(secretops.infisical.logout).
  - It takes one request. A token that was given is passed on without one.
extends_documentation_fragment:
  - secretops.infisical.attributes
  - secretops.infisical.connection
  - secretops.infisical.authentication
attributes:
  check_mode:
    description: Logs in under check mode too, so that check mode of a whole play works. A login changes nothing else.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Every run makes a new token, and reports no change.
    support: partial
    details:
      - A token that was given is passed on as it is.
options:
  wait_timeout:
    description:
      - How many seconds the task may wait in all for a rate limit and for a server that can't be reached.
      - Left out, it is 120 seconds.
    type: int
    default: 120
  token:
    description:
      - An access token, for V(token_auth). It is passed on unchecked.
      - Left out, E(INFISICAL_TOKEN) is used.
    type: str
  login_data:
    description:
      - The result of another login, which is passed on unchecked. It is here so that C(module_defaults) of the action
        group may set it.
      - Left out, the task logs in.
    type: dict
  revoke_token:
    description:
      - Without effect here, for the token is made for later tasks. It is here so that C(module_defaults) of the action
        group may set it.
      - Left out, the token lives on too.
    type: bool
    default: true
seealso:
  - module: secretops.infisical.logout
  - name: Machine identities in Infisical
    description: The login methods, and how each is set up.
    link: https://infisical.com/docs/documentation/platform/identities/machine-identities
"""

EXAMPLES = r"""
- name: Log in once
  secretops.infisical.login:
    url: "{{ infisical_url }}"
    universal_auth_client_id: "{{ infisical_client_id }}"
    universal_auth_client_secret: "{{ infisical_client_secret }}"
  register: infisical
  no_log: true
  run_once: true

- name: Use it in several tasks
  module_defaults:
    group/secretops.infisical.all:
      login_data: "{{ infisical.login_data }}"
  block:
    - name: Rotate
      secretops.infisical.okta_client_secret_rotation:
        rotation_id: "{{ okta_rotation_id }}"
        min_age: 30d
      run_once: true
  always:
    - name: Revoke the token, whatever happened
      secretops.infisical.logout:
      run_once: true
"""

RETURN = r"""
login_data:
  description:
    - What the option O(login_data) of the other modules takes.
    - It holds the token in clear.
  returned: success
  type: dict
  contains:
    url:
      description: The server at which the token was made.
      returned: success
      type: str
      sample: https://us.infisical.com
    access_token:
      description: The token.
      returned: success
      type: str
      sample: eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjB9.c2lnbmF0dXJl
    expires_in:
      description: For how many seconds it is good, from the login on, or 0 where that is unknown.
      returned: success
      type: int
      sample: 2592000
    auth_method:
      description: The method by which the token was made; V(token_auth) where that is unknown.
      returned: success
      type: str
      sample: universal_auth
    identity:
      description:
        - By what the credentials name their identity, the client id for V(universal_auth), the identity's id for other
          methods, with the user name after a slash for V(ldap_auth); empty where that is unknown.
        - With it other tasks know which credentials may replace the token when it has ended.
      returned: success
      type: str
      sample: 9f6f0b2c-7f04-4a3a-9e0f-0a1c7ec6b1aa
auth_method:
  description:
    - The method by which the token was got. V(token_auth) says that it was given and is only passed on, so that it is
      not for this play to revoke.
  returned: success
  type: str
  sample: universal_auth
changed:
  description: Always false. A login changes nothing but the list of valid tokens.
  returned: always
  type: bool
  sample: false
outcome:
  description:
    - V(logged_in), a token was made.
    - V(passed_on), a token was given and is passed on unchecked, so that it is not for this play to revoke.
    - V(failed), the task failed and returns no token.
  returned: always
  type: str
  sample: logged_in
msg:
  description: What happened, in one sentence; for a failure the cause and the next step.
  returned: always
  type: str
  sample: Logged in at https://us.infisical.com with universal_auth; the token is good for 30 days.
reason:
  description:
    - Why the task failed, one value of the closed list in the guide on failures.
  returned: failure
  type: str
  sample: authentication_failed
http_status:
  description: The HTTP status of the answer that decided, or null when there was none.
  returned: failure
  type: int
  sample: 401
request_id:
  description: The C(reqId) of that answer, by which it is found in the server's log, or null.
  returned: failure
  type: str
  sample: req-4Bx9dKq1LmTz0A
"""

from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._module import run
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION, merged
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import in_words
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task

ARGUMENT_SPEC = merged({"wait_timeout": {"type": "int", "default": 120}}, CONNECTION, AUTHENTICATION)


def execute(task: Task) -> dict[str, Any]:
    """Log in, under check mode too. Raises InfisicalError."""
    patience = task.patience()
    connection = task.connection()
    with task.session(connection, patience) as session:
        login = session.hand_over()
    before = task.params["login_data"] or {}
    login_data = {
        "url": connection.url,
        "access_token": login.access_token,
        "expires_in": before.get("expires_in") or login.expires_in,
        "auth_method": before.get("auth_method") or session.method,
        "identity": before.get("identity") or session.identity,
    }
    return {
        "changed": False,
        "outcome": "passed_on" if session.method == "token_auth" else "logged_in",
        "msg": _message(session.method, login_data),
        "login_data": login_data,
        "auth_method": session.method,
    }


def _message(method: str, login_data: dict[str, Any]) -> str:
    if method == "token_auth":
        return f"Passed on the token that was given, for {login_data['url']}; it was not checked."
    life = f"is good for {in_words(login_data['expires_in'])}" if login_data["expires_in"] else "tells no end"
    return f"Logged in at {login_data['url']} with {method}; the token {life}."


def intended_secrets(result: dict[str, Any]) -> list[str]:
    """The secret that the result is for."""
    return [result["login_data"]["access_token"]]


def main() -> None:
    run(execute, ARGUMENT_SPEC, intended_secrets)


if __name__ == "__main__":
    main()
