# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file or folder of authorities that holds none, as of a blank field in Tower: it is named, and nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import login

VARIABLES = ("INFISICAL_CA_PATH", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def blanks(folder: Path) -> list[Path]:
    """Files that hold no certificate, and folders where OpenSSL finds none."""
    files = {"empty.pem": "", "blank.pem": " \n\t\n", "comments.pem": "# our authority\n\n# comes here\n"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("empty", "unprepared"):
        (folder / name).mkdir()
    (folder / "unprepared" / "authority.pem").write_text("", encoding="utf-8")
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    "way", [pytest.param("0", marks=pytest.mark.before_release, id="as a module"), pytest.param("1", id="in process")]
)
def test_it_is_named_and_nothing_is_sent(workspace: Workspace, tmp_path: Path, way: str) -> None:
    folder = tmp_path / "authorities"
    folder.mkdir()
    with Simulator(tls=True) as secure:
        options = {**login(secure), "url": secure.url, "rotation_id": secure.rotation()["id"]}
        tasks: list[dict[str, Any]] = []
        expected = []
        for path in blanks(folder):
            tasks.append({MODULE: {**options, "ca_path": str(path)}})
            tasks += [{MODULE: options, "environment": {name: str(path)}} for name in VARIABLES]
            expected += [(name, str(path)) for name in ("ca_path", *VARIABLES)]
        run = workspace.tasks(
            [{**task, "ignore_errors": True} for task in tasks], env={"SECRETOPS_INFISICAL_IN_PROCESS": way}
        )
        assert secure.log() == []
    assert [result["reason"] for result in run.results] == ["invalid_arguments"] * 20
    for result, (name, told) in zip(run.results, expected, strict=True):
        assert f"{name} is {told}, which holds no certificate" in result["msg"]
        assert f"prepared with openssl rehash, or leave {name} out." in result["msg"]
