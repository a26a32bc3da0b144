"""What an attached capture changes. Pure.

outcome -> does it have to wait? -> content -> mail -> conversation -> what is listed
"""

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from services.timeline.write.audiences import add_capture, as_ruled, has_room
from services.timeline.write.authentication import can_wait
from services.timeline.write.conversations import join
from services.timeline.write.erased import without_erased
from services.timeline.write.erased_records import ErasedHead
from services.timeline.write.listing import Change, News, list_mail
from services.timeline.write.projection import Projection
from services.timeline.write.quarantine import (
    held_id,
    hold,
    raw_key,
    take,
    waits_for_another,
)
from services.timeline.write.recording import (
    is_final,
    is_recorded,
    outcome_of,
    record_attached,
    record_forgotten,
)
from services.timeline.write.records import RAW_IN_DATABASE_BYTES, Capture, Content, Mail
from services.timeline.write.requests import Answer, Attach
from services.timeline.write.side_records import Bounce, Held, Hint
from services.timeline.write.state import ById, Draft
from shared.contracts.events import MailAttached


class TooManyContents(Exception):
    """Its owner has as many contents of this mail as there may be. Left to an operator: to show it
    as another content would put that one's text on profiles that it does not name."""


def attach(draft: Draft, request: Attach, now: datetime) -> Answer:
    """Show a mail, or quarantine it. A refused capture and a deleted mail stay deleted, and so does
    what was received before the people were erased whom it names.

    Raises TooManyContents.
    """
    account, came = request.event.account, request.projection.content
    draft.need((ById(ErasedHead, account, account), ById(Content, account, came.id)))
    request = without_erased(draft, request)
    event, projection = request.event, request.projection
    content = draft.one(Content, projection.account, projection.content.id)
    known = draft.one(Mail, projection.account, projection.mail_id)
    if not event.matches or (known is not None and known.is_forgotten_by(event.owner)):
        return _forget_again(draft, request, content)
    if known is not None and not request.is_released:
        match _since_attached(draft, event, known):
            case "given":
                return _again(draft, event, "attached", known.id)
            case "deleted":
                return _forget_again(draft, request, content)
    if can_wait(event):
        before = outcome_of(draft, event)
        if is_final(before):
            return Answer(outcome="dismissed", again=True)
        if before is None or before.decision == "dismissed":
            waits = request.may_wait
        else:
            waits = before.decision == "quarantined"
        if waits and not request.is_released:
            if is_recorded(before, event, "quarantined") and waits_for_another(
                draft.one(Held, event.account, held_id(str(event.capture_id))), event
            ):
                return _again(draft, event, "quarantined")
            hold(draft, event, projection, known)
            draft.blobs[raw_key(event)] = request.raw
            held = record_attached(draft, event, "quarantined")
            return Answer(outcome="quarantined", complete=held.complete, again=held.again)
        if before is not None or request.is_released:
            take(draft, event)
    if known is not None and known.forgotten:
        projection = _with_own_bytes(projection)
    if known and not request.is_released and not has_room(known.captures, projection.capture):
        raise TooManyContents
    if content is None:
        if came.raw_key != projection.content.raw_key and len(request.raw) > RAW_IN_DATABASE_BYTES:
            draft.drop_raw(account, came.raw_key)  # an attempt may have stored what came
        draft.keep_raw(projection.account, projection.content.raw_key, request.raw)
    conversation = write_mail(draft, projection, now)
    recorded = record_attached(draft, event, "attached", projection.mail_id)
    return Answer(
        outcome="attached",
        complete=recorded.complete,
        again=recorded.again,
        mail_id=projection.mail_id,
        conversation_id=conversation,
    )


def _since_attached(
    draft: Draft, event: MailAttached, known: Mail
) -> Literal["given", "deleted"] | None:
    """Return what became of an event that was attached before, where its owner has no capture of
    the mail any more: given to another user (`handing_over.py`), who may have deleted it since."""
    if any(capture.owner == event.owner for capture in known.captures):
        return None
    before = outcome_of(draft, event)
    if before is None or not is_recorded(before, event, "attached"):
        return None
    if known.captures and known.id in before.mails:
        return "given"
    return "deleted" if known.forgotten else None


