#!/usr/bin/python
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask Okta whether it accepts a client secret."""

from __future__ import annotations

DOCUMENTATION = r"""
module: okta_client_secret_check
short_description: Ask Okta whether it accepts a client secret
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Tells whether Okta accepts the client id and the client secret of an application, as a consumer of them would find
    out. Use it before a secret is handed to consumers, and before the one before it is given up.
  - It asks Okta to introspect a text that is no token (RFC 7662). That has no effect at Okta, and an application may
    ask it whatever grants it has. An application that proves itself with a private key has no secret to check.
  - It returns V(true) and V(false) in RV(accepted) only by Okta's own word. Whatever else is answered, by a proxy, for
    an inactive application or under a wrong O(client_auth_method), makes the task fail.
  - It takes one request, and more only for a rate limit, a failing Okta and one that can't be reached. It does not talk
    to Infisical, so that the options and the environment variables for Infisical don't count here, and C(INFISICAL_*)
    variables can't switch off the check of Okta's certificate.
extends_documentation_fragment:
  - secretops.infisical.attributes.info
attributes:
  platform:
    description: Where the module runs. Nothing is done on that host, so it is most often localhost.
    support: full
    platforms: posix
options:
  okta_url:
    description:
      - The address of the Okta organisation, as V(https://company.okta.com), or its custom domain. A trailing slash is
        forgiven. The host of the admin console and an issuer, which ends in C(/oauth2/default), are refused, and
        redirects are not followed.
    type: str
    required: true
  client_id:
    description:
      - The client id of the application.
    type: str
    required: true
  client_secret:
    description:
      - The client secret to ask about. It is not shown.
    type: str
    required: true
  authorization_server:
    description:
      - The id of a custom authorization server to ask, as V(default), in letters, digits, C(_) and C(-). Okta accepts
        the same secrets at all of them.
      - Left out, or blank, the organisation's own authorization server is asked.
    type: str
  client_auth_method:
    description:
      - How the application proves itself, as it is set at Okta. V(client_secret_basic) sends id and secret in the
        header C(Authorization), V(client_secret_post) in the body.
      - Left out, it is V(client_secret_basic).
    type: str
    choices: [client_secret_basic, client_secret_post]
    default: client_secret_basic
  validate_certs:
    description:
      - Whether Okta's certificate is checked. V(false) lets anybody on the network path read the client secret, and
        warns.
      - Left out, it is checked.
    type: bool
    default: true
  ca_path:
    description:
      - A file with the certificates of the authorities to trust, in PEM form, or a folder of such files prepared with
        C(openssl rehash), on the host that runs the task. A proxy that looks into TLS needs it.
      - Left out, E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) is used, else the authorities that come with the Python
        library requests.
    type: path
  client_cert:
    description:
      - A file with the certificate by which this client proves itself to a proxy before Okta, in PEM form, on the host
        that runs the task. It may hold the key too.
      - Left out, no client certificate is sent.
    type: path
  client_key:
    description:
      - A file with the key of O(client_cert), in PEM form and without a pass phrase, on the host that runs the task.
      - Left out, the key is looked for in the file of O(client_cert).
    type: path
  timeout:
    description:
      - How many seconds one request may take, from connecting to the last byte of the answer, 1 to 86400. Connecting,
        to all addresses of the name and with TLS, takes 15 seconds at most; looking the name up is not counted.
      - Left out, it is 90 seconds.
    type: int
    default: 90
  wait_timeout:
    description:
      - How many seconds the task may wait in all for a rate limit and for an Okta that fails or can't be reached.
      - Left out, it is 120 seconds.
    type: int
    default: 120
notes:
  - Proxies are those of the environment of the task, as the Python library requests knows them (C(HTTPS_PROXY),
    C(HTTP_PROXY), C(NO_PROXY)). A password in such a variable is never shown.
  - A plain C(http://) URL warns unless it is of this very machine, for the client secret travels in clear.
requirements:
  - requests (Python library) on the host that runs the task
seealso:
  - module: secretops.infisical.okta_client_secret_rotation
  - plugin: secretops.infisical.okta_client_credentials
    plugin_type: lookup
  - name: Introspection at Okta
    description: The endpoint that is asked.
    link: https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/
"""

EXAMPLES = r"""
- name: Ask Okta whether it accepts the secret
  secretops.infisical.okta_client_secret_check:
    okta_url: "{{ okta_url }}"
    client_id: "{{ okta_client_id }}"
    client_secret: "{{ okta_client_secret }}"
  register: okta_check
  run_once: true

- name: Stop where it does not
  ansible.builtin.assert:
    that: okta_check.accepted
    fail_msg: "{{ okta_check.msg }}"
  run_once: true

- name: Ask about the secret that Infisical hands out, in the body, at a custom authorization server
  secretops.infisical.okta_client_secret_check:
    okta_url: "{{ okta_url }}"
    authorization_server: default
    client_auth_method: client_secret_post
    client_id: "{{ okta.clientId }}"
    client_secret: "{{ okta.clientSecret }}"
  vars:
    okta: "{{ lookup('secretops.infisical.okta_client_credentials', okta_rotation_id) }}"
  run_once: true
"""

RETURN = r"""
accepted:
  description: Whether Okta accepts the client secret. False for a wrong, a deactivated and a deleted one.
  returned: success
  type: bool
  sample: true
changed:
  description: Always false. Okta is only asked.
  returned: always
  type: bool
  sample: false
outcome:
  description:
    - V(accepted), Okta accepts the client secret.
    - V(refused), Okta knows the application and refuses the client secret.
    - V(failed), the task failed, and whether Okta accepts the secret is not known.
  returned: always
  type: str
  sample: accepted
msg:
  description: What Okta said, in one sentence; for a failure the cause and the next step.
  returned: always
  type: str
  sample: Okta accepts the client secret of 0oa1bcd2efGHIJKlm3n4 at https://company.okta.com.
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
  sample: 401
request_id:
  description: The header C(X-Okta-Request-Id) of that answer, by which it is found in Okta's system log, or null.
  returned: failure
  type: str
  sample: aNuTBUcAnxN4YWq8gTbIGAAADVE
"""

from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._module import run
from ansible_collections.secretops.infisical.plugins.module_utils._okta import BASIC, POST, accepts, question
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "okta_url": {"type": "str", "required": True},
    "client_id": {"type": "str", "required": True},
    "client_secret": {"type": "str", "required": True, "no_log": True},
    "authorization_server": {"type": "str"},
    "client_auth_method": {"type": "str", "choices": [BASIC, POST], "default": BASIC},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "timeout": {"type": "int", "default": 90},
    "wait_timeout": {"type": "int", "default": 120},
}


def execute(task: Task) -> dict[str, Any]:
    """Ask Okta, under check mode too. Raises InfisicalError."""
    asked = question(task.params)
    accepted = accepts(asked, task.patience(), task.warn, task.environ)
    whose = f"the client secret of {asked.client_id} at {asked.connection.url}"
    message = f"Okta accepts {whose}." if accepted else f"Okta refuses {whose}: it is wrong, deactivated or deleted."
    return {
        "changed": False,
        "outcome": "accepted" if accepted else "refused",
        "accepted": accepted,
        "msg": message,
    }


def main() -> None:
    run(execute, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
