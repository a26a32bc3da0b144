"""An address of the account: whose its captures are, from the decision to what each user sees."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.matcher.directory.people import person_of
from services.timeline.query.setup import Setups
from services.timeline.query.viewer import Viewer
from shared.broker import Delivery
from shared.contracts.events import (
    AuthenticationVerdict,
    DismissalReason,
    Event,
    Half,
    Kind,
    MailAttachedToShares,
    MailDismissedWithShares,
    MailReceived,
    Match,
    Role,
    Share,
)
from shared.contracts.outcomes import Done, Reject
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, claim_key
from tests.fakes import Recorder
from tests.matcher_parts import ACCOUNT, Replica, exists
from tests.timeline_parts import Timeline, a_timeline, attached, match

JOURNAL = """\
From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@team.example
To: {company}
Subject: Report
X-MS-Journal-Report:
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain; charset="utf-8"

Sender: user@team.example
Subject: Hello
Message-Id: <1@team.example>
{recipients}

--b
Content-Type: message/rfc822

{mail}
--b--
"""
MAIL = """\
From: {sender}
To: {to}
Message-ID: <{id}@team.example>
Date: Thu, 15 Jan 2026 09:00:00 +0000
Subject: Hello
{more}
The text.
"""


def mail(
    sender: str = "user@team.example",
    to: str = "cand@mail.example",
    more: str = "",
    id_: str = "1",
) -> bytes:
    return MAIL.format(sender=sender, to=to, more=more, id=id_).replace("\n", "\r\n").encode()


@dataclass
class Company:
    """A matcher and a timeline, and an address of the account."""

    matcher: Replica
    recorder: Recorder
    timeline: Timeline
    address: str = ""

    async def arrives(self, raw: bytes, to: str | None = None) -> list[Event]:
        """Let a mail go all the way; return its outcome."""
        id_ = uuid4()
        claim = claim_key(id_) if len(raw) > CLAIM_CHECK_BYTES else None
        if claim is not None:
            await self.matcher.blobs.put(claim, raw)
        event = MailReceived(
            capture_id=id_,
            capture_address=to or self.address,
            account_tag="x" * 8,
            received_at=datetime.now(UTC),
            door="smtp",
            size=len(raw),
            blob_key=claim,
        )
        before = len(self.recorder.published)
        body = b"" if claim else raw
        assert await self.matcher.match(Delivery(event, body, redelivered=False)) == Done()
        outcome = self.recorder.published[before:]
        for told, carried in outcome:
            for redelivered in (False, True):
                delivery = Delivery(told, carried, redelivered=redelivered)
                assert await self.timeline.projector.handle(delivery) == Done()
        return [told for told, _ in outcome]

    async def sees(self, user: str, *, own_only: bool = False) -> dict[str, set[str]]:
        """Return the subjects that a user sees, by profile."""
        found = {}
        for profile in ("c1", "c2"):
            shown = await self.timeline.timeline(profile, user, own_only=own_only)
            if shown:
                found[profile] = {one.content.subject for one in shown}
        return found

    async def halves(self, user: str) -> tuple[bool, bool]:
        """Return whether each half of a user's set-up has brought something."""
        known = await Setups(self.timeline.database).of(ACCOUNT, user)
        return known.record.sent is not None, known.record.received is not None


@pytest.fixture
async def company(
    matcher: Replica, recorder: Recorder, mongodb_url: str, tmp_path: Path
) -> AsyncIterator[Company]:
    people = [
        ("u2", Kind.USER, ["two@team.example"]),
        ("u3", Kind.USER, ["three@team.example"]),
        ("jobs", Kind.USER, ["jobs@team.example"]),
        ("c2", Kind.CONTACT, ["hidden@mail.example"]),
    ]
    for person_id, kind, addresses in people:
        await matcher.directory.put(ACCOUNT, person_of(person_id, kind, person_id, addresses))
    record, _ = await matcher.addresses.mint_for_account(ACCOUNT, "admin")
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield Company(matcher, recorder, timeline, record.address)


