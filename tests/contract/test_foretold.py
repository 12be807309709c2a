# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode foretells what the run does, and no fault and no rival makes the run lie, over random states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import pytest
from contract.inner_server import InnerServer, days, run
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.control import Control
from simulator.seed import add_rotation, change_rotation
from support.repeated import REPEATED

NAME, APPLICATION, OTHER = "okta-billing", "0oabilling", "0oaother"
PLACE = {"name": NAME, "project_slug": "payments", "environment": "prod", "secret_path": "/okta"}
MAPPING = {"clientId": "BILLING_ID", "clientSecret": "BILLING_SECRET"}
EXAMPLES = settings(max_examples=60 if REPEATED else 400, deadline=None, derandomize=True)


@pytest.fixture(autouse=True, scope="module")
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("lock")))
        yield


MOMENTS = st.tuples(st.integers(0, 23), st.sampled_from([0, 3, 30, 56, 59])).map(
    lambda time: datetime(2026, 3, 10, *time, tzinfo=timezone.utc)
)
#: Of the rotation that is there; None where there is none.
ROTATIONS = st.none() | st.fixed_dictionaries(
    {
        "lastRotatedAt": st.sampled_from([0, 0.5, 1, 2, 6.9, 7, 29, 30, 31, 40]).map(days),
        "rotationInterval": st.sampled_from([1, 7, 30, 31]),
        "rotateAtUtc": st.sampled_from([(0, 0), (3, 30), (23, 58)]).map(lambda at: {"hours": at[0], "minutes": at[1]}),
        "isAutoRotationEnabled": st.booleans(),
        "isLastRotationManual": st.booleans(),
        "rotationStatus": st.sampled_from(["success", "success", "failed"]),
        "description": st.sampled_from([None, "text"]),
        "name": st.sampled_from([NAME, NAME, NAME, "okta-new"]),
    }
)  # fmt: skip
#: What else is there.
SURROUNDINGS = st.fixed_dictionaries(
    {
        "another of the application": st.booleans(),
        "another of the new name": st.booleans(),
        "a secret of the name": st.sampled_from([None, None, "BILLING_ID", "RENAMED"]),
        "hand-made secrets": st.sampled_from([1, 2]),
    }
)
COMPLETE = {
    "connection_name": "okta-main",
    "parameters": {"client_id": APPLICATION},
    "secrets_mapping": {"client_id": "BILLING_ID", "client_secret": "BILLING_SECRET"},
    "rotation_interval": 30,
}
PRESENT = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["text", "other", " "]),
        "rotation_interval": st.sampled_from([1, 7, 30, 31]),
        "rotate_at_utc": st.sampled_from([{"hours": 3, "minutes": 30}, {"hours": 0, "minutes": 4}, {"hours": 23}]),
        "auto_rotation_enabled": st.booleans(),
        "new_name": st.sampled_from([NAME, "okta-new"]),
        "secrets_mapping": st.sampled_from([{"client_secret": "RENAMED"}, {"client_id": "BILLING_SECRET"}]),
        "parameters": st.sampled_from([{"client_id": APPLICATION}, {"client_id": OTHER}]),
        "connection_name": st.sampled_from(["okta-main", "okta-other"]),
        "allow_rotation": st.booleans(),
        "allow_shared_application": st.booleans(),
        "min_age": st.sampled_from(["0", "1d", "20d"]),
    },
).map(lambda options: {"state": "present", **options})
OPTIONS = (
    PRESENT
    | PRESENT.map(lambda options: {**COMPLETE, **options})
    | st.fixed_dictionaries({"revoke_credentials": st.booleans()}, optional={"delete_secrets": st.booleans()}).map(
        lambda options: {"state": "absent", **options}
    )
)
FATES = st.lists(st.sampled_from(["", "refused for the rate", "not sent", "lost before", "lost after"]), max_size=3)
RIVALS = st.sampled_from(["", "", "creates", "describes", "rotates", "deletes"])


