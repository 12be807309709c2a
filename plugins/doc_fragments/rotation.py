# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which rotation is meant, as _options.ROTATION has them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  rotation_id:
    description:
      - The id of the rotation, a UUID.
      - Left out, the rotation is found by O(name), O(project_id) or O(project_slug), O(environment) and
        O(secret_path). Give one of the two forms, never both.
    type: str
  name:
    description:
      - The name of the rotation.
      - Left out, O(rotation_id) is needed.
    type: str
  project_id:
    description:
      - The id of the project that holds the rotation.
      - Left out, O(project_slug) or O(rotation_id) is needed.
    type: str
  project_slug:
    description:
      - The slug of that project, in place of O(project_id). It takes one more request, and the identity needs the
        action C(read) on the subject C(project).
      - Left out, O(project_id) or O(rotation_id) is needed.
    type: str
  environment:
    description:
      - The slug of the environment that holds the rotation, as V(prod).
      - Left out, O(rotation_id) is needed.
    type: str
  secret_path:
    description:
      - The folder that holds the rotation, from the root, as V(/okta).
      - Left out, it is the root.
    type: str
"""
