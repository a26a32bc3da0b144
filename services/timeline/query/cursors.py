"""Cursors: where the next page begins, as an opaque word.

A cursor names a position in the list's order, never a number of entries, so pages stay correct
while mails arrive: nothing is shown twice and nothing that was there is left out.
"""

import base64
import binascii
import json
import re
from datetime import UTC, datetime, timedelta

from services.timeline.write.records import Record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile("[a-z2-7]{32}")


class InvalidCursor(ValueError):
    """The cursor is not one of ours."""


Position = tuple[datetime, str]
"""A date and an id: what lists sort by, both descending."""


class MailPlace(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where a mail stands in a list of mails."""

    date: datetime
    mail_id: str

    @property
    def position(self) -> Position:
        """Return it as a position."""
        return self.date, self.mail_id


def write_cursor(position: Position) -> str:
    """Return the cursor of a position: the next page has what comes after it."""
    moment, id_ = position
    text = json.dumps([(moment - _EPOCH) // timedelta(milliseconds=1), id_])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Position:
    """Return the position of a cursor. Raises InvalidCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        milliseconds, id_ = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(id_, str) or not _ID.fullmatch(id_) or not isinstance(milliseconds, int):
            raise InvalidCursor("is not a cursor of this list")
        return _EPOCH + timedelta(milliseconds=milliseconds), id_
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
        raise InvalidCursor("is not a cursor of this list") from error


def after(position: Position | None, date_field: str, id_field: str) -> dict[str, object]:
    """Return the query for what comes after a position; all of it when there is none."""
    if position is None:
        return {}
    moment, id_ = position
    return {
        date_field: {"$lte": moment},
        "$or": [{date_field: {"$lt": moment}}, {id_field: {"$lt": id_}}],
    }