@contextmanager
def world(moment: datetime, rotation: dict[str, Any] | None, there: dict[str, Any]) -> Iterator[InnerServer]:
    server = InnerServer(moment)
    try:
        store, control = server.store, Control(server.app)
        for application in (APPLICATION, OTHER):
            control._add_application({"clientId": application, "secrets": there["hand-made secrets"]})
        if rotation is not None:
            # What Infisical made is the second one, or the only one.
            store.data.okta[APPLICATION].secrets[there["hand-made secrets"] % 2 :] = []
            _add(server, clientId=APPLICATION, secretsMapping=dict(MAPPING), **rotation)
        if there["another of the application"]:
            _add(server, name="another", environment="dev", clientId=APPLICATION, lastRotatedAt=0)
        if there["another of the new name"] and not (rotation and rotation["name"] == "okta-new"):
            _add(server, name="okta-new", clientId="0oanew", secretsMapping={"clientId": "N1", "clientSecret": "N2"})
        if there["a secret of the name"] and rotation is None:
            control._add_secret({"secretKey": there["a secret of the name"], "secretValue": "by hand"})
        elif there["a secret of the name"] == "RENAMED":
            control._add_secret({"secretKey": "RENAMED", "secretValue": "by hand"})
        store.add_connection("okta-other", store.first_project().id)
        yield server
    finally:
        server.close()


def _add(server: InnerServer, **wanted: Any) -> None:
    made = add_rotation(server.store, server.app.rotations, wanted)
    server.store.data.rotations[made.id] = made


def ended(result: dict[str, Any]) -> str:
    return str(result.get("reason") or result["outcome"]).replace("would_create", "created").replace(
        "would_update", "updated"
    ).replace("would_delete", "deleted")  # fmt: skip


def rotations_made(server: InnerServer) -> int:
    return sum(rotation.completed for rotation in server.store.data.rotations.values())


@pytest.mark.before_release
@EXAMPLES
@given(MOMENTS, ROTATIONS, SURROUNDINGS, OPTIONS)
def test_check_mode_foretells_the_run(
    moment: datetime, rotation: dict[str, Any] | None, there: dict[str, Any], options: dict[str, Any]
) -> None:
    with world(moment, rotation, there) as server:
        asked = {**PLACE, **options}
        before = server.seen()
        foretold = run(server, asked, check_mode=True)
        assert (server.seen(), server.sent) == (before, [])
        result = run(server, asked)
        refused_by_okta = ("okta_secret_limit", "revocation_failed")
        if result.get("reason") in refused_by_okta:
            # What Okta holds is not to be seen through Infisical.
            assert foretold["outcome"] in ("would_create", "would_delete")
            return
        assert ended(result) == ended(foretold), (result["msg"], foretold["msg"])
        assert result["changed"] == foretold["changed"]
        assert result.get("diff") == foretold.get("diff")
        assert (server.seen() != before) is result["changed"]
        assert len(server.sent) == int(result["changed"])
        made = rotations_made(server)
        if result["outcome"] in ("updated", "unchanged"):
            assert result["rotated"] is bool(made)
        if made:
            assert foretold["rotated"]
            assert options["allow_rotation"]
        _assert_the_second_run_changes_nothing(server, asked, result)


def _assert_the_second_run_changes_nothing(server: InnerServer, asked: dict[str, Any], result: dict[str, Any]) -> None:
    if result["outcome"] in ("failed", "unknown"):
        return
    before = server.seen()
    again = run(server, asked)
    assert again["outcome"] == ("absent" if asked["state"] == "absent" else "unchanged"), again["msg"]
    assert (again["changed"], server.seen(), server.sent) == (False, before, [])


