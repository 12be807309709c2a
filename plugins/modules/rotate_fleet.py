# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rotate_fleet
short_description: The steps of the playbook rotate_fleet that are about the whole fleet
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - It is a part of the playbook C(secretops.infisical.rotate_fleet) and of no use in another. Run the playbook, which
    the guide on fleets describes.
  - It checks the variables of the run by C(rotate_fleet.meta.yml), logs in once for each server, sees what is due,
    judges each batch, revokes the tokens, and sums up.
  - It runs on the controller only, in the process of the controller.
attributes:
  check_mode:
    description: Logs in, reads and logs out under check mode too; none of that changes a rotation.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: It changes no rotation.
    support: full
options:
  step:
    description: What to do.
    type: str
    required: true
    choices: [check, login, plan, batch, logout, summary]
  run:
    description:
      - The result of the step V(check).
      - Left out, the step is V(check).
    type: dict
  logins:
    description:
      - The logins of the step V(login), for V(plan) and V(logout).
      - Left out, the step needs none.
    type: list
    elements: dict
  plan:
    description:
      - The result of the step V(plan), for V(batch) and V(summary).
      - Left out, the step needs none.
    type: dict
  problems:
    description:
      - What failed and is no rotation, for V(summary).
      - Left out, the step needs none.
    type: list
    elements: str
seealso:
  - module: secretops.infisical.okta_client_secret_rotation
"""

EXAMPLES = r"""
- name: Check the variables
  secretops.infisical.rotate_fleet:
    step: check
  vars:
    rotate_hosts: localhost
  register: fleet_checked
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
told:
  description: What is to be said at the end, in sentences.
  returned: for the step summary
  type: str
  sample: "20 rotated, 0 not due, 0 failed, 0 not attempted."
"""
