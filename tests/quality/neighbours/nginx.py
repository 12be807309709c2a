# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx as a reverse proxy."""

from __future__ import annotations

import signal

from .rows import CLIENT, HTML, PASSWORDS, STALE, Neighbour, Row, cached, confirmed, refused, twice, unknown

_CONFIG = """
daemon off;
worker_processes 1;
pid @folder@/nginx.pid;
error_log stderr notice;
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path @folder@/body;
  proxy_temp_path @folder@/proxy;
  fastcgi_temp_path @folder@/fastcgi;
  uwsgi_temp_path @folder@/uwsgi;
  scgi_temp_path @folder@/scgi;
  proxy_cache_path @folder@/cache keys_zone=cache:1m;
  limit_req_zone $server_port zone=slow:1m rate=1r/m;
  limit_req_zone $server_port zone=steady:1m rate=5r/s;
  upstream infisical { server 127.0.0.1:@server@; keepalive 4; }
  upstream two { server 127.0.0.1:@server@ max_fails=0; server 127.0.0.1:@server@ max_fails=0; }
  server {
    listen 127.0.0.1:@port@@listen@;
    ssl_certificate @folder@/server.pem;
    ssl_certificate_key @folder@/server.pem;
    set $upstream infisical;
    location / { proxy_pass http://$upstream; }
    @row@
  }
}
"""
_TIMEOUT = "proxy_read_timeout 1s;"
_CACHED = "proxy_cache cache; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;"
_ROTATE = "location ~ /rotate-secrets$"
_PASS = "proxy_pass http://$upstream;"
_PAGE = "location = /down.html { root @folder@; }"
_VERIFY = "ssl_client_certificate @folder@/ca.pem; ssl_verify_client on;"

