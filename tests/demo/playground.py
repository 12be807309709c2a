# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Infisical with a dozen rotations to play with, from a second terminal, and what it is asked meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import errno
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from textwrap import wrap

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from simulator.app import App  # noqa: E402

from demo.playground_requests import HEADINGS, Requests  # noqa: E402
from demo.playground_world import BUSY_SECONDS, PROJECT, World  # noqa: E402

ROOT = TESTS.parent
CACHE = ROOT / ".cache"
FOLDER = CACHE / "playground"
_HERE = ".cache/playground"
_ROTATE = "ansible localhost -m secretops.infisical.okta_client_secret_rotation -a"
_LOOKUP = "'secretops.infisical.okta_client_credentials'"
_FLEET = f"{_HERE}/fleet.okta_rotations.yml"
#: What each of them promises, and how it is typed.
COMMANDS = (
    (
        "Where every secret stands, the oldest first: which are overdue, failed, or rotated by hand only.",
        f"ansible-playbook {_HERE}/table.yml",
    ),
    (
        "See what would happen: the secret is 40 days old, so that the outcome is would_rotate, and nothing is sent.",
        f"{_ROTATE} rotation_id=$DUE --check",
    ),
    (
        "Rotate it: rotated, once. Run it again: not_due, for it is younger than five minutes, and nothing is sent.",
        f"{_ROTATE} rotation_id=$DUE",
    ),
    (
        "An id that is not there: it fails, the reason is not_found, and nothing is sent but the question.",
        f"{_ROTATE} rotation_id=00000000-0000-4000-8000-000000000000",
    ),
    (
        f"Somebody else is rotating this one: it waits {BUSY_SECONDS} seconds for that, and ends rotated_by_another.",
        f"{_ROTATE} rotation_id=$BUSY",
    ),
    (
        "The server rotates this one and its answer is always lost: it is rotated all the same, once, for it reads.",
        f"{_ROTATE} rotation_id=$LOST",
    ),
    (
        "Take the credentials as an application does, here only the client id, which is no secret: it begins with 0oa.",
        f"ansible localhost -m ansible.builtin.debug -a \"msg={{{{ lookup({_LOOKUP}, '$DUE').clientId }}}}\"",
    ),
    (
        "Every rotation as a host, in groups, so that --limit and serial work: among them the group overdue.",
        f"ansible-inventory -i {_FLEET} --graph",
    ),
    (
        "The whole fleet in check mode: how many would be rotated, how many are not due. Without --check it is done.",
        f"ansible-playbook -i {_FLEET} secretops.infisical.rotate_fleet -e rotate_min_age=30d --check",
    ),
    (
        f"Write the page of where every secret stands: open {_HERE}/report.html.",
        f"ansible-playbook secretops.infisical.report -e report_projects={PROJECT} -e report_html={_HERE}/report.html",
    ),
)
_TABLE = f"""---
- name: Show where every secret stands
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Read all rotations of the project
      secretops.infisical.okta_client_secret_rotation_info:
        project_slug: {PROJECT}
      register: known

    - name: Show a table, the oldest first
      ansible.builtin.debug:
        msg: "{{{{ table.splitlines() }}}}"
      vars:
        table: |
          {{% for age in known.summary | sort(attribute='age_seconds', reverse=true) %}}
          {{% set each = known.secretRotations | selectattr('id', 'equalto', age.id) | first %}}
          {{{{ '%3d days  %-8s %-7s %-14s %-8s %-14s %s' | format(age.age_seconds // 86400,
             'overdue' if age.overdue else '' if each.isAutoRotationEnabled else 'by hand', each.environment.slug,
             each.name, each.rotationStatus, each.folder.path, each.lastRotationMessage or '') }}}}
          {{% endfor %}}
"""


def exports(app: App, world: World, port: int, temporary: str) -> dict[str, str]:
    identity = app.store.first_identity()
    return {
        "INFISICAL_URL": f"http://127.0.0.1:{port}",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": identity.clientId,
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": identity.clientSecrets[0].clientSecret,
        "DUE": world.due.id,
        "BUSY": world.busy.id,
        "LOST": world.lost.id,
        # So that nothing stays but in .cache.
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(CACHE / "ansible" / "tmp"),
        "TMPDIR": temporary,
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }


def write_files(project_id: str) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "table.yml").write_text(_TABLE, encoding="utf-8")
    fleet = f"plugin: secretops.infisical.okta_client_secret_rotations\nprojects:\n  {PROJECT}: {project_id}\n"
    (ROOT / _FLEET).write_text(fleet, encoding="utf-8")


def show(line: str) -> None:
    print(line, flush=True)


def introduce(variables: dict[str, str]) -> None:
    show(f"The playground runs at {variables['INFISICAL_URL']}. In a second terminal, go to {ROOT}, paste this:\n")
    for name, value in variables.items():
        show(f"export {name}={shlex.quote(value)}")
    show('export PATH="$PWD/.venv/bin:$PATH"\n\nand try these, one after the other:')
    for number, (promise, command) in enumerate(COMMANDS, 1):
        show("\n".join(["", *wrap(f"{number}. {promise}", 116), f"$ {command}"]))
    show(f"\nCtrl-C ends it. Every request, as it comes:\n\n{HEADINGS}")


async def play(port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    requests = Requests(lambda: app, show)
    app = App(watch=requests)
    # Not in the checkout: ansible-core puts a socket there, whose path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="playground-", ignore_cleanup_errors=True) as temporary:
        async with app.listening("127.0.0.1", port) as taken:
            world = World(app, requests.note)
            requests.asked = lambda rotation_id: world.is_waited_for() if rotation_id == world.busy.id else None
            write_files(app.store.first_project().id)
            introduce(exports(app, world, taken, temporary))
            await stop.wait()
    show("\nThe playground has ended.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="left out, any that is free")
    port: int = parser.parse_args().port
    try:
        asyncio.run(play(port))
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Another program has port {port}. Choose another one, or none: make playground PORT={port + 1}")


if __name__ == "__main__":
    main()
