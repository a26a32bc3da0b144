"""Outcomes of captures: one per capture, counted once. Pure.

`attached` wins over `dismissed`. A `quarantined` capture becomes attached when a user releases it,
or dismissed: `refused` by a user, or `expired` without a decision. That is final. A capture of a
mail that its owner has deleted is dismissed: `forgotten`. An outcome from before stays.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.write.records import Outcome
from services.timeline.write.requests import Final
from services.timeline.write.state import Draft, TallyKey
from shared.contracts.events import MailAttached, MailConfirmation, MailDismissed, MailRoundTrip
from shared.storage.moments import as_stored

FINAL: tuple[str, ...] = get_args(Final)
"""Why a capture that waited is forgotten; nothing brings it back."""
FORGOTTEN = "forgotten"
"""Why a capture is dismissed whose mail its owner has deleted."""
DISMISSED_KEPT = timedelta(days=90)
"""How long a dismissed capture is remembered: three times as long as anything redelivers it or the
audit asks for it. Its count stays. Refused captures and backfill are remembered for ever: they can
be submitted again at any time."""
NO_OWNER = ""
"""The owner of dismissed captures: not even the owner is remembered."""


class Recorded(Struct, frozen=True):
    """An event of an attached capture that is recorded."""

    complete: bool
    """Whether all parts of its mail have been seen."""
    again: bool
    """Whether it had been recorded as the same before."""


def outcome_of(draft: Draft, event: MailAttached) -> Outcome | None:
    """Return the outcome of the event's capture so far."""
    return draft.one(Outcome, event.account, str(event.capture_id))


def is_recorded(outcome: Outcome | None, event: MailAttached, decision: str) -> bool:
    """Return whether this very event has been recorded so before."""
    return outcome is not None and outcome.decision == decision and part_of(event) in outcome.parts


def is_final(outcome: Outcome | None) -> bool:
    """Return whether the capture can no longer be attached."""
    return outcome is not None and outcome.decision == "dismissed" and outcome.reason in FINAL


def record_attached(
    draft: Draft,
    event: MailAttached,
    decision: Literal["attached", "quarantined"],
    mail_id: str | None = None,
) -> Recorded:
    """Record an event of an attached or quarantined capture, with its mail."""
    before, part = outcome_of(draft, event), part_of(event)
    seen = before.parts if before else ()
    now = before or Outcome(
        id=str(event.capture_id),
        account=event.account,
        day=_day(event.received_at),
        at=as_stored(event.decided_at),
        decision=decision,
    )
    parts = seen if part in seen else (*seen, part)
    # A backfilled capture keeps its id when it is brought again, on another day.
    now = replace(
        now, decision=decision, reason=None, message_id_hash=None, parts=parts, expires_at=None
    )
    if mail_id is not None and mail_id not in now.mails:
        now = replace(now, mails=tuple(sorted((*now.mails, mail_id))))
    if now != before:
        draft.put(now)
    if before is None or before.decision in {"dismissed", "quarantined"} - {decision}:
        _count(draft, event.account, now.day, event.owner, decision, 1)
    if before is not None and before.decision == "dismissed":
        _count(draft, event.account, now.day, NO_OWNER, f"dismissed.{before.reason}", -1)
    if before is not None and (before.decision, decision) == ("quarantined", "attached"):
        _count(draft, event.account, now.day, event.owner, "quarantined", -1)
    return Recorded(
        complete=_is_complete(event, parts),
        again=before is not None and before.decision == decision and part in seen,
    )


def record_refused(draft: Draft, account: str, capture_id: str, owner: str, reason: Final) -> None:
    """Record that a quarantined capture was deleted, unless it has been attached."""
    before = draft.one(Outcome, account, capture_id)
    if before is None or before.decision != "quarantined":
        return
    draft.put(replace(before, decision="dismissed", reason=reason, parts=(), mails=()))
    _count(draft, account, before.day, owner, "quarantined", -1)
    _count(draft, account, before.day, NO_OWNER, f"dismissed.{reason}", 1)


def record_forgotten(draft: Draft, event: MailAttached) -> Recorded:
    """Record an event of a capture whose mail its owner has deleted.

    Another mail of the same capture may still be attached: that wins. So does a user's no.
    """
    before, part = outcome_of(draft, event), part_of(event)
    if is_final(before):
        return Recorded(complete=True, again=True)
    seen = before.parts if before else ()
    again = part in seen and before is not None and before.decision != "quarantined"
    parts = seen if part in seen else (*seen, part)
    now = before or Outcome(
        id=str(event.capture_id),
        account=event.account,
        day=_day(event.received_at),
        at=as_stored(event.decided_at),
        decision="dismissed",
    )
    if now.decision == "attached":
        now = replace(now, parts=parts)
    else:
        expires = None if event.backfill else as_stored(event.decided_at) + DISMISSED_KEPT
        now = replace(
            now,
            decision="dismissed",
            reason=FORGOTTEN,
            message_id_hash=None,
            parts=parts,
            mails=(),
            expires_at=expires,
        )
    if now != before:
        draft.put(now)
    if before is None or (before.decision, before.reason) != (now.decision, now.reason):
        _count(draft, event.account, now.day, NO_OWNER, f"dismissed.{FORGOTTEN}", 1)
        if before is not None and before.decision == "quarantined":
            _count(draft, event.account, now.day, event.owner, "quarantined", -1)
        if before is not None and before.decision == "dismissed":
            _count(draft, event.account, now.day, NO_OWNER, f"dismissed.{before.reason}", -1)
    return Recorded(complete=_is_complete(event, parts), again=again)


