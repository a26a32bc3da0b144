"""What events say: who, in which role, whether it is from whom it says."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ACCOUNT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Account = Annotated[str, Field(pattern=ACCOUNT_PATTERN)]
"""An account's id, the ATS's own. It never holds a slash, so that it can lead a key."""
PersonId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@+~-]{1,128}$")]
"""A person's id, the ATS's own."""


MergeId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The id of a merge of two profiles."""


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
    """The half of a user's set-up that a capture proves."""

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
    """What authentication found out about the sender."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"


AuthenticationMethod = Literal["dkim", "arc", "authentication_results"]


class Authentication(BaseModel):
    """What authentication found out about the sender of a mail: `docs/authentication.md`."""

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
    """A capture address was in To or Cc of a mail to people outside the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capture_address: str
    mail_date: AwareDatetime
    """What its owner finds the mail by; the one thing that is told of it."""


class Forwarded(BaseModel):
    """What the header block of a forwarded mail says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Named
    to: tuple[Named, ...] = ()
    cc: tuple[Named, ...] = ()
    date: AwareDatetime | None = None
    subject: str | None = None
