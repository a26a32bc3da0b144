"""Blocks of search terms: what up to 64 mails of an audience have between them. Pure.

An index key for each term of each mail is nearly all that a mail costs MongoDB. Most words are in
many mails. So rows that follow each other by date share a block: a document with all their terms,
each once, and these are what is indexed. A row names its block; one without is *fresh*, and a
search looks through all fresh rows.

* A block's terms are exactly those of its rows. One of whose rows changes its terms or date, or
  goes, is dissolved in the same transaction: its other rows are fresh again.
* A block's place says when its newest and its oldest mail are, in seconds, so that blocks sort by
  their newest mail. Between the two are at most MAX_WIDTH.
* A block has at most MAX_TERMS: MongoDB indexes 100,000 of one document, and stores 16 MB.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from services.timeline.write.listed_records import TermBlock
from services.timeline.write.records import Record

MAX_ROWS = 64
MAX_WIDTH = timedelta(days=64)
MAX_TERMS, MAX_CHARACTERS = 50_000, 3_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MOST_SECONDS = 2**32 - 1
_FIRST, _TAIL = 4, 2


class FreshRow(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A row that is in no block yet."""

    id: str = field(name="_id")
    date: datetime
    content: str = ""
    terms: tuple[str, ...] = ()
    terms_digest: bytes = b""


class Packed(Struct, frozen=True):
    """A block, and the rows that belong to it."""

    block: TermBlock
    rows: tuple[str, ...]


def pack(account: str, audience: str, rows: Sequence[FreshRow]) -> Iterator[Packed]:
    """Yield blocks of rows, which are given oldest first; what fills no block is left."""
    chosen: list[FreshRow] = []
    terms: set[str] = set()
    characters = 0
    for row in rows:
        new = set(row.terms) - terms
        longer = sum(map(len, new))
        is_full = (
            len(chosen) == MAX_ROWS
            or len(terms) + len(new) > MAX_TERMS
            or characters + longer > MAX_CHARACTERS
            or bool(chosen and row.date - chosen[0].date > MAX_WIDTH)
        )
        if chosen and is_full:
            yield _packed(account, audience, chosen, terms)
            chosen, terms, characters = [], set(), 0
            new, longer = set(row.terms), sum(map(len, set(row.terms)))
        chosen.append(row)
        terms |= new
        characters += longer
    if len(chosen) == MAX_ROWS:
        yield _packed(account, audience, chosen, terms)


def _packed(account: str, audience: str, rows: Sequence[FreshRow], terms: Iterable[str]) -> Packed:
    place = place_of(rows[0].date, rows[-1].date)
    block = TermBlock(
        id=block_id(account, audience, place),
        account=account,
        audience=audience,
        place=place,
        terms=tuple(sorted(terms)),
    )
    return Packed(block, tuple(row.id for row in rows))


def block_id(account: str, audience: str, place: bytes) -> str:
    """Return the id of a block."""
    return f"{account}/{audience}/{place.hex()}"


def place_of(oldest: datetime, newest: datetime) -> bytes:
    """Return the place of a new block: they sort by it, and no two of an audience have the same."""
    return _seconds(newest) + _seconds(oldest) + secrets.token_bytes(_TAIL)


def ends_before(place: bytes) -> datetime:
    """Return a moment that is after all mails of a block, less than a second."""
    return _EPOCH + timedelta(seconds=int.from_bytes(place[:_FIRST], "big") + 1)


def begins_at(place: bytes) -> datetime | None:
    """Return a moment that no mail of a block is before; None: its mails may be of any age."""
    seconds = int.from_bytes(place[_FIRST : 2 * _FIRST], "big")
    return _EPOCH + timedelta(seconds=seconds) if seconds else None


def last_place(moment: datetime) -> bytes:
    """Return a place that is not before that of any block with a mail at this moment."""
    return _seconds(moment, MAX_WIDTH + _SECOND) + b"\xff" * (_FIRST + _TAIL)


def first_place(moment: datetime) -> bytes:
    """Return a place that is not after that of any block with a mail at or after this moment."""
    return _seconds(moment) + bytes(_FIRST + _TAIL)


def _seconds(moment: datetime, later: timedelta = timedelta(0)) -> bytes:
    seconds = (moment - _EPOCH + later) // _SECOND
    return min(max(seconds, 0), _MOST_SECONDS).to_bytes(_FIRST, "big")
