# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write a page, and files for programs, of where every Okta client secret stands
version_added: 1.0.0
author: secretops.infisical contributors (@secretops)
description:
  - Reads all Okta client secret rotations of some projects of Infisical and writes what it read, as a page of HTML, as
    JSON, as CSV, and as a text file for Prometheus. The guide on the report shows them.
  - What is overdue, and how old a secret is, is told as M(secretops.infisical.okta_client_secret_rotation_info) tells
    it, on the server's clock. None of it is a secret.
  - It runs on the controller only, in the process of the controller, whatever the host of the task. C(become) and
    C(async) are not for it.
  - A project that cannot be read fails the task, and no file is replaced then. A list holds what the identity may
    read; what it may not is missing without a word from the server.
  - A file is replaced as a whole, so that no reader sees a part of one. One that was there keeps its mode, a new one
    has the mode that the umask leaves.
  - It takes one request for each project. Logging in and revoking add one each, each slug adds one.
extends_documentation_fragment:
  - secretops.infisical.attributes
  - secretops.infisical.connection
  - secretops.infisical.authentication
attributes:
  check_mode:
    description: Reads as in a real run, and writes no file.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Each report tells when it was made, so that a file that is written is a change.
    support: none
options:
  projects:
    description:
      - The projects, each by its id or its slug, as a list or as text with commas between them. What looks like a UUID
        is an id. For a slug the identity needs the action C(read) on the subject C(project).
    type: list
    elements: str
    required: true
  html:
    description:
      - Where the page is written, on the controller. A relative path starts in the working folder of the shell.
      - It is one file that asks for nothing from anywhere, and can be read without scripts.
      - Left out, no page is written.
    type: path
  json:
    description:
      - Where the JSON is written.
      - Left out, no JSON is written.
    type: path
  csv:
    description:
      - Where the CSV is written, in UTF-8. A text that a spreadsheet would take for a formula has an apostrophe before
        it.
      - Left out, no CSV is written.
    type: path
  prometheus:
    description:
      - Where the text file for Prometheus is written, for the textfile collector of node_exporter, which reads only
        files whose names end in C(.prom). Another name is refused.
      - Left out, no text file for Prometheus is written.
    type: path
  fail_on:
    description:
      - What fails the task, V(overdue) or V(failed) or both, as a list or as text with commas between them. The files
        are written first.
      - V(failed) is a rotation whose last attempt failed.
      - Left out, neither fails it.
    type: list
    elements: str
  title:
    description:
      - The title of the page.
      - Left out, it is C(Okta client secrets).
    type: str
  wait_timeout:
    description:
      - How many seconds the task may wait in all for a rate limit, and for an answer that is not a cache's.
      - Left out, it is 120 seconds.
    type: int
    default: 120
seealso:
  - module: secretops.infisical.okta_client_secret_rotation_info
"""

EXAMPLES = r"""
- name: Write the page and the file for Prometheus
  secretops.infisical.report:
    projects: [payments]
    html: okta-secrets.html
    prometheus: okta-secrets.prom

- name: Only count
  secretops.infisical.report:
    projects: payments
  register: report

- name: Tell what is overdue
  ansible.builtin.debug:
    msg: "{{ report.names.overdue | join(', ') | default('nothing', true) }}"
"""

RETURN = r"""
changed:
  description: Whether files were written, or would have been.
  returned: always
  type: bool
  sample: true
outcome:
  description:
    - V(written), the files were written.
    - V(would_write), it is check mode.
    - V(counted), no file was asked for.
    - V(failed), the task failed. With RV(reason=attention_needed) the files were written all the same.
  returned: always
  type: str
  sample: written
msg:
  description: How many there are, and how many need attention; for a failure the cause and the next step.
  returned: always
  type: str
  sample: "23 rotations in 2 projects: 3 overdue, 1 failed, the oldest okta-payments with 412 days."
counts:
  description: How many rotations and projects there are, and how many are overdue, failed, or have no schedule.
  returned: success, and with RV(reason=attention_needed)
  type: dict
  sample:
    rotations: 23
    projects: 2
    overdue: 3
    failed: 1
    by_hand: 4
names:
  description: The rotations that are overdue, and those whose last attempt failed, with their places.
  returned: success, and with RV(reason=attention_needed)
  type: dict
  sample:
    overdue: ["okta-payments (payments prod:/okta)"]
    failed: []
files:
  description: The full paths of the files, by option.
  returned: success, and with RV(reason=attention_needed)
  type: dict
  sample:
    html: /srv/www/okta-secrets.html
stats:
  description: The same in short, in strings only, as the playbook C(secretops.infisical.report) hands it on.
  returned: always
  type: dict
  sample:
    playbook: report
    check_mode: "false"
    summary: "23 rotations in 2 projects: 3 overdue, 1 failed, the oldest okta-payments with 412 days."
    counts:
      rotations: "23"
    failures: []
    moments:
      oldest: "2025-10-09T14:53:07Z"
reason:
  description:
    - Why the task failed, one value of the closed list in the guide on failures. V(attention_needed) says that
      O(fail_on) found something.
  returned: failure
  type: str
  sample: attention_needed
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
