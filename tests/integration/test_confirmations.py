"""Forwarding confirmations in a real database: for a day, with their verdict."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.timeline.query.confirmations import Confirmations, is_doubtful
from shared.broker import Delivery
from shared.contracts.events import Authentication, AuthenticationVerdict, MailConfirmation
from shared.contracts.outcomes import Done
from tests.timeline_parts import Timeline, a_timeline

NOW = datetime.now(UTC).replace(microsecond=0)
FAILED = Authentication(verdict=AuthenticationVerdict.FAILED, domain="google.com", reason="policy")


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def question(**more: Any) -> Delivery:
    given: dict[str, Any] = {"received_at": NOW, "code": "304298959", **more}
    event = MailConfirmation(
        capture_id=uuid4(),
        account="acme",
        owner="u1",
        capture_address="a@in.satchel.test",
        decided_at=NOW,
        provider="gmail",
        **given,
    )
    return Delivery(event, b"", redelivered=False)


async def test_a_confirmation_is_shown_for_24_hours(timeline: Timeline) -> None:
    confirmations = Confirmations(timeline.database)
    for delivery in (question(authentication=FAILED), question(link="https://x.example/")):
        assert await timeline.projector.handle(delivery) == Done()
    last = NOW + timedelta(hours=24) - timedelta(seconds=1)
    shown = await confirmations.of("acme", "u1", now=last)
    assert [one.authentication and one.authentication.reason for one in shown] in (
        ["policy", None],
        [None, "policy"],
    )
    assert await confirmations.of("acme", "u1", now=last + timedelta(seconds=1)) == []
    assert await confirmations.of("acme", "u2", now=last) == []
    assert await confirmations.of("other", "u1", now=last) == []


VERIFIED = Authentication(
    verdict=AuthenticationVerdict.VERIFIED, domain="google.com", method="dkim"
)


@pytest.mark.parametrize("word", ["failed", "unverified"])
async def test_forged_ones_push_none_out_that_is_the_providers(
    timeline: Timeline, word: str
) -> None:
    forged = Authentication(verdict=AuthenticationVerdict(word), reason="dns")
    await timeline.projector.handle(question(authentication=VERIFIED, code="100000000"))
    await timeline.projector.handle(
        question(authentication=VERIFIED, code="100000001", received_at=NOW + timedelta(seconds=1))
    )
    for number in range(22):
        later = NOW + timedelta(seconds=2 + number)
        given = question(authentication=forged, code=f"2000000{number:02}", received_at=later)
        assert await timeline.projector.handle(given) == Done()
    shown = await Confirmations(timeline.database).of("acme", "u1", now=NOW + timedelta(hours=1))
    assert [one.code for one in shown[:3]] == ["100000001", "100000000", "200000021"]
    assert len({one.code for one in shown}) == 22, "no two are taken for one"
    assert [is_doubtful(one) for one in shown] == [False] * 2 + [True] * 20


async def test_without_authentication_the_newest_are_first_and_none_is_doubtful(
    timeline: Timeline,
) -> None:
    for number in range(2):
        later = NOW + timedelta(seconds=number)
        await timeline.projector.handle(question(code=f"10000000{number}", received_at=later))
    shown = await Confirmations(timeline.database).of("acme", "u1", now=NOW + timedelta(hours=1))
    assert [(one.code, is_doubtful(one)) for one in shown] == [
        ("100000001", False),
        ("100000000", False),
    ]
