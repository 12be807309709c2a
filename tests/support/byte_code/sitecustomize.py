# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python imports what has this name when it starts."""

import kept_byte_code  # type: ignore[import-not-found]  # noqa: F401
