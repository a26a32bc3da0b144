"""Bounces mark the mail that they are about, in whatever order and for whomever may see them."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.timeline.admin.reprocess import Reprocess
from services.timeline.api.shapes import MailOut
from services.timeline.query.people import Directory
from services.timeline.query.viewer import Viewer
from services.timeline.write.people import People
from shared.broker import Delivery
from shared.contracts.events import (
    Direction,
    Kind,
    MailAttached,
    Match,
    PersonChanged,
    Role,
    Source,
)
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

CAND = "cand@mail.example"
_versions = itertools.count(1)


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        await user(timeline, "u1", "user@team.example", "User@Home.example")
        await user(timeline, "u2", "other@team.example")
        yield timeline


async def user(timeline: Timeline, person_id: str, *addresses: str) -> None:
    changed = PersonChanged(
        account=ACCOUNT,
        person_id=person_id,
        version=next(_versions),
        kind=Kind.USER,
        name=person_id,
        addresses=addresses,
    )
    await People(timeline.database).handle(Delivery(changed, b"", redelivered=False))


def reported(address: str = CAND, role: Role = Role.TO, person_id: str = "c1") -> Match:
    return Match(
        person_id=person_id,
        kind=Kind.CANDIDATE,
        address=address,
        role=role,
        source=Source.DELIVERY_REPORT,
    )


def by_report(*matches: Match, owner: str = "u1", minutes: int = 1) -> MailAttached:
    event = attached(*(matches or (reported(),)), owner=owner, minutes=minutes)
    return event.model_copy(update={"direction": Direction.INBOUND})


def report(*recipients: str, of: str = "1@x", action: str = "failed", number: int = 1) -> bytes:
    groups = "\r\n".join(
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        for recipient in recipients or (CAND,)
    )
    return (
        "From: MAILER-DAEMON@mx.team.example\r\nTo: user@team.example\r\n"
        f"Subject: Undelivered\r\nMessage-ID: <report{number}@mx>\r\n"
        "Date: Thu, 15 Jan 2026 09:00:05 +0000\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\n{groups}"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{of}>\r\n--b--\r\n"
    ).encode()


async def marks(timeline: Timeline, viewer: str = "u1", *, own_only: bool = False) -> Any:
    """The addresses that the candidate's mails are marked with, by Message-ID."""
    shown = await timeline.timeline(viewer=viewer, own_only=own_only)
    mails = [MailOut.of(mail) for mail in shown]
    return {mail.message_id: [b.address for b in mail.bounced] for mail in mails}


@pytest.mark.parametrize("bounce_first", [False, True])
async def test_a_bounce_marks_the_mail_whichever_comes_first(
    timeline: Timeline, bounce_first: bool
) -> None:
    both = [(attached(), mail()), (by_report(), report())]
    for event, raw in reversed(both) if bounce_first else both:
        await timeline.handle(event, raw)
    assert await marks(timeline) == {"1@x": [CAND], "report1@mx": []}
    [conversation] = await timeline.conversations()
    assert conversation.row.mail_count == 2


async def test_a_bounce_shows_whom_it_names(timeline: Timeline) -> None:
    await timeline.handle(by_report(), report(CAND, "nobody@x.example"))
    [shown] = await timeline.timeline()
    out = MailOut.of(shown)
    assert out.auto == "bounce"
    assert [(m.address, m.role, m.source) for m in out.matches] == [
        (CAND, Role.TO, Source.DELIVERY_REPORT)
    ]
    people = [(p.address, p.role, p.source) for p in shown.content.participants]
    assert people == [
        ("MAILER-DAEMON@mx.team.example", "from", "header"),
        ("user@team.example", "to", "header"),
        (CAND, "to", "delivery_report"),
        ("nobody@x.example", "to", "delivery_report"),
    ]


