"""Erasing a person: mail that concerns no one else is deleted, the rest is left without them. Pure.

    captures -> contents, bytes -> what is listed -> bounces, read marks, outcomes -> counted

* What is left is what there would be, had the captures never named the person: a capture that named
  no one else goes, a mail without captures is deleted (`forgetting.py`). Rulings of users stay.
* A capture that was received after the erasure belongs to the current holder of the id. It stays
  as it came, and so does its content.
* Of what is left the structured fields and the header of the raw bytes are without them
  (`redacting.py`, `redacted_bytes.py`). A content keeps its id, so a late copy meets it.
* A deleted mail leaves its id, for back-ends that keep a copy, and nothing that dismisses a
  later capture.

It may be repeated, in any order with whatever else is written. What comes later and was received
before is written without the person, too (`erased.py`).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.write.attaching import tell
from services.timeline.write.audiences import TEAM, as_ruled, private_to
from services.timeline.write.conversations import join
from services.timeline.write.erased_records import ErasedPerson, ErasureJob
from services.timeline.write.forgetting import NO_OWNER, forget_bounces, forget_marks
from services.timeline.write.listing import Change, list_mail
from services.timeline.write.mail_rows import content_id
from services.timeline.write.recording import record_deleted, record_held_erased
from services.timeline.write.records import (
    ERASED,
    Capture,
    Content,
    ListedContent,
    Mail,
    MatchRecord,
)
from services.timeline.write.redacting import (
    Redaction,
    concerns,
    redacted_bounce,
    redacted_capture,
    redacted_content,
    redacted_event,
    redacted_verdict,
    redacted_waiting,
)
from services.timeline.write.requests import Answer, Erase, EraseHeld, PreparedBytes
from services.timeline.write.rulings import NO_NEWS, UNCHANGED
from services.timeline.write.side_records import Bounce, Held, HeldMail
from services.timeline.write.state import Draft
from shared.contracts.events import MailAttached


class Plan(Struct, frozen=True):
    """What erasing a person does to a mail."""

    account: str
    redaction: Redaction
    captures: tuple[Capture, ...]
    """Those that stay, without the person, or as they came later."""
    gone: tuple[Capture, ...]
    keys: frozenset[str]
    """The keys of the contents that stay."""
    stripped: frozenset[str]
    """Of these, whose bytes came to somebody who has no capture of the content any more."""
    later: frozenset[str]
    """The keys of the contents that came later, too: nothing in these is replaced."""

    def redaction_of(self, key: str) -> Redaction:
        """Return which people are replaced in a content."""
        return Redaction(self.account, ()) if key in self.later else self.redaction


def planned(mail: Mail, contents: Iterable[ListedContent], person: ErasedPerson) -> Plan | None:
    """Return what erasing a person does to a mail; None where it does not concern them."""
    later = frozenset(capture.content for capture in mail.captures if capture.at > person.at)
    contents = list(contents)
    kept = [
        match.address
        for capture in mail.captures
        for match in capture.matches
        if match.person_id != person.person_id
    ]
    redaction = Redaction(mail.account, [person], kept)
    earlier = [capture for capture in mail.captures if capture.at <= person.at]
    if not concerns(earlier, (one for one in contents if one.key not in later), redaction):
        return None
    captures, gone = list[Capture](), list[Capture]()
    senders = {content.key: content.from_ for content in contents}
    for capture in mail.captures:
        left: Capture | None = capture
        if capture.at <= person.at:
            left = redacted_capture(capture, redaction, senders.get(capture.content))
        if left is None:
            gone.append(capture)
        else:
            captures.append(left)
    keys = frozenset(capture.content for capture in captures)
    owners = {(capture.content, capture.owner) for capture in captures}
    stripped = {
        content.key
        for content in contents
        if content.raw_of != NO_OWNER and (content.key, content.raw_of) not in owners
    }
    kept_and_gone = tuple(captures), tuple(gone)
    return Plan(mail.account, redaction, *kept_and_gone, keys, keys & stripped, later)


def erase(draft: Draft, request: Erase, now: datetime) -> Answer:
    """Erase a person from a mail: `changed`, `unchanged`, or `unprepared`."""
    account, person = request.account, request.person
    job = draft.one(ErasureJob, account, request.job_id)
    mail = draft.one(Mail, account, request.mail_id)
    if mail is None or not mail.captures:
        return UNCHANGED
    ids = {content_id(mail.id, key) for key in sorted({c.content for c in mail.captures})}
    found = draft.many(Content, account, ids)
    contents = [content for content in found.values() if content is not None]
    plan = planned(mail, contents, person)
    if plan is None:
        return UNCHANGED
    if not _are_prepared(plan, contents, request.prepared):
        return Answer(outcome="unprepared")
    anew = {
        content.key
        for content in contents
        if _put(draft, plan, content, request.prepared.get(content.key))
    }
    new = _what_is_left(mail, plan, person)
    draft.put(new)
    new_mails = 0 if plan.captures else -1
    conversation = join(draft, account, (mail.token,), new_mails=new_mails, is_changed=True)
    changed_for = list_mail(draft, Change.of(new, as_ruled(mail), conversation, anew), NO_NEWS)
    tell(draft, account, changed_for, conversation, now)
    forget_marks(draft, account, conversation)
    forget_bounces(draft, mail, plan.gone, plan.captures)
    _redact_bounces(draft, mail, plan)
    kept = {capture.capture_id for capture in plan.captures}
    for capture in plan.gone:
        if capture.capture_id not in kept:
            record_deleted(draft, account, capture.capture_id, mail.id)
    if job is not None:
        count = "redacted" if plan.captures else "deleted"
        draft.put(replace(job, **{count: getattr(job, count) + 1}))
    return Answer(outcome="changed", mail_id=mail.id, conversation_id=conversation)


def _are_prepared(
    plan: Plan, contents: Iterable[Content], prepared: Mapping[str, PreparedBytes]
) -> bool:
    """Return whether the bytes that stay were made of those that there are now."""
    return all(
        (bytes_ := prepared.get(content.key)) is not None
        and bytes_.raw_key == content.raw_key
        and (bytes_.is_stripped or content.key not in plan.stripped)
        for content in contents
        if content.key in plan.keys
    )


def _put(draft: Draft, plan: Plan, content: Content, prepared: PreparedBytes | None) -> bool:
    """Write a content without the person, or delete it; return whether it shows something else."""
    draft.state.terms.pop(content.id, None)  # what it was found by
    if content.key not in plan.keys or prepared is None:
        draft.drop_raw(content.account, content.raw_key)
        draft.delete(Content, content.account, content.id)
        return False
    shown = redacted_content(content, plan.redaction_of(content.key))
    new = shown
    if prepared.new_key != content.raw_key:
        draft.drop_raw(content.account, content.raw_key)
        if prepared.raw is not None:
            draft.keep_raw(content.account, prepared.new_key, prepared.raw)
            new = replace(new, size=len(prepared.raw))
        new = replace(new, raw_key=prepared.new_key)
    if content.key in plan.stripped:
        new = replace(new, raw_of=NO_OWNER)
    if new != content:
        draft.put(replace(new, redacted=True))
    return shown != content


def _what_is_left(mail: Mail, plan: Plan, person: ErasedPerson) -> Mail:
    owners = {capture.owner for capture in plan.captures}
    matched = {match.person_id for capture in plan.captures for match in capture.matches}
    gone = {person.person_id} - matched
    new = replace(
        mail,
        captures=plan.captures,
        detached=tuple(one for one in mail.detached if one not in gone),
        private=tuple(owner for owner in mail.private if owner in owners),
    )
    if plan.captures:
        return new
    return replace(new, forgotten=tuple(sorted({*mail.forgotten, ERASED}))).without_captures()


def _redact_bounces(draft: Draft, mail: Mail, plan: Plan) -> None:
    """Leave what the mail says about another without the person."""
    for owner in sorted({capture.owner for capture in plan.captures}):
        bounce = draft.one(Bounce, mail.account, f"{mail.account}/{owner}/{mail.id}")
        if bounce is not None:
            draft.put(redacted_bounce(bounce, plan.redaction))


def erase_held(draft: Draft, request: EraseHeld) -> Answer:
    """Erase a person from a capture that waits for a yes.

    The bytes of what others wait for stay as they came: a yes shows them without the person.
    """
    account, person = request.account, request.person
    job = draft.one(ErasureJob, account, request.job_id)
    held = draft.one(Held, account, request.held_id)
    if held is None or held.at > person.at:
        return UNCHANGED
    left = list[HeldMail]()
    for mail in held.mails:
        without = _without(account, mail, person)
        if mail.shown.from_ is not None and held.authentication is not None:
            redaction = Redaction(account, [person])
            verdict = redacted_verdict(held.authentication, redaction, mail.shown.from_)
            held = replace(held, authentication=verdict)
        if without is not None:
            left.append(without)
        else:
            draft.drop_raw(account, mail.raw_key)
    if tuple(left) == held.mails:
        return UNCHANGED
    if left:
        audiences = tuple(dict.fromkeys(a for mail in left for a in mail.audiences))
        draft.put(replace(held, mails=tuple(left), audiences=audiences))
    else:
        draft.delete(Held, account, held.id)
        record_held_erased(draft, account, held.capture_id, held.owner)
    if job is not None:
        draft.put(replace(job, held=job.held + 1))
    return Answer(outcome="changed")


def _without(account: str, mail: HeldMail, person: ErasedPerson) -> HeldMail | None:
    """Return what waits without the person; None when it names no one else."""
    others = [match for match in mail.shown.matches if match.person_id != person.person_id]
    redaction = Redaction(account, [person], [match.address for match in others])
    event = MailAttached.decode(mail.event) if mail.event else None
    named = event.matches if event else mail.shown.matches
    matches = tuple(match for match in named if match.person_id != person.person_id)
    if not matches:
        return None
    shown = redacted_waiting(mail.shown, redaction)
    if event is None or shown == mail.shown:
        return replace(mail, shown=shown)
    return replace(
        mail,
        event=redacted_event(event, redaction, mail.shown.from_).encode(),
        audiences=_audiences(mail.audiences, shown.matches, event.owner),
        shown=shown,
    )


def _audiences(had: Collection[str], matches: Iterable[MatchRecord], owner: str) -> tuple[str, ...]:
    """Return for whom a mail waits that has these matches: as `audiences.views` has it."""
    if TEAM not in had or any(not match.bcc_owners for match in matches):
        return tuple(had)
    return tuple(sorted({*had} - {TEAM} | {private_to(owner)}))
