"""An account is erased from the matcher: once and for good, whatever dies meanwhile."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.people import person_of
from services.matcher.directory.versions import Versions
from services.matcher.erasures.account_job import AccountErasing, CountingAccounts
from services.matcher.erasures.accounts import AccountErasures
from services.matcher.erasures.again import erase_again
from services.matcher.erasures.receipts import Signer
from services.matcher.erasures.records import Erasures
from shared.broker import Delivery
from shared.contracts.capture_address import account_tag
from shared.contracts.capture_id import capture_id
from shared.contracts.events import (
    AccountErased,
    AccountErasureDone,
    ErasedOfAccount,
    Kind,
    MailReceived,
    PersonChanged,
)
from shared.contracts.outcomes import Done, Reject
from shared.storage.database import Document, connect
from tests.fakes import Crash, Recorder, RecordingPublisher
from tests.matcher_parts import ACCOUNT, DOMAIN, RING, Replica, claim_of, exists, received

LARGE = 300_000
SIGNER = Signer("s" * 40)
OTHER = "globex"


class Eraser:
    """A replica that erases accounts."""

    def __init__(self, matcher: Replica, settle: timedelta = timedelta(0)) -> None:
        self.matcher, self.recorder = matcher, Recorder()
        database = matcher.database
        addresses = ErasedAddresses(database, RING, DOMAIN)
        client = database.client
        self.erasures = AccountErasures(client, database, addresses, Versions(database), settle)
        self.job = AccountErasing(
            client,
            database,
            matcher.blobs,
            self.erasures,
            matcher.sealed,
            SIGNER,
            RecordingPublisher(self.recorder),
            lease=timedelta(0),
        )

    @property
    def told(self) -> list[AccountErased]:
        events = [event for event, _ in self.recorder.published]
        return [event for event in events if isinstance(event, AccountErased)]

    async def timeline_is_done(self, id_: str) -> None:
        event = AccountErasureDone(
            account=ACCOUNT,
            erasure_id=id_,
            done_at=datetime.now(UTC),
            erased=ErasedOfAccount(mails=5, quarantined=2, dead_letters=1),
        )
        delivery = Delivery(event, b"", redelivered=False)
        assert await CountingAccounts(self.erasures).handle(delivery) == Done()


async def everything(matcher: Replica, word: str) -> dict[str, list[Document]]:
    """Return what there is of an account, by collection."""
    found: dict[str, list[Document]] = {}
    for name in await matcher.database.list_collection_names():
        documents = await matcher.database[name].find().to_list()
        if of := [one for one in documents if word in str(one)]:
            found[name] = of
    return found


def blobs(matcher: Replica, word: str, folder: Path) -> list[str]:
    paths = [*(folder / "blobs").rglob("*")]
    return [
        str(path.relative_to(folder / "blobs"))
        for path in paths
        if word in path.name or (path.is_file() and word.encode() in path.read_bytes())
    ]


async def test_what_is_left_of_an_account_is_its_receipt(
    matcher: Replica, tmp_path: Path, window: None
) -> None:
    await matcher.round_trips.set_repeat(ACCOUNT, "weekly")
    for to in ("nobody@x.example", "cand@mail.example"):
        for size in (0, LARGE):
            claimed = await received(matcher, to, size=size)
            assert await matcher.match(claimed) == Done()
    told = {"capture_id": str(capture_id(account_tag(ACCOUNT))), "fingerprint": "f"}
    await matcher.blobs.put("idempotency/one", json.dumps(told).encode())
    others = {"capture_id": str(capture_id(account_tag(OTHER))), "fingerprint": "f"}
    await matcher.blobs.put("idempotency/two", json.dumps(others).encode())
    await matcher.blobs.put(
        f"erasures/{ACCOUNT}/{'b' * 32}", b'{"person_ids": [], "asked_by": "x"}'
    )
    await matcher.directory.put(OTHER, person_of("u9", Kind.USER, "U", ["u@globex.example"]))
    other = await everything(matcher, OTHER)
    people = await matcher.database.people.count_documents({"account": ACCOUNT})
    assert {"decisions", "rematch_sealed", "round_trip_accounts"} <= (
        await everything(matcher, ACCOUNT)
    ).keys()

    eraser = Eraser(matcher)
    erasure = await eraser.erasures.ask(ACCOUNT, "u1")
    assert (await eraser.erasures.ask(ACCOUNT, "u2")).id == erasure.id
    assert await eraser.erasures.is_running(ACCOUNT)
    await eraser.job.work()
    await eraser.job.work()
    assert [event.erasure_id for event in eraser.told] == [erasure.id]
    # A mail that was decided before keeps its claim until the timeline drops what comes late.
    left_first = {"account_erasures", "accounts", "decisions"}
    assert (await everything(matcher, ACCOUNT)).keys() == left_first
    assert await exists(matcher.blobs, claim_of(claimed))
    await eraser.timeline_is_done(erasure.id)
    await eraser.job.work()
    await eraser.timeline_is_done(erasure.id)

    [left] = (await everything(matcher, ACCOUNT)).pop("account_erasures")
    assert (await everything(matcher, ACCOUNT)).keys() == {"account_erasures"}
    assert left.keys() == {
        *("_id", "account", "asked_by", "asked_at", "state", "erased", "done_at", "receipt")
    }
    done = await eraser.erasures.one(ACCOUNT, erasure.id)
    assert done is not None
    assert done.erased == ErasedOfAccount(people=people, mails=5, quarantined=2, dead_letters=1)
    key = jwt.PyJWK(SIGNER.public)
    claims = jwt.decode(done.receipt or "", key, algorithms=["EdDSA"])
    assert (claims["account"], claims["erased"]) == (ACCOUNT, done.erased.model_dump())
    assert not await exists(matcher.blobs, claim_of(claimed))
    remembered = {ACCOUNT, f"{ACCOUNT}/{erasure.id}"}
    found = {path.removeprefix("erasures/") for path in blobs(matcher, ACCOUNT, tmp_path)}
    assert found <= remembered
    assert await exists(matcher.blobs, f"erasures/{ACCOUNT}/{erasure.id}")
    assert not await exists(matcher.blobs, "idempotency/one")
    assert await exists(matcher.blobs, "idempotency/two")
    assert await everything(matcher, OTHER) == other
    assert not await eraser.erasures.is_running(ACCOUNT)


async def test_mail_to_an_erased_address_is_forgotten_and_to_an_unknown_one_is_not(
    matcher: Replica, recorder: Recorder
) -> None:
    small, large = await received(matcher), await received(matcher, size=LARGE)
    unknown = RING.mint(OTHER, "someone", DOMAIN)
    eraser = Eraser(matcher)
    await eraser.erasures.ask(ACCOUNT, "u1")
    for delivery in (small, large, large):
        assert await matcher.match(delivery) == Done()
    assert not await exists(matcher.blobs, claim_of(large))
    assert recorder.published == []
    event = small.event
    assert isinstance(event, MailReceived)
    lost = event.model_copy(update={"capture_address": unknown.address, "capture_id": uuid4()})
    outcome = await matcher.match(Delivery(lost, small.body, redelivered=False))
    assert isinstance(outcome, Reject)
    assert outcome.reason == "unknown_capture_address"
    [document] = await matcher.database.erased_addresses.find().to_list()
    assert event.capture_address.partition("@")[0] not in str(document)


async def test_the_outbox_tells_nothing_of_an_account_that_is_being_erased(
    matcher: Replica, recorder: Recorder
) -> None:
    before = datetime.now(UTC)
    await matcher.outbox.once()
    told = [event for event, _ in recorder.published if isinstance(event, PersonChanged)]
    assert told
    assert all(event.told_at and event.told_at >= before - timedelta(1) for event in told)
    recorder.published.clear()
    await matcher.directory.put(ACCOUNT, person_of("c9", Kind.CANDIDATE, "C", ["c@x.example"]))
    eraser = Eraser(matcher)
    await eraser.erasures.ask(ACCOUNT, "u1")
    await matcher.outbox.once()
    assert recorder.published == []


async def test_an_account_that_is_used_again_has_no_version_of_before(matcher: Replica) -> None:
    versions = Versions(matcher.database)
    before = await versions.read(ACCOUNT)
    eraser = Eraser(matcher)
    erasure = await eraser.erasures.ask(ACCOUNT, "u1")
    await eraser.job.work()
    await eraser.timeline_is_done(erasure.id)
    await eraser.job.work()
    assert await versions.read(ACCOUNT) == 0
    await matcher.directory.put(ACCOUNT, person_of("c1", Kind.CANDIDATE, "C", ["c@x.example"]))
    assert await versions.read(ACCOUNT) > before
    assert [one.person_id for one in await matcher.directory.list(ACCOUNT, 10, None)] == ["c1"]
    again = await eraser.erasures.ask(ACCOUNT, "u1")
    assert again.id != erasure.id
    assert [one.id for one in await eraser.erasures.list(ACCOUNT, 5, None)] == [
        again.id,
        erasure.id,
    ]
    assert await eraser.erasures.one(OTHER, erasure.id) is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["_delete", "finish", "publish"])
async def test_another_replica_ends_what_one_began(
    matcher: Replica, step: str, after: bool
) -> None:
    first, second = Eraser(matcher), Eraser(matcher)
    erasure = await first.erasures.ask(ACCOUNT, "u1")
    on = {"_delete": first.job, "finish": first.erasures, "publish": first.job._publisher}[step]
    if step == "finish":
        await first.job.work()
        await first.timeline_is_done(erasure.id)
    _die(on, step, after=after)
    with pytest.raises(Crash):
        await first.job.work()
    await second.job.work()
    await second.timeline_is_done(erasure.id)
    await second.job.work()
    done = await second.erasures.one(ACCOUNT, erasure.id)
    assert done is not None
    assert done.state == "done"
    assert (await everything(matcher, ACCOUNT)).keys() == {"account_erasures"}


def _die(on: Any, name: str, *, after: bool) -> None:
    real: Callable[..., Awaitable[None]] = getattr(on, name)

    async def dying(*arguments: object, **options: object) -> None:
        if after:
            await real(*arguments, **options)
        raise Crash

    setattr(on, name, dying)


async def test_after_a_restore_an_erased_account_is_erased_again(
    matcher: Replica, mongodb_url: str
) -> None:
    await received(matcher)
    saved = ("people", "accounts", "capture_addresses")
    backup = {name: await matcher.database[name].find().to_list() for name in saved}
    eraser = Eraser(matcher)
    erasure = await eraser.erasures.ask(ACCOUNT, "u1")
    await eraser.job.work()
    await eraser.timeline_is_done(erasure.id)
    await eraser.job.work()
    async with connect(mongodb_url, "test") as client:
        people = Erasures(client, matcher.database, Versions(matcher.database))
        assert await erase_again(matcher.blobs, people, eraser.erasures) == {}
        for name in (*saved, "account_erasures", "erased_addresses"):
            await matcher.database[name].delete_many({})
            if backup.get(name):
                await matcher.database[name].insert_many(backup[name])
        tally = await erase_again(matcher.blobs, people, eraser.erasures)
    assert tally == {"accounts erased": 1}
    [again] = await eraser.erasures.list(ACCOUNT, 5, None)
    assert (again.state, again.asked_by) == ("running", "u1")
    assert await matcher.database.erased_addresses.count_documents({}) == 1
