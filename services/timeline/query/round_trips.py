"""The latest round trip of a user, as the matcher announced it (`write/people.py`)."""

from collections.abc import Collection
from datetime import datetime

from services.timeline.query.parts import fields_of, records_of
from services.timeline.write.records import Record
from shared.contracts.events import RoundTripState
from shared.storage.database import Database, of_id


class RoundTrip(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A challenge to a user's mailbox, and what became of it."""

    state: str
    at: datetime
    address: str | None = None
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    repeated: bool = False
    status: str | None = None
    reason: str | None = None
    advice: str | None = None

    def failed_at(self, now: datetime) -> datetime | None:
        """Return when it was clear that it does not come back, or None."""
        if self.state == RoundTripState.BOUNCED.value:
            return self.at
        return self.expires_at if self.is_lost(now) else None

    def is_lost(self, now: datetime) -> bool:
        """Return whether it was sent, and what comes back now proves nothing."""
        expired = self.expires_at is not None and self.expires_at < now
        return self.state == RoundTripState.SENT.value and expired


class RoundTrips:
    """The round trips of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._round_trips = database["round_trips"]

    async def of(self, account: str, person_id: str) -> RoundTrip | None:
        """Return a user's latest round trip, or None."""
        which = of_id(account, f"{account}/{person_id}")
        found = self._round_trips.find(which, fields_of(RoundTrip)).limit(1)
        for latest in await records_of(RoundTrip, found):
            if latest.state != RoundTripState.FORGOTTEN.value:
                return latest
        return None

    async def not_returned(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of the ids, accounts' and users', whose latest is under way or bounced."""
        states = [RoundTripState.SENT.value, RoundTripState.BOUNCED.value]
        which = {"_id": {"$in": list(ids)}, "state": {"$in": states}}
        return frozenset([one["_id"] async for one in self._round_trips.find(which, {"_id": 1})])
