# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Galaxy on loopback with a few versions of a collection: as much of its API as an installation reads."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_COLLECTION = "/api/v3/collections/secretops/infisical/"
_DAY = "2026-01-01T00:00:00Z"


@contextlib.contextmanager
def galaxy(tarballs: list[Path]) -> Iterator[str]:
    """Its URL."""
    by_version = {str(re.findall(r"-([\d.]+)\.tar\.gz$", tarball.name)[0]): tarball for tarball in tarballs}

    def found(path: str) -> bytes | None:
        if path == "/api/":
            return json.dumps({"available_versions": {"v3": "v3/"}}).encode()
        if path == _COLLECTION:
            return json.dumps({"created_at": _DAY, "updated_at": _DAY}).encode()
        if path == f"{_COLLECTION}versions/":
            versions = [{"version": version} for version in by_version]
            return json.dumps({"data": versions, "links": {"next": None}, "meta": {"count": len(versions)}}).encode()
        if matched := re.fullmatch(rf"{_COLLECTION}versions/([\d.]+)/", path):
            return json.dumps(_version(url, by_version[matched[1]], matched[1])).encode()
        if matched := re.fullmatch(r"/download/([\d.]+)", path):
            return by_version[matched[1]].read_bytes()
        return None

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found(self.path.partition("?")[0])
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_arguments: object) -> None:
            """What was asked for is nobody's business."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{url}/api/"
        finally:
            server.shutdown()


def _version(url: str, tarball: Path, version: str) -> dict[str, object]:
    return {
        "namespace": {"name": "secretops"},
        "collection": {"name": "infisical"},
        "version": version,
        "href": f"{_COLLECTION}versions/{version}/",
        "download_url": f"{url}/download/{version}",
        "artifact": {"sha256": hashlib.sha256(tarball.read_bytes()).hexdigest()},
        "metadata": {"dependencies": {}},
        "signatures": [],
    }
