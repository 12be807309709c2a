# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""squid as the forward proxy of the environment, and as a cache before the server."""

from __future__ import annotations

import signal

from .rows import PASSWORDS, PUBLIC, Neighbour, Row, by_proxy, cached, confirmed, refused, unknown

_CONFIG = """
pid_filename none
cache_log /dev/stderr
access_log none
cache_mem 8 MB
coredump_dir @folder@
visible_hostname squid.example
shutdown_lifetime 0 seconds
acl rotates urlpath_regex /rotate-secrets$
acl tunnel method CONNECT
http_port 127.0.0.1:@port@ @row@
http_access allow all
"""
_REVERSE = """accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent @server@ 0 no-query originserver login=PASSTHRU
never_direct allow all
"""
_LOGIN = """
auth_param basic program /usr/lib/squid/basic_ncsa_auth @folder@/passwords
auth_param basic children 1 startup=1
auth_param basic realm staff
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""
_KEEP = "refresh_pattern . 60 100% 60 override-expire override-lastmod ignore-reload ignore-no-store ignore-private\n"
_PASSWORDS = {"passwords": PASSWORDS}


_REVERSE_PROXY = (
    Row("before the server, as it comes", _REVERSE),
    Row("before the server, keep-alive off", _REVERSE + "client_persistent_connections off"),
    cached("before the server, everything kept for an hour", _REVERSE + _KEEP, added=PUBLIC),
    confirmed("before the server, read timeout: its own 504 page", _REVERSE + "read_timeout 1 second"),
    confirmed("before the server, stopped in mid-rotation, and started again", _REVERSE, meanwhile="restart"),
    Row("before the server, reconfigured in mid-rotation", _REVERSE, hold="answer", meanwhile="reload"),
    refused(
        "before the server, ``Authorization`` taken away, for want of ``login=PASSTHRU``",
        "authentication_failed",
        "Authorization",
        _REVERSE.replace("login=PASSTHRU", ""),
    ),
)
_FORWARD_PROXY = (
    Row("``http_proxy``", **by_proxy("http_proxy")),
    Row("``http_proxy`` with login", **by_proxy("http_proxy", _LOGIN, "user:pass@", files=_PASSWORDS)),
    refused(
        "``http_proxy`` without login: 407", "unreachable", "proxy", **by_proxy("http_proxy", _LOGIN, files=_PASSWORDS)
    ),
    confirmed("``http_proxy``, read timeout: its own 504 page", **by_proxy("http_proxy", "\nread_timeout 1 second")),
    unknown(
        "``http_proxy``, the request to rotate denied: 403", **by_proxy("http_proxy", "\nhttp_access deny rotates")
    ),
    unknown(
        "``http_proxy``, the request to rotate redirected to a page",
        **by_proxy("http_proxy", "\ndeny_info 302:https://intranet.example/denied rotates\nhttp_access deny rotates"),
    ),
    Row("``https_proxy``", **by_proxy("https_proxy")),
    Row("``https_proxy`` with login", **by_proxy("https_proxy", _LOGIN, "user:pass@", files=_PASSWORDS)),
    refused(
        "``https_proxy`` without login: CONNECT refused, 407",
        "unreachable",
        "407",
        **by_proxy("https_proxy", _LOGIN, files=_PASSWORDS),
    ),
    refused(
        "``https_proxy`` with a wrong password: CONNECT refused, 407",
        "unreachable",
        "407",
        **by_proxy("https_proxy", _LOGIN, "user:wrong@", files=_PASSWORDS),
    ),
    refused(
        "``https_proxy``, CONNECT refused: 403",
        "unreachable",
        "403",
        **by_proxy("https_proxy", "\nhttp_access deny tunnel"),
    ),
    refused(
        "``https_proxy``, CONNECT to a server that is down: 503",
        "unreachable",
        "503",
        **by_proxy("https_proxy", url="https://127.0.0.1:1"),
    ),
    refused(
        "``https_proxy`` that begins with ``https://``, where squid speaks no TLS",
        "tls_failed",
        "proxy",
        **by_proxy("https_proxy", scheme="https"),
    ),
)

SQUID = Neighbour(
    "squid",
    "squid",
    "squid",
    _CONFIG,
    ("-N", "-f", "@folder@/config"),
    _REVERSE_PROXY + _FORWARD_PROXY,
    {
        "reload": (signal.SIGHUP, "Reconfiguring Squid Cache"),
    },
)
