# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Infisical server with an Okta behind it, on loopback, for tests and demonstrations."""
