# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Client id and client secret of an Okta application, from its rotation in Infisical."""

from __future__ import annotations

DOCUMENTATION = r"""
name: okta_client_credentials
short_description: Client id and client secret of an Okta application, from its rotation in Infisical
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Hands out the active credentials of an Okta client secret rotation, for a template, a task with C(no_log), or an
    option of another module.
  - With O(after) it hands out no credentials from before a rotation, and waits for those after it.
  - The identity needs the action C(read-generated-credentials) on the subject C(secret-rotation), and C(read) where a
    rotation is looked for by name. With O(source=secret) it needs C(read) on it and C(readValue) on C(secrets).
  - Nothing is shown by this, at any verbosity. Whatever the credentials are given to may show them, so set C(no_log).
  - It takes one request for each term that is an id, and one more for one that is a name; with O(source=secret) three.
    All terms share one login, which adds one, and revoking one.
extends_documentation_fragment:
  - secretops.infisical.connection
  - secretops.infisical.authentication
  - secretops.infisical.variables
options:
  _terms:
    description:
      - Rotations, each by its id, a UUID, or by its name, which needs the project and O(environment).
    type: list
    elements: str
    required: true
  project_id:
    description:
      - The id of the project of the rotations that are looked for by name.
      - Left out, O(project_slug) tells it.
    type: str
  project_slug:
    description:
      - The slug of that project, in place of O(project_id). It takes one more request, and the identity needs the
        action C(read) on the subject C(project).
      - Left out, O(project_id) tells it.
    type: str
  environment:
    description:
      - The slug of the environment of the rotations that are looked for by name, as V(prod).
      - Left out, all terms must be ids.
    type: str
  secret_path:
    description:
      - The folder of the rotations that are looked for by name, from the root, as V(/okta).
      - Left out, it is the root.
    type: str
  all:
    description:
      - Whether to hand out both slots, the active one and the one before it, with the ids that the secrets have at
        Okta.
      - Left out, it is false.
    type: bool
    default: false
  source:
    description:
      - V(credentials) asks for the credentials that the rotation generated.
      - V(secret) reads the two secrets in Infisical that they are mapped to, for an identity that may read no more than
        these. Not with O(all).
      - Left out, it is V(credentials).
    type: str
    choices: [credentials, secret]
    default: credentials
  after:
    description:
      - The C(secretRotation) that a task before returned. Only credentials of its C(activeIndex) are handed out, and
        with O(source=secret) only a secret that was updated at its C(lastRotatedAt) or later. They are waited for
        within O(wait_timeout), then the lookup fails, because what it reads is stale, or because the secret was rotated
        once more.
      - Left out, what the server shows is taken.
    type: dict
  wait_timeout:
    description:
      - How many seconds may be waited in all for credentials after a rotation, and for a rate limit.
      - Left out, it is 120 seconds.
    type: int
    default: 120
seealso:
  - plugin: secretops.infisical.okta_client_secret_rotation
    plugin_type: module
"""

EXAMPLES = r"""
- name: Rotate the secret
  secretops.infisical.okta_client_secret_rotation:
    rotation_id: "{{ okta_rotation_id }}"
    min_age: 30d
  run_once: true
  register: rotation

- name: Write the new one to a file, and no older one
  ansible.builtin.copy:
    content: >-
      {{ lookup('secretops.infisical.okta_client_credentials', okta_rotation_id, after=rotation.secretRotation)
         | to_nice_json }}
    dest: "{{ playbook_dir }}/okta.json"
    mode: "0600"
  no_log: true

- name: Take the active one, for several tasks
  ansible.builtin.set_fact:
    okta: "{{ lookup('secretops.infisical.okta_client_credentials', okta_rotation_id) }}"
  no_log: true

- name: Tell for which application it is
  ansible.builtin.debug:
    msg: "The client id is {{ okta.clientId }}"

- name: Take what is mapped, by name, with an identity that may read nothing else
  ansible.builtin.set_fact:
    okta: >-
      {{ lookup('secretops.infisical.okta_client_credentials', 'okta-payments', project_slug='payments',
                environment='prod', secret_path='/okta', source='secret') }}
  no_log: true

- name: Take both slots
  ansible.builtin.set_fact:
    slots: "{{ lookup('secretops.infisical.okta_client_credentials', okta_rotation_id, all=true) }}"
  no_log: true

- name: Tell the id that the active one has at Okta
  ansible.builtin.debug:
    msg: "{{ slots.generatedCredentials[slots.activeIndex].secretId }}"
"""

RETURN = r"""
_raw:
  description:
    - For each term an object with C(clientId) and C(clientSecret), the active ones.
    - With O(all), an object with C(generatedCredentials), a list of one or two objects with C(clientId),
      C(clientSecret) and C(secretId), and C(activeIndex), the place of the active one in it, 0 or 1.
    - Source is U(https://infisical.com/docs/api-reference/endpoints/secret-rotations/okta-client-secret/get-generated-credentials-by-id).
  type: list
  elements: dict
"""

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import UUID
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    ROTATION,
    is_blank,
    merged,
)
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import finding
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.finding import Target
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.handing import Handing, parse_after
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.observer import Observer
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.projects import Projects
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.plugin_utils import _data, _refused
from ansible_collections.secretops.infisical.plugins.plugin_utils._announcing import announcing
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import checked, templated
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import interruptible