def _again(
    draft: Draft,
    event: MailAttached,
    decision: Literal["attached", "quarantined"],
    mail_id: str | None = None,
) -> Answer:
    """Answer a repetition of what is another user's now: it stays theirs."""
    recorded = record_attached(draft, event, decision, mail_id)
    return Answer(outcome=decision, complete=recorded.complete, again=True, mail_id=mail_id)


def _forget_again(draft: Draft, request: Attach, kept: Content | None) -> Answer:
    """Dismiss a capture of a mail that its owner has deleted; others may have kept its content."""
    event, content = request.event, request.projection.content
    if can_wait(event):
        take(draft, event)
    if len(request.raw) > RAW_IN_DATABASE_BYTES:
        # An attempt to attach it may have stored them, before the deletion was met.
        own = _with_own_bytes(request.projection).content
        for key in {content.raw_key, own.raw_key} - {kept.raw_key if kept else ""}:
            draft.drop_raw(content.account, key)
    recorded = record_forgotten(draft, event)
    return Answer(outcome="dismissed", complete=recorded.complete, again=recorded.again)


def _with_own_bytes(projection: Projection) -> Projection:
    """Return the projection with bytes under a key of their own.

    Somebody has deleted the mail, and the same bytes may still be on their way out of the blob
    store.
    """
    content = projection.content
    key = f"{content.raw_key}.{projection.capture.capture_id}"
    return replace(projection, content=replace(content, raw_key=key))


def write_mail(
    draft: Draft,
    projection: Projection,
    now: datetime,
    *,
    former: tuple[str, ...] = (),
    is_news: bool = True,
    ruled_as: Mail | None = None,
) -> str:
    """Write what one capture says about a mail; return the id of its conversation.

    `former` are more tokens of the mail, `ruled_as` is the mail that it was. What is backfilled is
    never news.
    """
    account, capture = projection.account, projection.capture
    if draft.one(Content, account, projection.content.id) is None:
        draft.put(projection.content)  # the first that said the same stays
    known = draft.one(Mail, account, projection.mail_id)
    before = known.captures if known else ()
    mail = with_capture(known, projection, ruled_as)
    captures = mail.captures
    conversation = join(
        draft,
        account,
        (*projection.tokens, *former),
        new_mails=int(not before),
        is_changed=captures != before,
    )
    if captures != before:
        draft.put(mail)
        news = news_of(capture, now, is_news=is_news)
        ruled = as_ruled(known) if known else ()
        changed_for = list_mail(draft, Change.of(mail, ruled, conversation), news)
        if news.is_news:
            tell(draft, account, changed_for, conversation, now)
    if projection.bounce is not None:
        keep_bounce(draft, projection.bounce)
    return conversation


def with_capture(known: Mail | None, projection: Projection, ruled_as: Mail | None = None) -> Mail:
    """Return the mail with one more capture, or as the first capture makes it.

    What its users have ruled stays, and so does what they have of `ruled_as`.
    """
    of_mail = known or Mail(
        id=projection.mail_id, account=projection.account, message_id=None, token="", captures=()
    )
    return replace(
        of_mail,
        message_id=projection.message_id,
        token=projection.token,
        captures=add_capture(of_mail.captures, projection.capture),
        detached=_united(of_mail.detached, ruled_as.detached if ruled_as else ()),
        private=_united(of_mail.private, ruled_as.private if ruled_as else ()),
        forgotten=_united(of_mail.forgotten, ruled_as.forgotten if ruled_as else ()),
    )


def _united(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others})) if others else some


def keep_bounce(draft: Draft, bounce: Bounce) -> None:
    """Keep what a mail says about another: as the first capture of its owner has it.

    A repetition changes nothing. What is read anew of the same capture takes its place.
    """
    known = draft.one(Bounce, bounce.account, bounce.id)
    if known is None or bounce.at <= known.at:
        draft.put(bounce)


def news_of(capture: Capture, now: datetime, *, is_news: bool) -> News:
    """Return the audiences for whom a capture is news."""
    return News(
        now=int(now.timestamp() * 1000),
        is_news=is_news and not capture.backfill,
    )


def tell(draft: Draft, account: str, audiences: set[str], conversation: str, now: datetime) -> None:
    """Send a hint to everyone who has the conversation open."""
    draft.hints += [
        Hint(account=account, audience=audience, conversation_id=conversation, at=now)
        for audience in audiences
    ]
