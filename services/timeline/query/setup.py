"""How far a user's set-up has come: what each half has brought, what waits, what needs a person.

The states of a half:

    nothing_yet            it has brought nothing so far
    awaiting_confirmation  a provider has asked whether it may forward, and nothing came since
    working                it brings mail
    silent                 it did, and by its own rhythm it has stopped (`write/rhythm.py`)

The answer follows from what is stored and from the moment, by pure functions: nothing has to run
for a half to become silent.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import field as stored_as
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.round_trips import RoundTrip, RoundTrips
from services.timeline.write.indexes import WATCHED_KEPT
from services.timeline.write.proving import setup_id
from services.timeline.write.records import Record
from services.timeline.write.rhythm import is_silent
from services.timeline.write.side_records import HalfDay, SeenHalf, Setup, Watched
from services.timeline.write.stored import from_document
from shared.contracts.events import Half
from shared.storage.database import Database, Document, Index, of_id

INDEXES = (
    # Setups.last_seen; half_days.py: the days that no rhythm needs
    Index(
        HalfDay.collection,
        IndexModel(
            [
                ("account", ASCENDING),
                ("owner", ASCENDING),
                ("half", ASCENDING),
                ("day", ASCENDING),
            ],
            name="of_half",
        ),
    ),
    # Setups.watched
    Index(
        Watched.collection,
        IndexModel(
            [("account", ASCENDING), ("owner", ASCENDING), ("at", DESCENDING)], name="of_owner"
        ),
    ),
)
CONFIRMATION_COUNTS = timedelta(hours=24)
"""How long a provider's question waits for an answer."""
EXPIRED_IS_TOLD = timedelta(days=30)
"""How long the notice of an unanswered question is shown."""
_MAX_WATCHED = 20

HalfState = Literal["nothing_yet", "awaiting_confirmation", "working", "silent"]
NoticeKind = Literal["silent_half", "leak", "confirmation_expired", "round_trip_failed"]


class LastSeen(Record, frozen=True, kw_only=True, omit_defaults=True):
    """When a slot has counted the last capture of a half and day."""

    half: str
    last: datetime