display = Display()

_PLACE = {name: details for name, details in ROTATION.items() if name not in ("rotation_id", "name")}
SPEC = merged(
    {
        "all": {"type": "bool", "default": False},
        "source": {"type": "str", "choices": ["credentials", "secret"], "default": "credentials"},
        "after": {"type": "dict"},
        "wait_timeout": {"type": "int", "default": 120},
    },
    _PLACE,
    CONNECTION,
    AUTHENTICATION,
)
_TOGETHER = ({*AUTHENTICATION} - {"revoke_token"}, {"project_id", "project_slug"}, {"client_cert", "client_key"})


class LookupModule(LookupBase):  # type: ignore[misc]
    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        # Up to 2.18 ansible-core passes on an option of its own to the lookup of a loop.
        kwargs.pop("wantlist", None)
        options = checked(lambda: self._typed(variables or {}, kwargs), AnsibleLookupError, "read the options")
        # ansible-core takes nothing that a lookup returns for a template.
        return checked(lambda: _found(terms, options), AnsibleLookupError, "look the credentials up")

    def _typed(self, variables: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """The lookup's own options, else the variables; typed as a module's would be."""
        unknown = [name for name in given if name not in SPEC]
        if unknown:
            raise invalid_arguments(f"There is no option {', '.join(unknown)}: the options are {', '.join(SPEC)}.")
        told = {name for name, value in given.items() if not is_blank(value)}
        if "login_data" in told:
            told.add("url")
        # Variables of another login, project or certificate would contradict.
        told |= {name for group in _TOGETHER if group & told for name in group}
        named = [name for name in (*CONNECTION, *AUTHENTICATION, *_PLACE) if name not in told]
        values = {**given, **self._given_by_variables(variables, named)}
        # An empty url is refused: the credentials of a server of one's own would go to that of the vendor.
        filled = {name: value for name, value in values.items() if not is_blank(value)}
        if values.get("url") is not None:
            filled["url"] = values["url"]
        plain = _data.plain(filled)
        result = ArgumentSpecValidator(SPEC).validate(plain)
        if result.error_messages:
            # What is quoted there may be a secret.
            wrong = [name for name, value in plain.items() if not _fits(name, value)]
            raise invalid_arguments(f"{', '.join(wrong)} is malformed: see the types of the lookup's options.")
        checked_options: dict[str, Any] = result.validated_parameters
        return checked_options

    def _given_by_variables(self, variables: dict[str, Any], options: list[str]) -> dict[str, Any]:
        found = {}
        self._templar.available_variables = variables
        for option in options:
            name = f"infisical_{option}"
            if name not in variables:
                continue
            text = _data.template(f"{{{{ {name} }}}}")
            found[option] = templated(f"The variable {name}", partial(self._templar.template, text))
        return found


def _fits(name: str, value: Any) -> bool:
    return not ArgumentSpecValidator({name: SPEC[name]}).validate({name: value}).error_messages


def _found(terms: list[Any], options: dict[str, Any]) -> list[dict[str, Any]]:
    if not terms:
        raise invalid_arguments("No term is given: give the id or the name of a rotation.")
    targets = [_target(term, options) for term in terms]
    if options["all"] and options["source"] == "secret":
        raise invalid_arguments("all and source: secret contradict each other: a secret holds the active one only.")
    after = parse_after(options["after"])
    for target in targets:
        if after and target.rotation_id:
            after.check_same(target.rotation_id)
    task = Task(
        params=options,
        check_mode=False,
        environ=os.environ,
        warn=display.warning,
        gate=_refused.gate,
        waits=announcing("lookup okta_client_credentials"),
    )
    patience = task.patience()
    connection = task.connection()
    now = partial(datetime.now, timezone.utc)
    with interruptible(), task.session(connection, patience) as session:
        api, projects = Api(session), Projects(session)
        handing = Handing(api, projects, patience, after)
        found: list[dict[str, Any]] = []
        for target in [finding.with_project(projects, each) for each in targets]:
            if options["source"] == "secret":
                reading = Observer(patience, now).fresh(partial(finding.read, api, target))
                found.append(handing.mapped(reading))
                continue
            rotation_id = target.rotation_id or finding.read(api, target).id
            generated = handing.generated(rotation_id)
            if options["all"]:
                found.append({"generatedCredentials": generated.credentials, "activeIndex": generated.active_index})
            else:
                active = generated.credentials[generated.active_index]
                found.append({key: active[key] for key in api.kind.secrets_mapping.values()})
        return found


def _target(term: Any, options: Mapping[str, Any]) -> Target:
    if not isinstance(term, str) or is_blank(term):
        raise invalid_arguments("A term is empty or no string: give the id or the name of a rotation.")
    text = str(term).strip()
    if UUID.fullmatch(text):
        return Target(rotation_id=text.lower())
    return _settings.target({**options, "rotation_id": None, "name": text})
