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
| mail.attached.v2   | matcher  | timeline | the mail, or empty when `blob_key` is set |
| mail.dismissed.v1  | matcher  | timeline | empty                                   |
| mail.dismissed.v2  | matcher  | timeline | empty                                   |
| mail.confirmation.v1 | matcher | timeline | empty                                 |
| mail.round_trip.v1 | matcher  | timeline | empty                                   |
| mail.watched.v1    | matcher  | timeline | empty                                   |
| person.changed.v1  | matcher  | timeline | empty                                   |
| person.deleted.v1  | matcher  | timeline | empty                                   |
| capture_address.changed.v1 | matcher | timeline | empty                            |
| round_trip.changed.v1 | matcher | timeline | empty                                 |

`mail.attached.v2` and `mail.dismissed.v2` are about captures at an address of the account, which
several users may have a share in; the first versions are about a user's own address.

The last four are versioned, per person and per address: they may come in any order and any number
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


class Half(StrEnum):
    """The half of a user's set-up that a capture proves, by how it came."""

    SENT = "sent"
    """The owner sent the mail, and sent it to the capture address as well."""
    RECEIVED = "received"
    """The owner's mailbox received the mail, and passed it on."""


class DismissalReason(StrEnum):
    """Why a capture was dismissed."""

    BLOCKED = "blocked"
    INTERNAL = "internal"
    NEVER_CAPTURE = "never_capture"
    """Somebody takes part whose mail the account or the owner wants never to be captured."""
    NO_MATCH = "no_match"
    REVOKED_ADDRESS = "revoked_address"
    NO_USER = "no_user"
    """It came to an address of the account, and no user takes part in it."""


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


class Leak(BaseModel):
    """A capture address stood in To or Cc of a mail that went to people outside the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capture_address: str
    mail_date: AwareDatetime
    """What its owner finds the mail by; the one thing that is told of it."""


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
    is_fleeting: ClassVar[bool] = False
    """It shows what is forgotten after a day: no backup and no dead letter keeps it."""

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
    forwarder: Authentication | None = Field(default=None, exclude_if=lambda found: found is None)
    """Of all mails of a capture that forwards: whether the captured mail is from whom it says."""
    half: Half | None = None
    """Which half of the owner's set-up the capture proves; None when it proves neither."""
    leak: Leak | None = None
    shared: bool = Field(default=False, exclude_if=lambda shared: not shared)
    """It is one share of a capture that several users have: made of `mail.attached.v2`."""
    part: int = Field(default=1, ge=1)
    """An event that would grow too large is several, joined by the projection."""
    parts: int = Field(default=1, ge=1)


class Share(BaseModel):
    """One user's share in a capture at an address of the account, as if theirs had caught it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: PersonId
    sent_by_owner: bool = Field(default=False, exclude_if=lambda sent: not sent)
    """Whether the (original) sender is an address of the owner."""
    sees_bcc: bool = Field(default=False, exclude_if=lambda sees: not sees)
    """Whether the owner's copy of the mail names who is in Bcc."""
    matched: bool = Field(default=True, exclude_if=lambda matched: matched)
    """Whether the owner's copy names a profile; if not, it proves a half and is not kept."""
    half: Half | None = None
    """Which half of the owner's set-up it proves."""

    def sees(self, match: Match) -> bool:
        """Return whether the owner's copy of the mail tells of this match."""
        is_open = match.role is not Role.BCC or match.source is Source.DELIVERY_REPORT
        return is_open or self.sees_bcc


class MailAttachedToShares(MailEvent):
    """A mail concerns profiles of the account, and an address of the account caught it."""

    tag: ClassVar[str] = "mail.attached.v2"

    account: Account
    shares: tuple[Share, ...] = Field(min_length=1)
    """One at least has a match. Those who see all matches come first."""
    capture_address: str
    received_at: AwareDatetime
    decided_at: AwareDatetime
    door: Literal["smtp", "http"]
    direction: Direction
    matches: tuple[Match, ...] = Field(min_length=1)
    """Each is in one share at least."""
    forwarded: Forwarded | None = None
    place: str = Field(default="", pattern=r"^(\d{1,3}(\.\d{1,3})*)?$")
    """Set when the mail was enclosed in the captured one, as in a journal report."""
    authentication: Authentication | None = None
    forwarder: Authentication | None = Field(default=None, exclude_if=lambda found: found is None)
    """Of all mails of a capture that forwards: whether the captured mail is from whom it says."""
    part: int = Field(default=1, ge=1)
    parts: int = Field(default=1, ge=1)

    def of_shares(self) -> list[tuple[Share, MailAttached]]:
        """Return the event as each owner's own address would have caused it, in their order."""
        same = {
            field: getattr(self, field)
            for field in MailAttachedToShares.model_fields
            if field not in ("shares", "matches")
        }
        found = [(share, tuple(filter(share.sees, self.matches))) for share in self.shares]
        return [
            (
                share,
                MailAttached(
                    **same,
                    owner=share.owner,
                    sent_by_owner=share.sent_by_owner,
                    half=share.half,
                    shared=True,
                    matches=matches,
                ),
            )
            for share, matches in found
            if share.matched and matches
        ]