def record_deleted(draft: Draft, account: str, capture_id: str, mail_id: str) -> None:
    """Record that a mail of an attached capture was deleted: the outcome names it no longer."""
    before = draft.one(Outcome, account, capture_id)
    if before is not None and mail_id in before.mails:
        draft.put(replace(before, mails=tuple(id_ for id_ in before.mails if id_ != mail_id)))


def record_held_erased(draft: Draft, account: str, capture_id: str, owner: str) -> None:
    """Record that a capture that waited went with a person who was erased."""
    before = draft.one(Outcome, account, capture_id)
    if before is None or before.decision != "quarantined":
        return
    now = replace(before, decision="dismissed", reason=FORGOTTEN, message_id_hash=None)
    draft.put(replace(now, mails=()))
    _count(draft, account, before.day, owner, "quarantined", -1)
    _count(draft, account, before.day, NO_OWNER, f"dismissed.{FORGOTTEN}", 1)


def record_held_given(
    draft: Draft, account: str, capture_id: str, from_: str, to: str, *, is_counted: bool
) -> None:
    """Record that a capture that waits is another user's: it is counted as theirs."""
    before = draft.one(Outcome, account, capture_id)
    if before is None:
        return
    shares = [part.partition("@") for part in before.parts]
    theirs = [f"{part}@{to}" for part, _, owner in shares if owner == from_]
    parts = (*before.parts, *(part for part in theirs if part not in before.parts))
    if parts != before.parts:
        draft.put(replace(before, parts=parts))
    if is_counted and before.decision == "quarantined":
        _count(draft, account, before.day, from_, "quarantined", -1)
        _count(draft, account, before.day, to, "quarantined", 1)


def record_dismissed(draft: Draft, event: MailDismissed) -> bool:
    """Record a dismissed capture; return False when it has an outcome already."""
    outcome = Outcome(
        id=str(event.capture_id),
        account=event.account,
        day=_day(event.received_at),
        at=as_stored(event.decided_at),
        decision="dismissed",
        reason=event.reason.value,
        message_id_hash=event.message_id_hash,
        expires_at=None if event.backfill else as_stored(event.decided_at) + DISMISSED_KEPT,
    )
    return _record_once(draft, outcome, NO_OWNER, f"dismissed.{event.reason.value}")


def record_confirmation(draft: Draft, event: MailConfirmation) -> bool:
    """Record a forwarding confirmation; return False when it was recorded before."""
    outcome = Outcome(
        id=str(event.capture_id),
        account=event.account,
        day=_day(event.received_at),
        at=as_stored(event.decided_at),
        decision="confirmation",
    )
    return _record_once(draft, outcome, event.owner, "confirmations")


def record_round_trip(draft: Draft, event: MailRoundTrip) -> bool:
    """Record what belongs to a round trip; return False when it was recorded before."""
    outcome = Outcome(
        id=str(event.capture_id),
        account=event.account,
        day=_day(event.received_at),
        at=as_stored(event.decided_at),
        decision="round_trip",
        reason=event.result.value,
    )
    return _record_once(draft, outcome, event.owner or NO_OWNER, "round_trips")


def _record_once(draft: Draft, outcome: Outcome, owner: str, counted_as: str) -> bool:
    if draft.one(Outcome, outcome.account, outcome.id) is not None:
        return False
    draft.put(outcome)
    _count(draft, outcome.account, outcome.day, owner, counted_as, 1)
    return True


def _is_complete(event: MailAttached, parts: Sequence[str]) -> bool:
    """Return whether all parts of the event's mail, for its owner, are among these."""
    of_mail = [p for p in parts if p.startswith(f"{event.place}/") and p.endswith(_of_share(event))]
    return len(of_mail) >= event.parts


def part_of(event: MailAttached) -> str:
    """Return what tells this event from the others of its capture."""
    return f"{event.place}/{event.part}{_of_share(event)}"


def is_news_of_owner(outcome: Outcome | None, event: MailAttached) -> bool:
    """Return whether nothing of the capture has been recorded for the event's owner before."""
    if outcome is None:
        return True
    # A part is digits, dots and a slash before the owner's id, which may have an @ itself.
    recorded = {part.partition("@")[2] for part in outcome.parts}
    return event.shared and event.owner not in recorded


def _of_share(event: MailAttached) -> str:
    return f"@{event.owner}" if event.shared else ""


def _count(
    draft: Draft, account: str, day: str, owner: str, counted_as: str, difference: int
) -> None:
    draft.counted[TallyKey(account, day, owner, counted_as)] += difference


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