class TestWhoseItIs:
    async def test_every_user_who_takes_part_has_it_and_no_other(self, company: Company) -> None:
        [event] = await company.arrives(mail(more="Cc: two@team.example\n"))
        assert isinstance(event, MailAttachedToShares)
        assert [share.owner for share in event.shares] == ["u1", "u2"]
        for user in ("u1", "u2"):
            assert await company.sees(user, own_only=True) == {"c1": {"Hello"}}
        assert await company.sees("u3", own_only=True) == {}
        assert await company.sees("u3") == {"c1": {"Hello"}}, "the team sees it"
        days = await company.timeline.stats.days(ACCOUNT, date.min, date.max, None)
        assert [day.attached for day in days] == [1], "counted once for all shares"

    async def test_it_proves_the_half_that_each_of_them_took_part_in(
        self, company: Company
    ) -> None:
        await company.arrives(mail(more="Cc: two@team.example\n"))
        assert await company.halves("u1") == (True, False)
        assert await company.halves("u2") == (False, True)
        assert await company.halves("u3") == (False, False)

    async def test_a_shared_mailbox_that_is_registered_as_a_user_has_it(
        self, company: Company
    ) -> None:
        await company.arrives(mail("cand@mail.example", "jobs@team.example"))
        assert await company.sees("jobs", own_only=True) == {"c1": {"Hello"}}

    async def test_with_no_user_taking_part_it_is_dismissed(self, company: Company) -> None:
        [event] = await company.arrives(mail("cand@mail.example", "info@team.example"))
        assert isinstance(event, MailDismissedWithShares)
        assert (event.reason, event.shares) == (DismissalReason.NO_USER, ())
        assert await company.sees("u1") == {}

    async def test_a_dismissed_one_proves_halves_too(self, company: Company) -> None:
        [event] = await company.arrives(mail(to="nobody@x.example, two@team.example"))
        assert isinstance(event, MailDismissedWithShares)
        assert event.reason is DismissalReason.NO_MATCH
        assert await company.halves("u1") == (True, False)
        assert await company.halves("u2") == (False, True)
        assert "nobody@x.example" not in event.encode()

    async def test_beside_a_users_own_capture_it_stays_one_mail(self, company: Company) -> None:
        own, _ = await company.matcher.addresses.mint(ACCOUNT, "u1", "User")
        raw = mail(more="Cc: two@team.example\n")
        await company.arrives(raw, own.address)
        await company.arrives(b"Received: by hub.team.example\r\n" + raw)
        [shown] = await company.timeline.timeline("c1")
        assert {capture.owner for capture in shown.mail.captures} == {"u1", "u2"}
        assert len({capture.content for capture in shown.mail.captures}) == 1

    async def test_a_large_one_goes_all_the_way_and_leaves_no_claim(self, company: Company) -> None:
        raw = mail(more="Cc: two@team.example\n") + b"x" * CLAIM_CHECK_BYTES
        [event] = await company.arrives(raw)
        assert isinstance(event, MailAttachedToShares)
        assert event.blob_key
        assert not await exists(company.timeline.blobs, event.blob_key)
        assert await company.sees("u2", own_only=True) == {"c1": {"Hello"}}


class TestBcc:
    async def test_a_profile_in_bcc_is_shown_to_the_sender_alone(self, company: Company) -> None:
        raw = mail(more="Cc: two@team.example\nBcc: hidden@mail.example\n")
        await company.arrives(raw)
        assert await company.sees("u1") == {"c1": {"Hello"}, "c2": {"Hello"}}
        assert await company.sees("u2") == {"c1": {"Hello"}}
        assert await company.sees("u2", own_only=True) == {"c1": {"Hello"}}
        assert await company.sees("u3") == {"c1": {"Hello"}}

    async def test_where_bcc_alone_names_a_profile_its_other_recipients_have_no_share(
        self, company: Company
    ) -> None:
        await company.arrives(mail(to="two@team.example", more="Bcc: hidden@mail.example\n"))
        assert await company.sees("u1") == {"c2": {"Hello"}}
        assert await company.sees("u2") == await company.sees("u3") == {}
        assert await company.halves("u2") == (False, True), "it proves a half all the same"

    async def test_no_other_user_gets_bytes_that_name_it(self, company: Company) -> None:
        await company.arrives(
            mail("cand@mail.example", "two@team.example", "Bcc: hidden@mail.example\n")
        )
        [shown] = await company.timeline.timeline("c1", "u2")
        assert b"hidden" not in await company.timeline.raw(shown.content)
        assert await company.sees("u2") == {"c1": {"Hello"}}


