# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state logic on a clock of its own: nothing here waits."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.clock import Clock, iso
from simulator.errors import ApiError
from simulator.limits import RateLimiter
from simulator.model import Identity, Rotation
from simulator.okta import OktaSecret
from simulator.rotations import Rotations
from simulator.schedule import next_after_failure, next_after_success
from simulator.seed import add_rotation, seed
from simulator.store import Store
from simulator.tokens import Tokens

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc).timestamp()


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.freeze(NOON)
        self.store = Store(self.clock)
        self.rotations = Rotations(self.store, self.sleep)
        seed(self.store, self.rotations)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    @property
    def rotation(self) -> Rotation:
        return next(iter(self.store.data.rotations.values()))

    @property
    def identity(self) -> Identity:
        return self.store.first_identity()

    def okta(self) -> list[OktaSecret]:
        return self.store.data.okta[self.rotation.parameters["clientId"]].secrets

    def mapped(self) -> tuple[str, int]:
        name = self.rotation.secretsMapping["clientSecret"]
        secret = next(s for s in self.store.data.secrets.values() if s.secretKey == name)
        return secret.secretValue, secret.version

    def rotate(self) -> ApiError | None:
        try:
            asyncio.run(self.rotations.rotate(self.rotation))
        except ApiError as problem:
            return problem
        return None


@pytest.fixture
def world() -> World:
    return World()


def test_a_second_rotation_takes_away_the_secret_from_before_the_first(world: World) -> None:
    first = world.okta()[0].client_secret
    assert world.rotate() is None
    assert world.okta()[0].client_secret == first
    second = world.okta()[1].client_secret
    assert world.rotate() is None
    assert [s.client_secret for s in world.okta()] == [second, world.mapped()[0]]
    assert first not in [s.client_secret for s in world.okta()]


@given(times=st.integers(min_value=1, max_value=12))
def test_slots_alternate_and_okta_never_holds_more_than_two(times: int) -> None:
    world = World()
    for number in range(1, times + 1):
        assert world.rotate() is None
        assert world.rotation.activeIndex == number % 2
        assert len(world.okta()) == 2
        active = world.rotation.generatedCredentials[world.rotation.activeIndex]
        assert world.mapped() == (active.clientSecret, number + 1)
    assert world.rotation.completed == times


def test_the_first_rotation_clears_a_stranger_and_later_ones_cannot(world: World) -> None:
    client_id = world.rotation.parameters["clientId"]
    world.rotations.okta.create(client_id)
    assert world.rotate() is None
    lost = world.rotation.generatedCredentials[0].secretId
    world.store.data.okta[client_id].secrets = [s for s in world.okta() if s.id != lost]
    world.rotations.okta.create(client_id)
    problem = world.rotate()
    assert problem is not None
    assert "You must have only a single secret for the Okta app" in problem.message


def test_a_lost_answer_leaves_an_orphan_that_blocks_every_further_rotation(world: World) -> None:
    assert world.rotate() is None
    world.store.data.oktaFailures["createdButAnswerLost"] = 1
    first = world.rotate()
    assert first is not None
    assert "socket hang up" in first.message
    for _unused in range(2):
        problem = world.rotate()
        assert problem is not None
        assert "only a single secret" in problem.message
    orphans = {s.id for s in world.okta()} - {c.secretId for c in world.rotation.generatedCredentials}
    assert len(orphans) == 1
    world.rotations.okta.remove(world.rotation.parameters["clientId"], orphans.pop())
    assert world.rotate() is None


def test_a_failure_touches_neither_the_last_rotation_nor_the_active_slot(world: World) -> None:
    before = (world.rotation.lastRotatedAt, world.rotation.activeIndex, world.mapped())
    world.store.data.oktaFailures["rateLimited"] = 1
    problem = world.rotate()
    assert problem is not None
    assert problem.status == 500
    assert (world.rotation.lastRotatedAt, world.rotation.activeIndex, world.mapped()) == before
    assert world.rotation.rotationStatus == "failed"
    assert world.rotation.lastRotationAttemptedAt == world.store.now()
    assert world.rotation.nextRotationAt == datetime(2026, 3, 11, tzinfo=timezone.utc).timestamp()


