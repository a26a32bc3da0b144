"""Writes a draft: one bulk write per collection, within the transaction it was loaded in.

A document that was loaded is inserted, replaced or deleted, and one that did not change is not
written. Of what was not loaded it is known that it is not there, because what it is derived from
was not. Should it be there all the same, the insert fails, and the batch is repeated with `upsert`.
"""

from collections import defaultdict
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.conversations import token_id
from services.timeline.write.records import Conversation, Kept, MailRow, SummaryRow, Token
from services.timeline.write.side_records import Hint, ReadMark
from services.timeline.write.state import ById, Draft, TallyKey
from services.timeline.write.stored import to_document
from shared.database import Database, of_id

_OFTEN_REPLACED = (Conversation, SummaryRow, ReadMark)
"""Inserted by an upsert, so that a bulk write of them is one command."""
_TALLIES = "tallies"
Writes = dict[str, list[Any]]


async def commit(
    database: Database, draft: Draft, slot: int, session: AsyncClientSession, *, upsert: bool
) -> None:
    """Write all that the draft changes."""
    for collection, writes in writes_of(draft, slot, upsert=upsert).items():
        await database[collection].bulk_write(writes, ordered=False, session=session)


def writes_of(draft: Draft, slot: int, *, upsert: bool = False) -> Writes:
    """Return the writes by collection. Their order within one does not matter."""
    writes: Writes = defaultdict(list)
    for query, record in draft.written.items():
        write = _write(draft, query, record, upsert=upsert)
        if write is not None:
            writes[query.kind.collection].append(write)
    for (account, old), new in draft.renamed.items():
        if draft.state.known(ById(Conversation, account, token_id(account, old))) is None:
            continue  # it came and went in this batch
        rename = UpdateMany({"account": account, "thread": old}, {"$set": {"thread": new}})
        for kind in (Token, MailRow):
            writes[kind.collection].append(rename)
    if draft.hints:
        writes[Hint.collection] = [InsertOne(to_document(hint)) for hint in draft.hints]
    tallies = _tallies(draft, slot)
    if tallies:
        writes[_TALLIES] = tallies
    return writes


def _write(draft: Draft, query: ById, record: Kept | None, *, upsert: bool) -> Any:
    was = draft.state.known(query)
    which = of_id(query.account, query.id)
    if record is None:
        return DeleteOne(which) if was is not None else None
    if record == was:
        return None
    document = to_document(record)
    if was not in (None, "unknown"):
        return ReplaceOne(which, document)
    if upsert or isinstance(record, _OFTEN_REPLACED):
        return ReplaceOne(which, document, upsert=True)
    return InsertOne(document)


def _tallies(draft: Draft, slot: int) -> list[UpdateOne]:
    """Return the increments; the slot keeps writers that run at the same time apart."""
    by_document: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for key, difference in draft.counted.items():
        if difference:
            by_document[_document(key)][key.counted_as] = difference
    return [
        UpdateOne(
            {"_id": f"{account}/{day}/{slot}/{owner}", "account": account},
            {"$inc": counts, "$setOnInsert": {"day": day, "owner": owner}},
            upsert=True,
        )
        for (account, day, owner), counts in by_document.items()
    ]


def _document(key: TallyKey) -> tuple[str, str, str]:
    return key.account, key.day, key.owner


def moved_mails(draft: Draft) -> int:
    """Return how many mails the merges of a draft rename."""
    total = 0
    for account, old in draft.renamed:
        was = draft.state.known(ById(Conversation, account, token_id(account, old)))
        total += was.mails if isinstance(was, Conversation) else 0
    return total
