"""Loads what a batch needs, within its transaction.

A large batch takes a query for each collection. A small one takes a single request, since requests
are most of what it costs: an aggregation that begins at the counters of its accounts
(`mail_changes.py`), which it needs as well, and looks up everything else. It cannot be used

* while none of the accounts has a counter: there is nothing to begin at;
* for contents and mail that waits in quarantine: the answer is one document of at most 16 MiB;
* by a mongos: `$lookup` reads no sharded collection in a transaction before MongoDB 8.0.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.listed_records import MailRow
from services.timeline.write.mail_changes import COUNTERS, counter_id
from services.timeline.write.records import Content, Kept
from services.timeline.write.side_records import Held
from services.timeline.write.state import ById, OfConversation, Query, State
from services.timeline.write.stored import from_document
from shared.storage.database import BY_ID, Database, Document

_LARGE = (Content, Held)
_MOST_TOGETHER = 64
"""Documents in one request: what eight mails need, about."""
_ByKind = Mapping[type[Kept], Sequence[ById]]


async def load(
    database: Database,
    state: State,
    queries: Iterable[Query],
    session: AsyncClientSession,
    *,
    slot: int | None = None,
) -> None:
    """Add what these queries find to the state.

    `slot` is that of the batch's counters. With None each collection is asked alone.
    """
    by_kind: dict[type[Kept], list[ById]] = defaultdict(list)
    of_conversations: dict[tuple[type[Kept], str | None], list[OfConversation]] = defaultdict(list)
    for query in dict.fromkeys(queries):
        if query in state:
            continue
        if isinstance(query, ById):
            by_kind[query.kind].append(query)
        else:
            of_conversations[query.kind, query.audience].append(query)
    if slot is not None:
        together = {kind: wanted for kind, wanted in by_kind.items() if kind not in _LARGE}
        if await _load_together(database, state, together, session, slot):
            by_kind = {kind: by_kind[kind] for kind in by_kind.keys() - together.keys()}
    for kind, wanted in by_kind.items():
        await _load_by_id(database, state, kind, wanted, session)
    for (kind, audience), all_of in of_conversations.items():
        await _load_all(database, state, kind, audience, all_of, session)


async def _load_together(
    database: Database, state: State, by_kind: _ByKind, session: AsyncClientSession, slot: int
) -> bool:
    """Load few documents of several collections in one request; return whether that was done."""
    all_ = [query for wanted in by_kind.values() for query in wanted]
    accounts = sorted({query.account for query in all_})
    is_empty = all(state.last_changes.get(account) == 0 for account in accounts)
    if len(by_kind) < 2 or len(all_) > _MOST_TOGETHER or is_empty:
        return False
    counters = {
        "account": _one_or_in(accounts),
        "_id": {"$in": [counter_id(account, slot) for account in accounts]},
    }
    stages: list[Document] = [
        {"$match": counters},
        {"$group": {"_id": None, "counters": {"$push": "$$ROOT"}}},
        *(
            {
                "$lookup": {
                    "from": kind.collection,
                    "pipeline": [{"$match": _of_ids(wanted)}],
                    "as": kind.collection,
                }
            }
            for kind, wanted in by_kind.items()
        ),
    ]
    async with await database[COUNTERS].aggregate(stages, session=session, hint=BY_ID) as answer:
        found = await answer.to_list()
    state.last_changes |= dict.fromkeys(accounts, 0)
    for document in found:
        state.last_changes |= {one["account"]: one["last"] for one in document["counters"]}
        for kind, wanted in by_kind.items():
            _add(state, kind, wanted, document[kind.collection])
    return bool(found)


async def _load_by_id(
    database: Database,
    state: State,
    kind: type[Kept],
    queries: Sequence[ById],
    session: AsyncClientSession,
) -> None:
    found = database[kind.collection].find(_of_ids(queries), session=session).hint(BY_ID)
    _add(state, kind, queries, await found.to_list())


def _add(
    state: State, kind: type[Kept], queries: Sequence[ById], found: Iterable[Document]
) -> None:
    """Add what was found to the state, and that the rest is not there."""
    for query in queries:
        state.add(query, None)
    for document in found:
        record = from_document(kind, document)
        state.add(ById(kind, record.account, record.id), record)


async def _load_all(
    database: Database,
    state: State,
    kind: type[Kept],
    audience: str | None,
    queries: Sequence[OfConversation],
    session: AsyncClientSession,
) -> None:
    which: Document = {
        "account": _one_or_in(_accounts(queries)),
        "thread": {"$in": [query.conversation for query in queries]},
    }
    if audience is not None:
        which["viewer"] = audience
    fields = {"terms": 0} if kind is MailRow else None
    members: dict[tuple[str, str], list[Any]] = defaultdict(list)
    async for document in database[kind.collection].find(which, fields, session=session):
        record: Any = from_document(kind, document)
        members[record.account, record.conversation].append(record)
    for query in queries:
        state.add_all(query, tuple(members[query.account, query.conversation]))


def _of_ids(queries: Sequence[ById]) -> Document:
    ids = [query.id for query in queries]
    return {"account": _one_or_in(_accounts(queries)), "_id": {"$in": ids}}


def _accounts(queries: Collection[ById] | Collection[OfConversation]) -> list[str]:
    return sorted({query.account for query in queries})


def _one_or_in(accounts: list[str]) -> str | Document:
    return accounts[0] if len(accounts) == 1 else {"$in": accounts}
