"""From an attached capture to what is kept of it. Pure.

A mail has one identity, any number of captures, and a content for each different form in which it
was captured. Two captures have the same content when nothing that is shown differs, and nothing
else in the bytes but Bcc and what is written on the way: so the bytes of either, without these,
tell the other's owner nothing new.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.content.reader import READER_VERSION, Mailbox, ReadMail
from services.timeline.write.authentication import verdict_of
from services.timeline.write.identity import (
    mail_id,
    token,
    token_without_id,
    without_bcc,
    without_trace,
)
from services.timeline.write.records import (
    Attachment,
    Capture,
    Content,
    Forward,
    MatchRecord,
    NamedAddress,
    Participant,
)
from services.timeline.write.side_records import Bounce
from services.timeline.write.stored import from_document, to_document
from shared.contracts.events import Forwarded, MailAttached, Match, Named, Role, Source
from shared.mail.address_form import normalise
from shared.storage.blob_keys import mail_key
from shared.storage.moments import as_stored

_HASHED = (
    *("subject", "from", "to", "cc", "reply_to", "forwarded_by", "participants", "text", "html"),
    *("snippet", "forward", "auto", "invite", "attachments"),
)
"""The stored names of what tells one content from another. A change would double stored mail."""


class Projection(Struct, frozen=True, kw_only=True):
    """What one capture says about a mail."""

    mail_id: str
    message_id: str | None
    token: str
    """Of the mail itself, in the conversation that it belongs to."""
    references: tuple[str, ...]
    """The tokens of the mails that it answers or continues."""
    content: Content
    """What is shown, in the form in which this capture brought it."""
    capture: Capture
    bounce: Bounce | None = None
    """Set when the mail says that another could not be delivered."""

    @property
    def account(self) -> str:
        """The account of the capture address."""
        return self.content.account

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the tokens that the mail ties together, its own first."""
        return (self.token, *self.references)


def project(event: MailAttached, mail: ReadMail, raw: bytes) -> Projection:
    """Return what this capture alone says."""
    id_ = mail_id(event.account, mail, raw)
    content = _with_key(_content(event, mail, id_, len(raw)), raw)
    return Projection(
        mail_id=id_,
        message_id=mail.message_id,
        token=token(event.account, mail.message_id)
        if mail.message_id
        else token_without_id(event.account, id_),
        references=tuple(token(event.account, reference) for reference in mail.references),
        content=content,
        capture=_capture(event, mail, content.key),
        bounce=_bounce(event, mail, id_),
    )


def event_of(account: str, capture: Capture) -> MailAttached:
    """Return the event that a capture was projected from, as far as a projection needs it."""
    return MailAttached.model_validate(
        {
            **{field: getattr(capture, field) for field in _SAME_IN_EVENT},
            "account": account,
            "received_at": capture.at,
            "decided_at": capture.at,
            "capture_id": UUID(capture.capture_id),
            "matches": [
                {k: v for k, v in to_document(match).items() if k != "bcc_owners"}
                for match in capture.matches
            ],
            "forwarded": to_document(capture.forwarded) if capture.forwarded else None,
            "authentication": to_document(capture.authentication)
            if capture.authentication
            else None,
            "size": 0,
        }
    )


_SAME_IN_EVENT = (
    *("backfill", "owner", "capture_address", "door", "direction", "sent_by_owner", "place"),
)


def _with_key(content: Content, raw: bytes) -> Content:
    """Return the content with its id and the key of its bytes, which are made from all of it."""
    document = to_document(content)
    shown = {field: document[field] for field in _HASHED}
    form = hashlib.sha256(json.dumps(shown, default=str, sort_keys=True).encode())
    form.update(without_bcc(without_trace(raw)))
    id_ = f"{content.mail_id}/{form.hexdigest()[:32]}"
    return replace(content, id=id_, raw_key=mail_key(content.account, id_, raw))


