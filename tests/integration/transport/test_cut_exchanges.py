# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exchange that is cut at every single byte of the request and of its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from integration.transport.framing_cases import chunked, until_close
from support import truths
from support.raw_peer import LOGIN, READ, ROTATE, Ending, Reply, Step, with_length
from support.truths import TRUTHS, Run, Stage, Truth

pytestmark = pytest.mark.uncounted

#: Closed at every byte. A reset looks the same wherever it comes, and at every byte before a release.
ENDINGS = [
    pytest.param(Ending.CLOSE, 1, id="closed"),
    pytest.param(Ending.RESET, 3, id="reset"),
    pytest.param(Ending.RESET, 1, id="reset at every byte", marks=pytest.mark.before_release),
]
every_ending = pytest.mark.parametrize(("ending", "every"), ENDINGS)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with truths.stage(tmp_path_factory.mktemp("temporary")) as stage:
        yield stage


def cut(place: int, ending: Ending, reply: Reply = with_length, times: int = 0) -> Step:
    """Met with the first bytes of the right answer."""

    def pieces(answer: bytes) -> Iterable[bytes]:
        return (answer[:place],)

    return Step(reply, ending=ending, pieces=pieces, times=times)


def false_at(runs: Iterable[tuple[int, Run]], truth: Truth) -> list[str]:
    """Where the truth does not hold: each kind of untruth once, with the places where it was seen."""
    seen: dict[tuple[str, ...], list[int]] = {}
    for place, done in runs:
        problems = tuple(done.problems(truth))
        if problems:
            seen.setdefault(problems, []).append(place)
    return [f"{len(at)} times from byte {at[0]} to {at[-1]}: {'; '.join(what)}" for what, at in seen.items()]


def places(exchanged: bytes, every: int) -> list[int]:
    """Before the first byte, and so on to before the last one. The end of a framing is left out in no case."""
    last = range(max(0, len(exchanged) - 8), len(exchanged))
    return sorted({*range(0, len(exchanged), every), *last})


@every_ending
@pytest.mark.parametrize(
    ("reply", "step"), [(with_length, 1), (chunked, 7), (until_close, 7)], ids=["length", "one chunk", "until close"]
)
def test_the_answer_to_the_request(stage: Stage, reply: Reply, step: int, ending: Ending, every: int) -> None:
    answer = stage.run({ROTATE: Step(reply, ending=Ending.CLOSE)}).world.answers[ROTATE]
    at = [*places(answer, step * every), len(answer)]
    runs = ((place, stage.run({ROTATE: cut(place, ending, reply)})) for place in at)
    assert false_at(runs, TRUTHS["the request to rotate was done, and its answer is cut"]) == []


@pytest.mark.before_release
@every_ending
def test_the_request(stage: Stage, ending: Ending, every: int) -> None:
    request = stage.run({}).world.requests[ROTATE]
    scripts = ((place, {ROTATE: Step(ending=ending, reads=place)}) for place in places(request, every))
    runs = ((place, stage.run(script, wait_timeout=0)) for place, script in scripts)
    assert false_at(runs, TRUTHS["the request to rotate is cut before its end"]) == []
    whole = stage.run({ROTATE: Step(ending=ending, reads=len(request))})
    assert whole.problems(TRUTHS["the request to rotate is cut at its end"]) == []


@pytest.mark.before_release
@every_ending
@pytest.mark.parametrize(("reply", "step"), [(with_length, 1), (chunked, 7)], ids=["length", "one chunk"])
def test_the_answer_to_the_first_reading(stage: Stage, reply: Reply, step: int, ending: Ending, every: int) -> None:
    answer = stage.run({READ: Step(reply)}).world.answers[READ]
    at = places(answer, step * every)
    runs = [(place, stage.run({READ: cut(place, ending, reply, times=1)})) for place in at]
    assert false_at(runs, TRUTHS["the answer to the first reading is cut, the second one is whole"]) == []
    # Where only the very last line end is missing, all is there that was to be read.
    assert {done.count(READ) for place, done in runs if place < len(answer) - 2} == {2}


@every_ending
def test_the_answer_to_the_login(stage: Stage, ending: Ending, every: int) -> None:
    at = places(stage.run({}, logs_in=True).world.answers[LOGIN], every)
    runs = [(place, stage.run({LOGIN: cut(place, ending)}, logs_in=True)) for place in at]
    assert false_at(runs, TRUTHS["the answer to the login is cut"]) == []
    assert {tuple(done.world.seen) for _place, done in runs} == {(LOGIN,)}
