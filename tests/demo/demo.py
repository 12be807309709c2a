# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, for real: the collection from its own tarball against a simulated Infisical and Okta."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from simulator.client import Simulator  # noqa: E402
from support import children  # noqa: E402

from demo.handing import hand_over  # noqa: E402
from demo.shown import Failed, broken, heed_signals, run  # noqa: E402


def install(folder: Path, environment: dict[str, str]) -> None:
    """Build the tarball of this checkout and install it, as Galaxy would deliver it."""
    arguments = ["ansible-galaxy", "collection", "build", str(TESTS.parent), "--output-path", str(folder)]
    run("Build the collection", arguments, environment)
    (tarball,) = folder.glob("secretops-infisical-*.tar.gz")
    collections = str(folder / "collections")
    arguments = ["ansible-galaxy", "collection", "install", str(tarball), "--offline", "-p", collections]
    run("Install it", arguments, environment)


def ended(simulator: Simulator, before: str) -> list[str]:
    """Every promise that the server's side shows to be broken."""
    rotation = simulator.rotation()
    secrets = simulator.okta_secrets()
    served = rotation["mappedSecrets"]["OKTA_CLIENT_SECRET"]["value"]
    promises = {
        "the server rotated once": rotation["completed"] == 1,
        "one request to rotate was sent": simulator.posts() == 1,
        "Okta holds two secrets": len(secrets) == 2,
        "the secret from before still works": before in [secret["client_secret"] for secret in secrets],
        "Infisical serves the new one": served != before and served in [s["client_secret"] for s in secrets],
        "every token that a task made is revoked": all(token["revoked"] for token in simulator.state()["tokens"]),
    }
    return broken("What the server saw", promises)


def main(tools: Path, installed: Path | None) -> int:
    heed_signals()
    with tempfile.TemporaryDirectory(prefix="demo-") as name, contextlib.ExitStack() as stack:
        stack.callback(children.end_all)
        simulator = stack.enter_context(Simulator())
        folder = Path(name)
        collections = installed or folder / "collections"
        (folder / "home").mkdir()
        identity = simulator.state()["identity"]
        rotation = simulator.rotation()
        environment = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder / "home"),
            "TMPDIR": name,
            "ANSIBLE_HOME": str(folder / "home" / ".ansible"),
            # Its default is found through the user database, whatever HOME says.
            "ANSIBLE_REMOTE_TMP": str(folder / "home" / ".ansible" / "tmp"),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            # Only the installed tarball is used, not the checkout that the environment links to.
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "INFISICAL_URL": simulator.url,
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": identity["clientId"],
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": identity["clientSecret"],
        }
        if sys.stdout.isatty():
            environment["ANSIBLE_FORCE_COLOR"] = "1"
        before = rotation["mappedSecrets"]["OKTA_CLIENT_SECRET"]["value"]
        if not installed:
            install(folder, environment)
        variables = ["-e", f"rotation_id={rotation['id']}", "-e", f"simulator_url={simulator.url}"]
        run("Rotate from a playbook", ["ansible-playbook", "demo.yml", *variables], environment)
        module = "secretops.infisical.okta_client_secret_rotation"
        adhoc = ["ansible", "localhost", "-m", module, "-a", f"rotation_id={rotation['id']}"]
        run("Rotate from the command line (not due any more)", adhoc, environment)
        found = ended(simulator, before)
        found += hand_over(simulator, folder, environment)
    print(f"\nThe demo failed: {', '.join(found)}." if found else "\nAll of it held.")
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=Path, default=Path(sys.executable).parent, help="the folder of Ansible's tools")
    parser.add_argument("--installed", type=Path, help="where the collection is installed already")
    chosen = parser.parse_args()
    try:
        sys.exit(main(chosen.tools, chosen.installed))
    except Failed as failure:
        sys.exit(f"\nThe demo failed: {failure}.")