class KnownAddress(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's capture address, whatever its state."""

    address: str = stored_as(name="_id")
    state: str


@dataclass(frozen=True, slots=True)
class HalfView:
    """The state of one half."""

    state: HalfState
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs the user's attention."""

    kind: NoticeKind
    since: datetime
    half: Half | None = None
    capture_address: str | None = None
    mail_date: datetime | None = None
    provider: str | None = None

    @property
    def name(self) -> str:
        """Return what distinguishes it from the owner's other notices."""
        about = self.half or self.capture_address or self.provider or ""
        return f"{self.kind} {about} {self.since.isoformat()}"


@dataclass(frozen=True, slots=True)
class KnownSetup:
    """A user's set-up as it is stored."""

    record: Setup
    last_seen: dict[str, datetime] = field(default_factory=dict)
    """Of each half that has brought anything."""
    addresses: dict[str, str] = field(default_factory=dict)
    """The states of the user's capture addresses. One that is new is heard of in a moment."""
    round_trip: RoundTrip | None = None
    """The latest challenge to the user's mailbox."""

    @property
    def has_left(self) -> bool:
        """Return whether the user has no capture address that is still accepted."""
        return bool(self.addresses) and "active" not in self.addresses.values()

    def seen(self, half: Half) -> SeenHalf | None:
        """Return when mail of this half arrived."""
        return self.record.sent if half is Half.SENT else self.record.received


def half_view(known: KnownSetup, half: Half, now: datetime) -> HalfView:
    """Return the state of a half. Pure."""
    seen, last = known.seen(half), known.last_seen.get(half.value)
    asked = known.record.asked if half is Half.RECEIVED else None
    waits = (
        asked is not None
        and now < asked.at + CONFIRMATION_COUNTS
        and (last is None or last < asked.at)
    )
    if seen is None:
        return HalfView("awaiting_confirmation" if waits else "nothing_yet")
    if not is_silent([*map(date.fromisoformat, seen.days)], now.astimezone(UTC).date()):
        return HalfView("working", seen.first, last)
    return HalfView("awaiting_confirmation" if waits else "silent", seen.first, last)


def _silent_halves(known: KnownSetup, now: datetime) -> Iterator[Notice]:
    for half in Half:
        view = half_view(known, half, now)
        if view.state == "silent" and view.last_seen_at is not None:
            yield Notice("silent_half", view.last_seen_at, half=half)


def _leaks(known: KnownSetup, _: datetime) -> Iterator[Notice]:
    for leak in known.record.leaks:
        if known.addresses.get(leak.capture_address, "active") == "active":
            yield Notice(
                "leak",
                leak.at,
                capture_address=leak.capture_address,
                mail_date=leak.mail_date,
            )


def _expired_confirmations(known: KnownSetup, now: datetime) -> Iterator[Notice]:
    asked = known.record.asked
    if asked is None:
        return
    last = known.last_seen.get(Half.RECEIVED.value)
    expired = asked.at + CONFIRMATION_COUNTS
    if expired <= now < expired + EXPIRED_IS_TOLD and (last is None or last < asked.at):
        yield Notice("confirmation_expired", expired, provider=asked.provider)


def _failed_round_trips(known: KnownSetup, now: datetime) -> Iterator[Notice]:
    """Yield the latest one that did not come back, unless mail has come since."""
    latest = known.round_trip
    if latest is None:
        return
    failed = latest.failed_at(now)
    last = known.last_seen.get(Half.RECEIVED.value)
    if failed is not None and (last is None or last < failed):
        yield Notice("round_trip_failed", failed)


NOTICES: tuple[Callable[[KnownSetup, datetime], Iterable[Notice]], ...] = (
    _silent_halves,
    _leaks,
    _expired_confirmations,
    _failed_round_trips,
)
"""What may need a person: each looks for one kind of notice."""


def notices(known: KnownSetup, now: datetime) -> list[Notice]:
    """Return what needs the user's attention, newest first; nothing if they have left. Pure."""
    if known.has_left:
        return []
    found = [notice for find in NOTICES for notice in find(known, now)]
    return sorted(found, key=lambda notice: notice.since, reverse=True)


class Setups:
    """The set-ups of all users, for reading."""

    def __init__(self, database: Database) -> None:
        self.collection = database[Setup.collection]
        self._half_days, self._watched = database[HalfDay.collection], database[Watched.collection]
        self._addresses = database["capture_addresses"]
        self._round_trips = RoundTrips(database)

    async def of(self, account: str, owner: str) -> KnownSetup:
        """Return a user's set-up."""
        id_ = setup_id(account, owner)
        found = await self.collection.find_one(of_id(account, id_))
        record = from_document(Setup, found) if found else None
        return await self.complete(record or Setup(id=id_, account=account, owner=owner))

    async def complete(self, record: Setup) -> KnownSetup:
        """Return a set-up with what is stored beside its record."""
        last_seen: dict[str, datetime] = {}
        halves = {Half.SENT: record.sent, Half.RECEIVED: record.received}
        days = [{"half": h.value, "day": seen.days[-1]} for h, seen in halves.items() if seen]
        if days:
            which: Document = {"account": record.account, "owner": record.owner, "$or": days}
            for one in await records_of(LastSeen, self._half_days.find(which, fields_of(LastSeen))):
                last_seen[one.half] = max(one.last, last_seen.get(one.half, one.last))
        which = {"account": record.account, "person_id": record.owner}
        addresses = self._addresses.find(which, fields_of(KnownAddress))
        states = {one.address: one.state for one in await records_of(KnownAddress, addresses)}
        round_trip = await self._round_trips.of(record.account, record.owner)
        return KnownSetup(record, last_seen, states, round_trip)

    async def may_have_failed(self, ids: Collection[str]) -> frozenset[str]:
        """Return those set-ups whose latest round trip has not come back, or not yet."""
        return await self._round_trips.not_returned(ids)

    async def watched(self, account: str, owner: str, now: datetime) -> list[Watched]:
        """Return the dismissed mails that a user asked to see, newest first."""
        which = {"account": account, "owner": owner, "at": {"$gt": now - WATCHED_KEPT}}
        found = self._watched.find(which).sort("at", DESCENDING).limit(_MAX_WATCHED)
        return await records_of(Watched, found)
