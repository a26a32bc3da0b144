"""The shapes that clients rely on. Fields may be added, never renamed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.timeline.content import new_part
from services.timeline.content.automatic import Kind as AutoKind
from services.timeline.content.invite import Invite
from services.timeline.query.mails import ShownMail
from shared.database import Document
from shared.events import (
    AuthenticationMethod,
    AuthenticationVerdict,
    Direction,
    Kind,
    Match,
    Role,
    Source,
)


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


class BouncedOut(BaseModel):
    """A recipient whom the mail did not reach."""

    address: str | None = Field(description="If the bounce names one")
    at: datetime


class AuthenticationOut(BaseModel):
    """Whether a mail is from whom it says."""

    verdict: AuthenticationVerdict
    method: AuthenticationMethod | None = Field(description="By what it was found out")
    domain: str | None = Field(description="Whom it is about; of a forward, the forwarder's")
    reason: str | None = Field(description="Why it is not verified, in one word")


class VariantOut(BaseModel):
    """The same mail as it reached others with another text."""

    id: str
    captured_by: list[str]


class MailOut(BaseModel):
    """A mail as lists show it."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    conversation_id: str
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
    variants: list[VariantOut] = Field(
        description="Read one at `/v1/mails/{id}/variants/{variant}`"
    )
    incomplete: bool = Field(description="Not all of the mail could be read; the raw mail is whole")
    auto: AutoKind | None = Field(description="Set when nobody wrote it, or one wrote it to many")
    bounced: list[BouncedOut] = Field(description="To whom it could not be delivered")
    invite: Invite | None = Field(description="The event that it invites to, or answers about")
    authentication: AuthenticationOut = Field(
        description="Whether it is from whom it says; of an inline forward never `verified`: who "
        "wrote the original is only said"
    )

    @classmethod
    def of(cls, shown: ShownMail) -> Self:
        """Return the mail as its viewer may see it."""
        return cls(**_fields(shown))


class MailDetail(MailOut):
    """A mail with all that was read of it."""

    text: str
    new_text: str = Field(description="What it adds, without what it quotes and its signature")
    signature: str
    html: str | None = Field(description="Safe to show; its own images are in it")
    has_remote_images: bool = Field(description="They are in `html` with `images=remote`")
    participants: list[ParticipantOut]

    @classmethod
    def in_full(cls, shown: ShownMail, html: str | None, *, has_remote_images: bool) -> Self:
        """Return the mail as its viewer may see it, with its HTML as it is to be shown."""
        fields, content = _fields(shown), shown.content
        bcc = [{**entry, "role": Role.BCC, "source": Source.HEADER} for entry in fields["bcc"]]
        participants = [*content["participants"], *bcc]
        split = new_part.split(content["text"], forward=content["forward"])
        return cls(
            **fields,
            text=content["text"],
            new_text=split.new,
            signature=split.signature,
            html=html,
            has_remote_images=has_remote_images,
            participants=participants,
        )


def _fields(shown: ShownMail) -> Document:
    viewer, mail, content, capture = shown.viewer, shown.mail, shown.content, shown.capture
    captures = viewer.captures(mail)
    first = {c["person_id"]: c["at"] for c in reversed(captures)}
    own = [capture for capture in captures if capture["person_id"] == viewer.person_id]
    taken = ("subject", "to", "cc", "reply_to", "snippet", "forwarded_by", "incomplete")
    return {
        **{field: content[field] for field in (*taken, "attachments")},
        "id": mail["_id"],
        "conversation_id": shown.conversation_id,
        "message_id": mail["message_id"],
        "date": capture["date"],
        "direction": capture["direction"],
        "from_": content["from"],
        "matches": [
            {field: value for field, value in match.items() if field != "bcc_owners"}
            for match in viewer.matches(mail)
        ],
        "captured_by": [{"person_id": id_, "at": at} for id_, at in reversed(first.items())],
        "bcc": [entry for c in own[:1] for entry in c["bcc"]],
        "variants": [{"id": id_, "captured_by": by} for id_, by in shown.variants.items()],
        "auto": content["auto"],
        "bounced": shown.bounced,
        "invite": content["invite"],
        "authentication": shown.authentication,
    }


class ProfileOut(BaseModel):
    """A candidate or contact with mail in a conversation."""

    person_id: str
    kind: Kind
    name: str = Field(description="Empty when the directory does not have them any more")


class ConversationOut(BaseModel):
    """A conversation as the inbox shows it: over the mails that the caller may see."""

    id: str
    subject: str = Field(description="Of its first mail")
    participants: list[AddressOut] = Field(description="The latest 20")
    profiles: list[ProfileOut]
    last_mail_at: datetime
    mail_count: int
    unread: bool
    snippet: str = Field(description="Of its newest mail")
    has_attachments: bool

    @classmethod
    def of(cls, row: Document, names: Mapping[str, Document]) -> Self:
        """Return the conversation's row, with what the directory says about its profiles."""
        return cls(**conversation_fields(row, names))


def conversation_fields(row: Document, names: Mapping[str, Document]) -> Document:
    """Return the fields of a conversation."""
    persons = {person["person_id"]: person["kind"] for person in row["persons"]}
    return {
        "id": row["thread"],
        "subject": row["first"]["subject"],
        "participants": row["participants"],
        "profiles": [
            {
                "person_id": id_,
                "kind": names.get(id_, {}).get("kind") or kind,
                "name": names.get(id_, {}).get("name") or "",
            }
            for id_, kind in persons.items()
        ],
        "last_mail_at": row["last_mail_at"],
        "mail_count": row["mail_count"],
        "unread": row["unread"],
        "snippet": row["last"]["snippet"],
        "has_attachments": row["with_attachments"] > 0,
    }


class ConversationList(BaseModel):
    """A page of conversations, newest first."""

    items: list[ConversationOut]
    next_cursor: str | None
    partial: int = Field(
        0,
        description="Of a search: mails with more words than are searched, which it may have "
        "missed; counted up to 1,000",
    )


class ConversationDetail(ConversationOut):
    """A conversation with a page of its mails, newest first."""

    mails: list[MailOut]
    next_cursor: str | None = Field(description="Of the mails")


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
    quarantined: int = Field(description="Waiting for a user's yes at this moment")


class StatsOut(BaseModel):
    """Days with captures, oldest first."""

    days: list[DayOut]
