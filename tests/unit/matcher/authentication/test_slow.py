"""Slow DNS holds up few captures, and nobody else's."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from services.matcher.authentication import Authenticator
from services.matcher.authentication.slow import Bounds, SlowLimiter
from services.matcher.decision.decide import Attach
from services.matcher.decision.judge import Judgement
from services.matcher.resolver import NoAnswer, Resolver
from shared.contracts.events import Direction, Kind, MailReceived, Match, Role
from shared.mail.headers import read_header_block
from tests.deadline import DEADLINE
from tests.signed import letter, signed, zone

MATCH = Match(person_id="c1", kind=Kind.CANDIDATE, address="c@x.example", role=Role.TO)
ATTACH = Attach((MATCH,), Direction.INBOUND)
BOUNDS = Bounds(all=12, account=8, organisation=4, large=1, quick=0.02)
ONE_DEADLINE = 60.0
"""Of a capture: longer than any test waits."""


class Names:
    """A resolver: mail.test answers at once, what ends with slow.test never."""

    def __init__(self) -> None:
        self.known = zone("mail.test")
        self.waiting = 0

    async def text(self, name: str) -> list[str]:
        if "slow" in name:
            self.waiting += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.waiting -= 1
        return self.known.get(name, [])


class Matcher:
    """Authenticates captures, many at a time."""

    def __init__(self) -> None:
        self.names, self.places = Names(), SlowLimiter(BOUNDS)
        resolver = cast(Resolver, self.names)
        self.authenticator = Authenticator(resolver, ONE_DEADLINE, slow_limiter=self.places)
        self.tasks: list[asyncio.Task[Any]] = []

    async def verdict(self, sender: str, account: str, *, large: bool = False) -> tuple[str, Any]:
        raw = (
            signed(letter(f"a@{sender}"), sender)
            if sender == "mail.test"
            else letter(f"a@{sender}")
        )
        received = MailReceived(
            capture_id=uuid4(),
            capture_address="a@in.satchel.test",
            account_tag=account,
            received_at=datetime.now(UTC),
            door="smtp",
            size=len(raw),
            blob_key="claims/x" if large else None,
        )
        mail = Judgement("", read_header_block(raw), ATTACH, (), ())

        async def whole() -> bytes:
            return raw

        found = await self.authenticator.of_capture(received, mail, [mail], whole)
        return found[""].verdict.value, found[""].reason

    async def flood(
        self, count: int, account: str, sender: str = "s{}-slow.test", **how: Any
    ) -> int:
        """Let so many mails with slow names come; return how many of them are waited for."""
        some = [
            asyncio.create_task(self.verdict(sender.format(n), account, **how))
            for n in range(count)
        ]
        self.tasks += some
        while sum(not task.done() for task in some) > BOUNDS.account:
            await asyncio.sleep(0.01)
        await asyncio.sleep(10 * BOUNDS.quick)
        for task in some:
            if task.done():
                assert task.result() == ("unverified", "dns")
        return sum(not task.done() for task in some)

    async def __aenter__(self) -> "Matcher":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_a_flood_of_slow_names_is_waited_for_in_a_few_places() -> None:
    async with asyncio.timeout(DEADLINE), Matcher() as matcher:
        assert await matcher.flood(40, "acme") == BOUNDS.account
        assert await matcher.flood(40, "globex") == BOUNDS.all - BOUNDS.account
        assert len(matcher.places) == BOUNDS.all
        assert await matcher.verdict("mail.test", "acme") == ("verified", None)
        assert await matcher.verdict("mail.test", "quiet") == ("verified", None)
    assert len(matcher.places) == matcher.names.waiting == 0


async def test_one_sending_organisation_leaves_places_to_others() -> None:
    async with asyncio.timeout(DEADLINE), Matcher() as matcher:
        assert await matcher.flood(20, "acme", "s{}.slow.test") == BOUNDS.organisation
        rest = BOUNDS.account - BOUNDS.organisation
        assert await matcher.flood(20, "acme", "other{}-slow.test") == rest


async def test_of_large_mails_one_waits() -> None:
    async with asyncio.timeout(DEADLINE), Matcher() as matcher:
        assert await matcher.flood(10, "acme", large=True) == BOUNDS.large


async def test_quick_answers_take_no_place_however_many_come_at_once() -> None:
    async with asyncio.timeout(DEADLINE), Matcher() as matcher:
        await matcher.flood(40, "acme")
        found = await asyncio.gather(*(matcher.verdict("mail.test", "acme") for _ in range(100)))
    assert set(found) == {("verified", None)}


async def test_places_are_given_back_and_nothing_is_remembered() -> None:
    places = SlowLimiter(BOUNDS)

    async def never(_: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    for _ in range(3 * BOUNDS.account):
        async with places.patience(never, "acme", {"slow.test"}, is_large=True) as patience:
            asking = asyncio.create_task(patience.ask("x.slow.test"))
            async with asyncio.timeout(DEADLINE):
                while not len(places):
                    await asyncio.sleep(BOUNDS.quick)
            asking.cancel()
        assert len(places) == 0
    assert places._taken == {}


async def test_an_answer_that_fails_is_told_as_it_is() -> None:
    async def fails(name: str) -> list[str]:
        raise NoAnswer(name)

    async with SlowLimiter(BOUNDS).patience(fails, "acme", (), is_large=False) as patience:
        with pytest.raises(NoAnswer):
            await patience.ask("x.test")
