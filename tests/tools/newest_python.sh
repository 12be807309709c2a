#!/bin/sh
# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the newest Python from 3.11 to 3.14 that really runs: a version manager's stand-in on PATH may not.
for version in 3.14 3.13 3.12 3.11; do
    for candidate in "$(command -v "python$version")" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python /usr/bin/python$version; do
        if [ -x "$candidate" ] && "$candidate" -c 'import ensurepip, ssl, venv' 2>/dev/null; then
            echo "$candidate"
            exit 0
        fi
    done
done
echo "Python 3.11 or newer with the modules venv and ensurepip is needed." >&2
exit 1
