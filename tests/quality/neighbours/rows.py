# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of the table: how a neighbour is configured, and what must come of a task behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ONCE = ("rotated", "not_due", "not_due")
#: Who reads only what a cache kept learns nothing, and sends nothing.
STALE = ("rotated", "stale_reading", "stale_reading")
HTML = "<html><head><title>Down for maintenance</title></head><body>Come back later.</body></html>\n"
#: As another cache or a content network adds it; without it, few caches keep answers to requests with Authorization.
PUBLIC = "Cache-Control: public, max-age=3600"
CLIENT = {"client_cert": "@folder@/client.pem", "client_key": "@folder@/client.key"}
#: Of the proxy that asks for a login: user:pass.
PASSWORDS = "user:$apr1$neighbou$soqCTP6sqnS6h89TgTZNw1\n"


@dataclass(frozen=True)
class Row:
    """``ends`` has an outcome or a reason for each task; they run one after the other.

    ``posts`` are the requests to rotate that the server saw, ``rotations`` what it made of them. ``says`` is looked for
    in the last task's message and warnings.
    """

    what: str
    #: The part of the neighbour's configuration that is this row's.
    config: str = ""
    ends: tuple[str, ...] = ("rotated",)
    posts: int = 1
    rotations: int = 1
    says: str = ""
    #: What the gate before the server keeps back, see gate.HOLDS.
    hold: str = ""
    #: An order for the daemon while the request to rotate is at the server.
    meanwhile: str = ""
    #: What the server itself does with the request to rotate.
    fault: Mapping[str, Any] | None = None
    server: str = "usual"
    #: A header that is added to the server's answers.
    added: str = ""
    #: The task's identity may read and not rotate.
    may_rotate: bool = True
    #: More for the line that says where it listens.
    listen: str = ""
    #: The neighbour takes TLS; the task has its authority, or what the options say.
    tls: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    #: The task's pauses last, where the neighbour needs the time.
    real_pauses: bool = False
    #: With it the task is run by the command ansible.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Left out, that of the neighbour.
    url: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    #: Requested once before the task, for neighbours that count.
    before: str = ""
    #: It is a cache, which is made sure of: what is asked for twice reaches the server once.
    keeps: bool = False


@dataclass(frozen=True)
class Neighbour:
    name: str
    program: str
    package: str
    #: ``@row@`` and ``@listen@`` stand for the row's part; more such words for ports and places.
    config: str
    command: tuple[str, ...]
    rows: tuple[Row, ...]
    #: Order to signal or command, and the words in the log by which it is known to be heard.
    orders: Mapping[str, tuple[int | str, str]]
    #: What that line has more where it takes TLS.
    tls: str = ""


def by_proxy(variable: str, config: str = "", login: str = "", scheme: str = "http", **more: Any) -> dict[str, Any]:
    """The neighbour is the forward proxy of the environment; the server is asked for by its own address.

    The command ansible runs the task, for the environment is the process's. Its pauses last, so that it makes none.
    """
    https = variable == "https_proxy"
    return {
        "config": config,
        "environment": {variable: f"{scheme}://{login}127.0.0.1:@port@"},
        "url": f"{'https' if https else 'http'}://127.0.0.1:@server@",
        "server": "tls" if https else "usual",
        "options": {"wait_timeout": 0},
        **more,
    }


def cached(what: str, config: str, ends: tuple[str, ...] = ONCE, **more: Any) -> Row:
    """Three tasks, one after the other, with the default of min_age."""
    return Row(what, config, ends=ends, keeps=True, **more)


def unknown(what: str, config: str = "", posts: int = 0, **more: Any) -> Row:
    """Nothing was done, and no answer of Infisical's says so."""
    says = "Before you run it again, look at the rotation"
    return Row(what, config, ends=("outcome_unknown",), posts=posts, rotations=0, says=says, **more)


def refused(what: str, reason: str, says: str, config: str = "", **more: Any) -> Row:
    """It fails before anything was requested."""
    return Row(what, config, ends=(reason,), posts=0, rotations=0, says=says, **more)


def confirmed(what: str, config: str = "", **more: Any) -> Row:
    """The server's answer does not come, and reading shows that it rotated."""
    return Row(what, config, says="confirmed by reading", **{"hold": "answer", **more})


def twice(what: str, config: str, **more: Any) -> Row:
    """The neighbour itself repeats the request, which nobody can prevent from here, but everybody must be told."""
    return Row(what, config, posts=2, rotations=2, says="activeIndex", **{"hold": "answer", **more})