def test_a_failed_removal_leaves_an_inactive_secret_for_the_next_try(world: World) -> None:
    world.rotate()
    world.store.data.oktaFailures["removeError"] = 1
    assert world.rotate() is not None
    assert sorted(s.status for s in world.okta()) == ["ACTIVE", "INACTIVE"]
    assert world.rotate() is None


def test_a_late_failure_has_rotated_all_the_same(world: World) -> None:
    world.store.settings.lateFailure = 1
    problem = world.rotate()
    assert problem is not None
    assert problem.status == 500
    assert world.rotation.lastRotatedAt == world.store.now()
    assert (world.rotation.activeIndex, world.rotation.rotationStatus) == (1, "failed")
    assert world.mapped()[0] == world.okta()[1].client_secret


def test_the_lock_refuses_early_and_expires_after_a_minute(world: World) -> None:
    world.rotations.acquire(world.rotation.id)
    problem = world.rotate()
    assert problem is not None
    assert (problem.status, world.rotation.rotationStatus) == (400, "success")
    world.clock.advance(60)
    assert world.rotate() is None


def test_the_loser_of_a_race_marks_the_rotation_failed(world: World) -> None:
    world.rotations.acquire(world.rotation.id, hidden=True)
    problem = world.rotate()
    assert problem is not None
    assert problem.status == 500
    assert problem.message.endswith("Failed to acquire rotation lock.")
    assert world.rotation.rotationStatus == "failed"


def test_two_at_once_can_both_pass_the_early_check(world: World) -> None:
    world.store.settings.lockRaceSeconds = 1
    world.store.settings.rotationSeconds = 2

    async def both() -> list[Any]:
        calls = (world.rotations.rotate(world.rotation) for _unused in range(2))
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(both())
    assert sorted(isinstance(result, ApiError) for result in results) == [False, True]
    assert world.rotation.completed == 1


def test_a_rotation_longer_than_its_lock_may_end_as_a_failure_after_success(world: World) -> None:
    world.store.settings.rotationSeconds = 90
    world.store.settings.expiredLockFails = True
    assert world.rotate() is not None
    assert (world.rotation.completed, world.rotation.rotationStatus) == (1, "failed")


def test_long_failure_texts_are_cut(world: World) -> None:
    problem = world.rotations.fail(world.rotation, "x" * 2000)
    assert len(problem.message) == 1024
    assert problem.message.endswith("...")


moments = st.integers(1_700_000_000, 1_900_000_000).map(lambda second: datetime.fromtimestamp(second, tz=timezone.utc))
hours, minutes = st.integers(0, 23), st.integers(0, 59)


@given(last=moments, days=st.integers(1, 400), hour=hours, minute=minutes, manual=st.booleans())
def test_next_rotation_after_success(last: datetime, days: int, hour: int, minute: int, manual: bool) -> None:
    planned = next_after_success(
        last.timestamp(), interval_days=days, hours=hour, minutes=minute, manual=manual, auto=True
    )
    assert planned is not None
    moment = datetime.fromtimestamp(planned, tz=timezone.utc)
    assert (moment.hour, moment.minute, moment.second) == (hour, minute, 0)
    late = manual and (last.hour, last.minute) >= (hour, minute)
    assert moment.date() == (last + timedelta(days=days + late)).date()


@given(last=moments, hour=hours, minute=minutes)
def test_next_rotation_after_failure_is_tomorrow(last: datetime, hour: int, minute: int) -> None:
    moment = datetime.fromtimestamp(next_after_failure(last.timestamp(), hours=hour, minutes=minute), tz=timezone.utc)
    assert moment.date() == (last + timedelta(days=1)).date()
    assert (moment.hour, moment.minute) == (hour, minute)


