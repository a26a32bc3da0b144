"""The sealed captures: kept, found by who is added, opened, destroyed.

`rematch_sealed`: `{_id: <capture id>, account, key, ring, received_at, until, size, found_by,
wrapped, content | blob, wanted, asked}`. Large ones are in the blob store, under `sealed/`. No
backup has either. `wanted` is an address of the directory that opens it, until it was opened;
`asked` counts how often one was found.

* A capture is stored before its dismissal is published. Afterwards the directory is asked once
  more: a person is written first and looks for captures then, so either finds the other.
* A capture whose key is gone by then is destroyed: the window was changed meanwhile.
* A blob is written before what names it, and deleted before it. One that a crash leaves alone opens
  by nothing, and is swept.
"""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pymongo
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from services.matcher.captured import CapturedMail
from services.matcher.directory.knowledge import Knowledge
from services.matcher.metrics import SEALED
from services.matcher.rematch.keys import Place, RematchKeys
from services.matcher.rematch.sealing import CannotOpen, SealedBytes, Seals
from services.matcher.rematch.seeking import COLLECTION, FIELDS, Seeking
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import MailReceived
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, SEALED_PREFIX
from shared.storage.blobs import BlobMissing, Blobs
from shared.storage.database import Database, Document, Index, of_id

MAX_ADDRESSES = 1000
"""Outside participants by which a capture can be found; the first count."""
_LONG_SECONDS = 60.0
_WANTED: Document = {"wanted": {"$exists": True}}
INDEXES = (
    # Seeking.naming
    Index(
        COLLECTION,
        IndexModel([("account", ASCENDING), ("found_by", ASCENDING)], name="by_address"),
    ),
    # SealedCaptures.wanted: as large as what is about to be opened
    Index(
        COLLECTION,
        IndexModel(
            [("account", ASCENDING), ("received_at", ASCENDING)],
            name="wanted",
            partialFilterExpression=_WANTED,
        ),
    ),
    # SealedCaptures.end. What no replica has removed in an hour the database removes.
    Index(
        COLLECTION,
        IndexModel(
            [("until", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(timedelta(hours=1).total_seconds()),
        ),
    ),
)


class SealedCaptures:
    """The sealed captures of all accounts."""

    def __init__(
        self,
        database: Database,
        keys: RematchKeys,
        ring: KeyRing,
        knowledge: Knowledge,
        blobs: Blobs,
    ) -> None:
        self._sealed, self._keys, self._seals = database[COLLECTION], keys, Seals(ring)
        self._knowledge, self._blobs = knowledge, blobs
        self._seeking = Seeking(database, keys, ring)

    async def keep(self, received: MailReceived, account: str, mail: CapturedMail) -> None:
        """Seal a capture that matched no profile, if the account's window is on. Idempotent."""
        if not mail.outsiders or not self._keys.may_be_on(account):
            return
        which = of_id(account, str(received.capture_id))
        if await self._sealed.find_one(which, {"_id": 1}) is not None:
            return  # by an earlier delivery
        now = datetime.now(UTC)
        place = await self._keys.place(account, received.received_at, received.size, now)
        if not isinstance(place, Place):
            if place != "off":
                SEALED.labels(place).inc()
            return
        addresses = mail.outsiders[:MAX_ADDRESSES]
        raw = await mail.whole()
        if len(raw) > CLAIM_CHECK_BYTES:
            sealed = await asyncio.to_thread(self._seals.seal, place.key, received, raw, addresses)
        else:
            sealed = self._seals.seal(place.key, received, raw, addresses)
        stored = await self._store(which, place, received.size, sealed)
        if stored is None:
            return
        SEALED.labels("sealed").inc()
        if not await self._keys.is_current(place.key):
            await self.destroy(stored)
            return
        known = await self._knowledge.people(account, frozenset(addresses))
        held = frozenset().union(*(one.keys for one in known if one.kind.is_profile))
        if taking_part := held & frozenset(addresses):
            await self._seeking.seek(account, taking_part)

    async def forget_naming(self, account: str, addresses: Collection[str]) -> int:
        """Destroy the captures that name one of these addresses; return how many there were."""
        count = 0
        async for some in self._seeking.naming(account, addresses):
            for one, _ in some:
                await self.destroy(one)
            count += len(some)
        return count

    async def forget_account(self, account: str) -> None:
        """Destroy an account's window, its keys and all that they sealed."""
        await self._keys.destroy(account)
        while some := await self._sealed.find({"account": account}, FIELDS).limit(100).to_list():
            for one in some:
                await self.destroy(one)

    async def set_days(self, account: str, days: int, expected: int | None = None) -> bool:
        """Change an account's window; what ends by that cannot be opened any more.

        Return False, and change nothing, when the window is not as expected.
        """
        now = datetime.now(UTC)
        if not await self._keys.set_days(account, days, now, expected):
            return False
        lasts = int(timedelta(days=days).total_seconds()) * 1000
        # From now on, so that `end` has the time to delete the blob, too.
        ends = {"$min": ["$until", {"$max": [now, {"$add": ["$received_at", lasts]}]}]}
        with pymongo.timeout(_LONG_SECONDS):
            await self._sealed.update_many({"account": account}, [{"$set": {"until": ends}}])
        return True

    async def next_account(self, after: str) -> str | None:
        """Return the next account, in the order of their names, that has something to open."""
        for start in (after, "") if after else ("",):
            which = {"account": {"$gt": start}, **_WANTED}
            by_account = [("account", ASCENDING)]
            found = await self._sealed.find_one(
                which, {"account": 1}, sort=by_account, hint="wanted"
            )
            if found is not None:
                return str(found["account"])
        return None

    async def wanted(self, account: str, limit: int) -> list[Document]:
        """Return what is to be opened, the oldest first."""
        which = {"account": account, **_WANTED}
        found = self._sealed.find(which).hint("wanted").sort("received_at", ASCENDING)
        return await found.limit(limit).to_list()

    async def open(self, document: Document) -> tuple[MailReceived, bytes]:
        """Return what was sealed. Raises CannotOpen, also when it has ended."""
        account, now = document["account"], datetime.now(UTC)
        keys = await self._keys.live(account, now, [document["key"]])
        if not keys or document["until"] <= now:
            raise CannotOpen("it has ended")
        content = document.get("content")
        try:
            if content is None:
                content = await self._blobs.get(document["blob"])
        except BlobMissing as missing:
            raise CannotOpen("a concurrent replica is done with it") from missing
        wrapped = dict(zip(document["found_by"], document["wrapped"], strict=True))
        sealed = SealedBytes(document["ring"], wrapped, content)
        return await asyncio.to_thread(
            self._seals.open, keys[0], sealed, document["_id"], document["wanted"]
        )

    async def keep_on(self, document: Document) -> None:
        """Take the mark away: no profile matches yet. Unless somebody was added since."""
        same = {**of_id(document["account"], document["_id"]), "asked": document["asked"]}
        await self._sealed.update_one(same, {"$unset": {"wanted": ""}})

    async def destroy(self, document: Document) -> None:
        """Destroy a capture. Idempotent."""
        if "blob" in document:
            await self._blobs.delete(document["blob"])
        await self._sealed.delete_one(of_id(document["account"], document["_id"]))

    async def end(self, now: datetime) -> int:
        """Destroy the captures that have ended; return how many."""
        count = 0
        while True:
            ended = self._sealed.find({"until": {"$lte": now}}, FIELDS).hint("expire")
            some = await ended.limit(100).to_list()
            for one in some:
                await self.destroy(one)
            count += len(some)
            if not some:
                return count

    async def _store(
        self, which: Document, place: Place, size: int, sealed: SealedBytes
    ) -> Document | None:
        """Store a sealed capture; return None if a concurrent delivery has stored it."""
        stored: Document = {
            **which,
            "key": place.key.id,
            "ring": sealed.ring_id,
            "received_at": place.received_at,
            "until": place.until,
            "size": size,
            "found_by": list(sealed.wrapped),
            "wrapped": list(sealed.wrapped.values()),
            "asked": 0,
        }
        if len(sealed.content) > CLAIM_CHECK_BYTES:
            stored["blob"] = f"{SEALED_PREFIX}{uuid4()}"
            await self._blobs.put(stored["blob"], sealed.content)
        else:
            stored["content"] = sealed.content
        try:
            await self._sealed.insert_one(stored)
        except DuplicateKeyError:
            if "blob" in stored:
                await self._blobs.delete(stored["blob"])
            return None
        return stored
