"""Replacing what a capture is attached to, because a review was applied. Pure.

    capture -> its new matches, or dismissed -> what is listed -> audit log -> marked on the mail

* Only what was reviewed is changed: a capture whose attachments have changed since stays as it is.
* What users ruled about the mail stays beside it (`rulings.py`), and counts for the new matches.
* A capture that nothing is left of is dismissed: what no one else captured of it goes, as if its
  owner had deleted it (`forgetting.py`). A later capture of the same mail is decided afresh.
* The mark (`Mail.redecided`) says until when captures of one owner and content are settled. An
  event that was decided before is a repetition, or was decided by the directory of that time: it
  changes nothing (`attaching.py`).
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from services.timeline.write.attaching import tell
from services.timeline.write.audiences import as_ruled
from services.timeline.write.conversations import join
from services.timeline.write.forgetting import drop_captures
from services.timeline.write.listing import Change, list_mail
from services.timeline.write.records import Capture, Mail, Redecided
from services.timeline.write.redecided import united
from services.timeline.write.requests import Answer, Redecide
from services.timeline.write.rulings import NO_NEWS, UNCHANGED, with_arrival_kept
from services.timeline.write.side_records import AuditLine
from services.timeline.write.state import Draft

Attachments = frozenset[tuple[str, str]]
"""The profiles and addresses of a capture's matches."""


def redecide(draft: Draft, request: Redecide, now: datetime) -> Answer:
    """Replace the matches of a capture: `changed`, or `unchanged` if it was done before.

    `overtaken` when it is not as it was reviewed, `unprepared` when the bytes of what is left are
    others meanwhile.
    """
    mail = draft.one(Mail, request.account, request.mail_id)
    if mail is None:
        return Answer(outcome="overtaken")
    if any(mark == _mark(request) for mark in mail.redecided):
        return UNCHANGED
    concerned = [
        capture
        for capture in mail.captures
        if (capture.owner, capture.content) == (request.owner, request.content)
    ]
    if not concerned or attachments_of(concerned) != request.was:
        return Answer(outcome="overtaken")
    marked = replace(mail, redecided=united(mail.redecided, [_mark(request)]))
    if request.matches:
        new = replace(marked, captures=tuple(_redecided(c, request) for c in mail.captures))
        new = with_arrival_kept(draft, mail, new)
        draft.put(new)
        conversation = join(draft, mail.account, (mail.token,), is_changed=True)
        changed_for = list_mail(draft, Change.of(new, as_ruled(mail), conversation), NO_NEWS)
        tell(draft, mail.account, changed_for, conversation, now)
    else:
        dismissed = drop_captures(draft, marked, concerned, request.prepared, now)
        if dismissed is None:
            return Answer(outcome="unprepared")
        conversation = dismissed
    draft.put(
        AuditLine(
            id=request.line_id,
            account=mail.account,
            at=now,
            who=request.who,
            what="redecided",
            kind="mail",
            mail_id=mail.id,
            owner=request.owner,
        )
    )
    return Answer(outcome="changed", mail_id=mail.id, conversation_id=conversation)


def attachments_of(captures: Iterable[Capture]) -> Attachments:
    """Return to whom captures are attached, and by which addresses."""
    return frozenset((m.person_id, m.address) for capture in captures for m in capture.matches)


def _mark(request: Redecide) -> Redecided:
    return Redecided(owner=request.owner, content=request.content, at=request.decided_at)


def _redecided(capture: Capture, request: Redecide) -> Capture:
    if (capture.owner, capture.content) != (request.owner, request.content):
        return capture
    in_order = sorted(request.matches, key=lambda match: (match.person_id, match.address))
    direction = request.direction or capture.direction
    return replace(capture, matches=tuple(in_order), direction=direction)
