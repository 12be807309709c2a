# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module behind real proxies, caches and load balancers, as the distribution ships them."""
