"""Erasures in the matcher: what is left of a person, what is told, and what ends it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from pymongo import AsyncMongoClient

from services.matcher.decisions import Decisions
from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.merges import Merge, Merges
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.versions import Versions
from services.matcher.erasures.accounts import AccountErasures
from services.matcher.erasures.again import erase_again
from services.matcher.erasures.finishing import Finishing, Resuming
from services.matcher.erasures.receipts import TYPE, Signer
from services.matcher.erasures.records import Erasure, Erasures
from services.matcher.indexes import INDEXES
from services.matcher.reviews.records import Reviews
from shared.broker import Delivery
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import (
    Direction,
    Erased,
    ErasureDone,
    Event,
    Forwarded,
    Kind,
    MailAttached,
    MailDismissed,
    Match,
    Named,
    PersonDeleted,
    PersonErased,
    Role,
)
from shared.contracts.known_addresses import address_hash, name_hash
from shared.contracts.outcomes import Done, Retry
from shared.storage.blobs import Blobs
from shared.storage.database import Database, Document, connect
from tests.databases import empty_database
from tests.fakes import Recorder, RecordingPublisher

ACCOUNT = "acme"
SIGNER = Signer("s" * 40)
RING = KeyRing.parse("k1:" + "s" * 40)


class Matcher:
    """The matcher's parts that erase, on one database."""

    def __init__(
        self, client: AsyncMongoClient[Document], database: Database, folder: Path
    ) -> None:
        versions = Versions(database)
        self.database, self.client = database, client
        self.directory = Directory(database, versions)
        self.merges = Merges(client, database, versions)
        self.erasures = Erasures(client, database, versions)
        addresses = ErasedAddresses(database, RING, "in.example")
        settle = timedelta(seconds=60)
        self.accounts = AccountErasures(client, database, addresses, versions, settle)
        self.decisions = Decisions(database)
        self.blobs = Blobs(f"file://{folder}/blobs")
        self.reviews = Reviews(database)
        self.finishing = self.finishing_with(SIGNER)

    def finishing_with(self, signer: Signer | None) -> Finishing:
        return Finishing(
            self.client, self.database, self.blobs, signer, self.erasures, self.reviews
        )

    async def put(self, person_id: str, *addresses: str, kind: Kind = Kind.CANDIDATE) -> None:
        name = f"Name Of{person_id}"
        await self.directory.put(ACCOUNT, person_of(person_id, kind, name, addresses))

    async def erase(self, person_id: str = "c1") -> Erasure:
        done = await self.erasures.ask(ACCOUNT, "admin", person_id)
        assert not isinstance(done, str), done
        return done

    async def erase_again(self) -> dict[str, int]:
        return await erase_again(self.blobs, self.erasures, self.accounts)

    async def announced(self) -> list[Event]:
        recorder = Recorder()
        await Outbox(self.database, RecordingPublisher(recorder)).once()
        return [event for event, _ in recorder.published]

    async def told(self) -> list[PersonErased]:
        return [event for event in await self.announced() if isinstance(event, PersonErased)]

    async def finish(self, erasure: Erasure, person_id: str = "c1", **counts: int) -> object:
        event = ErasureDone(
            account=ACCOUNT,
            erasure_id=erasure.id,
            person_id=person_id,
            done_at=datetime.now(UTC),
            erased=Erased(**counts),
        )
        return await self.finishing.handle(Delivery(event, b"", redelivered=False))

    async def everything(self) -> str:
        names = await self.database.list_collection_names()
        found = [str(await self.database[name].find().to_list()) for name in names]
        return "\n".join(found)


@pytest.fixture
async def matcher(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Matcher]:
    async with (
        connect(mongodb_url, "test") as client,
        empty_database(client, mongodb_url, INDEXES) as database,
    ):
        matcher = Matcher(client, database, tmp_path)
        await matcher.put("c1", "Jane@unique.example")
        yield matcher