class MailDismissed(CaptureEvent):
    """A mail concerns nobody. Nothing of it is here but a keyed hash of its Message-ID.

    Of a mail that gave the capture address away its date is here, too, for the owner to be told.
    """

    tag: ClassVar[str] = "mail.dismissed.v1"

    account: Account
    reason: DismissalReason
    received_at: AwareDatetime
    decided_at: AwareDatetime
    message_id_hash: str | None = None
    owner: PersonId | None = None
    """The user whose capture address caught it."""
    half: Half | None = None
    """Which half of the owner's set-up the capture proves; None when it proves neither."""
    leak: Leak | None = None


class MailDismissedWithShares(CaptureEvent):
    """A mail that an address of the account caught concerns nobody."""

    tag: ClassVar[str] = "mail.dismissed.v2"

    account: Account
    reason: DismissalReason
    received_at: AwareDatetime
    decided_at: AwareDatetime
    message_id_hash: str | None = None
    shares: tuple[Share, ...] = ()
    """The users whose set-up it proves."""

    def without_shares(self) -> MailDismissed:
        """Return what it says whoever has a share."""
        same = {
            field: getattr(self, field)
            for field in MailDismissedWithShares.model_fields
            if field != "shares"
        }
        return MailDismissed(**same)


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


class RoundTripResult(StrEnum):
    """What a capture was, that belongs to a round trip (docs/round-trip.md)."""

    RETURNED = "returned"
    """The challenge, at a capture address of the user it was sent to, in time."""
    STALE = "stale"
    """A challenge whose time is over, or that was not forwarded but backfilled."""
    MISDIRECTED = "misdirected"
    """A challenge at somebody else's capture address."""
    BOUNCED = "bounced"
    """A mail server says that the challenge, or its forward, was refused."""
    IGNORED = "ignored"
    """Something else at a return path: a delay notice, an automatic reply."""


class MailRoundTrip(CaptureEvent):
    """A capture belongs to a round trip and is no mail: nothing of it is kept."""

    tag: ClassVar[str] = "mail.round_trip.v1"

    account: Account
    result: RoundTripResult
    owner: PersonId | None = None
    """The user whose receiving half it proves; set when it was returned, and only then."""
    capture_address: str | None = None
    """Where it came back to; None for what came to a return path."""
    received_at: AwareDatetime
    decided_at: AwareDatetime


class RoundTripState(StrEnum):
    """How far the latest round trip of a user is."""

    SENT = "sent"
    """The relay has taken the challenge. Past `expires_at` it is lost."""
    RETURNED = "returned"
    BOUNCED = "bounced"
    FAILED = "failed"
    """The relay could not take it: that says nothing of the user's mailbox."""
    FORGOTTEN = "forgotten"
    """The user was deleted: nothing else is told."""


class RoundTripChanged(Event):
    """The latest round trip of a user is so now."""

    tag: ClassVar[str] = "round_trip.changed.v1"

    account: Account
    person_id: PersonId
    version: int = Field(ge=1)
    state: RoundTripState
    address: str | None = None
    """The user's own, to which the challenge went."""
    sent_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    at: AwareDatetime
    """When it came to this state."""
    repeated: bool = False
    """The account has it repeated every week; nobody asked for this one."""
    status: str | None = Field(default=None, max_length=20)
    """The enhanced status code of a bounce (RFC 3463), where it has one."""
    reason: str | None = Field(default=None, max_length=400)
    """Why it bounced, in words."""
    advice: str | None = Field(default=None, max_length=800)
    """What to do about it."""


class MailWatched(Event):
    """A mail that matched nobody, for the eyes of its owner, who asked to see the next few.

    It is dismissed all the same. Live mail only; what is here is bounded, and kept for a day.
    """

    tag: ClassVar[str] = "mail.watched.v1"
    is_fleeting: ClassVar[bool] = True

    capture_id: UUID
    account: Account
    owner: PersonId
    capture_address: str
    received_at: AwareDatetime
    decided_at: AwareDatetime
    sender: Named | None = None
    subject: str = ""
    text: str = ""
    links: tuple[str, ...] = ()
    """The targets of the mail's links, as text: nothing opens them."""


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
        MailAttachedToShares,
        MailDismissed,
        MailDismissedWithShares,
        MailConfirmation,
        MailRoundTrip,
        MailWatched,
        PersonChanged,
        PersonDeleted,
        CaptureAddressChanged,
        RoundTripChanged,
    )
}


FLEETING = frozenset(tag for tag, event in EVENTS.items() if event.is_fleeting)
"""The tags of what no backup and no dead letter keeps."""


def decode_event(tag: str | None, text: object) -> Event:
    """Return the event of an AMQP message's `type` and `event` header; raise InvalidEvent."""
    model = EVENTS.get(tag or "")
    if model is None:
        raise InvalidEvent("unknown tag")
    if not isinstance(text, str):
        raise InvalidEvent(f"{model.tag} has no header `event`")
    return model.decode(text)
