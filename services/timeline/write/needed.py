"""What a batch needs of the database. Pure.

The first queries follow from the requests alone, the second from the conversations that their
tokens are in. What is needed beyond that (a merge, a mail that others have captured differently) is
rare, and asked for by `apply`.
"""

from collections.abc import Iterator, Sequence

from services.timeline.write.attaching import with_capture
from services.timeline.write.audiences import as_ruled
from services.timeline.write.authentication import can_wait
from services.timeline.write.conversations import token_id
from services.timeline.write.erased_records import ErasedHead, ErasureJob
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.listing import Change
from services.timeline.write.projection import Projection
from services.timeline.write.proving import setup_id, setup_query
from services.timeline.write.quarantine import held_id
from services.timeline.write.records import Content, Conversation, Mail, Outcome, Token
from services.timeline.write.requests import (
    Attach,
    Confirm,
    Dismiss,
    Erase,
    EraseHeld,
    HandOver,
    HandOverHeld,
    Redecide,
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
            case Ruling() | Stamp() | Redecide():
                yield ById(Mail, request.account, request.mail_id)
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