async def test_a_delay_marks_nothing_and_names_nobody(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    await timeline.handle(by_report(match()), report(action="delayed"))
    assert await marks(timeline) == {"1@x": [], "report1@mx": []}
    [delay] = [m for m in await timeline.timeline() if m.content.auto == "delay"]
    assert all(p.source == "header" for p in delay.content.participants)


class TestOnlyMailOfItsOwner:
    """A bounce marks what the owner of its capture sent, and nothing else."""

    async def test_a_colleagues_mail_is_not_marked(self, timeline: Timeline) -> None:
        raw = mail(sender="other@team.example", to=f"{CAND}, user@team.example")
        await timeline.handle(attached(owner="u1"), raw)  # u1 was in Cc
        await timeline.handle(by_report(owner="u1"), report())
        assert await marks(timeline) == {"1@x": [], "report1@mx": []}

    async def test_it_is_marked_by_the_bounce_of_who_sent_it(self, timeline: Timeline) -> None:
        raw = mail(sender="other@team.example")
        await timeline.handle(attached(owner="u1"), raw)
        await timeline.handle(attached(owner="u2"), raw)
        await timeline.handle(by_report(owner="u2"), report())
        assert await marks(timeline) == {"1@x": [CAND], "report1@mx": []}

    @pytest.mark.parametrize("sender", ["user@home.example", "USER@TEAM.EXAMPLE"])
    async def test_any_address_of_the_owner_will_do(self, timeline: Timeline, sender: str) -> None:
        await timeline.handle(attached(), mail(sender=sender))
        await timeline.handle(by_report(), report())
        assert (await marks(timeline))["1@x"] == [CAND]

    async def test_internationalised_domains_compare_in_one_form(self, timeline: Timeline) -> None:
        await user(timeline, "u1", "user@bücher.example")
        sent = mail(sender="user@xn--bcher-kva.example", to="cand@xn--mller-kva.example")
        await timeline.handle(attached(), sent)
        await timeline.handle(by_report(), report("cand@müller.example"))
        assert (await marks(timeline))["1@x"] == ["cand@müller.example"]

    @pytest.mark.parametrize(
        ("said", "marked"), [(True, [CAND]), (False, []), (None, [])], ids=["yes", "no", "unsaid"]
    )
    async def test_what_the_matcher_says_needs_no_directory(
        self, timeline: Timeline, said: bool | None, marked: list[str]
    ) -> None:
        event = attached(owner="u9").model_copy(update={"sent_by_owner": said})
        await timeline.handle(event, mail())
        await timeline.handle(by_report(owner="u9"), report())
        assert (await marks(timeline))["1@x"] == marked

    async def test_what_the_matcher_says_is_stronger_than_the_directory(
        self, timeline: Timeline
    ) -> None:
        event = attached().model_copy(update={"sent_by_owner": False})
        await timeline.handle(event, mail())
        await timeline.handle(by_report(), report())
        assert (await marks(timeline))["1@x"] == []

    async def test_a_mail_that_came_in_is_not_marked(self, timeline: Timeline) -> None:
        inbound = attached().model_copy(update={"direction": Direction.INBOUND})
        await timeline.handle(inbound, mail())
        await timeline.handle(by_report(), report())
        assert (await marks(timeline))["1@x"] == []

    async def test_whom_it_was_not_sent_to_marks_nothing(self, timeline: Timeline) -> None:
        await timeline.handle(attached(), mail())
        await timeline.handle(by_report(), report("somebody@else.example"))
        assert (await marks(timeline))["1@x"] == []


class TestWhoSees:
    """The mark is seen by whoever may know of the bounce."""

    async def test_with_visibility_team_a_colleague_sees_the_mark(self, timeline: Timeline) -> None:
        await timeline.handle(attached(owner="u1"), mail())
        await timeline.handle(by_report(owner="u1"), report())
        assert (await marks(timeline, "u2"))["1@x"] == [CAND]

    async def test_with_visibility_owner_another_owners_bounce_marks_nothing(
        self, timeline: Timeline
    ) -> None:
        raw = mail(to=f"{CAND}, other@team.example")
        await timeline.handle(attached(owner="u1"), raw)
        await timeline.handle(attached(owner="u2"), raw)
        await timeline.handle(by_report(owner="u1"), report())
        assert await marks(timeline, "u1", own_only=True) == {"1@x": [CAND], "report1@mx": []}
        assert await marks(timeline, "u2", own_only=True) == {"1@x": []}

    async def test_who_was_in_bcc_is_the_owners_to_know(self, timeline: Timeline) -> None:
        hidden = "hidden@mail.example"
        by_bcc = match("c2", hidden, Role.BCC)
        await timeline.handle(attached(match(), by_bcc, owner="u1"), mail(bcc=hidden))
        bounce = by_report(reported(hidden, Role.BCC, "c2"), owner="u1")
        await timeline.handle(bounce, report(hidden))
        assert await marks(timeline, "u1") == {"1@x": [hidden]}
        assert await marks(timeline, "u2") == {"1@x": []}
        assert [m.mail.message_id for m in await timeline.timeline("c2", "u1")] == [
            "report1@mx",
            "1@x",
        ]
        assert await timeline.timeline("c2", "u2") == []


async def test_a_page_asks_the_directory_once_and_only_about_old_captures_with_bounces(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    named = Directory.named

    async def counted(directory: Directory, account: str, ids: Any) -> Any:
        asked.append(set(ids))
        return await named(directory, account, ids)

    monkeypatch.setattr(Directory, "named", counted)
    for number in range(3):
        await timeline.handle(attached(minutes=number), mail(message_id=f"{number}@x"))
    await timeline.timeline()
    assert asked == [set()], "without a bounce no look-up is made"
    for number in range(3):
        raw = report(of=f"{number}@x", number=number)
        await timeline.handle(by_report(minutes=number), raw)
    asked.clear()
    assert (await marks(timeline))["2@x"] == [CAND]
    assert asked == [{"u1"}]
    said = attached(match("c2", CAND)).model_copy(update={"sent_by_owner": True})
    await timeline.handle(said, mail(message_id="said@x"))
    await timeline.handle(by_report(reported(person_id="c2")), report(of="said@x", number=9))
    asked.clear()
    assert [MailOut.of(m).bounced != [] for m in await timeline.timeline("c2")] == [False, True]
    assert asked == [set()], "the matcher has said it"


async def test_a_bounce_that_was_stored_before_is_read_again(timeline: Timeline) -> None:
    await timeline.handle(attached(), mail())
    await timeline.handle(by_report(match()), report())
    await timeline.database["bounces"].delete_many({})  # as a reader that knew none left it
    assert (await marks(timeline))["1@x"] == []
    reprocess = Reprocess(timeline.writer, timeline.database, timeline.blobs)
    _, _, tally = await reprocess.begin(include_current=True)
    assert await reprocess.run(asyncio.Event(), lambda _: None, tally)
    assert (await marks(timeline))["1@x"] == [CAND]
    one = await timeline.mails.one(Viewer(ACCOUNT, "u1"), (await timeline.timeline())[0].mail.id)
    assert one is not None
    assert [p.source for p in one.content.participants][-1] == "delivery_report"
