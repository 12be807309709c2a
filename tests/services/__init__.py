# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of a host that live on a client secret, what manages them, and load on them: for the demo and the tests."""
