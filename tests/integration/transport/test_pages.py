# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page in the place of an answer: it is none of Infisical's, and its title often says exactly what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from simulator.client import Simulator
from support.machine import Machine, ended

PAGES = {
    "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>": (
        "400 The plain HTTP request was sent to HTTPS port"
    ),
    "<TITLE>400 No required SSL certificate was sent</TITLE>": "400 No required SSL certificate was sent",
    '<title lang="en">\n  Sign in &amp; prove\r\n who you\tare\n</title>': "Sign in & prove who you are",
    "<title>\x1b[2JGone</title>": "[2JGone",
    "<title>cut \ud83d off</title>": "cut",
    f"<title>{'long ' * 90}</title>": "long long long",
}


def page(status: int, text: str, **more: Any) -> dict[str, Any]:
    # The simulator sends text as UTF-8, which has no halves.
    body = text.encode("utf-8", "replace").decode()
    return {"status": status, "body": body, "contentType": "text/html", **more}


@pytest.mark.parametrize("text", PAGES)
@pytest.mark.parametrize(
    ("status", "reason"),
    [(200, "invalid_response"), (400, "invalid_response"), (403, "invalid_response"), (503, "server_error")],
)
def test_the_title_of_a_page_is_told(
    simulator: Simulator, machine: Machine, text: str, status: int, reason: str
) -> None:
    simulator.fault("status", path="/okta-client-secret/", method="GET", times=0, **page(status, text))
    result = machine.run()
    assert ended(result) == (reason, False)
    assert result["http_status"] == status
    assert PAGES[text] in result["msg"]
    assert result["msg"].isprintable()
    assert len(result["msg"]) < 1000


def test_the_title_of_a_page_after_the_request_is_told(simulator: Simulator, machine: Machine) -> None:
    text = "<html><title>504 upstream request timeout</title></html>"
    simulator.fault_rotate("status", **page(504, text, work="before"))
    result = machine.run()
    assert ended(result) == ("rotated", True)
    assert "504 upstream request timeout" in result["msg"]


def test_a_page_without_a_title_has_none(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("status", path="/okta-client-secret/", method="GET", **page(404, "<html><h1>Not here</h1>"))
    result = machine.run()
    assert ended(result) == ("invalid_response", False)
    assert "title" not in result["msg"]
