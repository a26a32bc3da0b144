"""Events about captured mail: received, attached, dismissed, a confirmation."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.events.event import CaptureEvent, MailEvent
from shared.contracts.events.words import (
    Account,
    Authentication,
    Direction,
    DismissalReason,
    Forwarded,
    Half,
    Leak,
    Match,
    PersonId,
    Role,
    Source,
)


class MailReceived(MailEvent):
    """ingest accepted a mail."""

    tag: ClassVar[str] = "mail.received.v1"

    capture_address: str
    """Of the envelope, lower case, its MAC verified."""
    account_tag: str
    received_at: AwareDatetime
    door: Literal["smtp", "http"]
    mail_from: str | None = None
    """The envelope's sender; None when it was empty, as a bounce's is."""
    account: Account | None = None
    """Of the token that it was uploaded with: the capture address has to be of this account. ingest
    can compare but the tag, a hash of 40 bits. None for mail by SMTP."""


class MailAttached(MailEvent):
    """A mail is attached to profiles of the account."""

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
    rematched: bool = Field(default=False, exclude_if=lambda rematched: not rematched)
    """Whether it was dismissed before, and kept sealed until somebody was added."""
    shared: bool = Field(default=False, exclude_if=lambda shared: not shared)
    """It is one share of a capture that several users have: made of `mail.attached.v2`."""
    part: int = Field(default=1, ge=1)
    """An event that would grow too large is several, joined by the projection."""
    parts: int = Field(default=1, ge=1)


class Share(BaseModel):
    """One user's share in a capture at an address of the account, as if received at their own."""

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
    """A mail that an address of the account received is attached to profiles."""

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
    rematched: bool = Field(default=False, exclude_if=lambda rematched: not rematched)
    """Whether it was dismissed before, and kept sealed until somebody was added."""
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
    """A mail matches no profile. The event has nothing of it but a keyed hash of its Message-ID.

    If the mail gave the capture address away, its date is included, so that the owner can be told.
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
    """A mail that an address of the account received matches no profile."""

    tag: ClassVar[str] = "mail.dismissed.v2"

    account: Account
    reason: DismissalReason
    received_at: AwareDatetime
    decided_at: AwareDatetime
    message_id_hash: str | None = None
    shares: tuple[Share, ...] = ()
    """The users whose set-up it proves."""

    def without_shares(self) -> MailDismissed:
        """Return the part that is the same for every share."""
        same = {
            field: getattr(self, field)
            for field in MailDismissedWithShares.model_fields
            if field != "shares"
        }
        return MailDismissed(**same)


class MailConfirmation(CaptureEvent):
    """A provider asks whether it may forward mail to a capture address. For the owner alone."""

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
