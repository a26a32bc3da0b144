"""The events: all that the services know of each other.

* An event travels as JSON in the AMQP header `event`; the AMQP body is the raw mail, untouched, or
  empty. The property `type` carries the tag, which names the event and its version.
* It is routed by its tag; what is about old mail (`backfill`) by its tag and `.backfill`, to queues
  of its own.
* Producers forbid extra fields, consumers ignore them: a new optional field can be rolled out in
  any order. A field is only ever added as optional; anything else is a new version of the event,
  consumed everywhere before it is produced anywhere.
* `shared/schemas` holds the JSON Schema and one example of each; a test fails when they drift.

| tag                | producer | consumer | body                                    |
|--------------------|----------|----------|-----------------------------------------|
| mail.received.v1   | ingest   | matcher  | the mail, or empty when `blob_key` is set |
| mail.attached.v1   | matcher  | timeline | the mail, or empty when `blob_key` is set |
| mail.dismissed.v1  | matcher  | timeline | empty                                   |
| mail.confirmation.v1 | matcher | timeline | empty                                 |
| person.changed.v1  | matcher  | timeline | empty                                   |
| person.deleted.v1  | matcher  | timeline | empty                                   |
| capture_address.changed.v1 | matcher | timeline | empty                            |

The last three are versioned, per person and per address: they may come in any order and any number
of times, and an older one never wins.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

MAX_EVENT_BYTES = 64 * 1024
"""AMQP headers cannot span frames (128 KiB), and there are others beside ours."""

ACCOUNT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Account = Annotated[str, Field(pattern=ACCOUNT_PATTERN)]
"""An account's id, the ATS's own. It never holds a slash, so that it can lead a key."""
PersonId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@+~-]{1,128}$")]
"""A person's id, the ATS's own."""


class InvalidEvent(ValueError):
    """The event is not one of ours, is too large, or does not validate."""


class Kind(StrEnum):
    """What a person is in an account's directory."""

    USER = "user"
    CANDIDATE = "candidate"
    CONTACT = "contact"
    GUEST = "guest"
    VENDOR = "vendor"

    @property
    def is_profile(self) -> bool:
        """Whether mail can be attached to such a person."""
        return self in (Kind.CANDIDATE, Kind.CONTACT)


class Role(StrEnum):
    """How an address takes part in a mail."""

    FROM = "from"
    SENDER = "sender"
    REPLY_TO = "reply_to"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


class Source(StrEnum):
    """Where an address was found."""

    HEADER = "header"
    FORWARDED_BODY = "forwarded_body"
    DELIVERY_REPORT = "delivery_report"
    """A mail server says that the mail did not reach it."""


class Direction(StrEnum):
    """Which way a mail went, seen from the team."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class DismissalReason(StrEnum):
    """Why a capture was dismissed."""

    BLOCKED = "blocked"
    INTERNAL = "internal"
    NEVER_CAPTURE = "never_capture"
    """Somebody takes part whose mail the account or the owner wants never to be captured."""
    NO_MATCH = "no_match"
    REVOKED_ADDRESS = "revoked_address"


class AuthenticationVerdict(StrEnum):
    """Whether a mail is from whom it says."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"


AuthenticationMethod = Literal["dkim", "arc", "authentication_results"]


class Authentication(BaseModel):
    """What was found out about who sent a mail. `docs/authentication.md`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: AuthenticationVerdict
    method: AuthenticationMethod | None = None
    """By what it was found out."""
    domain: str | None = Field(default=None, max_length=253)
    """Whom it is about: the domain of From, in ASCII."""
    reason: str | None = Field(default=None, pattern=r"^[a-z_]{1,40}$")
    """Why it is not verified."""


class Match(BaseModel):
    """One address of a mail that belongs to a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: PersonId
    kind: Kind
    address: str
    role: Role
    source: Source = Source.HEADER
    shared_address: bool = False
    """Another profile has this address too."""


class Named(BaseModel):
    """A name and an address, as a mail has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    address: str


class Forwarded(BaseModel):
    """What a forwarded mail says of itself, in the header block that a mail client made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Named
    to: tuple[Named, ...] = ()
    cc: tuple[Named, ...] = ()
    date: AwareDatetime | None = None
    subject: str | None = None


def backfill_key(tag: str) -> str:
    """Return the routing key of an event about old mail."""
    return f"{tag}.backfill"


class Event(BaseModel):
    """What every event can do."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tag: ClassVar[str]
    carries_mail: ClassVar[bool] = False

    @property
    def routing_key(self) -> str:
        """What the broker routes it by."""
        return self.tag

    @classmethod
    def routing_keys(cls) -> tuple[str, ...]:
        """Return every routing key that such an event may have."""
        return (cls.tag,)

    def encode(self) -> str:
        """Return the event as the JSON text of the header `event`.

        Raises InvalidEvent when it is larger than MAX_EVENT_BYTES: the producer splits it.
        """
        text = self.model_dump_json(exclude_none=True)
        size = len(text.encode())
        if size > MAX_EVENT_BYTES:
            raise InvalidEvent(f"{self.tag} of {size} bytes is over {MAX_EVENT_BYTES}")
        return text

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what another version of a service may have written; raise InvalidEvent."""
        try:
            return cls.model_validate_json(text, extra="ignore")
        except ValidationError as error:
            where = sorted({".".join(map(str, e["loc"])) or "event" for e in error.errors()})
            raise InvalidEvent(f"{cls.tag} does not validate at {', '.join(where)}") from error