async def test_a_person_is_gone_and_the_timeline_is_told_hashes_alone(matcher: Matcher) -> None:
    await matcher.put("c1", "jane@unique.example", "former@unique.example")
    await matcher.put("c1", "jane@unique.example")
    await matcher.announced()
    erasure = await matcher.erase()
    assert (erasure.state, erasure.person_ids) == ("running", ("c1",))
    assert await matcher.directory.get(ACCOUNT, "c1") is None
    events = await matcher.announced()
    assert [type(event) for event in events] == [PersonDeleted, PersonErased]
    [event] = [event for event in events if isinstance(event, PersonErased)]
    addresses = ("jane@unique.example", "former@unique.example")
    assert {*event.addresses} == {address_hash(ACCOUNT, "c1", one) for one in addresses}
    assert event.names == (name_hash(ACCOUNT, "c1", "Name Ofc1"),)
    assert event.asked_by == "admin"
    assert "unique" not in event.encode()
    assert "unique" not in await matcher.everything()
    assert "Ofc1" not in await matcher.everything()


async def test_to_ask_again_gives_the_same_until_somebody_has_the_id_again(
    matcher: Matcher,
) -> None:
    first = await matcher.erase()
    assert (await matcher.erase()).id == first.id
    assert await matcher.finish(first) == Done()
    assert (await matcher.erase()).state == "done"
    await matcher.put("c1", "jane@unique.example")
    second = await matcher.erase()
    assert second.id != first.id
    assert [one.id for one in await matcher.erasures.list(ACCOUNT, 5, None)] == [
        second.id,
        first.id,
    ]
    assert await matcher.erasures.one("other", first.id) is None


async def test_who_gets_the_id_again_starts_empty(matcher: Matcher) -> None:
    await matcher.erase()
    await matcher.announced()
    await matcher.put("c1", "jane@unique.example")
    found = await matcher.database.people.find_one({"_id": f"{ACCOUNT}/c1"})
    assert found is not None
    assert "erased" not in found
    assert found["holders"] == {"known": ["jane@unique.example"], "former": []}


async def test_users_and_strangers_cannot_be_erased(matcher: Matcher) -> None:
    await matcher.put("u1", "u1@team.example", kind=Kind.USER)
    assert await matcher.erasures.ask(ACCOUNT, "admin", "u1") == "is_a_user"
    assert await matcher.erasures.ask(ACCOUNT, "admin", "nobody") == "unknown"
    assert await matcher.erasures.ask("other", "admin", "c1") == "unknown"
    assert await matcher.directory.get(ACCOUNT, "u1") is not None


async def test_who_was_deleted_before_is_erased_with_who_had_the_id_before(
    matcher: Matcher,
) -> None:
    await matcher.directory.delete(ACCOUNT, "c1")
    await matcher.put("c1", "other@unique.example")
    await matcher.directory.delete(ACCOUNT, "c1")
    await matcher.announced()
    await matcher.erase()
    [event] = await matcher.told()
    addresses = ("jane@unique.example", "other@unique.example")
    assert {*event.addresses} == {address_hash(ACCOUNT, "c1", one) for one in addresses}
    left = await matcher.database.people.find_one({"_id": f"{ACCOUNT}/c1"})
    assert left is not None
    assert "holders" not in left


