"""The audit: what was accepted, held against what is there. It names what is missing, no more."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pymongo import AsyncMongoClient

from dev.ports import free_port
from services.timeline.admin.audit import Finding
from services.timeline.admin.audit import command as room
from services.timeline.admin.audit.blobs import SWEEP_AGE, BlobAudit
from services.timeline.admin.audit.captures import CaptureAudit, Period
from services.timeline.admin.reprocess import Reprocess
from services.timeline.content.reader import ReadMail, read
from services.timeline.settings import TimelineSettings
from services.timeline.write import consumer
from services.timeline.write.records import RAW_IN_DATABASE_BYTES
from shared.contracts.capture_id import capture_id
from shared.contracts.receipts import RECEIPT_PREFIX, Receipt, encode
from shared.runtime.mistake import Mistake
from shared.storage.blob_keys import claim_key
from shared.storage.database import Document
from tests.timeline_parts import Timeline, a_timeline, attached, dismissed, mail

NOW = datetime.now(UTC)
HOUR, GRACE = timedelta(hours=1), timedelta(minutes=15)


def made_at(moment: datetime) -> UUID:
    """Return a UUIDv7 of that moment."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=capture_id("t").int & ((1 << 80) - 1) | milliseconds << 80)


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


async def accept(timeline: Timeline, *captures: UUID, at: datetime, backfill: bool = False) -> None:
    """Write receipts, as ingest does."""
    receipts = [
        Receipt(
            capture_id=capture,
            account_tag="tag",
            received_at=at,
            size=7,
            door="smtp",
            backfill=backfill,
        )
        for capture in captures
    ]
    for key, data in encode(receipts).items():
        await timeline.blobs.put(key, data)


async def captures(
    timeline: Timeline, *, first: timedelta = 24 * HOUR, end: timedelta = timedelta()
) -> tuple[list[Finding], Counter[str]]:
    """Audit the captures from `first` ago to `end` ago, or until now."""
    period = Period(NOW - first, NOW - end if end else datetime.now(UTC), NOW - GRACE)
    audit = CaptureAudit(timeline.database, timeline.blobs, period)
    return [finding async for finding in audit.run(lambda: None)], audit.tally


async def blobs(
    timeline: Timeline, *, settled: datetime, sweep: bool = False
) -> tuple[dict[str, str], Counter[str]]:
    audit = BlobAudit(timeline.database, timeline.blobs, settled)
    parts = (
        audit.missing(lambda _: None),
        audit.dead_letters(),
        audit.quarantine(),
        audit.orphans(sweep=sweep),
        audit.claims(),
    )
    return {f.what: f.kind for part in parts async for f in part}, audit.tally


def later() -> datetime:
    """Return a moment that makes everything old."""
    return datetime.now(UTC) + HOUR


async def test_what_has_an_outcome_or_a_dead_letter_is_no_gap(timeline: Timeline) -> None:
    at = NOW - 3 * HOUR
    ids = [made_at(at) for _ in range(4)]
    await accept(timeline, *ids, at=at)
    await timeline.handle(attached(capture_id=ids[0]), mail())
    await timeline.handle(dismissed(ids[1]))
    letters = [
        {"_id": str(n), "capture_id": str(id_), "state": state}
        for n, (id_, state) in enumerate(
            [(ids[2], "waiting"), (ids[2], "replayed"), (ids[3], "dropped")]
        )
    ]
    await timeline.database.dead_letters.insert_many(letters)
    found, tally = await captures(timeline)
    assert found == []
    assert tally == Counter(receipts=4, attached=1, dismissed=1, dead=1, dropped=1)


