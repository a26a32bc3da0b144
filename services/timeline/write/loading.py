"""Loads what a batch needs: one query per collection, then one for what those lead to.

The first queries follow from the requests alone, the second from the conversations that their
tokens are in. What is needed beyond that (a merge, a mail that others have captured differently) is
rare, and asked for by `apply`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.attaching import with_capture
from services.timeline.write.audiences import as_ruled
from services.timeline.write.authentication import can_wait
from services.timeline.write.conversations import token_id
from services.timeline.write.erased_records import ErasedHead, ErasureJob
from services.timeline.write.listed_records import MailRow, SummaryRow
from services.timeline.write.listing import Change
from services.timeline.write.projection import Projection
from services.timeline.write.proving import setup_id, setup_query
from services.timeline.write.quarantine import held_id
from services.timeline.write.records import Content, Conversation, Kept, Mail, Outcome, Token
from services.timeline.write.requests import (
    Attach,
    Confirm,
    Dismiss,
    Erase,
    EraseHeld,
    HandOver,
    HandOverHeld,
    Refuse,
    Replace,
    Request,
    Return,
    Ruling,
    Stamp,
    Watch,
)
from services.timeline.write.side_records import (
    Bounce,
    Confirmation,
    HandOverJob,
    Held,
    ReadMark,
    Setup,
    Watched,
)
from services.timeline.write.state import ById, OfConversation, Query, State
from services.timeline.write.stored import from_document
from shared.storage.database import BY_ID, Database, Document


async def load(
    database: Database, state: State, queries: Iterable[Query], session: AsyncClientSession
) -> None:
    """Add what these queries find to the state."""
    by_kind: dict[type[Kept], list[ById]] = defaultdict(list)
    of_conversations: dict[tuple[type[Kept], str | None], list[OfConversation]] = defaultdict(list)
    for query in dict.fromkeys(queries):
        if query in state:
            continue
        if isinstance(query, ById):
            by_kind[query.kind].append(query)
        else:
            of_conversations[query.kind, query.audience].append(query)
    for kind, wanted in by_kind.items():
        await _load_by_id(database, state, kind, wanted, session)
    for (kind, audience), all_of in of_conversations.items():
        await _load_all(database, state, kind, audience, all_of, session)


async def _load_by_id(
    database: Database,
    state: State,
    kind: type[Kept],
    queries: Sequence[ById],
    session: AsyncClientSession,
) -> None:
    for query in queries:
        state.add(query, None)
    which = {**_of_accounts(queries), "_id": {"$in": [query.id for query in queries]}}
    found = database[kind.collection].find(which, session=session).hint(BY_ID)
    async for document in found:
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
        **_of_accounts(queries),
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


def _of_accounts(queries: Collection[ById] | Collection[OfConversation]) -> Document:
    accounts = sorted({query.account for query in queries})
    return {"account": accounts[0] if len(accounts) == 1 else {"$in": accounts}}


def first_queries(requests: Sequence[Request]) -> Iterator[Query]:
    """Yield what is needed of each request whatever is stored."""
    for request in requests:
        if isinstance(request, Attach | Dismiss | Confirm):
            setup = setup_query(request.event)
            if setup is not None:
                yield setup
        match request:
            case Attach(event=event, projection=projection):
                yield ById(ErasedHead, event.account, event.account)
                yield ById(Outcome, event.account, str(event.capture_id))
                yield from _of_projection(projection)
                if can_wait(event) and (request.may_wait or request.is_released):
                    yield ById(Held, event.account, held_id(str(event.capture_id)))
            case Dismiss(event=dismissed):
                yield ById(Outcome, dismissed.account, str(dismissed.capture_id))
            case Confirm(event=asked):
                yield ById(Outcome, asked.account, str(asked.capture_id))
                yield ById(Confirmation, asked.account, str(asked.capture_id))
            case Return(event=returned):
                yield ById(Outcome, returned.account, str(returned.capture_id))
                if returned.owner is not None:
                    id_ = setup_id(returned.account, returned.owner)
                    yield ById(Setup, returned.account, id_)
            case Watch(event=watched):
                yield ById(Watched, watched.account, str(watched.capture_id))
            case Refuse(held=held):
                yield ById(Outcome, held.account, held.capture_id)
                yield ById(Held, held.account, held.id)
            case Ruling(account=account, mail_id=mail_id) | Stamp(account=account, mail_id=mail_id):
                yield ById(Mail, account, mail_id)
            case HandOver(account=account, mail_id=mail_id):
                yield ById(HandOverJob, account, request.job_id)
                yield ById(Mail, account, mail_id)
            case Erase(account=account, mail_id=mail_id):
                yield ById(ErasureJob, account, request.job_id)
                yield ById(Mail, account, mail_id)
            case EraseHeld(account=account, held_id=waiting):
                yield ById(ErasureJob, account, request.job_id)
                yield ById(Held, account, waiting)
            case HandOverHeld(account=account, held_id=waiting):
                yield ById(HandOverJob, account, request.job_id)
                yield ById(Held, account, waiting)
            case Replace(content=content, projections=projections):
                yield ById(Mail, content.account, request.mail_id)
                yield ById(Content, content.account, content.id)
                for projection in projections:
                    yield ById(Content, content.account, projection.content.id)
                    yield from _of_projection(projection)


def _of_projection(projection: Projection) -> Iterator[Query]:
    account = projection.account
    yield ById(Mail, account, projection.mail_id)
    for token in projection.tokens:
        yield ById(Token, account, token_id(account, token))
    if projection.bounce is not None:
        yield ById(Bounce, account, projection.bounce.id)


def second_queries(state: State, requests: Sequence[Request]) -> Iterator[Query]:
    """Yield what the mails and conversations lead to that the first queries have found."""
    for request in requests:
        if isinstance(request, Attach):
            yield from _of_mail(state, request.projection)


def _of_mail(state: State, projection: Projection) -> Iterator[Query]:
    account, content = projection.account, ById(Content, projection.account, projection.content.id)
    found = [state.one(Token, account, token_id(account, t)) for t in projection.tokens]
    names = {token.conversation for token in found if token is not None}
    known = state.one(Mail, account, projection.mail_id)
    if known is None:
        state.assume_absent(content)
    else:
        yield content
    if len(names) > 1:
        for name in names:
            yield ById(Conversation, account, token_id(account, name))
            yield OfConversation(SummaryRow, account, name)
            yield OfConversation(ReadMark, account, name)
        return
    conversation = next(iter(names), projection.token)
    listed = [*_to_list(projection, known, conversation)]
    if names:
        yield ById(Conversation, account, token_id(account, conversation))
        yield from listed
    else:  # nothing is listed of a conversation that is not there
        for query in listed:
            if query.kind in (SummaryRow, ReadMark):
                state.assume_absent(query)
            else:
                yield query


def _to_list(projection: Projection, known: Mail | None, conversation: str) -> Iterator[ById]:
    """Yield what is needed to list the mail in this conversation."""
    before = as_ruled(known) if known else ()
    mail = with_capture(known, projection)
    for query in Change.of(mail, before, conversation).needed:
        if query.kind is not Content or known is not None:
            yield query
