# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever text the server sends, it is text in every file of the report, and no secret is in one."""

from __future__ import annotations

import csv
import json
import re

import pytest
from simulator.client import Simulator
from support.ansible import Workspace
from support.reports import DAY, FILES, HOSTILE, fill, run
from support.server import environment, login
from support.stale_front import Onward, Reply, Request, front


@pytest.mark.uncounted
def test_hostile_names_are_text_everywhere(workspace: Workspace, simulator: Simulator) -> None:
    for name in HOSTILE:
        simulator.add_rotation(name=name, lastRotatedAt=DAY, lastRotationMessage=name, clientId=name)
    done = run(workspace, simulator, fail_on="overdue", **{**FILES, "projects": "payments"}, title="<b>Title</b>")
    assert done.returncode == 2
    assert "\x1b" not in done.output
    told = json.loads((workspace.folder / "r.json").read_text(encoding="utf-8"))
    assert sorted(each["name"] for each in told["rotations"]) == sorted([*HOSTILE, "okta-payments"])
    page = (workspace.folder / "r.html").read_text(encoding="utf-8")
    assert page.count("<script>") == page.count("</script>") == 1
    assert (page.count("<img"), page.count("onload=alert(4)>"), page.count("\u202e")) == (0, 0, 0)
    assert "⟨U+202E⟩gnp.exe" in page
    assert "<title>&lt;b&gt;Title&lt;/b&gt;</title>" in page
    assert "49" not in re.findall(r'<th scope="row">(.*?)</th>', page)
    with (workspace.folder / "r.csv").open(encoding="utf-8", newline="") as file:
        assert "'=HYPERLINK(1)" in {line["name"] for line in csv.DictReader(file)}


def test_no_secret_is_in_a_file_or_shown(workspace: Workspace, simulator: Simulator) -> None:
    """The server sends the client secret back wherever it may stand."""
    fill(simulator)
    secret = login(simulator)["universal_auth_client_secret"]

    def reflecting(request: Request, onward: Onward) -> Reply:
        reply = onward(request)
        if not request.path.endswith("/okta-client-secret"):
            return reply
        data = json.loads(reply.body)
        for each in data["secretRotations"]:
            each |= {"name": f"a {secret}", "lastRotationMessage": secret, "parameters": {"clientId": secret}}
            each["folder"]["path"] = f"/{secret}"
        return reply._replace(body=json.dumps(data).encode())

    with front(simulator.url, reflecting) as url:
        env = {**environment(simulator), "INFISICAL_URL": url}
        done = run(workspace, simulator, "-vvvv", env=env, fail_on="overdue", **FILES)
    assert done.returncode == 2, done.output
    assert "a ********" in done.output
    assert secret not in done.output
    for path in workspace.folder.glob("**/*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
