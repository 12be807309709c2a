# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in the controller's process, where that is not the main thread."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.secretops.infisical.plugins.plugin_utils import _surroundings


def test_a_thread_works_without_handlers_of_its_own() -> None:
    """Python refuses to set them there, which would end the task before it began."""
    before = signal.getsignal(signal.SIGTERM)

    def work() -> object:
        with _surroundings.interruptible():
            return signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(work).result() is before
