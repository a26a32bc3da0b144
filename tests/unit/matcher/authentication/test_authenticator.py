"""The verdicts about a whole capture: forwards, enclosed mails, old mail, and no time for any."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from services.matcher.authentication import Authenticator
from services.matcher.authentication.authenticator import Verdicts
from services.matcher.decision.decide import Attach
from services.matcher.decision.judge import Judgement
from services.matcher.resolver import Resolver
from shared.contracts.events import Direction, Forwarded, Kind, MailReceived, Match, Named, Role
from shared.mail.headers import read_header_block
from tests.deadline import DEADLINE
from tests.mails import enclosing
from tests.signed import letter, signed, zone

MATCH = Match(person_id="c1", kind=Kind.CANDIDATE, address="c@x.example", role=Role.TO)
ATTACH = Attach((MATCH,), Direction.INBOUND)
FORWARDED = Forwarded(sender=Named(name="", address="original@other.test"))
NAMES = zone("mail.test")


class Names:
    """A resolver that knows the keys of mail.test."""

    slow = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def text(self, name: str) -> list[str]:
        self.asked.append(name)
        if self.slow:
            await asyncio.Event().wait()
        return NAMES.get(name, [])


async def verdicts(
    raw: bytes,
    names: Names,
    *,
    forwarded: Forwarded | None = None,
    enclosed: bytes | None = None,
    backfill: bool = False,
    seconds: float = 4,
) -> dict[str, tuple[str, str | None, str | None]]:
    """Return verdict, reason and domain of each mail of a capture, by place."""
    found = await all_verdicts(
        raw, names, forwarded=forwarded, enclosed=enclosed, backfill=backfill, seconds=seconds
    )
    return {place: (a.verdict.value, a.reason, a.domain) for place, a in found.items()}


async def all_verdicts(
    raw: bytes,
    names: Names,
    *,
    forwarded: Forwarded | None = None,
    enclosed: bytes | None = None,
    backfill: bool = False,
    seconds: float = 4,
) -> Verdicts:
    """Return the verdicts about a capture."""
    received = MailReceived(
        capture_id=uuid4(),
        backfill=backfill,
        capture_address="a@in.satchel.test",
        account_tag="x" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=len(raw),
    )
    mails = [Judgement("", read_header_block(raw), ATTACH, (), (), forwarded)]
    if enclosed is not None:
        header = read_header_block(enclosed)
        mails.append(Judgement("1", header, ATTACH, (), (), raw=enclosed))
    authenticator = Authenticator(cast(Resolver, names), seconds)

    async def whole() -> bytes:
        return raw

    return await authenticator.of_capture(received, mails[0], mails, whole)


def wrapped(inner: bytes) -> bytes:
    headers, body = enclosing([inner.decode().removesuffix("\r\n")])
    return letter(headers=headers, body=body)


async def test_of_an_inline_forward_the_forwarders_signature_verifies_nothing() -> None:
    raw = signed(letter())
    forward = await verdicts(raw, Names(), forwarded=FORWARDED)
    assert forward == {"": ("unverified", "forwarded", "mail.test")}
    raw = raw.replace(b"Hello.", b"Hullo.")
    assert await verdicts(raw, Names(), forwarded=FORWARDED) == {
        "": ("failed", "altered", "mail.test")
    }


async def test_an_enclosed_mail_is_verified_by_its_own_signature_and_cannot_fail_by_it() -> None:
    inner = signed(letter())
    raw = signed(wrapped(inner))
    found = await verdicts(raw, Names(), enclosed=inner)
    assert found["1"] == ("verified", None, "mail.test")
    inner = inner.replace(b"Hello.", b"Hullo.")
    found = await verdicts(signed(wrapped(inner)), Names(), enclosed=inner)
    assert found["1"] == ("unverified", "enclosed", "mail.test")


async def test_all_that_a_failed_mail_encloses_has_failed() -> None:
    inner = signed(letter())
    raw = signed(wrapped(inner)).replace(b"See below.", b"See beyond")
    found = await verdicts(raw, Names(), enclosed=inner)
    assert {word for word, *_ in found.values()} == {"failed"}


@pytest.mark.parametrize(
    ("options", "reason"), [({"backfill": True}, "old_mail"), ({"seconds": 0}, "not_checked")]
)
async def test_nothing_is_asked_about_old_mail_nor_when_it_is_turned_off(
    options: Any, reason: str
) -> None:
    names = Names()
    assert await verdicts(signed(letter()), names, **options) == {"": ("unverified", reason, None)}
    assert names.asked == []


async def test_a_mail_is_never_late_for_its_verdict() -> None:
    names = Names()
    names.slow = True
    async with asyncio.timeout(DEADLINE):
        found = await verdicts(signed(letter()), names, seconds=0.1)
    assert found == {"": ("unverified", "dns", None)}


@pytest.mark.parametrize(("seconds", "verdict"), [(4, "verified"), (0, None)])
async def test_of_a_providers_question_the_provider_is_verified(
    seconds: float, verdict: str | None
) -> None:
    raw = signed(letter())
    received = MailReceived(
        capture_id=uuid4(),
        capture_address="a@in.satchel.test",
        account_tag="x" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=len(raw),
    )
    seems_to_forward = Judgement("", read_header_block(raw), ATTACH, (), (), FORWARDED)

    async def whole() -> bytes:
        return raw

    authenticator = Authenticator(cast(Resolver, Names()), seconds)
    found = await authenticator.of_question(received, seems_to_forward, whole)
    assert [one.verdict.value for one in found.values()] == ([verdict] if verdict else [])
    found = await authenticator.of_question(
        received, seems_to_forward, whole, is_from_provider=False
    )
    assert [one.reason for one in found.values()] == (["other_domain"] if verdict else [])


@pytest.mark.parametrize("is_signed", [True, False])
async def test_who_forwards_is_told_beside_what_is_forwarded(is_signed: bool) -> None:
    inner = signed(letter())
    outer = signed(wrapped(inner)) if is_signed else wrapped(inner)
    word = "verified" if is_signed else "unverified"
    inline = signed(letter()) if is_signed else letter()
    for found in (
        await all_verdicts(outer, Names(), enclosed=inner),
        await all_verdicts(inline, Names(), forwarded=FORWARDED),
    ):
        assert found.forwarder is not None
        assert found.forwarder.verdict.value == word
    plain = await all_verdicts(signed(letter()), Names())
    assert plain.forwarder is None


async def test_a_mail_that_is_enclosed_beyond_the_bounds_is_still_enclosed() -> None:
    names = Names()
    names.slow = True
    found = await all_verdicts(signed(wrapped(letter())), names, enclosed=letter(), seconds=0.1)
    assert found["1"].reason == "enclosed"
    assert found.forwarder is not None
    assert found.forwarder.reason == "dns"