async def test_what_has_neither_is_named(timeline: Timeline) -> None:
    old, young = NOW - 3 * HOUR, datetime.now(UTC)
    lost, replayed, under_way = made_at(old), made_at(old), made_at(young)
    await accept(timeline, lost, replayed, at=old)
    await accept(timeline, under_way, at=young)
    letter = {"_id": "1", "capture_id": str(replayed), "state": "replayed"}
    await timeline.database.dead_letters.insert_one(letter)
    found, tally = await captures(timeline)
    assert {finding.what for finding in found} == {str(lost), str(replayed)}
    [named] = [finding for finding in found if finding.what == str(lost)]
    assert (named.kind, named.account, named.note) == ("gap", "tag", "7 bytes by smtp")
    assert tally == Counter(receipts=3, gap=2, under_way=1)


async def test_a_period_is_what_was_asked_for(timeline: Timeline) -> None:
    moments = [NOW - timedelta(minutes=n) for n in (90, 80, 70)]
    ids = [made_at(moment) for moment in moments]
    for id_, moment in zip(ids, moments, strict=True):
        await accept(timeline, id_, at=moment)
    first, end = timedelta(minutes=85), timedelta(minutes=75)
    found, tally = await captures(timeline, first=first, end=end)
    assert [finding.what for finding in found] == [str(ids[1])]
    assert tally["receipts"] == 1


async def test_a_capture_is_counted_once_however_many_receipts_it_has(timeline: Timeline) -> None:
    at = NOW - 3 * HOUR
    old_mail = UUID(int=made_at(at).int, version=5)
    for _ in range(2):
        await accept(timeline, old_mail, at=at, backfill=True)
    [found], tally = await captures(timeline)
    assert found.note == "7 bytes by smtp, old mail"
    assert tally == Counter(receipts=1, gap=1)


async def test_an_outcome_without_a_receipt_is_told_and_no_gap(timeline: Timeline) -> None:
    at = NOW - 3 * HOUR
    await accept(timeline, id_ := made_at(at), at=at)
    old_mail = UUID(int=made_at(at).int, version=5)
    for capture in (id_, made_at(at), made_at(datetime.now(UTC)), old_mail):
        await timeline.handle(dismissed(capture))
    [found], tally = await captures(timeline)
    assert (found.kind, found.what) == ("without_receipt", f"{at:%Y-%m-%dT%H}Z")
    assert tally == Counter(receipts=1, dismissed=1, without_receipt=1)


async def test_receipts_that_cannot_be_read_are_named(timeline: Timeline) -> None:
    at = NOW - 3 * HOUR
    key = f"{RECEIPT_PREFIX}{at:%Y-%m-%d/%H}-x.ndjson"
    await timeline.blobs.put(key, b'{"capture_id": "0')
    [found], _ = await captures(timeline)
    assert (found.kind, found.what) == ("damaged_receipts", key)


async def test_more_than_one_page_is_looked_at(timeline: Timeline) -> None:
    at = NOW - 3 * HOUR
    ids = [made_at(at) for _ in range(2500)]
    await accept(timeline, *ids, at=at)
    documents = [{"_id": str(id_), "decision": "dismissed"} for id_ in ids[:-1]]
    documents += [{"_id": str(made_at(at)), "decision": "dismissed"} for _ in range(2001)]
    await timeline.database.outcomes.insert_many(documents)
    _, tally = await captures(timeline)
    assert tally == Counter(receipts=2500, dismissed=2499, gap=1, without_receipt=2001)


LARGE = RAW_IN_DATABASE_BYTES + 1


async def test_missing_bytes_and_orphans_are_named(timeline: Timeline) -> None:
    for subject, size in (("a", 0), ("b", LARGE), ("c", 0), ("d", LARGE)):
        raw = mail(subject, message_id=f"{subject}@x").ljust(size, b"x")
        await timeline.handle(attached(), raw)
    whole = Counter(contents=4, blobs=2, raw_mails=2)
    assert await blobs(timeline, settled=later()) == ({}, whole)
    lost = [await raw_key_of(timeline, subject) for subject in ("a", "b")]
    for key in lost:
        await timeline.lose_raw(key)
    orphans = [lost[1].rpartition("/")[0] + "/other", "mails/acme/m/c/h"]
    for key in orphans:
        await timeline.blobs.put(key, b"mail")
    small = {"_id": "mails/acme/m/c/small", "account": "acme", "raw": b"mail"}
    await timeline.database.raw_mails.insert_one(small)
    found, tally = await blobs(timeline, settled=later())
    named = dict.fromkeys([*orphans, str(small["_id"])], "orphan_blob")
    assert found == dict.fromkeys(lost, "blob_missing") | named
    assert tally == Counter(contents=4, blobs=3, raw_mails=2, blob_missing=2, orphan_blob=3)
    found, _ = await blobs(timeline, settled=NOW - HOUR)
    assert found.keys() == {*lost, small["_id"]}, (
        "what is young may be under way, but in a transaction"
    )


