# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: handover
short_description: The steps of the role handover
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - It is a part of the role P(secretops.infisical.handover#role) and of no use elsewhere. Run the role, or the playbook
    C(secretops.infisical.handover), which the guide on handing over describes.
  - Steps that are about all consumers run in the controller's process. Those that are about a consumer's files use
    ansible-core's own modules on the consumer.
attributes:
  check_mode:
    description: Reads, and writes and rotates nothing.
    support: full
  diff_mode:
    description: Shows ids of secrets, never a value.
    support: full
  idempotent:
    description: What is up to date is left alone.
    support: full
options:
  step:
    description: What to do.
    type: str
    required: true
    choices: [check, own, look, read, file, back, note, okta, record, next, batch, rotate, summary]
  run:
    description:
      - The result of the step V(check).
      - Left out, the step needs none.
    type: dict
  rotation:
    description:
      - The result of the last step V(next).
      - Left out, there was none, or the step needs none.
    type: dict
  own:
    description:
      - The result of the step V(own).
      - Left out, the step needs none.
    type: dict
  look:
    description:
      - The result of the last step V(look).
      - Left out, there was none, or the step needs none.
    type: dict
  rotated:
    description:
      - The result of the last step V(rotate).
      - Left out, there was none, or the step needs none.
    type: dict
  batch:
    description:
      - The result of the last step V(batch).
      - Left out, there was none, or the step needs none.
    type: dict
  client_id:
    description:
      - The application, for V(file) and V(okta).
      - Left out, the step needs none.
    type: str
  client_secret:
    description:
      - Its secret, for V(file) and V(okta).
      - Left out, V(okta) asks about whatever the file holds.
    type: str
  before:
    description:
      - The content to bring back, in Base64, for V(back).
      - Left out, there was no file.
    type: str
  secret_id:
    description:
      - The id of a secret, for V(note) and V(record).
      - Left out, the step needs none, or it is not known.
    type: str
  note:
    description:
      - The result of the step V(read), for V(record).
      - Left out, it is not known.
    type: dict
  since:
    description:
      - Since when the consumer has the secret, for V(record).
      - Left out, it is not known.
    type: str
  state:
    description:
      - How far the secret came, for V(record).
      - Left out, the step needs none.
    type: str
  how:
    description:
      - How that is known, for V(record).
      - Left out, nothing is said.
    type: str
  failed_task:
    description:
      - Name, module and exit code of the task that failed, for V(record).
      - Left out, none failed.
    type: dict
  ending:
    description:
      - What the consumer was left with after that, for V(record).
      - Left out, none failed.
    type: str
seealso:
  - module: secretops.infisical.okta_client_secret_rotation
"""

EXAMPLES = r"""
- name: Write down with which secret a consumer was restarted
  secretops.infisical.handover:
    step: note
    secret_id: ocs1a2b3c4d5e6f7g8h9
    own:
      take:
        note: "{{ playbook_dir }}/okta.env.handover"
      check: {}
      restart: {}
"""

RETURN = r"""
told:
  description: What is to be said at the end, in sentences.
  returned: for the step summary
  type: str
  sample: "Of 3 consumers: 3 proven."
"""