_PLAIN = (
    Row("as it comes"),
    Row("keep-alive off", "keepalive_timeout 0;"),
    Row("keep-alive to the server", 'proxy_http_version 1.1; proxy_set_header Connection "";'),
    Row("answers not buffered", "proxy_buffering off;"),
    Row(
        "gzip that nobody asked for",
        """
    location /api { proxy_set_header Accept-Encoding gzip; proxy_pass http://127.0.0.1:@port@/packed/api; }
    location /packed/ { gzip on; gzip_proxied any; gzip_min_length 0; gzip_http_version 1.0; gzip_types *;
                        proxy_pass http://infisical/; }""",
    ),
    Row("TLS", tls=True),
    Row("TLS 1.3, HTTP/2 on offer", "ssl_protocols TLSv1.3;", tls=True, listen=" http2"),
    Row("TLS and a client certificate required, and given", _VERIFY, tls=True, options=CLIENT),
)
_ERROR_PAGES = (
    confirmed("read timeout: its own 504 page", _TIMEOUT),
    confirmed("read timeout: the work ends after the 504 page", _TIMEOUT, hold="request"),
    unknown("read timeout: the server never got to it", _TIMEOUT, posts=0, hold="lost"),
    confirmed("read timeout: redirect to a page", _TIMEOUT + "error_page 504 https://status.example/down;"),
    confirmed(
        "read timeout: HTML with status 200",
        _TIMEOUT + "error_page 504 =200 /down.html; " + _PAGE,
        files={"down.html": HTML},
    ),
    confirmed(
        "read timeout: JSON with status 429",
        _TIMEOUT + "error_page 504 = @slow; location @slow { default_type application/json; "
        'return 429 \'{"message": "slow down", "statusCode": 429}\'; }',
    ),
    confirmed(
        "read timeout: JSON with status 200",
        _TIMEOUT + "error_page 504 = @fine; location @fine { default_type application/json; return 200 '{}'; }",
    ),
    confirmed(
        "read timeout: closed without an answer", _TIMEOUT + "error_page 504 = @cut; location @cut { return 444; }"
    ),
    confirmed("the server closes without an answer: 502", hold="", fault={"action": "close_after"}),
    unknown(
        "the server's own 403 replaced by a page",
        "proxy_intercept_errors on; error_page 403 /down.html; " + _PAGE,
        posts=1,
        may_rotate=False,
        files={"down.html": HTML},
    ),
    Row(
        "the server's own 500 replaced by a page",
        "proxy_intercept_errors on; error_page 500 /down.html; " + _PAGE,
        ends=("rotation_failed",),
        rotations=0,
        server="okta_fails",
        files={"down.html": HTML},
    ),
)
_STATIONS = (
    Row("reloaded in mid-rotation", hold="answer", meanwhile="reload"),
    confirmed("stopped in mid-rotation, and started again", meanwhile="restart"),
    Row("told to quit in mid-rotation", hold="answer", meanwhile="quit", says="still valid"),
    refused("the server behind it is down", "server_error", "502", "set $upstream 127.0.0.1:1;"),
)
_CACHES = (
    cached("cache of one second", _CACHED + "proxy_cache_valid any 1s;", real_pauses=True),
    cached("cache of an hour", _CACHED + "proxy_cache_valid any 1h;"),
    cached(
        "cache of one second that ignores queries",
        _CACHED + "proxy_cache_valid any 1s; proxy_cache_key $uri;",
        real_pauses=True,
    ),
    cached(
        "cache of an hour that ignores queries", _CACHED + "proxy_cache_valid any 1h; proxy_cache_key $uri;", ends=STALE
    ),
)
_LIMITS = (
    Row("``limit_req``, five a second with a queue", "limit_req zone=steady burst=10;"),
    unknown(
        "``limit_req`` refuses the request to rotate: 503",
        f"{_ROTATE} {{ limit_req zone=slow; {_PASS} }}",
        before="/rotate-secrets",
    ),
    unknown(
        "``limit_req`` refuses the request to rotate: 429",
        f"{_ROTATE} {{ limit_req zone=slow; limit_req_status 429; {_PASS} }}",
        before="/rotate-secrets",
    ),
)
_DOORS = (
    refused(
        "TLS and a client certificate required, none given", "invalid_response", "No required SSL", _VERIFY, tls=True
    ),
    refused("TLS, the authority unknown to the task", "tls_failed", "ca_path", tls=True, options={"ca_path": None}),
    refused(
        "TLS, and the task speaks plain HTTP",
        "invalid_response",
        "plain HTTP",
        tls=True,
        url="http://127.0.0.1:@port@",
    ),
    refused(
        "everything redirected to ``https``",
        "redirected",
        "https://localhost",
        "return 301 https://localhost$request_uri;",
    ),
    refused(
        "everything redirected to a login page", "redirected", "sso.example", "return 302 https://sso.example/login;"
    ),
    unknown(
        "the request to rotate redirected to a login page", f"{_ROTATE} {{ return 302 https://sso.example/login; }}"
    ),
    refused(
        "basic authentication",
        "invalid_response",
        "401 Authorization Required",
        "auth_basic staff; auth_basic_user_file @folder@/passwords;",
        files={"passwords": PASSWORDS},
    ),
    refused(
        "``Authorization`` taken away", "authentication_failed", "Authorization", 'proxy_set_header Authorization "";'
    ),
    refused("closed for maintenance", "server_error", "503", "return 503;"),
)
_REPEATS = (
    confirmed("two servers, POST not repeated", "set $upstream two;" + _TIMEOUT),
    twice(
        "two servers, POST repeated: ``proxy_next_upstream non_idempotent``",
        "set $upstream two; proxy_next_upstream error timeout non_idempotent;" + _TIMEOUT,
    ),
)

NGINX = Neighbour(
    "nginx",
    "nginx",
    "nginx-light",
    _CONFIG,
    ("-e", "stderr", "-p", "@folder@", "-c", "@folder@/config"),
    _PLAIN + _ERROR_PAGES + _STATIONS + _CACHES + _LIMITS + _DOORS + _REPEATS,
    {
        "reload": (signal.SIGHUP, "gracefully shutting down"),
        "quit": (signal.SIGQUIT, "gracefully shutting down"),
    },
    tls=" ssl",
)
