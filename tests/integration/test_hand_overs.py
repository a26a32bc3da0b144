"""A leaver's captures that go to another user, with a real database, and replicas that die."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.timeline.admin.hand_overs import HandingOver, HandOverDesk
from services.timeline.query.audit_log import AuditLog
from services.timeline.query.people import Directory
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.people import People
from services.timeline.write.records import Mail
from services.timeline.write.side_records import HandOverJob
from services.timeline.write.stored import from_document
from services.timeline.write.writer import Writer
from shared.broker import Delivery
from shared.contracts.events import (
    AuthenticationVerdict,
    Kind,
    MailAttached,
    PersonChanged,
    PersonDeleted,
    Role,
)
from shared.storage.database import connect
from tests.deadline import DEADLINE
from tests.marks import in_full
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

SHORT = timedelta(milliseconds=20)


class Replica:
    """A timeline of its own, as far as it hands over."""

    def __init__(self, url: str, timeline: Timeline) -> None:
        self.client = connect(url, "test")
        database = self.client[timeline.database.name]
        self.writer = Writer(self.client, database, timeline.blobs)
        self.part = HandingOver(database, self.writer, every_seconds=0.01, lease=SHORT, batch=3)
        self.run = asyncio.create_task(self.part.run())

    async def kill(self) -> None:
        """Let it die where it is: nothing is finished, and its lease stays."""
        left = {self.run, *self.writer._tasks}
        while left:  # what is just done with waiting takes no notice of the first
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.05)
        await self.client.close()  # as the server finds out: what was open is aborted

    async def end(self) -> None:
        self.part.stop()
        await self.run
        await self.writer.close()
        await self.client.close()


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        people = People(timeline.database)
        for user in ("u1", "u2", "u3"):
            await people.handle(Delivery(a_user(user), b"", redelivered=False))
        yield timeline


def a_user(user: str) -> PersonChanged:
    return PersonChanged(
        account=ACCOUNT,
        person_id=user,
        version=1,
        kind=Kind.USER,
        name=user,
        addresses=(f"{user}@team.example",),
    )


def desk(timeline: Timeline) -> HandOverDesk:
    return HandOverDesk(timeline.client, timeline.database, Directory(timeline.database))


async def ask(timeline: Timeline, from_: str = "u1", to: str = "u2") -> HandOverJob:
    job = await desk(timeline).ask(ACCOUNT, "admin", from_, to)
    assert isinstance(job, HandOverJob)
    return job


async def handed_over(timeline: Timeline, from_: str = "u1", to: str = "u2") -> HandOverJob:
    job = await ask(timeline, from_, to)
    await HandingOver(timeline.database, timeline.writer).once()
    return await now(timeline, job)


async def now(timeline: Timeline, job: HandOverJob) -> HandOverJob:
    found = await desk(timeline).hand_overs.one(ACCOUNT, job.id)
    assert found is not None
    return found


async def done(timeline: Timeline, job: HandOverJob) -> HandOverJob:
    async with asyncio.timeout(DEADLINE):
        while (found := await now(timeline, job)).state != "done":
            await asyncio.sleep(0.01)
    return found


def own(user: str) -> Viewer:
    return Viewer(ACCOUNT, user, own_only=True)


async def owners(timeline: Timeline) -> list[str]:
    found = [from_document(Mail, one) for one in await timeline.database.mails.find().to_list()]
    return sorted(capture.owner for one in found for capture in one.captures)


async def seen(timeline: Timeline, user: str, *, own_only: bool = True) -> object:
    """Return all that a user sees of whatever is there."""
    viewer = Viewer(ACCOUNT, user, own_only)
    profiles = {}
    for person in ("c1", "c2"):
        mails = (await timeline.mails.profile_timeline(viewer, person, 200, None)).items
        profiles[person] = [
            (
                shown.mail.id,
                [match_.person_id for match_ in shown.matches],
                [entry.address for capture in shown.mail.captures for entry in capture.bcc],
            )
            for shown in mails
        ]
    hits = await timeline.search.hits(viewer, parse_query("text"), 200, None)
    inbox = await timeline.conversations(user, own_only=own_only)
    return (
        profiles,
        [(item.row.conversation, item.row.mail_count) for item in inbox],
        sorted(hits.conversations),
    )


async def written(timeline: Timeline, count: int = 9) -> list[tuple[MailAttached, bytes]]:
    """Write mails of u1, some with a Bcc, some that colleagues have, too."""
    events = []
    for n in range(count):
        hidden = [match("c2", "other@mail.example", Role.BCC)] if n % 2 else []
        bcc = "other@mail.example" if n % 2 else ""
        matches = hidden if n % 4 == 3 else [match(), *hidden]
        events.append((attached(*matches), mail(f"{n}", message_id=f"{n}@x", bcc=bcc)))
        if n % 3 == 0:
            events.append((attached(owner="u3"), mail(f"{n}", message_id=f"{n}@x")))
    for event, raw in events:
        await timeline.handle(event, raw)
    return events


async def test_the_new_owner_sees_all_that_the_leaver_saw_and_nobody_else_more(
    timeline: Timeline,
) -> None:
    events = await written(timeline)
    before, colleague = await seen(timeline, "u1"), await seen(timeline, "u3")
    team = await seen(timeline, "u3", own_only=False)
    mine = len({raw for event, raw in events if event.owner == "u1"})
    job = await handed_over(timeline)
    assert (job.state, job.mails, job.failed) == ("done", mine, 0)
    assert await seen(timeline, "u2") == before
    assert await seen(timeline, "u1") == ({"c1": [], "c2": []}, [], [])
    assert await seen(timeline, "u3") == colleague
    assert await seen(timeline, "u3", own_only=False) == team
    assert not any(item.unread for item in await timeline.conversations("u2", own_only=True))
    [line] = (await AuditLog(timeline.database).page(ACCOUNT, 5, None)).items
    assert (line.who, line.what, line.kind, line.mail_id) == (
        "admin",
        "handed_over",
        "captures",
        None,
    )
    assert (line.owner, line.new_owner) == ("u1", "u2")


async def test_who_is_no_user_gets_nothing_and_nobody_gives_what_is_not_there(
    timeline: Timeline,
) -> None:
    people = People(timeline.database)
    gone = PersonDeleted(account=ACCOUNT, person_id="u3", version=2)
    await people.handle(Delivery(gone, b"", redelivered=False))
    at_desk = desk(timeline)
    assert await at_desk.ask(ACCOUNT, "admin", "u1", "u1") == "same"
    assert await at_desk.ask(ACCOUNT, "admin", "u1", "u3") == "not_a_user"
    assert await at_desk.ask(ACCOUNT, "admin", "u1", "u9") == "not_a_user"
    assert await at_desk.ask(ACCOUNT, "admin", "u9", "u1") == "unknown"
    assert await at_desk.ask("globex", "admin", "u1", "u2") == "not_a_user"
    job = await ask(timeline, "u3", "u2")
    assert (await ask(timeline, "u3", "u2")).id == job.id
    assert (await handed_over(timeline, "u3", "u2")).mails == 0
    assert (await ask(timeline, "u3", "u2")).id != job.id
    assert await desk(timeline).hand_overs.one("globex", job.id) is None


async def test_hand_overs_of_an_account_are_done_in_the_order_of_asking(timeline: Timeline) -> None:
    await written(timeline)
    first, second = await ask(timeline, "u1", "u3"), await ask(timeline, "u3", "u2")
    await HandingOver(timeline.database, timeline.writer, batch=2).once()
    assert {(await now(timeline, job)).state for job in (first, second)} == {"done"}
    assert {*await owners(timeline)} == {"u2"}


async def test_what_waits_is_given_too_and_shown_by_a_yes(timeline: Timeline) -> None:
    await timeline.settings.set_quarantine(ACCOUNT, "failed")
    await timeline.handle(attached(verdict=AuthenticationVerdict.FAILED), mail())
    job = await handed_over(timeline)
    assert (job.mails, job.held) == (0, 1)
    [listed] = (await timeline.quarantine.page(own("u2"), 10, None)).items
    assert (await timeline.quarantine.page(own("u1"), 10, None)).items == []
    held = await timeline.quarantine.one(own("u2"), listed.id)
    assert held is not None
    await timeline.release.release(held)
    assert await owners(timeline) == ["u2"]


@pytest.mark.parametrize("seed", [0, *in_full(1, 2)])
async def test_replicas_race_and_die_beside_live_mail_and_nothing_is_lost_or_doubled(
    mongodb_url: str, timeline: Timeline, seed: int
) -> None:
    chance = random.Random(seed)
    events = await written(timeline, 24)
    before, mine = await seen(timeline, "u1"), sum(e.owner == "u1" for e, _ in events)
    job = await ask(timeline)
    replicas = [Replica(mongodb_url, timeline) for _ in range(2)]
    killed = 0
    for given in range(2, mine - 4, 4):
        async with asyncio.timeout(DEADLINE):
            while (await now(timeline, job)).mails < given:
                await asyncio.sleep(chance.random() / 100)
        killed += (await now(timeline, job)).state == "running"
        await replicas.pop(chance.randrange(2)).kill()
        replicas.append(Replica(mongodb_url, timeline))
        event, raw = chance.choice(events)
        await timeline.projector.handle(Delivery(event, raw, redelivered=True))
    assert killed > 1
    found = await done(timeline, job)
    for replica in replicas:
        await replica.end()
    # What was delivered again before it was given has not been given yet; all else is counted once.
    assert found.mails == mine
    for event, raw in events:
        await timeline.projector.handle(Delivery(event, raw, redelivered=True))
    assert "u1" not in await owners(timeline)
    assert await seen(timeline, "u2") == before
    tally = await timeline.tally()
    assert tally == {"attached": len(events)}
