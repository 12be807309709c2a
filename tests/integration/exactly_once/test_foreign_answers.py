# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else answers, or nobody whole: one request to rotate, and the truth about what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from integration.exactly_once.foreign_cases import FOREIGN, Foreign, other_json
from support import truths
from support.raw_peer import LOGIN, READ, READ_AFTER, REVOKE, ROTATE, Ending, Step, with_length
from support.truths import TRIED_AGAIN, TRUTHS, Stage, Truth

pytestmark = pytest.mark.uncounted

LOST = Step(lambda body, fields: b"", ending=Ending.CLOSE)
every_foreign_answer = pytest.mark.parametrize("case", FOREIGN.values(), ids=FOREIGN)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with truths.stage(tmp_path_factory.mktemp("temporary")) as stage:
        yield stage


def step(case: Foreign, **more: Any) -> Step:
    return Step(case.reply, ending=case.ending, **more)


@every_foreign_answer
def test_after_the_work(stage: Stage, case: Foreign) -> None:
    done = stage.run({ROTATE: step(case)})
    assert done.problems(TRUTHS["the request to rotate was done, and something else answers"]) == []


@every_foreign_answer
def test_without_the_work(stage: Stage, case: Foreign) -> None:
    done = stage.run({ROTATE: step(case, works=False)}, wait_timeout=1)
    assert done.problems(TRUTHS["the request to rotate was not done, and something else answers"]) == []
    assert done.count(READ_AFTER) > 1


@every_foreign_answer
def test_after_the_work_and_to_every_reading(stage: Stage, case: Foreign) -> None:
    done = stage.run({ROTATE: LOST, READ_AFTER: step(case)}, wait_timeout=1)
    assert done.problems(TRUTHS["the request to rotate was done, and something else answers for ever"]) == []


@every_foreign_answer
def test_to_the_reading(stage: Stage, case: Foreign) -> None:
    done = stage.run({READ: step(case)}, logs_in=True)
    assert done.problems(TRUTHS["something else answers the reading or the login"], *case.reasons) == []
    if done.ends != "rate_limited":
        assert done.count(READ) == (3 if done.ends in TRIED_AGAIN else 1)


@every_foreign_answer
def test_to_the_login(stage: Stage, case: Foreign) -> None:
    done = stage.run({LOGIN: step(case)}, logs_in=True)
    assert done.problems(TRUTHS["something else answers the reading or the login"], *case.reasons) == []
    # Three refused ones lock the identity, and what was refused cannot be known. A rate limit refuses no credentials.
    if done.ends != "rate_limited":
        assert done.count(LOGIN) == 1


@every_foreign_answer
def test_to_the_revocation(stage: Stage, case: Foreign) -> None:
    done = stage.run({REVOKE: step(case)}, logs_in=True)
    assert done.problems(TRUTHS["something else answers the revocation"]) == []
    assert len(done.warnings) <= 1


SURROGATE = "cut in the midst of \ud83d"
ODD_ROTATIONS: dict[str, dict[str, Any]] = {
    "a lone surrogate in the message": {"lastRotationMessage": SURROGATE},
    "a lone surrogate in the name": {"name": SURROGATE},
    "a lone surrogate in an unknown key": {SURROGATE: {SURROGATE: [SURROGATE]}},
    "control characters": {"description": "\x1b[31m\x00\x9b\u2028"},
    "a message that is a number": {"lastRotationMessage": 5},
    "a message that is an object": {"lastRotationMessage": {"a": [SURROGATE]}},
    "not a number": {"rotationInterval": float("nan")},
    "a number beyond all": {"rotationInterval": 10**400},
}


@pytest.mark.parametrize("answers", ["in time", "lost"])
@pytest.mark.parametrize("odd", ODD_ROTATIONS.values(), ids=ODD_ROTATIONS)
def test_what_is_odd_in_a_rotation_overturns_nothing(stage: Stage, odd: dict[str, Any], answers: str) -> None:
    done = stage.run({ROTATE: LOST} if answers == "lost" else {}, **odd)
    assert done.problems(TRUTHS["any request, answered in any legal framing"]) == []


def refusal(status: int, **body: Any) -> Step:
    said = {"reqId": "req-1", "statusCode": status, "error": "Odd", "message": "No.", **body}
    return Step(other_json(f"{status} Odd", said), works=False)


@pytest.mark.parametrize(
    ("step", "ends"),
    [
        (refusal(422, message=[{"path": 5, "message": SURROGATE}, {"path": [None, 1]}, 7]), "request_rejected"),
        (refusal(400, message={"a": SURROGATE}, error=SURROGATE), "request_rejected"),
        (refusal(404, message=None, reqId=SURROGATE), "not_found"),
        (refusal(500, message=SURROGATE), "outcome_unknown"),
        (refusal(500, message=[SURROGATE], error=SURROGATE), "outcome_unknown"),
    ],
    ids=["path is a number", "message is an object", "message is null", "cut message", "cut list"],
)
def test_what_is_odd_in_a_refusal_is_still_a_refusal(stage: Stage, step: Step, ends: str) -> None:
    done = stage.run({ROTATE: step}, wait_timeout=2)
    assert done.problems(Truth(ends, changed=False, posts=1, rotations=0)) == []


def test_a_second_answer_that_nobody_asked_for_is_not_taken_for_the_next(stage: Stage) -> None:
    page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
    done = stage.run({READ: Step(lambda body, fields: with_length(body, fields, after=page))})
    assert done.problems(TRUTHS["any request, answered in any legal framing"]) == []
