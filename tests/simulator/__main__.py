# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the simulator: `python -m simulator`. Prints one line of JSON when it listens."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from .app import App
from .parent import watch
from .tls import Certificates


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--tls",
        type=Path,
        metavar="FOLDER",
        help="serve https with a certificate authority of its own; its files go to this folder, which is the caller's",
    )
    parser.add_argument("--client-cert-required", action="store_true", help="with --tls")
    parser.add_argument("--rate-limit-window", type=float, help="switch the rate limits on, with this window")
    parser.add_argument("--state", type=Path, help="file to load the state from, and to save it to at the end")
    parser.add_argument(
        "--parent", type=int, default=os.getppid(), help="the process that starts it, with whose end it ends"
    )
    parser.add_argument("--detached", action="store_true", help="live on when the starting process ends")
    options = parser.parse_args()
    if options.client_cert_required and options.tls is None:
        parser.error("--client-cert-required needs --tls")
    return options


async def serve(options: argparse.Namespace) -> None:
    app = App(state_file=options.state)
    if options.rate_limit_window is not None:
        app.limiter.switch({"window": options.rate_limit_window})
    certificates = None if options.tls is None else Certificates(options.tls)
    context = certificates.context(client_cert_required=options.client_cert_required) if certificates else None
    async with app.listening(options.host, options.port, context) as port:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        watcher = None if options.detached else watch(options.parent, stop.set)

        host = f"[{options.host}]" if ":" in options.host else options.host
        started = {
            "url": f"{'https' if certificates else 'http'}://{host}:{port}",
            "port": port,
            "ca_path": str(certificates.ca_path) if certificates else None,
            "client_cert": str(certificates.client_cert) if certificates else None,
            "client_key": str(certificates.client_key) if certificates else None,
        }
        sys.stdout.write(json.dumps(started) + "\n")
        sys.stdout.flush()
        await stop.wait()
        if watcher is not None:
            watcher.cancel()
        app.save()


def main() -> None:
    # It makes no folder: one that is killed could not remove it.
    asyncio.run(serve(arguments()))


if __name__ == "__main__":
    main()
