"""Giving a leaver's captures to another user. Pure.

    captures -> whose bytes they are -> what is listed -> bounces -> counted

* A capture gets another owner and keeps the rest: its matches, its Bcc, its verdict, the address
  that it came by, and that its owner had sent it. Where the new owner has captured the same
  content, the two become one, like two arrivals at one address. Contents have no limit here.
* Nothing is news: no mail becomes unread for anybody, or read.
* What the leaver had made private is private to the new owner, unless they show the team all of its
  contents already. So nothing becomes visible that was hidden. The leaver's ruling stays for what
  may still come.
* What the leaver had deleted stays deleted, for captures of theirs alone. A new owner who had
  deleted their own capture of a mail, and is given another, has the mail again.
* A capture in quarantine goes with its events, so a yes shows it to the new owner.

It may be repeated, in any order with whatever else is written: what was given is not there to be
given again, and a capture that is delivered once more stays with who was given it (`attaching.py`).
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce

from msgspec.structs import replace

from services.timeline.write.attaching import keep_bounce, tell
from services.timeline.write.audiences import add_capture, as_ruled, private_to
from services.timeline.write.conversations import join
from services.timeline.write.listing import Change, list_mail
from services.timeline.write.mail_rows import content_id
from services.timeline.write.quarantine import with_owner
from services.timeline.write.recording import record_held_given
from services.timeline.write.records import Capture, Content, Mail, MatchRecord
from services.timeline.write.requests import Answer, HandOver, HandOverHeld
from services.timeline.write.rulings import NO_NEWS, UNCHANGED, with_arrival_kept
from services.timeline.write.side_records import Bounce, HandOverJob, Held
from services.timeline.write.state import Draft


def hand_over(draft: Draft, request: HandOver, now: datetime) -> Answer:
    """Give what a user captured of a mail to another."""
    account, from_, to = request.account, request.from_, request.to
    job = draft.one(HandOverJob, account, request.job_id)
    mail = draft.one(Mail, account, request.mail_id)
    if mail is None or from_ == to or all(c.owner != from_ for c in mail.captures):
        return UNCHANGED
    new = with_arrival_kept(draft, mail, given(mail, from_, to))
    keys = sorted({c.content for c in mail.captures if c.owner == from_})
    contents = draft.many(Content, account, [content_id(mail.id, key) for key in keys])
    draft.put(new)
    for content in contents.values():
        if content is not None and content.raw_of == from_:
            draft.put(replace(content, raw_of=to))
    conversation = join(draft, account, (mail.token,), is_changed=True)
    change = Change.of(new, as_ruled(mail), conversation)
    # The new owner has not sent what the leaver sent: what they have read of it stays as it is.
    changed_for = list_mail(draft, replace(change, new_senders=frozenset()), NO_NEWS)
    tell(draft, account, changed_for, conversation, now)
    _give_bounce(draft, mail, from_, to)
    if job is not None:
        draft.put(replace(job, mails=job.mails + 1))
    return Answer(outcome="changed", mail_id=mail.id, conversation_id=conversation)


def given(mail: Mail, from_: str, to: str) -> Mail:
    """Return the mail with the captures of one user as those of another."""
    theirs = [capture for capture in mail.captures if capture.owner == from_]
    others = tuple(capture for capture in mail.captures if capture.owner != from_)
    own = {capture.content for capture in others if capture.owner == to}
    hides = from_ in mail.private and not own.issuperset(capture.content for capture in theirs)
    return replace(
        mail,
        captures=reduce(add_capture, (_given(capture, to) for capture in theirs), others),
        private=tuple(sorted({*mail.private, to})) if hides else mail.private,
        forgotten=tuple(owner for owner in mail.forgotten if owner != to),
    )


def _given(capture: Capture, to: str) -> Capture:
    matches = tuple(_match_given(match, capture.owner, to) for match in capture.matches)
    return replace(capture, owner=to, matches=matches)


def _match_given(match: MatchRecord, from_: str, to: str) -> MatchRecord:
    owners = tuple(sorted({to if owner == from_ else owner for owner in match.bcc_owners}))
    return replace(match, bcc_owners=owners)


def _give_bounce(draft: Draft, mail: Mail, from_: str, to: str) -> None:
    """Let what the mail said about another count for the new owner."""
    id_ = f"{mail.account}/{from_}/{mail.id}"
    bounce = draft.one(Bounce, mail.account, id_)
    if bounce is not None:
        draft.delete(Bounce, mail.account, id_)
        keep_bounce(draft, replace(bounce, id=f"{mail.account}/{to}/{mail.id}", owner=to))


def hand_over_held(draft: Draft, request: HandOverHeld) -> Answer:
    """Give what a user has of a capture that waits for a yes to another."""
    account, from_, to = request.account, request.from_, request.to
    job = draft.one(HandOverJob, account, request.job_id)
    held = draft.one(Held, account, request.held_id)
    if held is None or from_ == to:
        return UNCHANGED
    new, spare_keys = with_owner(held, from_, to)
    if new == held:
        return UNCHANGED
    shown = {mail.part: mail.shown for mail in new.mails}
    mails = tuple(
        replace(
            mail,
            audiences=_audiences_given(mail.audiences, from_, to),
            shown=replace(
                shown[mail.part],
                matches=tuple(_match_given(m, from_, to) for m in mail.shown.matches),
            ),
        )
        for mail in new.mails
    )
    audiences = tuple(dict.fromkeys(a for mail in mails for a in mail.audiences))
    draft.put(replace(new, mails=mails, audiences=audiences))
    for key in spare_keys:
        draft.drop_raw(account, key)
    record_held_given(draft, account, held.capture_id, from_, to, is_counted=held.owner == from_)
    if job is not None:
        draft.put(replace(job, held=job.held + 1))
    return Answer(outcome="changed")


def _audiences_given(audiences: Iterable[str], from_: str, to: str) -> tuple[str, ...]:
    names = {from_: to, private_to(from_): private_to(to)}
    return tuple(sorted({names.get(audience, audience) for audience in audiences}))
