"""Writes a draft: one bulk write per collection, within the transaction it was loaded in.

A document that was loaded is inserted, replaced or deleted, and one that did not change is not
written. Of what was not loaded it is known that it is not there, because what it is derived from
was not. Should it be there all the same, the insert fails, and the batch is repeated with `upsert`.
"""

from collections import defaultdict
from typing import Any

from msgspec.structs import replace
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.conversations import token_id
from services.timeline.write.half_days import half_day_writes
from services.timeline.write.listed_records import MailRow, SummaryRow, TermBlock
from services.timeline.write.mail_changes import COUNTERS, NO_STAMPS, Stamps, stamps_for
from services.timeline.write.records import Conversation, Kept, Mail, RawMail, Token
from services.timeline.write.side_records import DroppedBlob, HalfDay, Hint, ReadMark, Setup
from services.timeline.write.state import ById, Draft, TallyKey
from services.timeline.write.stored import to_document
from services.timeline.write.term_blocks import block_id
from shared.storage.database import Database, Document, of_id

_UPSERTED = (Conversation, DroppedBlob, RawMail, ReadMark, Setup, SummaryRow)
"""Inserted by an upsert: so that a bulk write of what is often replaced is one command, and because
raw bytes are not loaded before."""
_TALLIES = "tallies"
Writes = dict[str, list[Any]]


async def commit(
    database: Database, draft: Draft, slot: int, session: AsyncClientSession, *, upsert: bool
) -> None:
    """Write all changes of the draft."""
    stamps = await stamps_for(database, draft, slot, session)
    for collection, writes in writes_of(draft, slot, stamps, upsert=upsert).items():
        await database[collection].bulk_write(writes, ordered=False, session=session)


def writes_of(
    draft: Draft, slot: int, stamps: Stamps = NO_STAMPS, *, upsert: bool = False
) -> Writes:
    """Return the writes by collection. Their order within one does not matter."""
    writes: Writes = defaultdict(list)
    dissolved = _dissolved(draft)
    for account, audience, place in dissolved:
        block = of_id(account, block_id(account, audience, place))
        writes[TermBlock.collection].append(DeleteOne(block))
        rows = {"account": account, "viewer": audience, "block": place}
        writes[MailRow.collection].append(UpdateMany(rows, {"$unset": {"block": 1}}))
    for query, record in draft.written.items():
        if isinstance(record, MailRow) and _block_of(record) in dissolved:
            record = replace(record, block=None)
        stamp: Document = {}
        if isinstance(record, Mail):
            stamp = stamps.fields((record.account, record.id))
        write = _write(draft, query, record, stamp, upsert=upsert)
        if write is not None:
            writes[query.kind.collection].append(write)
    for (account, old), new in draft.renamed.items():
        if draft.state.known(ById(Conversation, account, token_id(account, old))) is None:
            continue  # it came and went in this batch
        rename = UpdateMany({"account": account, "thread": old}, {"$set": {"thread": new}})
        for kind in (Token, MailRow):
            writes[kind.collection].append(rename)
    for account, mail_id in sorted(stamps.keys()):
        if ById(Mail, account, mail_id) not in draft.written:  # its content alone is another
            stamp = {"$set": stamps.fields((account, mail_id))}
            writes[Mail.collection].append(UpdateOne(of_id(account, mail_id), stamp))
    if counters := stamps.counters():
        writes[COUNTERS] = [*counters]
    if draft.hints:
        writes[Hint.collection] = [InsertOne(to_document(hint)) for hint in draft.hints]
    tallies = _tallies(draft, slot)
    if tallies:
        writes[_TALLIES] = tallies
    half_days = half_day_writes(draft, slot)
    if half_days:
        writes[HalfDay.collection] = half_days
    return writes


def _write(draft: Draft, query: ById, record: Kept | None, stamp: Document, *, upsert: bool) -> Any:
    was = draft.state.known(query)
    which = of_id(query.account, query.id)
    if record is None:
        return DeleteOne(which) if was is not None else None
    if record == was and not stamp:
        return None
    document = to_document(record) | stamp
    if was not in (None, "unknown"):
        return ReplaceOne(which, document)
    if upsert or isinstance(record, _UPSERTED):
        return ReplaceOne(which, document, upsert=True)
    return InsertOne(document)


def _dissolved(draft: Draft) -> set[tuple[str, str, bytes]]:
    """Return the blocks with a row whose terms or date change, or that goes."""
    found: set[tuple[str, str, bytes]] = set()
    for query, record in draft.written.items():
        was = draft.state.known(query) if query.kind is MailRow else None
        if not isinstance(was, MailRow) or was.block is None:
            continue
        if not isinstance(record, MailRow) or record.block is None:
            found.add((was.account, was.audience, was.block))
    return found


def _block_of(row: MailRow) -> tuple[str, str, bytes] | None:
    return (row.account, row.audience, row.block) if row.block is not None else None


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
    """Return how many mails the draft's merges rename."""
    total = 0
    for account, old in draft.renamed:
        was = draft.state.known(ById(Conversation, account, token_id(account, old)))
        total += was.mails if isinstance(was, Conversation) else 0
    return total
