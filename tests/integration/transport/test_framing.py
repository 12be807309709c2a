# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever legal HTTP an answer is written in, to whichever request: the task ends as with the plainest answer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from integration.transport.framing_cases import FRAMINGS, HANDLINGS, PIECES, is_possible
from support import truths
from support.raw_peer import LOGIN, READ, READ_AFTER, REVOKE, ROTATE, Ending, Script, Step
from support.truths import TRUTHS, Stage

TRUTH = TRUTHS["any request, answered in any legal framing"]
LOST = Step(lambda body, fields: b"", ending=Ending.CLOSE)
EVERY = (LOGIN, READ, ROTATE, REVOKE)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with truths.stage(tmp_path_factory.mktemp("temporary")) as stage:
        yield stage


def scripts(step: Step) -> dict[str, Script]:
    """By the request that is met so. There is a reading after the request only when its answer is lost."""
    return {
        **{which: {which: step} for which in EVERY},
        READ_AFTER: {ROTATE: LOST, READ_AFTER: step},
        "every request": dict.fromkeys(EVERY, step),
    }


def problems(stage: Stage, step: Step, *which: str) -> list[str]:
    found = []
    for request, script in scripts(step).items():
        if request in which:
            done = stage.run(script, logs_in=LOGIN in script or REVOKE in script)
            said = [*done.problems(TRUTH), *(f"warned {warning!r}" for warning in done.warnings)]
            found += [f"{request}: {what} ({done.result['msg']})" for what in said]
    return found


@pytest.mark.parametrize(
    ("framing", "handling"), [pair for pair in product(FRAMINGS, HANDLINGS) if is_possible(*pair)], ids=str
)
@pytest.mark.uncounted
def test_every_framing_is_understood_however_the_connection_ends(stage: Stage, framing: str, handling: str) -> None:
    fields, ending = HANDLINGS[handling]
    # Before and after it everything is plain: here what an answer leaves in the connection meets a plain one.
    alone = (LOGIN, READ, REVOKE) if handling in ("kept", "closed, said") else ()
    assert problems(stage, Step(FRAMINGS[framing], fields, ending), ROTATE, READ_AFTER, "every request", *alone) == []


@pytest.mark.parametrize("pieces", ["around line ends", "within characters"])
@pytest.mark.parametrize("framing", [name for name in FRAMINGS if name != "chunks of one byte"])
def test_pieces_do_not_matter(stage: Stage, framing: str, pieces: str) -> None:
    ending = Ending.KEEP if is_possible(framing, "kept") else Ending.CLOSE
    assert problems(stage, Step(FRAMINGS[framing], (), ending, PIECES[pieces]), ROTATE, "every request") == []


@pytest.mark.parametrize("handling", ["kept", "closed, said"])
@pytest.mark.parametrize(
    "framing", ["length", "length, 1.0", "many chunks", "103 before chunks", "gzip in chunks", "chunk extensions"]
)
def test_byte_by_byte(stage: Stage, framing: str, handling: str) -> None:
    fields, ending = HANDLINGS[handling]
    step = Step(FRAMINGS[framing], fields, ending, PIECES["byte by byte"])
    assert stage.run({ROTATE: step}).problems(TRUTH) == []


def test_a_truth_that_is_not_so_is_found(stage: Stage) -> None:
    """The judge itself: a second rotation, by whomever, is no right end."""
    done = stage.run({})
    assert done.problems(TRUTH) == []
    done.world.seen.append(ROTATE)
    done.world.work(ROTATE)
    done.world.rotation["lastRotatedAt"] = "later"
    assert [problem.partition(":")[0] for problem in done.problems(TRUTH)] == [
        "requests to rotate",
        "rotations",
        "lastRotatedAt in the result",
    ]
