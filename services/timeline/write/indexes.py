"""The indexes that writing needs. Those of what is asked for are declared beside the queries."""

from datetime import timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from shared.storage.database import Index

HINTS_KEPT = timedelta(hours=1)
CONFIRMATIONS_KEPT = timedelta(hours=24)
"""Who has not answered by then asks their provider again. Read by `query/confirmations.py` too."""
WATCHED_KEPT = timedelta(days=1)
_BY_CONVERSATION = [("account", ASCENDING), ("thread", ASCENDING)]
_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]


def _expire(collection: str, after: timedelta) -> Index:
    seconds = int(after.total_seconds())
    return Index(
        collection, IndexModel([("at", ASCENDING)], name="expire", expireAfterSeconds=seconds)
    )


INDEXES = (
    # loading.py: what belongs to conversations that merge; committing.py: their new name
    Index("tokens", IndexModel(_BY_CONVERSATION, name="of_thread")),
    Index("conversations", IndexModel(_BY_CONVERSATION, name="of_thread")),
    Index("read_marks", IndexModel(_BY_CONVERSATION, name="of_thread")),
    # loading.py: the rows of which a summary is made anew; query/mails.py: of_conversation
    Index(
        "mail_rows",
        IndexModel(
            [("account", ASCENDING), ("viewer", ASCENDING), ("thread", ASCENDING), *_NEWEST],
            name="of_thread",
        ),
    ),
    # recording.py: dismissed captures that nothing redelivers any more. Others are not in it.
    Index(
        "outcomes",
        IndexModel([("expires_at", ASCENDING)], name="expire", expireAfterSeconds=0, sparse=True),
    ),
    _expire("changes", HINTS_KEPT),
    _expire("confirmations", CONFIRMATIONS_KEPT),
    _expire("watched", WATCHED_KEPT),
)
