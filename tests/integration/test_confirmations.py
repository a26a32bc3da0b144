"""Forwarding confirmations in a real database: for a day, with their verdict."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.timeline.query.confirmations import Confirmations
from shared.broker import Delivery
from shared.events import Authentication, AuthenticationVerdict, MailConfirmation
from shared.outcomes import Done
from tests.timeline_parts import Timeline, a_timeline

NOW = datetime.now(UTC).replace(microsecond=0)
FAILED = Authentication(verdict=AuthenticationVerdict.FAILED, domain="google.com", reason="policy")


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def question(**more: Any) -> Delivery:
    event = MailConfirmation(
        capture_id=uuid4(),
        account="acme",
        owner="u1",
        capture_address="a@in.satchel.test",
        received_at=NOW,
        decided_at=NOW,
        provider="gmail",
        code="304298959",
        **more,
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