class TestJournal:
    def report(self, company: Company, inner: bytes, recipients: str) -> bytes:
        text = JOURNAL.format(company=company.address, recipients=recipients, mail="@@")
        head, _, tail = text.replace("\n", "\r\n").encode().partition(b"@@")
        return head + inner + tail

    async def test_a_report_is_unwrapped_and_its_true_recipients_count(
        self, company: Company
    ) -> None:
        lines = "To: cand@mail.example\nBcc: hidden@mail.example\n"
        lines += "To: two@team.example, Expanded: staff@team.example"
        [event] = await company.arrives(self.report(company, mail(), lines))
        assert isinstance(event, MailAttachedToShares)
        assert [share.owner for share in event.shares] == ["u1", "u2"]
        assert await company.sees("u1") == {"c1": {"Hello"}, "c2": {"Hello"}}
        assert await company.sees("u2") == {"c1": {"Hello"}}
        [shown] = await company.timeline.timeline("c1")
        assert await company.timeline.raw(shown.content) == mail()

    async def test_beside_a_capture_of_the_mail_itself_it_stays_one(self, company: Company) -> None:
        own, _ = await company.matcher.addresses.mint(ACCOUNT, "u1", "User")
        await company.arrives(mail(), own.address)
        await company.arrives(self.report(company, mail(), "To: cand@mail.example"))
        [shown] = await company.timeline.timeline("c1")
        assert [capture.owner for capture in shown.mail.captures] == ["u1"]

    async def test_a_large_report_leaves_no_claim(self, company: Company) -> None:
        inner = mail() + b"x" * CLAIM_CHECK_BYTES
        raw = self.report(company, inner, "To: cand@mail.example")
        [event] = await company.arrives(raw)
        assert isinstance(event, MailAttachedToShares)
        assert event.size == len(inner)
        assert event.blob_key
        assert not await exists(company.timeline.blobs, event.blob_key)
        assert await company.sees("u1") == {"c1": {"Hello"}}

    async def test_at_a_users_own_address_it_is_not_unwrapped(self, company: Company) -> None:
        own, _ = await company.matcher.addresses.mint(ACCOUNT, "u1", "User")
        await company.arrives(self.report(company, mail(), "To: cand@mail.example"), own.address)
        assert all("Hello" not in subjects for subjects in (await company.sees("u1")).values())

    async def test_one_without_its_mail_is_a_dead_letter(self, company: Company) -> None:
        raw = b"From: x@team.example\r\nX-MS-Journal-Report:\r\n\r\nTo: cand@mail.example\r\n"
        event = MailReceived(
            capture_id=uuid4(),
            capture_address=company.address,
            account_tag="x" * 8,
            received_at=datetime.now(UTC),
            door="smtp",
            size=len(raw),
        )
        delivery = Delivery(event, raw, redelivered=False)
        assert await company.matcher.match(delivery) == Reject("unreadable_journal_report")


def shared(*matches: Match, part: int = 1, parts: int = 1, **options: Any) -> MailAttachedToShares:
    """Return the event of a mail that its sender, a recipient and a mere user have a share in."""
    event = attached(*matches, part=part, parts=parts, **options)
    same = {
        name: getattr(event, name) for name in MailAttachedToShares.model_fields if name != "shares"
    }
    shares = (
        Share(owner="u1", sent_by_owner=True, sees_bcc=True, half=Half.SENT),
        Share(owner="u2", half=Half.RECEIVED),
        Share(owner="u3", matched=False, half=Half.RECEIVED),
    )
    return MailAttachedToShares(**same, shares=shares)


class TestWhatWaits:
    async def test_it_waits_for_all_of_its_owners_and_comes_back_for_all(
        self, company: Company
    ) -> None:
        timeline = company.timeline
        await timeline.settings.set_quarantine(ACCOUNT, "failed")
        event = shared(
            match(),
            match("c2", "hidden@mail.example", Role.BCC),
            verdict=AuthenticationVerdict.FAILED,
        )
        raw = mail(more="Bcc: hidden@mail.example\n")
        for _ in range(2):
            delivery = Delivery(event, raw, redelivered=False)
            assert await timeline.projector.handle(delivery) == Done()
        assert await timeline.tally() == {"attached": 0, "quarantined": 1}
        assert await company.sees("u1") == await company.sees("u2") == {}
        page = await timeline.quarantine.page(Viewer(ACCOUNT, "u1"), 200, None)
        held = await timeline.quarantine.one(Viewer(ACCOUNT, "u1"), page.items[0].id)
        assert held
        await timeline.release.release(held)
        assert await timeline.tally() == {"attached": 1}
        assert await company.sees("u1") == {"c1": {"Hello"}, "c2": {"Hello"}}
        assert await company.sees("u2", own_only=True) == {"c1": {"Hello"}}
        assert not await timeline.quarantine.one(Viewer(ACCOUNT, "u1"), held.id)


class TestParts:
    async def test_the_claim_stays_until_all_parts_are_there(self, company: Company) -> None:
        timeline = company.timeline
        first = shared(match(), claim=True, parts=2)
        second = first.model_copy(
            update={"part": 2, "matches": (match("c2", "hidden@mail.example", Role.BCC),)}
        )
        assert first.blob_key
        await timeline.blobs.put(first.blob_key, mail(more="Bcc: hidden@mail.example\n"))
        for event, stays in ((first, True), (second, False), (second, False), (first, False)):
            delivery = Delivery(event, b"", redelivered=False)
            assert await timeline.projector.handle(delivery) == Done()
            assert await exists(timeline.blobs, first.blob_key) is stays
        assert await timeline.tally() == {"attached": 1}
        assert await company.sees("u1") == {"c1": {"Hello"}, "c2": {"Hello"}}
        assert await company.sees("u2") == {"c1": {"Hello"}}
        assert await company.halves("u3") == (False, True), "without a match it proves a half"
