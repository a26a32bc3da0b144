"""From an attached capture to what is kept of it. Pure.

A mail has one identity, any number of captures, and a content for each different form in which it
was captured. Two captures have the same content when nothing that is shown differs, nor anything
else in the bytes but Bcc and what is written on the way: so the bytes of either, without these, are
no news to the other's owner.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.timeline.content.reader import READER_VERSION, Mailbox, ReadMail
from services.timeline.write.identity import (
    mail_id,
    token,
    token_without_id,
    without_bcc,
    without_trace,
)
from shared.blobs import mail_key
from shared.database import Document
from shared.events import Forwarded, MailAttached, Match, Named, Role, Source
from shared.mail.address_form import normalise


@dataclass(frozen=True, slots=True)
class Projection:
    """What one capture says about a mail."""

    mail_id: str
    message_id: str | None
    token: str
    """Of the mail itself, in the conversation that it belongs to."""
    references: tuple[str, ...]
    """The tokens of the mails that it answers or continues."""
    content: Document
    """`contents`: what is shown, in the form in which this capture brought it."""
    capture: Document
    """An entry of the mail's `captures`."""
    bounce: Document | None = None
    """`bounces`: set when the mail tells that another could not be delivered."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the tokens that the mail ties together, its own first."""
        return (self.token, *self.references)

    @property
    def is_news(self) -> bool:
        """Whether it is reported as new: backfill is not."""
        return "backfill" not in self.capture


def project(event: MailAttached, mail: ReadMail, raw: bytes) -> Projection:
    """Return what this capture alone says."""
    id_ = mail_id(event.account, mail, raw)
    shown = _shown(event, mail)
    form = hashlib.sha256(json.dumps(shown, default=str, sort_keys=True).encode())
    form.update(without_bcc(without_trace(raw)))
    key = form.hexdigest()[:32]
    date = (event.forwarded.date if event.forwarded else None) or mail.date
    received_at = _milliseconds(event.received_at)
    return Projection(
        mail_id=id_,
        message_id=mail.message_id,
        token=token(event.account, mail.message_id)
        if mail.message_id
        else token_without_id(event.account, id_),
        references=tuple(token(event.account, reference) for reference in mail.references),
        content={
            "_id": f"{id_}/{key}",
            "account": event.account,
            "mail_id": id_,
            **shown,
            "incomplete": mail.incomplete,
            "reader_version": READER_VERSION,
            "read_at": _milliseconds(datetime.now(UTC)),
            "size": len(raw),
            "raw_key": mail_key(event.account, f"{id_}/{key}", raw),
            "raw_of": event.owner,
        },
        capture={
            "person_id": event.owner,
            "at": received_at,
            "capture_id": str(event.capture_id),
            "place": event.place,
            "capture_address": event.capture_address,
            "door": event.door,
            "direction": event.direction.value,
            "sent_by_owner": event.sent_by_owner,
            "forwarded": event.forwarded.model_dump(mode="json") if event.forwarded else None,
            "content": key,
            "said": hashlib.sha256("".join(mail.text.split()).encode()).hexdigest()[:16],
            "date": date or received_at,
            "sort_date": min(date, received_at) if date else received_at,
            "matches": [_match(match, event.owner) for match in event.matches],
            "bcc": _named_all(mail.bcc),
            "authentication": _authentication(event),
            **({"backfill": True} if event.backfill else {}),
        },
        bounce=_bounce(event, mail, id_),
    )


def _authentication(event: MailAttached) -> Document | None:
    return event.authentication.model_dump(mode="json") if event.authentication else None


def _bounce(event: MailAttached, mail: ReadMail, id_: str) -> Document | None:
    """Return what a bounce says about another mail, or None."""
    if mail.auto is None or mail.auto.bounced_message_id is None:
        return None
    return {
        "_id": f"{event.account}/{event.owner}/{id_}",
        "account": event.account,
        "token": token(event.account, mail.auto.bounced_message_id),
        "owner": event.owner,
        "recipients": [recipient.lower() for recipient in mail.auto.recipients[:100]],
        "at": _milliseconds(event.received_at),
    }