def test_without_automatic_rotation_nothing_is_planned(world: World) -> None:
    world.rotation.isAutoRotationEnabled = False
    world.rotate()
    assert world.rotation.nextRotationAt is None


@given(milliseconds=st.integers(0, 4_000_000_000_000))
def test_moments_have_three_decimals(milliseconds: int) -> None:
    text = iso(milliseconds / 1000)
    assert text.endswith("Z")
    assert len(text.rsplit(".", 1)[1]) == 4
    assert round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000) == milliseconds


def _refusal(tokens: Tokens, text: str) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        tokens.caller(f"Bearer {text}")
    return caught.value.status, caught.value.message


def test_a_token_ends_with_its_ttl(world: World) -> None:
    tokens = Tokens(world.store)
    token = tokens.issue(world.identity, "universal-auth", ttl=60, maxTTL=60)
    world.clock.advance(59)
    assert tokens.caller(f"Bearer {token.accessToken}") is not None
    world.clock.advance(1)
    assert _refusal(tokens, token.accessToken) == (403, "Your token has expired. Please re-authenticate.")


@given(limit=st.integers(1, 5))
def test_a_token_ends_with_its_uses(limit: int) -> None:
    world = World()
    tokens = Tokens(world.store)
    token = tokens.issue(world.identity, "token-auth", numUsesLimit=limit)
    for _unused in range(limit):
        assert tokens.caller(f"Bearer {token.accessToken}") is not None
    assert _refusal(tokens, token.accessToken) == (401, "Failed to authorize: token usage limit reached")


def test_a_renewed_token_does_not_outlive_its_maximum(world: World) -> None:
    tokens = Tokens(world.store)
    token = tokens.issue(world.identity, "universal-auth", ttl=60, maxTTL=90)
    world.clock.advance(50)
    renewed = tokens.renew(token.accessToken)
    assert renewed["expiresIn"] == 40
    world.clock.advance(41)
    assert _refusal(tokens, renewed["accessToken"])[0] == 403


def test_the_older_server_kills_a_token_that_it_does_not_renew(world: World) -> None:
    world.store.settings.generation = "old"
    tokens = Tokens(world.store)
    token = tokens.issue(world.identity, "universal-auth", ttl=60, maxTTL=60)
    with pytest.raises(ApiError, match="past its Max TTL"):
        tokens.renew(token.accessToken)
    assert _refusal(tokens, token.accessToken) == (401, "No identity access token found")


def test_rate_limit_windows_follow_the_clock(world: World) -> None:
    limiter = RateLimiter(world.store.now)
    limiter.switch({"read": 2, "window": 10})
    assert limiter.check("GET /a", "read", "::1")["x-ratelimit-remaining"] == "1"
    limiter.check("GET /a", "read", "::1")
    with pytest.raises(ApiError) as caught:
        limiter.check("GET /a", "read", "::1")
    assert caught.value.headers["retry-after"] == "10"
    limiter.check("GET /a", "read", "127.0.0.1")
    limiter.check("GET /b", "read", "::1")
    world.clock.advance(10)
    limiter.check("GET /a", "read", "::1")


def test_the_state_survives_a_file(world: World) -> None:
    world.rotate()
    token = Tokens(world.store).issue(world.identity, "token-auth")
    other = Store(world.clock)
    other.load(world.store.dump())
    assert other.dump() == world.store.dump()
    assert Tokens(other).caller(f"Bearer {token.accessToken}") is not None
    assert next(iter(other.data.rotations.values())).generatedCredentials == world.rotation.generatedCredentials


def test_many_rotations_keep_their_okta_apps_apart(world: World) -> None:
    for number in range(5):
        mapping = {"clientId": f"ID_{number}", "clientSecret": f"SECRET_{number}"}
        add_rotation(world.store, world.rotations, {"name": f"r-{number}", "secretsMapping": mapping})
    assert len({r.parameters["clientId"] for r in world.store.data.rotations.values()}) == 6
    assert all(len(app.secrets) == 1 for app in world.store.data.okta.values())