def _rival(server: InnerServer, kind: str) -> None:
    store = server.store
    own = next((each for each in store.data.rotations.values() if each.name == NAME), None)
    if kind == "creates" and own is None:
        _add(server, name=NAME, clientId=APPLICATION, secretsMapping=dict(MAPPING), lastRotatedAt=0, createdAt=0)
    elif own and kind == "describes":
        change_rotation(store, own, {"description": "a rival's"})
    elif own and kind == "rotates":
        server.loop.run_until_complete(server.app.rotations.rotate(own))
    elif own and kind == "deletes":
        del store.data.rotations[own.id]


@pytest.mark.before_release
@EXAMPLES
@given(MOMENTS, ROTATIONS, SURROUNDINGS, OPTIONS, FATES, RIVALS)
def test_no_fault_and_no_rival_makes_it_lie(
    moment: datetime,
    rotation: dict[str, Any] | None,
    there: dict[str, Any],
    options: dict[str, Any],
    fates: list[str],
    rival: str,
) -> None:
    with world(moment, rotation, there) as server:
        server.fates = list(fates)
        server.rivals = [lambda: _rival(server, rival)]
        issued = server.store.data.okta[APPLICATION].created_count
        result = run(server, {**PLACE, **options, "wait_timeout": 20})
        _assert_true(server, options, result, rival)
        if options["state"] == "present" and rival != "creates":
            created = [each for each in server.sent if each.method == "POST" and each.status == 200]
            rotated = rotations_made(server)
            assert server.store.data.okta[APPLICATION].created_count - issued <= len(created) + rotated


def _assert_true(server: InnerServer, options: dict[str, Any], result: dict[str, Any], rival: str) -> None:
    """Written by what the server did, not by what the task knows."""
    worked = [each for each in server.sent if each.status == 200]
    doubtful = [each for each in server.sent if each.fate.startswith("lost")]
    methods = {each.method for each in worked}
    assert len(worked) <= 1, "a request that was worked on was followed by another one"
    assert len(doubtful) <= 1, "after a lost answer another request was sent"
    outcome = result["outcome"]
    there = [each for each in server.store.data.rotations.values() if each.name in (NAME, options.get("new_name"))]
    if outcome == "created":
        assert methods == {"POST"} or rival == "creates"
        assert there
    elif outcome == "updated":
        assert methods == {"PATCH"} or rival == "describes"
    elif outcome == "deleted":
        assert methods == {"DELETE"} or rival == "deletes"
        assert not [each for each in there if each.name == NAME]
    elif outcome in ("unchanged", "absent"):
        assert not worked
    elif outcome == "failed" and result["reason"] != "rotation_failed":
        assert not worked, result["msg"]
    elif outcome == "unknown":
        assert doubtful or result["reason"] == "revocation_failed" or rival != "", result["msg"]
    assert result["changed"] is (outcome in ("created", "updated", "deleted"))
    if not options.get("allow_rotation") and rival != "rotates":
        assert not rotations_made(server), "it rotated, and nobody had allowed it"
    if outcome in ("updated", "unchanged") and rival != "rotates":
        assert result["rotated"] is bool(rotations_made(server))


@pytest.mark.before_release
def test_these_states_come_to_every_end() -> None:
    """Else the two above could hold because nothing ever happens."""
    ends: set[str] = set()

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(MOMENTS, ROTATIONS, SURROUNDINGS, OPTIONS, FATES, RIVALS)
    def tried(moment: Any, rotation: Any, there: Any, options: Any, fates: Any, rival: str) -> None:
        with world(moment, rotation, there) as server:
            server.fates = list(fates)
            server.rivals = [lambda: _rival(server, rival)]
            result = run(server, {**PLACE, **options, "wait_timeout": 20})
            ends.update({ended(result), *(["rotated because of a change"] if result.get("rotated") else [])})

    tried()
    assert ends >= {
        "created",
        "updated",
        "unchanged",
        "deleted",
        "absent",
        "conflict",
        "invalid_arguments",
        "not_changeable",
        "not_found",
        "outcome_unknown",
        "revocation_failed",
        "rotated because of a change",
        "rotation_not_allowed",
    }
