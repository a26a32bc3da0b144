"""The shapes that clients rely on. Fields may be added, never renamed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from services.timeline.api.people_shapes import NO_NAMES, NamedPerson, people_named, person_out
from services.timeline.content import new_part
from services.timeline.content.automatic import Kind as AutoKind
from services.timeline.content.invite import Invite
from services.timeline.query.hiding import Reason
from services.timeline.query.mails import ShownMail
from services.timeline.query.people import KnownPerson
from services.timeline.write.records import Content, ListedContent, MatchRecord, NamedAddress
from shared.contracts.events import (
    AuthenticationMethod,
    AuthenticationVerdict,
    Direction,
    Match,
    PersonId,
    Role,
    Source,
)


class FromRecord(BaseModel):
    """A shape with the same fields as a record."""

    model_config = ConfigDict(from_attributes=True)


class AddressOut(FromRecord):
    """A name and an address as written in the mail."""

    name: str
    address: str


class AttachmentOut(FromRecord):
    """An attachment. Its bytes are cut out of the raw mail on request."""

    index: int
    filename: str
    content_type: str
    size: int


class CaptureOut(BaseModel):
    """A user whose capture address received the mail, and when."""

    person_id: str
    at: datetime


class MatchOut(Match):
    """One address of the mail that belongs to a profile."""

    made_for: PersonId | None = Field(
        None,
        exclude_if=lambda made_for: made_for is None,
        description="The profile whose address it is; only if that was merged into `person_id`",
    )


class ParticipantOut(FromRecord):
    """An address that takes part in the mail."""

    address: str
    role: Role
    source: Source


class BouncedOut(FromRecord):
    """A recipient that the mail did not reach."""

    address: str | None = Field(description="The recipient's address, if the bounce names it")
    at: datetime


class AuthenticationOut(FromRecord):
    """What authentication found out about the sender."""

    verdict: AuthenticationVerdict
    method: AuthenticationMethod | None = Field(description="Method that gave the verdict")
    domain: str | None = Field(
        description="Domain that was checked. For a forward, the forwarder's domain"
    )
    reason: str | None = Field(description="Why the mail is not verified, as one word")


class VariantOut(BaseModel):
    """The same mail with another content, as it reached other users."""

    id: str
    captured_by: list[str]


class HiddenMatchOut(BaseModel):
    """A profile that is hidden, and why."""

    person_id: str
    reason: Reason


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
    bcc: list[AddressOut] = Field(
        description="Recipients in Bcc. Only the owner of the capture sees them"
    )
    reply_to: list[AddressOut]
    snippet: str
    attachments: list[AttachmentOut]
    matches: list[MatchOut] = Field(
        description="Matches of the content that is shown. A variant can have others"
    )
    detached: list[str] = Field(
        description="Profiles that a user has removed it from. "
        "`PUT /v1/mails/{mail_id}/matches/{person_id}` puts it back"
    )
    captured_by: list[CaptureOut]
    hidden: list[HiddenMatchOut] = Field(
        description="For a back-end: profiles in `matches` that are hidden from users. A mail all "
        "of whose profiles are hidden is hidden. Always empty for a user"
    )
    private: bool = Field(
        description="Whether the caller has made what they captured of it private. For a back-end: "
        "whether all who captured it have, so that no other user sees it"
    )
    forwarded_by: AddressOut | None
    variant: str = Field(
        description="Id of the content that is shown. On a profile's timeline it is "
        "one that names the profile: a verified one if possible, otherwise "
        "the earliest"
    )
    variants: list[VariantOut] = Field(
        description="Other contents of this mail. Get one from `/v1/mails/{id}/variants/{variant}`"
    )
    incomplete: bool = Field(
        description="Whether part of the mail could not be parsed. The raw mail is complete"
    )
    auto: AutoKind | None = Field(
        description="Kind of automatic or bulk mail; null if a person wrote it to a few"
    )
    bounced: list[BouncedOut] = Field(description="Recipients that the mail did not reach")
    invite: Invite | None = Field(
        description="The calendar event that the mail invites to or replies about"
    )
    authentication: AuthenticationOut = Field(
        description="What authentication found out about the sender. Never `verified` "
        "for an inline forward, because nothing proves who wrote the "
        "original"
    )
    people: list[NamedPerson] = Field(
        description="Names of the people in `matches`, `detached`, `captured_by` and `variants` "
        "that the directory has"
    )

    @classmethod
    def of(
        cls, shown: ShownMail[ListedContent], names: Mapping[str, KnownPerson] = NO_NAMES
    ) -> Self:
        """Return the mail as its viewer may see it."""
        return cls(**mail_fields(shown, names))


class MailDetail(MailOut):
    """A mail with its full content."""

    text: str
    new_text: str = Field(description="The mail's own text, without quoted text and signature")
    signature: str
    html: str | None = Field(description="Sanitized HTML, with the mail's own images inlined")
    has_remote_images: bool = Field(
        description="Whether the mail has remote images. `images=remote` puts them into `html`"
    )
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
        """Return the mail as its viewer may see it, with the HTML to show."""
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
        "hidden": [HiddenMatchOut(person_id=id_, reason=why) for id_, why in shown.hidden.items()],
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


def match_out(match: MatchRecord) -> MatchOut:
    """Return a match without the names of those whose Bcc revealed it."""
    return MatchOut.model_validate(match, from_attributes=True)


class MailList(BaseModel):
    """A page of a profile's mails, newest first."""

    items: list[MailOut]
    next_cursor: str | None
    person: NamedPerson | None = Field(
        description="The profile; null if it has no mails that the caller sees, or if "
        "the directory does not have it"
    )
    hidden: Reason | None = Field(
        description="Why the profile has mails that are not shown. `deleted`: the directory no "
        "longer has it. `blocked`: it is a user or shares an address with one. null if it is not "
        "hidden",
    )
