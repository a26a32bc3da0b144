"""The row of a mail in an audience: what lists need of it, and what it is found by. Pure."""

import hashlib
from collections.abc import Sequence

from services.timeline.content.inline_data import searchable
from services.timeline.content.terms import terms_of
from services.timeline.write.audiences import View
from services.timeline.write.listed_records import MailRow
from services.timeline.write.records import Content, Mail, NamedAddress

MAX_PARTICIPANTS = 50
"""Of one mail, for the summary of its conversation."""


def mail_row(
    mail: Mail,
    audience: str,
    conversation: str,
    view: View,
    content: Content,
    terms: tuple[str, ...],
) -> MailRow:
    """Return the row of a mail in an audience."""
    people = [entry for entry in content.participants if entry.role != "reply_to"]
    named = {entry.address.lower(): entry for entry in reversed(people)}
    first = [named[key] for key in dict.fromkeys(entry.address.lower() for entry in people)]
    return MailRow(
        id=row_id(mail, audience),
        account=mail.account,
        audience=audience,
        mail_id=mail.id,
        conversation=conversation,
        date=view.date,
        content=view.content,
        subject=content.subject,
        snippet=content.snippet,
        has_attachments=bool(content.attachments),
        participants=tuple(
            NamedAddress(name=entry.name, address=entry.address)
            for entry in first[:MAX_PARTICIPANTS]
        ),
        persons=view.persons,
        terms=terms,
        terms_digest=digest_of(terms),
    )


def digest_of(terms: Sequence[str]) -> bytes:
    """Return eight bytes that other terms do not have."""
    return hashlib.blake2b("\n".join(terms).encode(), digest_size=8).digest()


def terms_of_content(content: Content) -> tuple[str, ...]:
    """Return what the content is found by: the same for every audience."""

    def of(*roles: str) -> list[tuple[str, str]]:
        return [(p.name, p.address) for p in content.participants if p.role in roles]

    return tuple(
        terms_of(
            subject=content.subject,
            text=searchable(content.text),
            sender=of("from", "sender"),
            recipients=of("to", "cc"),
            attachments=[attachment.filename for attachment in content.attachments],
            is_whole=not content.incomplete,
        )
    )


def content_id(mail_id: str, key: str) -> str:
    """Return the id of one of a mail's contents."""
    return f"{mail_id}/{key}"


def row_id(mail: Mail, audience: str) -> str:
    """Return the id of a mail's row in an audience."""
    return f"{mail.account}/{audience}/{mail.id}"