async def raw_key_of(timeline: Timeline, subject: str) -> str:
    content = await timeline.database.contents.find_one({"subject": subject})
    assert content is not None
    return str(content["raw_key"])


def read_otherwise(raw: bytes, *, forward: bool = False) -> ReadMail:
    """Read a mail as an older reader did."""
    return replace(read(raw, forward=forward), text="Older")


async def test_what_a_newer_reader_has_made_anew_keeps_its_bytes(
    timeline: Timeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content has another id than the key of the bytes tells."""
    with monkeypatch.context() as patch:
        patch.setattr(consumer, "read", read_otherwise)
        await timeline.handle(attached(), mail("small"))
        await timeline.handle(attached(), mail("large", message_id="2@x").ljust(LARGE, b"x"))
    chore = Reprocess(timeline.writer, timeline.database, timeline.blobs)
    _, _, tally = await chore.begin(include_current=True)
    await chore.run(asyncio.Event(), lambda _: None, tally)
    assert tally == Counter(changed=2)
    keys = [await raw_key_of(timeline, subject) for subject in ("small", "large")]
    then = (datetime.now(UTC) - SWEEP_AGE - timedelta(days=1)).timestamp()
    os.utime(tmp_path / "blobs" / keys[1], (then, then))
    found, _ = await blobs(timeline, settled=later(), sweep=True)
    assert found == {}
    assert await timeline.raw_bytes.has(keys) == {*keys}


async def test_what_a_dead_letter_needs_and_is_gone_is_named(timeline: Timeline) -> None:
    await timeline.blobs.put("dead/1", b"mail")
    waiting = {"state": "waiting", "at": NOW, "account": "acme"}
    letters = [
        {**waiting, "_id": "1", "body_key": "dead/1", "claim": None},
        {**waiting, "_id": "2", "body_key": None, "claim": "claims/gone"},
        {**waiting, "_id": "3", "body_key": "dead/gone", "claim": None},
        {**waiting, "_id": "4", "body_key": "dead/settled", "state": "dropped"},
    ]
    await timeline.database.dead_letters.insert_many(letters)
    found, tally = await blobs(timeline, settled=later())
    assert found == dict.fromkeys(("claims/gone", "dead/gone"), "blob_missing")
    assert tally == Counter(blob_missing=2)


async def test_what_waits_in_quarantine_and_is_gone_is_named(timeline: Timeline) -> None:
    await timeline.blobs.put("quarantine/1", b"mail")
    mails = [{"raw_key": "quarantine/1"}, {"raw_key": "quarantine/gone"}]
    held = {"_id": "1", "account": "acme", "at": NOW, "mails": mails}
    await timeline.database.quarantine.insert_one(held)
    found, _ = await blobs(timeline, settled=later())
    assert found == {"quarantine/gone": "blob_missing"}


async def test_orphans_are_swept_when_nothing_can_need_them(
    timeline: Timeline, tmp_path: Path
) -> None:
    for subject, size in (("Small", 0), ("Large", LARGE)):
        raw = mail(subject, message_id=f"{subject}@x").ljust(size, b"x")
        await timeline.handle(attached(), raw)
    small, large = [await raw_key_of(timeline, subject) for subject in ("Small", "Large")]
    old, younger = "mails/acme/m/c/old", "mails/acme/m/c/younger"
    for key in (old, younger):
        await timeline.blobs.put(key, b"mail")
    orphan = {"_id": "mails/acme/m/c/small", "account": "acme", "raw": b"mail"}
    await timeline.database.raw_mails.insert_one(orphan)
    for key, days in ((old, 1), (large, 1), (younger, -1)):
        then = (datetime.now(UTC) - SWEEP_AGE - timedelta(days=days)).timestamp()
        os.utime(tmp_path / "blobs" / key, (then, then))
    _, tally = await blobs(timeline, settled=later(), sweep=True)
    assert tally["swept"] == 2
    keys = (old, str(orphan["_id"]), younger, small, large)
    assert await timeline.raw_bytes.has(keys) == {younger, small, large}


async def test_claims_that_nobody_waits_for_are_named(timeline: Timeline) -> None:
    settled, needed, unknown = (capture_id("t") for _ in range(3))
    await timeline.handle(dismissed(settled))
    letter = {"_id": "1", "capture_id": str(needed), "state": "waiting"}
    await timeline.database.dead_letters.insert_one(letter)
    enclosed = f"{claim_key(settled)}.1"
    for key in (claim_key(settled), enclosed, claim_key(needed), claim_key(unknown)):
        await timeline.blobs.put(key, b"mail")
    found, tally = await blobs(timeline, settled=later())
    assert found == dict.fromkeys(
        (claim_key(settled), enclosed, claim_key(unknown)), "orphan_claim"
    )
    assert tally == Counter(claims=4, orphan_claim=3)


class TestCommand:
    """How it is called and how it ends."""

    def settings(self, timeline: Timeline, mongodb_url: str, tmp_path: Path) -> TimelineSettings:
        return TimelineSettings(
            mongodb_url=mongodb_url,
            timeline_database=timeline.database.name,
            blob_url=f"file://{tmp_path}/blobs",
            amqp_url="amqp://127.0.0.1:1/",
            token_secret="s" * 40,
        )

    async def test_it_tells_by_its_code_and_names_the_gap(
        self,
        timeline: Timeline,
        mongodb_url: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        settings = self.settings(timeline, mongodb_url, tmp_path)
        at = NOW - 3 * HOUR
        await accept(timeline, id_ := made_at(at), at=at)
        audit = room.Audit(settings, room.Wanted.parse(["--audit"]))
        await audit.run(asyncio.Event())
        out = capsys.readouterr().out
        assert audit.code == 1
        assert f"gap  {id_}  {at:%Y-%m-%d %H:%M:%S}Z  tag  7 bytes by smtp" in out
        assert "the broker does not answer" in out

        await timeline.handle(dismissed(id_))
        audit = room.Audit(settings, room.Wanted.parse(["--audit", "--json"]))
        await audit.run(asyncio.Event())
        totals = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert audit.code == 0
        assert totals["totals"]["dismissed"] == totals["totals"]["receipts"] == 1
        assert totals["queues"] is None

    async def test_what_does_not_answer_is_no_gap(
        self,
        timeline: Timeline,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        impatient = AsyncMongoClient[Document](f"mongodb://127.0.0.1:{free_port()}", timeoutMS=200)
        monkeypatch.setattr(room, "connect", lambda url, name: impatient)
        settings = self.settings(timeline, "mongodb://unused", tmp_path)
        await accept(timeline, made_at(NOW - HOUR), at=NOW - HOUR)
        audit = room.Audit(settings, room.Wanted.parse(["--audit"]))
        await audit.run(asyncio.Event())
        assert audit.code == 2
        assert "the database does not answer" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["--from", "2020-01-01"], "kept for 14 days"),
            (["--from", f"{NOW:%FT%T}", "--to", f"{NOW - HOUR:%FT%T}"], "must be before"),
            (["--without-blobs", "--sweep-orphans"], "cannot be used with --without-blobs"),
        ],
    )
    def test_a_mistake_is_one_line(self, words: list[str], why: str) -> None:
        with pytest.raises(Mistake, match=why):
            room.Wanted.parse(["--audit", *words])