@pytest.mark.parametrize("asked", ["c1", "c2", "c3"])
async def test_people_who_are_one_profile_are_erased_together(matcher: Matcher, asked: str) -> None:
    for person in ("c2", "c3"):
        await matcher.put(person, f"{person}@unique.example")
    merges = []
    for person, into in (("c1", "c2"), ("c2", "c3")):
        done = await matcher.merges.merge(ACCOUNT, "admin", person, into)
        assert isinstance(done, tuple)
        merges.append(done[0])
    await matcher.directory.delete(ACCOUNT, "c1")
    erasure = await matcher.erase(asked)
    assert erasure.person_ids == ("c1", "c2", "c3")
    assert {event.person_id for event in await matcher.told()} == {"c1", "c2", "c3"}
    assert "unique" not in await matcher.everything()
    for merge in merges:
        assert (await _undone(matcher, merge)).undone_at is not None
    for person in ("c1", "c2"):
        assert await matcher.finish(erasure, person, mails_deleted=2) == Done()
        assert await matcher.finish(erasure, person, mails_deleted=2) == Done(), "again"
    assert (await _now(matcher, erasure)).state == "running"
    assert await matcher.finish(erasure, "c3", mails_deleted=1) == Done()
    done_now = await _now(matcher, erasure)
    assert (done_now.state, done_now.erased.mails_deleted) == ("done", 5)


async def _undone(matcher: Matcher, merge: Merge) -> Merge:
    found = await matcher.merges.undo(ACCOUNT, "u9", merge.id)
    assert found is not None
    return found


async def _now(matcher: Matcher, erasure: Erasure) -> Erasure:
    found = await matcher.erasures.one(ACCOUNT, erasure.id)
    assert found is not None
    return found


async def test_the_receipt_verifies_by_the_published_key_after_the_secret_was_replaced(
    matcher: Matcher,
) -> None:
    erasure = await matcher.erase()
    await matcher.finish(erasure, mails_deleted=3, mails_redacted=1)
    done = await _now(matcher, erasure)
    assert done.receipt is not None
    newer = matcher.finishing_with(Signer("n" * 40))
    keys = {key["kid"]: key for key in await newer.public_keys()}
    assert len(keys) == 2
    header = jwt.get_unverified_header(done.receipt)
    assert (header["alg"], header["typ"]) == ("EdDSA", TYPE)
    claims = jwt.decode(done.receipt, jwt.PyJWK(keys[header["kid"]]), algorithms=["EdDSA"])
    assert claims["erasure"] == erasure.id
    assert (claims["account"], claims["person_ids"]) == (ACCOUNT, ["c1"])
    assert claims["erased"]["mails_deleted"] == 3
    assert "unique" not in str(claims)
    other = next(key for id_, key in keys.items() if id_ != header["kid"])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(done.receipt, jwt.PyJWK(other), algorithms=["EdDSA"])
    assert all("d" not in key for key in keys.values())


async def test_before_a_person_is_erased_the_addresses_of_the_whole_profile_are_known(
    matcher: Matcher,
) -> None:
    await matcher.put("c1", "new@unique.example")
    await matcher.put("c2", "c2@unique.example")
    await matcher.put("u1", "u1@team.example", kind=Kind.USER)
    assert isinstance(await matcher.merges.merge(ACCOUNT, "admin", "c2", "c1"), tuple)
    known = {"jane@unique.example", "new@unique.example", "c2@unique.example"}
    assert await matcher.erasures.addresses(ACCOUNT, "c2") == known
    assert await matcher.erasures.addresses(ACCOUNT, "u1") == frozenset()
    assert await matcher.erasures.addresses(ACCOUNT, "nobody") == frozenset()
    await matcher.erase()
    assert await matcher.erasures.addresses(ACCOUNT, "c1") == frozenset()


async def test_without_a_key_the_end_of_an_erasure_waits(matcher: Matcher) -> None:
    erasure = await matcher.erase()
    matcher.finishing = matcher.finishing_with(None)
    assert isinstance(await matcher.finish(erasure), Retry)


