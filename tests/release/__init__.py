# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make release VERSION=x.y.z`: changelog, tarball and tag of a release, or nothing at all."""