def event_of(account: str, capture: Document) -> MailAttached:
    """Return the event that a capture was projected from, as far as a projection needs it."""
    return MailAttached(
        capture_id=UUID(capture["capture_id"]),
        backfill=capture.get("backfill", False),
        account=account,
        owner=capture["person_id"],
        capture_address=capture["capture_address"],
        received_at=capture["at"],
        decided_at=capture["at"],
        door=capture["door"],
        direction=capture["direction"],
        sent_by_owner=capture.get("sent_by_owner"),
        matches=tuple(
            Match(**{field: value for field, value in match.items() if field != "bcc_owners"})
            for match in capture["matches"]
        ),
        forwarded=Forwarded(**capture["forwarded"]) if capture["forwarded"] else None,
        place=capture["place"],
        authentication=capture.get("authentication"),
        size=0,
    )


def _shown(event: MailAttached, mail: ReadMail) -> Document:
    """Return what a reader sees: of an inline forward, the original's sender, date and subject."""
    original = event.forwarded
    writer = next(iter(_named_all(mail.from_)), None)
    people = {
        "from": _named(original.sender) if original else writer,
        "to": _named_all(original.to if original else mail.to),
        "cc": _named_all(original.cc if original else mail.cc),
        "reply_to": _named_all(mail.reply_to),
        "forwarded_by": writer if original else None,
    }
    return {
        "subject": (original.subject if original else None) or mail.subject,
        **people,
        "participants": _participants(event, mail, people),
        "text": mail.text,
        "html": mail.html,
        "snippet": mail.snippet,
        "forward": mail.forward,
        "auto": mail.auto.kind if mail.auto else None,
        "invite": mail.invite.model_dump(mode="json") if mail.invite else None,
        "attachments": [
            {
                "index": attachment.index,
                "filename": attachment.filename,
                "content_type": attachment.content_type,
                "size": attachment.size,
                "digest": attachment.digest,
            }
            for attachment in mail.attachments
        ],
    }


def _participants(event: MailAttached, mail: ReadMail, people: Document) -> list[Document]:
    """Return who takes part. The capture address is how the mail came here, not who it is about."""
    in_body = {"from", "to", "cc"} if people["forwarded_by"] else set()
    by_role = {
        "from": [people["from"]] if people["from"] else [],
        "sender": [people["forwarded_by"]] if people["forwarded_by"] else [],
        **{role: people[role] for role in ("to", "cc", "reply_to")},
    }
    found = [
        {**entry, "role": role, "source": "forwarded_body" if role in in_body else "header"}
        for role, entries in by_role.items()
        for entry in entries
    ]
    capture_domain = event.capture_address.partition("@")[2]
    return [
        entry
        for entry in (*found, *_not_reached(event, mail))
        if not entry["address"].lower().endswith(f"@{capture_domain}")
    ]


def _not_reached(event: MailAttached, mail: ReadMail) -> list[Document]:
    """Return whom a bounce names, without those whom the bounced mail had in Bcc."""
    if mail.auto is None or mail.auto.kind != "bounce":
        return []
    blind = {match.address for match in event.matches if match.role is Role.BCC}
    return [
        {
            "name": "",
            "address": address,
            "role": Role.TO.value,
            "source": Source.DELIVERY_REPORT.value,
        }
        for address in mail.auto.recipients
        if normalise(address) not in blind
    ]


def _match(match: Match, owner: str) -> Document:
    """Return a match; one by Bcc with the only one who may see it."""
    hidden = {"bcc_owners": [owner]} if match.role is Role.BCC else {}
    return match.model_dump(mode="json") | hidden


def _named_all(mailboxes: Sequence[Mailbox | Named]) -> list[Document]:
    return [_named(mailbox) for mailbox in mailboxes]


def _named(mailbox: Mailbox | Named) -> Document:
    return {"name": mailbox.name, "address": mailbox.address}


def _milliseconds(moment: datetime) -> datetime:
    """Return the moment as the database keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