async def test_what_was_begun_by_who_died_is_gone_on_with(
    matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr(matcher.erasures, "announce", dies)
        with pytest.raises(RuntimeError):
            await matcher.erase()
    assert await matcher.told() == [], "decisions may still name the person"
    assert await matcher.directory.get(ACCOUNT, "c1") is None
    long_ago = {"$set": {"asked_at": datetime.now(UTC) - timedelta(hours=1)}}
    await matcher.database.erasures.update_many({}, long_ago)
    await Resuming(matcher.erasures).once()
    assert len(await matcher.told()) == 1
    await Resuming(matcher.erasures).once()
    assert await matcher.told() == []


async def test_an_order_is_told_again_until_it_is_carried_out(matcher: Matcher) -> None:
    erasure = await matcher.erase()
    [told] = await matcher.told()
    await Outbox(matcher.database, RecordingPublisher(Recorder())).announce_again()
    assert await matcher.told() == [told]
    await matcher.finish(erasure)
    await Outbox(matcher.database, RecordingPublisher(Recorder())).announce_again()
    assert await matcher.told() == []


async def test_after_a_restore_who_was_erased_is_erased_again(matcher: Matcher) -> None:
    await matcher.put("c2", "max@unique.example")
    saved = ("people", "accounts")
    backup = {name: await matcher.database[name].find().to_list() for name in saved}
    first = await matcher.erase()
    await matcher.finish(first)
    assert await matcher.erase_again() == {}
    for name in (*saved, "erasures", "erased", "erasure_keys"):
        await matcher.database[name].delete_many({})
        if backup.get(name):
            await matcher.database[name].insert_many(backup[name])
    assert await matcher.directory.get(ACCOUNT, "c1") is not None
    assert await matcher.erase_again() == {"erased": 1}
    assert await matcher.directory.get(ACCOUNT, "c1") is None
    assert await matcher.directory.get(ACCOUNT, "c2") is not None
    assert [event.person_id for event in await matcher.told()] == ["c1"]
    [again] = await matcher.erasures.list(ACCOUNT, 5, None)
    await matcher.finish(again)
    kept = [str(one) async for one in _kept(matcher)]
    assert len(kept) == 2
    assert not any("unique" in text for text in kept)


async def _kept(matcher: Matcher) -> AsyncIterator[tuple[str, bytes]]:
    async for batch in matcher.blobs.listed("erasures/"):
        for blob in batch:
            yield blob.key, await matcher.blobs.get(blob.key)


async def test_what_was_decided_about_large_mails_names_the_person_no_more(
    matcher: Matcher,
) -> None:
    jane = Match(person_id="c1", kind=Kind.CANDIDATE, address="jane@unique.example", role=Role.TO)
    max_ = jane.model_copy(update={"person_id": "c2", "address": "max@mail.example"})
    for claim, matches in (("alone", (jane,)), ("both", (jane, max_)), ("other", (max_,))):
        event = _attached(matches, forwarded=jane.address if claim == "both" else None)
        await matcher.decisions.record(f"claims/{claim}", [event])
    earlier = {"_id": {"$in": ["alone", "other"]}}  # as an earlier version recorded them
    await matcher.database.decisions.update_many(earlier, {"$unset": {"people": ""}})
    erasure = await matcher.erase()
    await matcher.finish(erasure)
    text = await matcher.everything()
    assert [word for word in ("unique", "Unique") if word in text] == []
    [alone] = await matcher.decisions.recall("claims/alone")
    assert isinstance(alone, MailDismissed)
    for claim in ("both", "other"):
        [left] = await matcher.decisions.recall(f"claims/{claim}")
        assert isinstance(left, MailAttached)
        assert [match.person_id for match in left.matches] == ["c2"]


def _attached(matches: tuple[Match, ...], forwarded: str | None = None) -> MailAttached:
    now = datetime.now(UTC)
    jane = Named(name="Jane Unique", address=forwarded or "")
    max_ = Named(name="Max", address="max@mail.example")
    return MailAttached(
        capture_id=uuid4(),
        account=ACCOUNT,
        owner="u1",
        capture_address="a@in.satchel.test",
        received_at=now,
        decided_at=now,
        door="smtp",
        direction=Direction.INBOUND,
        matches=matches,
        forwarded=Forwarded(sender=max_, to=(jane,), cc=(jane, max_)) if forwarded else None,
        size=1,
    )
