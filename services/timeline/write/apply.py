"""From what the database holds and what is to be written, to what it holds then. Pure.

All rules of what a capture changes are here and in what this calls; there is no I/O. Requests are
applied in their order, and each sees what those before it have written, so repeats of one capture
in a batch are harmless. The result does not depend on the order, but for the names of conversations
and for what is news.

`apply` raises NotLoaded with all that it lacks, as far as it can tell; then it is called again. A
request that makes it raise anything else is not to be written: the caller finds out which it is.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from services.timeline.write.attaching import attach
from services.timeline.write.authentication import verdict_of
from services.timeline.write.erasing import erase, erase_held
from services.timeline.write.forgetting import forget
from services.timeline.write.handing_over import hand_over, hand_over_held
from services.timeline.write.proving import note_asked, prove, prove_half, setup_query, tell_owner
from services.timeline.write.recording import (
    is_news_of_owner,
    outcome_of,
    record_confirmation,
    record_dismissed,
    record_refused,
    record_round_trip,
)
from services.timeline.write.records import Mail, NamedAddress
from services.timeline.write.redeciding import redecide
from services.timeline.write.replacing import replace_content
from services.timeline.write.requests import (
    Answer,
    Attach,
    Confirm,
    Detach,
    Dismiss,
    Erase,
    EraseHeld,
    Forget,
    HandOver,
    HandOverHeld,
    Hide,
    Redecide,
    Refuse,
    Replace,
    Request,
    Return,
    Stamp,
    Watch,
)
from services.timeline.write.rulings import UNCHANGED, detach, hide
from services.timeline.write.side_records import Confirmation, Held, Watched
from services.timeline.write.state import Draft, NotLoaded, Query, State
from shared.contracts.events import Half, MailAttached, MailDismissed, MailRoundTrip, Share


class Applied(Struct, frozen=True):
    """What is to be committed, and the answer to each request."""

    draft: Draft
    answers: tuple[Answer, ...]


def apply(state: State, requests: Sequence[Request], now: datetime) -> Applied:
    """Return what the requests change. Raises NotLoaded."""
    draft, answers = Draft(state), list[Answer]()
    missing: dict[Query, None] = {}
    for request in requests:
        try:
            answers.append(apply_one(draft, request, now))
        except NotLoaded as error:  # go on, to learn what else is missing
            missing.update(dict.fromkeys(error.queries))
        except Exception:
            if not missing:
                raise  # else the draft is half written, and nothing is known of the request
    if missing:
        raise NotLoaded(*missing)
    return Applied(draft, tuple(answers))


def apply_one(draft: Draft, request: Request, now: datetime) -> Answer:
    """Write one request to the draft. Raises NotLoaded."""
    match request:
        case Attach(event=attached):
            is_told = setup_query(attached) is not None or bool(request.proves)
            before = outcome_of(draft, attached) if is_told else None
            answer = attach(draft, request, now)
            is_known = attached.rematched and before is not None  # proved by its dismissal
            if not is_known and is_news_of_owner(before, attached):
                prove(draft, attached, now)
            if before is None:
                _prove_shares(draft, attached, request.proves, now)
            return answer
        case Dismiss(event=dismissed):
            is_new = record_dismissed(draft, dismissed)
            if is_new:
                prove(draft, dismissed, now)
                _prove_shares(draft, dismissed, request.proves, now)
            return Answer(outcome="dismissed", again=not is_new)
        case Confirm():
            return _confirm(draft, request, now)
        case Return(event=returned):
            return _return(draft, returned, now)
        case Watch():
            return _watch(draft, request, now)
        case Refuse():
            return _refuse(draft, request)
        case Replace():
            return replace_content(draft, request, now)
        case Detach():
            return detach(draft, request, now)
        case Hide():
            return hide(draft, request, now)
        case Forget():
            return forget(draft, request, now)
        case HandOver():
            return hand_over(draft, request, now)
        case HandOverHeld():
            return hand_over_held(draft, request)
        case Redecide():
            return redecide(draft, request, now)
        case Erase():
            return erase(draft, request, now)
        case EraseHeld():
            return erase_held(draft, request)
        case Stamp(account=account, mail_id=mail_id):
            if draft.one(Mail, account, mail_id) is None:
                return UNCHANGED
            draft.stamped.add((account, mail_id))
            return Answer(outcome="changed", mail_id=mail_id)


def _confirm(draft: Draft, request: Confirm, now: datetime) -> Answer:
    event = request.event
    is_new = record_confirmation(draft, event)
    if is_new:
        note_asked(draft, event, now)
    id_ = str(event.capture_id)
    if draft.one(Confirmation, event.account, id_) is None:
        draft.put(
            Confirmation(
                id=id_,
                account=event.account,
                owner=event.owner,
                capture_address=event.capture_address,
                provider=event.provider,
                requested_by=event.requested_by,
                code=event.code,
                link=event.link,
                authentication=verdict_of(event),
                at=event.received_at,
            )
        )
    return Answer(outcome="confirmation", again=not is_new)


def _watch(draft: Draft, request: Watch, now: datetime) -> Answer:
    event = request.event
    id_ = str(event.capture_id)
    is_new = draft.one(Watched, event.account, id_) is None
    if is_new:
        sender = event.sender
        draft.put(
            Watched(
                id=id_,
                account=event.account,
                owner=event.owner,
                capture_address=event.capture_address,
                received_at=event.received_at,
                at=event.decided_at,
                sender=NamedAddress(name=sender.name, address=sender.address) if sender else None,
                subject=event.subject,
                text=event.text,
                links=event.links,
            )
        )
        tell_owner(draft, event.account, event.owner, now)
    return Answer(outcome="watched", again=not is_new)


def _prove_shares(
    draft: Draft, event: MailAttached | MailDismissed, shares: Sequence[Share], now: datetime
) -> None:
    for share in shares:
        if share.half is not None and not event.backfill:
            prove_half(draft, event.account, share.owner, share.half, event.received_at, now)


def _return(draft: Draft, event: MailRoundTrip, now: datetime) -> Answer:
    is_new = record_round_trip(draft, event)
    if is_new and event.owner is not None and not event.backfill:
        prove_half(draft, event.account, event.owner, Half.RECEIVED, event.received_at, now)
    return Answer(outcome="round_trip", again=not is_new)


def _refuse(draft: Draft, request: Refuse) -> Answer:
    held = request.held
    record_refused(draft, held.account, held.capture_id, held.owner, request.reason)
    draft.delete(Held, held.account, held.id)
    return Answer(outcome="dismissed")