class CaptureEvent(Event):
    """An event about one capture."""

    capture_id: UUID
    """Made by ingest; one arrival of one mail at one capture address. A UUIDv7; of old mail that is
    brought along, one that the same bytes always have there (`KeyRing.backfill_id`)."""
    backfill: bool = Field(default=False, exclude_if=lambda backfill: not backfill)
    """Old mail that is brought along: live mail never waits behind it, and it is no news."""

    @property
    def routing_key(self) -> str:
        """What the broker routes it by."""
        return backfill_key(self.tag) if self.backfill else self.tag

    @classmethod
    def routing_keys(cls) -> tuple[str, ...]:
        """Return every routing key that such an event may have."""
        return (cls.tag, backfill_key(cls.tag))


class MailEvent(CaptureEvent):
    """An event that carries a mail: as its AMQP body, or by claim check."""

    carries_mail: ClassVar[bool] = True

    blob_key: str | None = None
    """Set when the mail waits in the blob store under this key and the AMQP body is empty."""
    size: int = Field(ge=0)
    """The raw mail's size in bytes."""


class MailReceived(MailEvent):
    """ingest took responsibility for a mail."""

    tag: ClassVar[str] = "mail.received.v1"

    capture_address: str
    """Of the envelope, lower case, its MAC verified."""
    account_tag: str
    received_at: AwareDatetime
    door: Literal["smtp", "http"]
    mail_from: str | None = None
    """The envelope's sender; None when it was empty, as a bounce's is."""


class MailAttached(MailEvent):
    """A mail concerns profiles of the account."""

    tag: ClassVar[str] = "mail.attached.v1"

    account: Account
    owner: PersonId
    """The user whose capture address caught it."""
    capture_address: str
    received_at: AwareDatetime
    decided_at: AwareDatetime
    door: Literal["smtp", "http"]
    direction: Direction
    sent_by_owner: bool | None = None
    """Whether the (original) sender is an address of the owner: only then a bounce that reaches the
    owner may be about this mail. None when the matcher did not say yet."""
    matches: tuple[Match, ...] = Field(min_length=1)
    forwarded: Forwarded | None = None
    """Set when the owner forwarded it inline: then this is what is shown."""
    place: str = Field(default="", pattern=r"^(\d{1,3}(\.\d{1,3})*)?$")
    """Set when the mail was enclosed in the captured one, forwarded as attachment: where it stood.
    The event carries the enclosed mail alone, and its size."""
    authentication: Authentication | None = None
    """Whether it is from whom it says; None when the matcher did not know how to find out."""
    part: int = Field(default=1, ge=1)
    """An event that would grow too large is several, joined by the projection."""
    parts: int = Field(default=1, ge=1)


class MailDismissed(CaptureEvent):
    """A mail concerns nobody. Nothing of it is here but a keyed hash of its Message-ID."""

    tag: ClassVar[str] = "mail.dismissed.v1"

    account: Account
    reason: DismissalReason
    received_at: AwareDatetime
    decided_at: AwareDatetime
    message_id_hash: str | None = None


class MailConfirmation(CaptureEvent):
    """A provider asks whether an address may forward to a capture address. For the owner alone."""

    tag: ClassVar[str] = "mail.confirmation.v1"

    account: Account
    owner: PersonId
    capture_address: str
    received_at: AwareDatetime
    decided_at: AwareDatetime
    provider: str
    requested_by: str | None = None
    """The address whose mail is to be forwarded, where the provider names it."""
    code: str | None = None
    link: str | None = None
    """Confirms when it is opened; on the provider's own host."""
    authentication: Authentication | None = None
    """Whether the question is from whom it says; None where that is not looked at."""


class PersonChanged(Event):
    """A person of an account's directory is so now."""

    tag: ClassVar[str] = "person.changed.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)
    kind: Kind
    name: str
    addresses: tuple[str, ...]


class PersonDeleted(Event):
    """A person is in the account's directory no more."""

    tag: ClassVar[str] = "person.deleted.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)


class CaptureAddressChanged(Event):
    """A user's capture address is so now."""

    tag: ClassVar[str] = "capture_address.changed.v1"

    account: Account
    person_id: PersonId
    address: str
    version: int = Field(ge=1)
    state: Literal["active", "grace", "revoked"]
    valid_until: AwareDatetime | None = None


EVENTS: dict[str, type[Event]] = {
    event.tag: event
    for event in (
        MailReceived,
        MailAttached,
        MailDismissed,
        MailConfirmation,
        PersonChanged,
        PersonDeleted,
        CaptureAddressChanged,
    )
}


def decode_event(tag: str | None, text: object) -> Event:
    """Return the event of an AMQP message's `type` and `event` header; raise InvalidEvent."""
    model = EVENTS.get(tag or "")
    if model is None:
        raise InvalidEvent("unknown tag")
    if not isinstance(text, str):
        raise InvalidEvent(f"{model.tag} has no header `event`")
    return model.decode(text)
