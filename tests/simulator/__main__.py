# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the simulator: `python -m simulator`. Prints one line of JSON when it listens."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from aiohttp import web

from .app import App
from .parent import watch
from .tls import Certificates


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true", help="serve https with a certificate authority of its own")
    parser.add_argument("--client-cert-required", action="store_true", help="implies --tls")
    parser.add_argument("--rate-limit-window", type=float, help="switch the rate limits on, with this window")
    parser.add_argument("--state", type=Path, help="file to load the state from, and to save it to at the end")
    parser.add_argument("--detached", action="store_true", help="live on when the starting process ends")
    return parser.parse_args()


async def serve(options: argparse.Namespace, directory: Path) -> None:
    app = App(state_file=options.state)
    if options.rate_limit_window is not None:
        app.limiter.switch({"window": options.rate_limit_window})
    certificates = Certificates(directory) if options.tls or options.client_cert_required else None
    context = certificates.context(client_cert_required=options.client_cert_required) if certificates else None
    runner = web.ServerRunner(app.server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, ssl_context=context, backlog=1024)
    await site.start()

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watcher = None if options.detached else watch(stop.set)

    port = runner.addresses[0][1]
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
    await runner.cleanup()


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="simulator-"))
    try:
        asyncio.run(serve(arguments(), directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
