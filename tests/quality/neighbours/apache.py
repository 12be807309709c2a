# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache httpd as a reverse and as a forward proxy."""

from __future__ import annotations

import signal

from .rows import CLIENT, HTML, PASSWORDS, PUBLIC, STALE, Neighbour, Row, by_proxy, cached, confirmed, refused, unknown

_MODULES = (
    "mpm_event authn_core authn_file authz_core authz_user auth_basic alias cache cache_socache deflate filter "
    "headers proxy proxy_balancer proxy_connect proxy_http lbmethod_byrequests slotmem_shm socache_shmcb "
    "rewrite setenvif ssl"
)
_CONFIG = (
    "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES.split())
    + """
ServerRoot @folder@
DefaultRuntimeDir @folder@
PidFile @folder@/pid
ErrorLog /dev/stderr
LogLevel notice
ServerName localhost
StartServers 1
ThreadsPerChild 16
MaxRequestWorkers 64
DocumentRoot @folder@
Listen 127.0.0.1:@port@
@listen@
@row@
ProxyPass /down.html !
ProxyPass / http://127.0.0.1:@server@/
"""
)
_TLS = "SSLEngine on\nSSLCertificateFile @folder@/server.pem\n"
_VERIFY = "SSLCACertificateFile @folder@/ca.pem\nSSLVerifyClient require\n"
_TIMEOUT = "ProxyTimeout 1\n"
_CACHED = """
CacheEnable socache /
CacheSocache shmcb:@folder@/cache(1048576)
CacheSocacheMaxSize 100000
CacheIgnoreNoLastMod On
CacheIgnoreCacheControl On
CacheStoreNoStore On
CacheStorePrivate On
CacheDefaultExpire 3600
CacheQuickHandler Off
"""
_PAGE = "ErrorDocument 502 /down.html\nErrorDocument 504 /down.html\n"

_PLAIN = (
    Row("as it comes"),
    Row("``KeepAlive Off``", "KeepAlive Off"),
    Row("HTTP/1.0", "SetEnvIf Request_URI . downgrade-1.0 force-response-1.0 nokeepalive"),
    Row(
        "gzip that nobody asked for",
        "SetEnvIf Request_URI . force-gzip\nRequestHeader set Accept-Encoding gzip early\nSetOutputFilter DEFLATE",
    ),
    Row("TLS", tls=True),
    Row("TLS and a client certificate required, and given", _VERIFY, tls=True, options=CLIENT),
    Row(
        "a balancer, one of its two servers down",
        "<Proxy balancer://two>\nBalancerMember http://127.0.0.1:1\nBalancerMember http://127.0.0.1:@server@\n</Proxy>\n"
        "ProxyPass /api balancer://two/api",
    ),
)
_ERROR_PAGES = (
    confirmed("``ProxyTimeout``: its own page", _TIMEOUT),
    confirmed("``ProxyTimeout``: the work ends after the page", _TIMEOUT, hold="request"),
    unknown("``ProxyTimeout``: the server never got to it", _TIMEOUT, hold="lost"),
    confirmed(
        "``ProxyTimeout``: ``ErrorDocument`` at another address",
        _TIMEOUT + "ErrorDocument 502 https://status.example/down\nErrorDocument 504 https://status.example/down",
    ),
    confirmed("``ProxyTimeout``: ``ErrorDocument`` of its own", _TIMEOUT + _PAGE, files={"down.html": HTML}),
    confirmed(
        "``ProxyTimeout``: ``ErrorDocument`` with a text",
        _TIMEOUT + 'ErrorDocument 502 "Try later"\nErrorDocument 504 "Try later"',
    ),
)
_STATIONS = (
    Row("restarted gracefully in mid-rotation", hold="answer", meanwhile="reload"),
    confirmed("stopped in mid-rotation, and started again", meanwhile="restart"),
    Row("told to stop gracefully in mid-rotation", hold="answer", meanwhile="quit", says="still valid"),
)
_CACHES = (
    cached("``mod_cache``, everything kept for an hour", _CACHED, added=PUBLIC),
    cached(
        "``mod_cache``, everything kept for an hour, queries ignored",
        _CACHED + "CacheIgnoreQueryString On",
        ends=STALE,
        added=PUBLIC,
    ),
)
_DOORS = (
    refused("TLS and a client certificate required, none given", "tls_failed", "client_cert", _VERIFY, tls=True),
    refused(
        "everything redirected to ``https``",
        "redirected",
        "https://localhost",
        "RewriteEngine On\nRewriteRule ^ https://localhost%{REQUEST_URI} [R=301,L]",
    ),
    unknown(
        "the request to rotate redirected to a login page",
        "RewriteEngine On\nRewriteRule /rotate-secrets$ https://sso.example/login [R=302,L]",
    ),
    refused(
        "basic authentication",
        "invalid_response",
        "401 Unauthorized",
        "<Location />\nAuthType Basic\nAuthName staff\nAuthUserFile @folder@/passwords\n"
        "Require valid-user\n</Location>",
        files={"passwords": PASSWORDS},
    ),
    refused(
        "``Authorization`` taken away", "authentication_failed", "Authorization", "RequestHeader unset Authorization"
    ),
)
_FORWARD_PROXY = (
    Row("``http_proxy``", **by_proxy("http_proxy", "ProxyRequests On")),
    Row("``https_proxy``", **by_proxy("https_proxy", "ProxyRequests On\nAllowCONNECT @server@")),
    refused(
        "``https_proxy``, CONNECT to this port refused: 403",
        "unreachable",
        "403",
        **by_proxy("https_proxy", "ProxyRequests On"),
    ),
)

APACHE = Neighbour(
    "Apache",
    "apache2",
    "apache2",
    _CONFIG,
    ("-DFOREGROUND", "-f", "@folder@/config"),
    _PLAIN + _ERROR_PAGES + _STATIONS + _CACHES + _DOORS + _FORWARD_PROXY,
    {
        "reload": (signal.SIGUSR1, "Doing graceful restart"),
        "quit": (signal.SIGWINCH, "shutting down gracefully"),
    },
    tls=_TLS,
)
