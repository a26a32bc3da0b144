"""The shapes that clients rely on. Fields may be added, never renamed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from services.timeline.api.people_shapes import NO_NAMES, NamedPerson, people_named, person_out
from services.timeline.content import new_part
from services.timeline.content.automatic import Kind as AutoKind
from services.timeline.content.invite import Invite
from services.timeline.query.inbox import InboxItem
from services.timeline.query.mails import ShownMail
from services.timeline.query.people import KnownPerson
from services.timeline.write.records import Content, ListedContent, MatchRecord, NamedAddress
from shared.contracts.events import (
    AuthenticationMethod,
    AuthenticationVerdict,
    Direction,
    Kind,
    Match,
    Role,
    Source,
)


class FromRecord(BaseModel):
    """A shape whose fields are those of a record."""

    model_config = ConfigDict(from_attributes=True)


class AddressOut(FromRecord):
    """A name and an address, as the mail has them."""

    name: str
    address: str


class AttachmentOut(FromRecord):
    """An attachment: cut out of the raw mail when asked for."""

    index: int
    filename: str
    content_type: str
    size: int


class CaptureOut(BaseModel):
    """A user whose capture address caught the mail, and when."""

    person_id: str
    at: datetime


class ParticipantOut(FromRecord):
    """An address that takes part."""

    address: str
    role: Role
    source: Source


class BouncedOut(FromRecord):
    """A recipient whom the mail did not reach."""

    address: str | None = Field(description="If the bounce names one")
    at: datetime


class AuthenticationOut(FromRecord):
    """Whether a mail is from whom it says."""

    verdict: AuthenticationVerdict
    method: AuthenticationMethod | None = Field(description="By what it was found out")
    domain: str | None = Field(description="Whom it is about; of a forward, the forwarder's")
    reason: str | None = Field(description="Why it is not verified, in one word")


class VariantOut(BaseModel):
    """The same mail as it reached others with another text."""

    id: str
    captured_by: list[str]


class ProfileOut(BaseModel):
    """A candidate or contact with mail in a conversation."""

    person_id: str
    kind: Kind
    name: str = Field(description="Empty when the directory does not have them any more")


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
    matches: list[Match] = Field(description="Of what is shown: a variant can have others")
    detached: list[str] = Field(
        description="The profiles that a user has removed it from. "
        "`PUT /v1/mails/{mail_id}/matches/{person_id}` puts it back"
    )
    captured_by: list[CaptureOut]
    private: bool = Field(
        description="Whether the caller has made what they captured of it private. For a back-end: "
        "whether all who captured it have, so that nobody else is to see it"
    )
    forwarded_by: AddressOut | None
    variant: str = Field(
        description="Which of its contents is shown: on a profile's timeline one that names the "
        "profile, of these a verified one first, then the earliest"
    )
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
    people: list[NamedPerson] = Field(
        description="Whom `matches`, `detached`, `captured_by` and `variants` name, as far as the "
        "directory has them"
    )

    @classmethod
    def of(
        cls, shown: ShownMail[ListedContent], names: Mapping[str, KnownPerson] = NO_NAMES
    ) -> Self:
        """Return the mail as its viewer may see it."""
        return cls(**mail_fields(shown, names))


class MailDetail(MailOut):
    """A mail with all that was read of it."""

    text: str
    new_text: str = Field(description="What it adds, without what it quotes and its signature")
    signature: str
    html: str | None = Field(description="Safe to show; its own images are in it")
    has_remote_images: bool = Field(description="They are in `html` with `images=remote`")
    participants: list[ParticipantOut]

    @classmethod
    def in_full(
        cls,
        shown: ShownMail[Content],
        names: Mapping[str, KnownPerson],
        html: str | None,
        *,
        has_remote_images: bool,
    ) -> Self:
        """Return the mail as its viewer may see it, with its HTML as it is to be shown."""
        content = shown.content
        bcc = [
            ParticipantOut(address=entry.address, role=Role.BCC, source=Source.HEADER)
            for entry in _bcc(shown)
        ]
        split = new_part.split(content.text, forward=content.forward)
        return cls(
            **mail_fields(shown, names),
            text=content.text,
            new_text=split.new,
            signature=split.signature,
            html=html,
            has_remote_images=has_remote_images,
            participants=[*content.participants, *bcc],
        )


def mail_fields(
    shown: ShownMail[ListedContent], names: Mapping[str, KnownPerson]
) -> dict[str, Any]:
    """Return the fields of a mail as its viewer may see it."""
    mail, content, capture = shown.mail, shown.content, shown.capture
    captures = shown.viewer.captures(mail)
    first = {capture.owner: capture.at for capture in reversed(captures)}
    return {
        "id": mail.id,
        "conversation_id": shown.conversation_id,
        "message_id": mail.message_id,
        "subject": content.subject,
        "date": capture.date,
        "direction": capture.direction,
        "from_": content.from_,
        "to": content.to,
        "cc": content.cc,
        "bcc": _bcc(shown),
        "reply_to": content.reply_to,
        "snippet": content.snippet,
        "attachments": content.attachments,
        "matches": [match_out(match) for match in shown.matches],
        "detached": shown.detached,
        "private": shown.is_private,
        "captured_by": [CaptureOut(person_id=id_, at=at) for id_, at in reversed(first.items())],
        "forwarded_by": content.forwarded_by,
        "variant": content.key,
        "variants": [VariantOut(id=id_, captured_by=by) for id_, by in shown.variants.items()],
        "incomplete": content.incomplete,
        "auto": content.auto,
        "bounced": shown.bounced,
        "invite": content.invite,
        "authentication": shown.authentication,
        "people": [person_out(names[id_]) for id_ in sorted(people_named([shown])) if id_ in names],
    }


def _bcc(shown: ShownMail[ListedContent]) -> Sequence[NamedAddress]:
    """Return the Bcc of the viewer's own capture, which no other person is shown: of what is shown,
    if they have captured that."""
    viewer = shown.viewer
    known = (*shown.captures, *viewer.contents(shown.mail))
    if viewer.sees_all:
        return list({entry.address: entry for capture in known for entry in capture.bcc}.values())
    own = (capture for capture in known if capture.owner == viewer.person_id)
    return next((capture.bcc for capture in own), ())


def match_out(match: MatchRecord) -> Match:
    """Return a match, without whose Bcc it is known from."""
    return Match.model_validate(match, from_attributes=True)


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
    def of(cls, item: InboxItem, names: Mapping[str, KnownPerson]) -> Self:
        """Return the conversation, with what the directory says about its profiles."""
        return cls(**conversation_fields(item, names))


def conversation_fields(item: InboxItem, names: Mapping[str, KnownPerson]) -> dict[str, Any]:
    """Return the fields of a conversation."""
    row = item.row
    kinds = {person.person_id: person.kind for person in row.persons}
    return {
        "id": row.conversation,
        "subject": row.first.subject,
        "participants": row.participants,
        "profiles": [
            ProfileOut(
                person_id=id_,
                kind=Kind(names[id_].kind if id_ in names else kind),
                name=names[id_].name if id_ in names else "",
            )
            for id_, kind in kinds.items()
        ],
        "last_mail_at": row.last_mail_at,
        "mail_count": row.mail_count,
        "unread": item.unread,
        "snippet": row.last.snippet,
        "has_attachments": row.with_attachments > 0,
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
    """A page of a profile's mails, newest first."""

    items: list[MailOut]
    next_cursor: str | None
    person: NamedPerson | None = Field(
        description="Whose mails these are, if the directory knows and there are any"
    )


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
