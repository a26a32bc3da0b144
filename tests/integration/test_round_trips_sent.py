"""Challenges that are sent: on request, and every week."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.matcher.round_trip.proving import TooManyToday
from services.matcher.round_trip.records import MAX_FAILURES, PER_DAY
from services.matcher.round_trip.repeating import LEASE, Repeating
from shared.contracts.events import (
    MailRoundTrip,
    RoundTripResult,
    RoundTripState,
)
from shared.runtime.relay import RelayAway, RelayRefused
from shared.storage.database import Database
from shared.storage.lease import Lease
from tests.matcher_parts import ACCOUNT
from tests.round_trip_parts import OWN, RoundTripParts, let_a_week_pass, repeater


class TestSending:
    async def test_eight_a_day_however_many_ask_at_once(self, parts: RoundTripParts) -> None:
        async def ask() -> bool:
            try:
                await parts.prove()
            except TooManyToday:
                return False
            return True

        assert sum(await asyncio.gather(*(ask() for _ in range(3 * PER_DAY)))) == PER_DAY
        assert len(parts.relay.sent) == PER_DAY
        await parts.prove("u2", "other@team.example")

    async def test_what_the_relay_could_not_take_is_not_counted(
        self, parts: RoundTripParts
    ) -> None:
        parts.relay.failure = RelayAway("away")
        for _ in range(PER_DAY + 1):
            with pytest.raises(RelayAway):
                await parts.prove()
        assert (await parts.told()).state is RoundTripState.FAILED
        parts.relay.failure = None
        await parts.prove()

    async def test_an_address_that_the_relay_refuses_is_told_at_once(
        self, parts: RoundTripParts
    ) -> None:
        parts.relay.failure = RelayRefused("5.1.1 <user@team.example>: User unknown")
        assert (await parts.proving.send(ACCOUNT, "u1", OWN)).is_refused
        told = await parts.told()
        assert (told.state, told.status) == (RoundTripState.BOUNCED, "5.1.1")

    async def test_who_is_deleted_is_forgotten_and_so_for_the_timeline(
        self, parts: RoundTripParts, database: Database
    ) -> None:
        challenge = await parts.prove()
        before = (await parts.told()).version
        await parts.matcher.round_trips.forget(ACCOUNT, ["u1"])
        told = await parts.told()
        assert told.state is RoundTripState.FORGOTTEN
        assert told.version > before
        assert told.address is None
        assert await database["challenges"].count_documents({}) == 0
        assert OWN not in str(await database["round_trips"].find().to_list())
        outcome = await parts.arrives(challenge)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.STALE


class TestRepeating:
    @pytest.fixture
    def repeating(self, parts: RoundTripParts, database: Database) -> Repeating:
        return repeater(parts, database)

    async def test_a_proven_forward_is_tested_every_week_by_one_replica(
        self, parts: RoundTripParts, database: Database, repeating: Repeating
    ) -> None:
        await parts.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await parts.arrives(await parts.prove())
        await repeating.send_due()
        assert len(parts.relay.sent) == 1, "it is not due"
        await let_a_week_pass(database)
        other = repeater(parts, database)
        await asyncio.gather(repeating.send_due(), other.send_due())
        assert len(parts.relay.sent) == 2
        told = await parts.told()
        assert (told.state, told.repeated) == (RoundTripState.SENT, True)

    async def test_an_account_that_did_not_ask_and_a_user_without_a_forward_get_none(
        self, parts: RoundTripParts, database: Database, repeating: Repeating
    ) -> None:
        await parts.arrives(await parts.prove())
        await let_a_week_pass(database)
        await repeating.send_due()
        assert len(parts.relay.sent) == 1
        await parts.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await database["round_trips"].delete_many({})
        await parts.prove()  # and it never came back
        await let_a_week_pass(database)
        await repeating.send_due()
        assert len(parts.relay.sent) == 2

    async def test_a_dead_forward_is_tested_three_times_more(
        self, parts: RoundTripParts, database: Database, repeating: Repeating
    ) -> None:
        await parts.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await parts.arrives(await parts.prove())
        for _ in range(MAX_FAILURES + 2):
            await let_a_week_pass(database)
            await repeating.send_due()
        assert len(parts.relay.sent) == 1 + MAX_FAILURES
        await parts.arrives(parts.relay.sent[-1][0])  # it is alive again
        await let_a_week_pass(database)
        await repeating.send_due()
        assert len(parts.relay.sent) == 2 + MAX_FAILURES

    async def test_while_the_relay_is_away_nothing_counts_as_a_dead_forward(
        self, parts: RoundTripParts, database: Database, repeating: Repeating
    ) -> None:
        await parts.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await parts.arrives(await parts.prove())
        parts.relay.failure = RelayAway("away")
        for _ in range(MAX_FAILURES + 2):
            await let_a_week_pass(database)
            await repeating.send_due()
        parts.relay.failure = None
        await let_a_week_pass(database)
        await repeating.send_due()
        assert (await parts.told()).state is RoundTripState.SENT

    async def test_a_lease_that_is_not_renewed_goes_to_another(self, database: Database) -> None:
        now = datetime.now(UTC)
        one, two = (Lease(database, "x", LEASE) for _ in range(2))
        assert await one.held(now)
        assert await one.held(now)
        assert not await two.held(now)
        assert await two.held(now + timedelta(hours=1))
        assert not await one.held(now + timedelta(hours=1))
        await two.release()
        assert await one.held(now)
        await two.release()
        assert not await two.held(now), "who has no lease releases none"
