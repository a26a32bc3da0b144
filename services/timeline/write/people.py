"""The timeline's copy of the directory: names and kinds for its views, and who owns an address.

* `people`: `{_id: "<account>/<person id>", account, person_id, version, kind, name, addresses,
  known_by, keys, may_hide, merge_id, merged_into}`. `keys` are the addresses in the form in which
  they compare, and `may_hide` says that mail may be hidden because of this person
  (`query/hiding.py`). `merge_id` is of profiles that were ever merged, and `merged_into` is there
  while they are. Once deleted without kind, name and addresses, and without `known_by` unless they
  are.
* `capture_addresses`: `{_id: <address>, account, person_id, version, state, valid_until}`.
* `round_trips`: `{_id: "<account>/<person id>", account, person_id, version, state, at, address,
  sent_at, expires_at, repeated, status, reason, advice}`, the latest of each user, without the
  last seven once the user is deleted.

Events arrive in any order and any number of times; the highest version wins. What arrives while a
write is under way is written together next: an import is thousands of events.

A user's open pages are told of a new state of their capture address, and all of an account's of a
merge (`told_merges.py`). With a person who is deleted goes what was known of their set-up.
"""

import asyncio
from datetime import UTC, datetime

from pymongo import ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.proving import setup_id
from services.timeline.write.side_records import (
    HalfDay,
    Hint,
    Setup,
    Watched,
    setup_of,
)
from services.timeline.write.stored import to_document
from services.timeline.write.told_merges import ToldMerges
from shared.broker import Delivery
from shared.contracts.events import (
    CaptureAddressChanged,
    Kind,
    PersonChanged,
    PersonDeleted,
    RoundTripChanged,
)
from shared.contracts.outcomes import Done, Outcome, Reject, Retry
from shared.mail.address_form import normalise
from shared.storage.database import (
    Database,
    DatabaseAway,
    Document,
    database_errors,
    is_duplicate,
    of_id,
)

_AT_ONCE = 128


class People:
    """Writes what the matcher announces."""

    def __init__(self, database: Database, erased: ErasedAccounts | None = None) -> None:
        self._database, self._erased = database, erased or ErasedAccounts(database)
        self._people = _Newest(database["people"], "keys")
        self._addresses = _Newest(database["capture_addresses"])
        self._round_trips = _Newest(database["round_trips"])
        self._merges = ToldMerges(database)

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one event about a person, a capture address or a round trip.

        Done                     it is written, or a newer one was before; or the account was
                                 erased since, and it is dropped
        Retry                    the database is away
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        if not isinstance(
            event, PersonChanged | PersonDeleted | CaptureAddressChanged | RoundTripChanged
        ):
            return Reject("unexpected_event", event.tag)
        try:
            with database_errors():
                if await self._erased.drops(event.account, event.told_at):
                    return Done()
                if isinstance(event, PersonChanged | PersonDeleted):
                    await self._people.put(person_document(event))
                    if event.merge_id is not None:
                        await self._merges.tell(event)
                    if isinstance(event, PersonDeleted):
                        await self._forget_setup(event)
                elif isinstance(event, CaptureAddressChanged):
                    await self._put_address(event)
                else:
                    id_ = f"{event.account}/{event.person_id}"
                    told = event.model_dump(exclude_none=True, exclude={"told_at"})
                    await self._round_trips.put({"_id": id_, **told, "state": event.state.value})
                    await self._tell_owner(event)
        except DatabaseAway as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()

    async def _put_address(self, event: CaptureAddressChanged) -> None:
        id_ = of_id(event.account, event.address)
        known = await self._database["capture_addresses"].find_one(id_, {"version": 1})
        record = event.model_dump(exclude={"address", "told_at"})
        await self._addresses.put({"_id": event.address, **record})
        if known is None or known["version"] < event.version:
            await self._tell_owner(event)

    async def _tell_owner(self, event: CaptureAddressChanged | RoundTripChanged) -> None:
        """Let the user's open pages fetch their set-up again."""
        audience, now = setup_of(event.person_id), datetime.now(UTC)
        hint = Hint(account=event.account, audience=audience, conversation_id="", at=now)
        await self._database[Hint.collection].insert_one(to_document(hint))

    async def _forget_setup(self, event: PersonDeleted) -> None:
        id_ = f"{event.account}/{event.person_id}"
        living = {**of_id(event.account, id_), "kind": {"$exists": True}}
        if await self._database["people"].find_one(living, {"_id": 1}) is not None:
            return  # they have come back meanwhile
        setup = of_id(event.account, setup_id(event.account, event.person_id))
        await self._database[Setup.collection].delete_one(setup)
        own = {"account": event.account, "owner": event.person_id}
        for kind in (HalfDay, Watched):
            await self._database[kind.collection].delete_many(own)


def person_document(event: PersonChanged | PersonDeleted) -> Document:
    """Return what is kept of a person. Pure."""
    told = event.model_dump(mode="json", exclude_none=True, exclude={"told_at"})
    document = {"_id": f"{event.account}/{event.person_id}", **told, "keys": list[str]()}
    if isinstance(event, PersonDeleted):
        return {**document, "may_hide": True}
    if event.kind is Kind.USER or event.known_by is not None:
        document["may_hide"] = True
    return {**document, "keys": sorted({normalise(address) for address in event.addresses})}


class _Newest:
    """A collection that keeps the highest version of each document.

    One of the same version takes the place of an older timeline's, which lacks the field `added`.
    """

    def __init__(self, collection: AsyncCollection[Document], added: str | None = None) -> None:
        self._collection, self._added = collection, added
        self._waiting: list[tuple[Document, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, document: Document) -> None:
        """Replace the document, unless the one that is there is as new; return once it is so.

        Raises what the database raises for this document.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((document, written))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            try:
                await self._write_or_split(batch)
            finally:
                for _, written in batch:
                    written.cancel()  # those without an answer: this task was cancelled

    async def _write_or_split(self, batch: list[tuple[Document, asyncio.Future[None]]]) -> None:
        """Write a batch; a document that cannot be written fails alone."""
        try:
            with database_errors():
                await self._write([document for document, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, DatabaseAway):
                for one in batch:
                    await self._write_or_split([one])
                return
            for _, written in batch:
                if not written.done():
                    written.set_exception(error)
        else:
            for _, written in batch:
                if not written.done():
                    written.set_result(None)

    async def _write(self, documents: list[Document]) -> None:
        newest: dict[str, Document] = {}
        for document in documents:
            known = newest.get(document["_id"])
            if known is None or known["version"] < document["version"]:
                newest[document["_id"]] = document
        writes = [self._replace_older(document) for document in newest.values()]
        for _ in range(2):
            try:
                await self._collection.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                if not is_duplicate(error):
                    raise
                # An upsert met a document: one that was as new, or an older one that was written in
                # this very moment. The second time it is there to be found.
                failed = (error.details or {})["writeErrors"]
                writes = [writes[one["index"]] for one in failed]
            else:
                return

    def _replace_older(self, document: Document) -> ReplaceOne[Document]:
        which = {"_id": document["_id"], "account": document["account"]}
        older: Document = {**which, "version": {"$lt": document["version"]}}
        if self._added is not None:
            same = {"version": document["version"], self._added: None}
            older = {**which, "$or": [{"version": older["version"]}, same]}
        return ReplaceOne(older, document, upsert=True)
