"""The shapes that clients rely on. Fields may be added, never renamed."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.timeline.matches import visible_matches
from shared.database import Document
from shared.events import Direction, Match, Role, Source


class AddressOut(BaseModel):
    """A name and an address, as the mail has them."""

    name: str
    address: str


class AttachmentOut(BaseModel):
    """An attachment: cut out of the raw mail when asked for."""

    index: int
    filename: str
    content_type: str
    size: int


class CaptureOut(BaseModel):
    """A user whose capture address caught the mail, and when."""

    person_id: str
    at: datetime


class ParticipantOut(BaseModel):
    """An address that takes part."""

    address: str
    role: Role
    source: Source


class MailOut(BaseModel):
    """A mail as lists show it."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    conversation_id: str | None
    message_id: str | None
    subject: str
    date: datetime
    direction: Direction
    from_: AddressOut | None = Field(serialization_alias="from")
    to: list[AddressOut]
    cc: list[AddressOut]
    bcc: list[AddressOut] = Field(description="Shown to the owner of the capture alone")
    reply_to: list[AddressOut]
    snippet: str
    attachments: list[AttachmentOut]
    matches: list[Match]
    captured_by: list[CaptureOut]
    forwarded_by: AddressOut | None
    variants: list[str]
    incomplete: bool = Field(description="Not all of the mail could be read; the raw mail is whole")
    auto: str | None
    invite: None = None

    @classmethod
    def of(cls, mail: Document, viewer: str) -> Self:
        """Return the mail's document as the viewer may see it."""
        return cls(**_fields(mail, viewer))


class MailDetail(MailOut):
    """A mail with all that was read of it."""

    text: str
    html: str | None = Field(description="Safe to show")
    participants: list[ParticipantOut]

    @classmethod
    def of(cls, mail: Document, viewer: str) -> Self:
        """Return the mail's document as the viewer may see it."""
        fields = _fields(mail, viewer)
        roles = {
            Role.FROM: [mail["from"]] if mail["from"] else [],
            Role.SENDER: [mail["forwarded_by"]] if mail.get("forwarded_by") else [],
            Role.REPLY_TO: mail["reply_to"],
            Role.TO: mail["to"],
            Role.CC: mail["cc"],
            Role.BCC: fields["bcc"],
        }
        quoted = {Role.FROM, Role.TO, Role.CC} if mail.get("forwarded_by") else set()
        participants = [
            {
                "address": entry["address"],
                "role": role,
                "source": Source.FORWARDED_BODY if role in quoted else Source.HEADER,
            }
            for role, entries in roles.items()
            for entry in entries
        ]
        return cls(**fields, text=mail["text"], html=mail["html"], participants=participants)


def _fields(mail: Document, viewer: str) -> Document:
    taken = (
        *("message_id", "subject", "date", "direction", "to", "cc", "reply_to", "snippet"),
        *("attachments", "captured_by", "incomplete"),
    )
    return {
        **{field: mail[field] for field in taken},
        "id": mail["_id"],
        "from_": mail["from"],
        "matches": [
            {field: value for field, value in match.items() if field != "bcc_owners"}
            for match in visible_matches(mail["matches"], viewer)
        ],
        "bcc": [a for seen in mail["bcc_by"] if seen["person_id"] == viewer for a in seen["bcc"]],
        # Conversations, variants and the kinds of automatic mail are not read yet.
        "conversation_id": None,
        "forwarded_by": mail.get("forwarded_by"),
        "variants": [],
        "auto": None,
    }


class MailList(BaseModel):
    """A page of mails, newest first."""

    items: list[MailOut]
    next_cursor: str | None


class DayOut(BaseModel):
    """What became of a day's captures (UTC)."""

    day: str
    attached: int
    dismissed: dict[str, int] = Field(description="By reason")
    confirmations: int = Field(description="Forwarding confirmations, shown to their owner alone")


class StatsOut(BaseModel):
    """Days with captures, oldest first."""

    days: list[DayOut]
