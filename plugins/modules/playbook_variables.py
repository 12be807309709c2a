# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: playbook_variables
short_description: The first step of the playbooks of this collection
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - It is a part of the playbooks of this collection and of no use in another.
  - It reads the variables that C(NAME.meta.yml) beside the playbook lists, takes blank ones for left out, converts the
    others to their types, and fails with C(reason=invalid_arguments) where one is wrong, before anything is sent.
  - It runs on the controller only, in the process of the controller.
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
options:
  playbook:
    description: The name of the playbook, which is that of its file without C(.yml).
    type: str
    required: true
seealso:
  - module: secretops.infisical.okta_client_secret_rotation
"""

EXAMPLES = r"""
- name: Check the variables of the playbook rotate
  secretops.infisical.playbook_variables:
    playbook: rotate
  vars:
    rotate_rotation: 3c90c3cc-0d44-4b50-8888-8dd25736052a
    rotate_min_age: ""
  register: checked

- name: Say what was given
  ansible.builtin.debug:
    msg: "{{ checked.variables.rotate_rotation }}, only if older than {{ checked.variables.rotate_min_age }}"
"""

RETURN = r"""
variables:
  description: Those that were given, with their types, and the defaults of the others. Without those that have neither.
  returned: success
  type: dict
  sample:
    rotate_rotation: 3c90c3cc-0d44-4b50-8888-8dd25736052a
    rotate_min_age: 5m
"""
