"""When something last arrived in a conversation: by which it is unread, and its place then."""

from collections.abc import Collection
from datetime import UTC, datetime

from msgspec import field

from services.timeline.query.cursors import Position
from services.timeline.write.listed_records import ProfileRef, SummaryRow
from services.timeline.write.records import Record
from shared.storage.database import Document


class Arrival(Record, frozen=True, kw_only=True, omit_defaults=True):
    """When something last arrived in a conversation: what the index `arrivals` has of it."""

    account: str
    audience: str = field(name="viewer")
    conversation: str = field(name="thread")
    arrived: int


class ProfilesArrival(Arrival, frozen=True, kw_only=True, omit_defaults=True):
    """An arrival, with the profiles of its conversation."""

    persons: tuple[ProfileRef, ...]


def has_one_of(row: Arrival | SummaryRow, profiles: Collection[str] | None) -> bool:
    """Return whether a row is on one of these profiles; any row where none are asked for."""
    if profiles is None:
        return True
    persons = row.persons if isinstance(row, ProfilesArrival | SummaryRow) else ()
    return any(person.person_id in profiles for person in persons)


def place_of(row: Arrival) -> Position:
    """Return where a row stands in the order of arrivals."""
    return _moment(row.arrived), row.conversation


def after_arrival(position: Position | None) -> Document:
    """Return the query for what arrived before that."""
    if position is None:
        return {}
    number = round(position[0].timestamp() * 1000)
    later = [{"arrived": {"$lt": number}}, {"thread": {"$lt": position[1]}}]
    return {"arrived": {"$lte": number}, "$or": later}


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1000, UTC)
