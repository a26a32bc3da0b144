"""What the timeline has to know of the directory, published from the documents themselves.

Each person, each capture address and each user's latest round trip has a version that counts its
changes, and a flag `unannounced` that is written with the change and taken away when the event was
confirmed and nothing changed since. So a change is always announced, after any crash, and
announcing twice is harmless: the events are versioned. So is the order to erase a person, until it
is carried out. `announce_again` sets the flag on
everything.

Before a profile's flag is taken away, sealed captures are sought that name their addresses
(`rematch/`): so none is missed, either.

Accounts take turns, a batch each: what one user did does not wait behind another company's import.
One replica announces at a time, the holder of a lease; else each would announce an import whole.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta

import pymongo
import structlog
from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import PyMongoError

from services.matcher.directory.returning import known_by
from services.matcher.directory.versions import Versions
from services.matcher.metrics import ANNOUNCE_FAILURES, ANNOUNCED
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import (
    CaptureAddressChanged,
    Event,
    Kind,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    RoundTripChanged,
)
from shared.runtime.periodic import Periodic
from shared.storage.database import Database, DatabaseAway, Document, Index, database_errors
from shared.storage.lease import Lease
from shared.storage.moments import as_stored

_EVERY_SECONDS = 0.5
_BATCH = 200
_LEASE = timedelta(seconds=5)
"""How long announcements wait when the replica that made them was killed."""
_INDEX = "unannounced"
_UNANNOUNCED = {"unannounced": True}
Seek = Callable[[str, Collection[str]], Awaitable[object]]
"""Looks for what an account has sealed that names one of these addresses."""
log = structlog.get_logger()


def outbox_index(collection: str) -> Index:
    """Return the index of what is unannounced: as large as that, which is small."""
    keys = [("account", ASCENDING), ("unannounced", ASCENDING)]
    model = IndexModel(keys, name=_INDEX, partialFilterExpression=_UNANNOUNCED)
    return Index(collection, model)


class Outbox(Periodic):
    """Publishes directory changes that are not announced yet. Any number of replicas may run it."""

    def __init__(self, database: Database, publisher: Publisher, seek: Seek | None = None) -> None:
        self._database, self._publisher, self._seek = database, publisher, seek
        super().__init__(_EVERY_SECONDS)
        self._lease, self._versions = Lease(database, "outbox", _LEASE), Versions(database)
        self._last_served: dict[str, str] = {}

    async def once(self) -> None:
        """Publish all changes, unless a dependency is unavailable."""
        try:
            with database_errors():
                while await self.announce_some():
                    pass
                await self._lease.release()
        except (DatabaseAway, PublishFailed) as away:
            ANNOUNCE_FAILURES.inc()
            log.warning("announcements wait", why=str(away))
        except PyMongoError as error:  # no index yet, say: mail must not stop for that
            ANNOUNCE_FAILURES.inc()
            log.error("announcements fail", exc_info=error)

    async def announce_some(self) -> int:
        """Publish a batch of each kind for the next account; return how many. 0 means none is left.

        Raises PublishFailed.
        """
        people = await self._announce("people", _person_event)
        people += await self._announce("erased", _erased_event)
        addresses = await self._announce("capture_addresses", _address_event)
        return people + addresses + await self._announce("round_trips", _round_trip_event)

    async def announce_again(self) -> int:
        """Mark everything for publishing again; return how much that is."""
        count = 0
        with pymongo.timeout(0):  # no deadline, however many they are; None is the client's
            for collection in ("people", "capture_addresses", "round_trips", "erased"):
                known = {"erased_at": {"$exists": True}} if collection == "erased" else {}
                updated = await self._database[collection].update_many(
                    known, {"$set": _UNANNOUNCED}
                )
                count += updated.matched_count
        return count

    async def _announce(self, collection: str, event_of: Callable[[Document], Event | None]) -> int:
        documents = self._database[collection]
        account = await self._whose_turn(collection)
        if account is None or not await self._lease.held():
            return 0
        told_at = as_stored(datetime.now(UTC))
        is_erasing = await self._versions.is_erasing(account)
        waiting = {"account": account, **_UNANNOUNCED}
        found = await documents.find(waiting).hint(_INDEX).limit(_BATCH).to_list()
        if is_erasing:  # nothing of it is told any more
            await documents.bulk_write([_announced(document) for document in found])
            return len(found)
        events = [event for event in map(event_of, found) if event is not None]
        events = [_told_at(event, told_at) for event in events]
        await asyncio.gather(*(self._publisher.publish(event) for event in events))
        for event in events:
            ANNOUNCED.labels(event.tag).inc()
        if collection == "people" and self._seek is not None:
            keys = {key for one in found if _is_profile(one) for key in one["keys"]}
            if keys:
                await self._seek(account, keys)
        if found:
            await documents.bulk_write([_announced(document) for document in found])
        return len(found)

    async def _whose_turn(self, collection: str) -> str | None:
        """Return the next account, in the order of their names, that has something to announce."""
        last = self._last_served.pop(collection, "")
        for after in (last, "") if last else ("",):  # with nothing to announce one look is enough
            waiting = {"account": {"$gt": after}, **_UNANNOUNCED}
            by_account = [("account", ASCENDING)]
            found = await self._database[collection].find_one(
                waiting, {"account": 1}, sort=by_account, hint=_INDEX
            )
            if found is not None:
                self._last_served[collection] = found["account"]
                return str(found["account"])
        return None


def _told_at(event: Event, moment: datetime) -> Event:
    """Return the event with the time before which the directory was read for it."""
    if isinstance(event, PersonErased):
        return event
    return event.model_copy(update={"told_at": moment})


def _announced(document: Document) -> UpdateOne:
    """Return the write that takes the flag away, unless there was another change since."""
    same = {"_id": document["_id"], "version": document["version"]}
    return UpdateOne(same, {"$unset": {"unannounced": ""}})


def _is_profile(person: Document) -> bool:
    return "deleted" not in person and Kind(person["kind"]).is_profile


def _person_event(person: Document) -> Event:
    told = ("account", "person_id", "version", "merge_id", "merged_into")
    who = {field: person[field] for field in told if field in person}
    if person.get("deleted"):
        return PersonDeleted(**who, known_by=known_by(person) if "merged_into" in person else None)
    return PersonChanged(
        **who,
        kind=person["kind"],
        name=person["name"],
        addresses=tuple(person["addresses"]),
        known_by=known_by(person),
    )


def _erased_event(order: Document) -> Event:
    told = {field: order[field] for field in PersonErased.model_fields}
    return PersonErased(**told)


def _address_event(record: Document) -> Event | None:
    if not record["person_id"]:
        return None  # of the account: no user's set-up shows it
    return CaptureAddressChanged(
        account=record["account"],
        person_id=record["person_id"],
        address=record["_id"],
        version=record["version"],
        state=record["state"],
        valid_until=record.get("valid_until"),
    )


def _round_trip_event(latest: Document) -> Event:
    told = {field: latest[field] for field in RoundTripChanged.model_fields if field in latest}
    return RoundTripChanged(**told)
