"""From an attached capture to the document of its mail. Pure."""

from collections.abc import Sequence
from datetime import datetime

from services.timeline.identity import mail_id
from services.timeline.reader import READER_VERSION, Mailbox, ReadMail
from shared.blobs import mail_key
from shared.database import Document
from shared.events import MailAttached, Match, Named, Role


def project(event: MailAttached, mail: ReadMail, raw: bytes) -> Document:
    """Return the mail's document as this capture alone makes it."""
    id_ = mail_id(event.account, mail, raw)
    bcc = _shown(mail.bcc)
    original = event.forwarded
    sender = next(iter(_shown(mail.from_)), None)
    date = (original.date if original else None) or mail.date
    return {
        "_id": id_,
        "account": event.account,
        "message_id": mail.message_id,
        "subject": (original.subject if original else None) or mail.subject,
        "date": date or event.received_at,
        "sort_date": _clamped(date, event.received_at),
        "direction": event.direction.value,
        "from": _named(original.sender) if original else sender,
        "to": _shown(original.to if original else mail.to),
        "cc": _shown(original.cc if original else mail.cc),
        "forwarded_by": sender if original else None,
        "reply_to": _shown(mail.reply_to),
        "bcc_by": [{"person_id": event.owner, "bcc": bcc}] if bcc else [],
        "text": mail.text,
        "html": mail.html,
        "snippet": mail.snippet,
        "attachments": [
            {
                "index": attachment.index,
                "filename": attachment.filename,
                "content_type": attachment.content_type,
                "size": attachment.size,
            }
            for attachment in mail.attachments
        ],
        "matches": [_match(match, event.owner) for match in event.matches],
        "captured_by": [{"person_id": event.owner, "at": event.received_at}],
        "incomplete": mail.incomplete,
        "reader_version": READER_VERSION,
        "size": len(raw),
        "raw_key": mail_key(event.account, id_, raw),
    }


def _match(match: Match, owner: str) -> Document:
    """Return a match; one by Bcc with the only one who may see it."""
    hidden = {"bcc_owners": [owner]} if match.role is Role.BCC else {}
    return match.model_dump(mode="json") | hidden


def _shown(mailboxes: Sequence[Mailbox | Named]) -> list[Document]:
    return [_named(mailbox) for mailbox in mailboxes]


def _named(mailbox: Mailbox | Named) -> Document:
    return {"name": mailbox.name, "address": mailbox.address}


def _clamped(date: datetime | None, received_at: datetime) -> datetime:
    """Return the date to sort by: a mail cannot be from later than its arrival."""
    return min(date, received_at) if date else received_at