def _content(event: MailAttached, mail: ReadMail, id_: str, size: int) -> Content:
    """Return what a reader sees: of an inline forward, the original's sender, date and subject."""
    original = event.forwarded
    writer = next(iter(_named_all(mail.from_)), None)
    from_ = _named(original.sender) if original else writer
    to = _named_all(original.to if original else mail.to)
    cc = _named_all(original.cc if original else mail.cc)
    reply_to = _named_all(mail.reply_to)
    source = Source.FORWARDED_BODY if original and writer else Source.HEADER
    found = [
        *_taking_part([from_] if from_ else [], Role.FROM, source),
        *_taking_part([writer] if original and writer else [], Role.SENDER, Source.HEADER),
        *_taking_part(to, Role.TO, source),
        *_taking_part(cc, Role.CC, source),
        *_taking_part(reply_to, Role.REPLY_TO, Source.HEADER),
        *_not_reached(event, mail),
    ]
    # The capture address is how the mail came here, not whom it is about.
    capture_domain = "@" + event.capture_address.partition("@")[2]
    return Content(
        id="",
        account=event.account,
        mail_id=id_,
        subject=(original.subject if original else None) or mail.subject,
        from_=from_,
        to=to,
        cc=cc,
        reply_to=reply_to,
        forwarded_by=writer if original else None,
        participants=tuple(p for p in found if not p.address.lower().endswith(capture_domain)),
        text=mail.text,
        html=mail.html,
        snippet=mail.snippet,
        forward=mail.forward,
        auto=mail.auto.kind if mail.auto else None,
        invite=mail.invite.model_dump(mode="json") if mail.invite else None,
        attachments=tuple(
            Attachment(
                index=attachment.index,
                filename=attachment.filename,
                content_type=attachment.content_type,
                size=attachment.size,
                digest=attachment.digest,
            )
            for attachment in mail.attachments
        ),
        incomplete=mail.incomplete,
        reader_version=READER_VERSION,
        read_at=as_stored(datetime.now(UTC)),
        size=size,
        raw_key="",
        raw_of=event.owner,
    )


def _capture(event: MailAttached, mail: ReadMail, content_key: str) -> Capture:
    date = (event.forwarded.date if event.forwarded else None) or mail.date
    received_at = as_stored(event.received_at)
    return Capture(
        owner=event.owner,
        at=received_at,
        capture_id=str(event.capture_id),
        place=event.place,
        capture_address=event.capture_address,
        door=event.door,
        direction=event.direction.value,
        sent_by_owner=event.sent_by_owner,
        forwarded=_forward(event.forwarded) if event.forwarded else None,
        content=content_key,
        said=hashlib.sha256(without_white_space(mail.text)).hexdigest()[:16],
        date=as_stored(date or received_at),
        sort_date=as_stored(min(date, received_at) if date else received_at),
        matches=tuple(kept_match(match, event.owner) for match in event.matches),
        bcc=_named_all(mail.bcc),
        authentication=verdict_of(event),
        backfill=event.backfill,
    )


_ASCII_WHITE_SPACE = bytes(code for code in range(128) if chr(code).isspace())


def without_white_space(text: str) -> bytes:
    """Return a text in UTF-8 without its white space."""
    if text.isascii():  # four times as fast
        return text.encode().translate(None, _ASCII_WHITE_SPACE)
    return "".join(text.split()).encode()


def _forward(forwarded: Forwarded) -> Forward:
    return from_document(Forward, forwarded.model_dump(mode="json"))


def _bounce(event: MailAttached, mail: ReadMail, id_: str) -> Bounce | None:
    """Return what a bounce says about another mail, or None."""
    if mail.auto is None or mail.auto.bounced_message_id is None:
        return None
    return Bounce(
        id=f"{event.account}/{event.owner}/{id_}",
        account=event.account,
        token=token(event.account, mail.auto.bounced_message_id),
        owner=event.owner,
        recipients=tuple(recipient.lower() for recipient in mail.auto.recipients[:100]),
        at=as_stored(event.received_at),
    )


def _taking_part(people: Sequence[NamedAddress], role: Role, source: Source) -> list[Participant]:
    return [
        Participant(name=p.name, address=p.address, role=role.value, source=source.value)
        for p in people
    ]


def _not_reached(event: MailAttached, mail: ReadMail) -> list[Participant]:
    """Return whom a bounce names, without those whom the bounced mail had in Bcc."""
    if mail.auto is None or mail.auto.kind != "bounce":
        return []
    blind = {match.address for match in event.matches if match.role is Role.BCC}
    named = [
        NamedAddress(name="", address=a) for a in mail.auto.recipients if normalise(a) not in blind
    ]
    return _taking_part(named, Role.TO, Source.DELIVERY_REPORT)


def kept_match(match: Match, owner: str) -> MatchRecord:
    """Return a match; one by Bcc with the only one who may see it."""
    return MatchRecord(
        person_id=match.person_id,
        kind=match.kind.value,
        address=match.address,
        role=match.role.value,
        source=match.source.value,
        shared_address=match.shared_address,
        bcc_owners=(owner,) if match.role is Role.BCC else (),
    )


def _named_all(mailboxes: Sequence[Mailbox | Named]) -> tuple[NamedAddress, ...]:
    return tuple(_named(mailbox) for mailbox in mailboxes)


def _named(mailbox: Mailbox | Named) -> NamedAddress:
    return NamedAddress(name=mailbox.name, address=mailbox.address)
