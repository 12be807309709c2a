# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules support."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/secretops.infisical.all) in C(module_defaults) to set defaults for all modules.
    support: full
    membership: [secretops.infisical.all]
  platform:
    description: Where the module runs. Nothing is done on that host, so it is most often localhost.
    support: full
    platforms: posix
"""

    ROTATION = r"""
options: {}
attributes:
  check_mode:
    description: Reads the rotation and predicts the decision of the real run. Sends nothing but readings.
    support: full
  diff_mode:
    description: Shows when the secret was rotated and which slot is active, or the configuration. Never shows a secret.
    support: full
  idempotent:
    description: A second run changes nothing, with O(state=rotated) within O(min_age).
    support: partial
    details:
      - With O(state=rotated) and V(0) in O(min_age) every run rotates.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Reads as in a real run.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Nothing is ever changed.
    support: full
"""
