"""Captures that wait for a user's yes: their mail failed authentication, or
is not verified (`docs/authentication.md`).

A `Held` has an entry for each event of the capture, with the event itself: a yes projects it as if
it had just arrived. Its audiences are those that the mail would have (`audiences.py`): who would
see it sees that it waits, and may decide.

The bytes are in the blob store, under keys of their own. Apart from the outcome, nothing else has
anything of a capture that waits: no inbox, profile, search or live event shows it. Pure.
"""

import hashlib

from msgspec.structs import replace

from services.timeline.write.audiences import as_ruled, views
from services.timeline.write.authentication import is_unanswered
from services.timeline.write.identity import hashed_id
from services.timeline.write.projection import Projection
from services.timeline.write.recording import part_of
from services.timeline.write.records import Capture, Mail
from services.timeline.write.side_records import Held, HeldContent, HeldMail
from services.timeline.write.state import Draft
from shared.contracts.events import MailAttached
from shared.storage.blob_keys import quarantine_key


def held_id(capture_id: str) -> str:
    """Return the id of a quarantined capture: 32 base32 characters."""
    return hashed_id("quarantine", capture_id)


def raw_key(event: MailAttached) -> str:
    """Return the blob key of a quarantined mail's bytes."""
    key = quarantine_key(event.account, event.capture_id, event.place)
    if not event.shared:
        return key
    return f"{key}@{hashlib.sha256(event.owner.encode()).hexdigest()[:16]}"


def hold(
    draft: Draft, event: MailAttached, projection: Projection, known: Mail | None = None
) -> None:
    """Quarantine an event's mail. A repetition changes nothing.

    `known` is the mail as other captures have made it: its users' rulings apply here too.
    """
    capture = projection.capture
    if known is not None:
        [capture] = as_ruled(replace(known, captures=(capture,)))
    mail = _held_mail(event, projection, capture)
    id_ = held_id(capture.capture_id)
    held = draft.one(Held, event.account, id_) or Held(
        id=id_,
        account=event.account,
        capture_id=capture.capture_id,
        owner=event.owner,
        at=capture.at,
        audiences=(),
        authentication=capture.authentication,
        mails=(),
        unanswered=is_unanswered(event),
    )
    if mail in held.mails:
        return
    others = tuple(other for other in held.mails if other.part != mail.part)
    audiences = tuple(dict.fromkeys((*held.audiences, *mail.audiences)))
    draft.put(replace(held, mails=(*others, mail), audiences=audiences))


def take(draft: Draft, event: MailAttached) -> None:
    """Remove an event's mail from quarantine, because it is attached."""
    held = draft.one(Held, event.account, held_id(str(event.capture_id)))
    if held is None:
        return
    left = tuple(mail for mail in held.mails if mail.part != part_of(event))
    if left:
        draft.put(replace(held, mails=left))
    else:
        draft.delete(Held, event.account, held.id)


def with_owner(held: Held, from_: str, to: str) -> tuple[Held, set[str]]:
    """Return a capture that waits with another owner of what one has of it, and the keys of bytes
    that this needs no longer: of a share that the other has, too."""
    own = {mail.part for mail in held.mails if _owner_of(held, mail) == to}
    mails, spare = list[HeldMail](), set[str]()
    for mail in held.mails:
        if _owner_of(held, mail) != from_ or not mail.event:
            mails.append(mail)
            continue
        event = MailAttached.decode(mail.event).model_copy(update={"owner": to})
        if part_of(event) in own:
            spare.add(mail.raw_key)
        else:
            mails.append(replace(mail, part=part_of(event), event=event.encode()))
    owner = to if held.owner == from_ else held.owner
    return replace(held, owner=owner, mails=tuple(mails)), spare


def waits_for_another(held: Held | None, event: MailAttached) -> bool:
    """Return whether what an event has brought before waits, but no longer for its owner."""
    return held is not None and not any(
        mail.part == part_of(event) and _owner_of(held, mail) == event.owner for mail in held.mails
    )


def _owner_of(held: Held, mail: HeldMail) -> str:
    return MailAttached.decode(mail.event).owner if mail.event else held.owner


def _held_mail(event: MailAttached, projection: Projection, capture: Capture) -> HeldMail:
    content = projection.content
    return HeldMail(
        part=part_of(event),
        mail_id=projection.mail_id,
        event=event.encode(),
        raw_key=raw_key(event),
        audiences=tuple(sorted(views([capture]))),
        shown=HeldContent(
            subject=content.subject,
            from_=content.from_,
            to=content.to,
            cc=content.cc,
            snippet=content.snippet,
            forwarded_by=content.forwarded_by,
            date=capture.date,
            matches=tuple(match for match in capture.matches if not match.detached),
        ),
    )
