"""`GET /v1/setup`: what a user needs to finish the set-up of their capture address."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.timeline.api.shapes import AddressOut, AuthenticationOut
from services.timeline.query.confirmations import Confirmations, is_doubtful
from services.timeline.query.people import Directory
from services.timeline.query.round_trips import RoundTrip
from services.timeline.query.setup import (
    HalfState,
    HalfView,
    KnownSetup,
    Notice,
    NoticeKind,
    Setups,
    half_view,
    notices,
)
from services.timeline.write.indexes import CONFIRMATIONS_KEPT, WATCHED_KEPT
from services.timeline.write.side_records import Watched
from shared.contracts.events import Half
from shared.http.auth import Caller
from shared.http.web import allowed


class CaptureAddressOut(BaseModel):
    """One of the caller's capture addresses that is still accepted."""

    address: str
    state: Literal["active", "grace"]
    valid_until: datetime | None = Field(description="End of the grace period of a rotated address")


class ConfirmationOut(BaseModel):
    """A provider's question whether it may forward mail to the capture address."""

    provider: str
    requested_by: str | None = Field(description="The address whose mail would be forwarded")
    code: str | None = Field(description="Code to enter at the provider")
    link: str | None = Field(description="Link that confirms the forwarding when opened")
    capture_address: str
    at: datetime
    expires_at: datetime = Field(
        description="When it is no longer shown. Then ask the provider for a new one"
    )
    doubtful: bool = Field(
        description="Whether nothing proves that the provider sent it: show a warning. "
        "Always false if authentication is off"
    )
    authentication: AuthenticationOut | None = Field(
        description="What authentication found out about the provider; null if "
        "authentication is off. Show it if it is `failed`: someone else "
        "sent the mail, even though its link leads to the provider"
    )


class RoundTripOut(BaseModel):
    """The latest test mail to one of the caller's mailboxes (`POST /v1/setup:prove`)."""

    state: Literal["sent", "returned", "bounced", "failed", "lost"] = Field(
        description="`sent`: on its way. `returned`: the mailbox forwards. `bounced`: "
        "a mail server refused it. `failed`: the relay did not accept it, "
        "which says nothing about the mailbox. `lost`: it did not come "
        "back in time"
    )
    address: str
    sent_at: datetime
    expires_at: datetime
    at: datetime = Field(description="When the state last changed")
    repeated: bool = Field(description="Whether the account's weekly check sent it")
    status: str | None = Field(description="Enhanced status code of the bounce (RFC 3463)")
    reason: str | None = Field(description="Why it bounced, in words")
    advice: str | None = Field(description="What to do about it")


class HalfOut(BaseModel):
    """State of one half of the set-up."""

    state: HalfState = Field(
        description="`nothing_yet`: no mail arrived. `awaiting_confirmation`: a "
        "provider asks whether it may forward. `working`: mail arrives. "
        "`silent`: mail used to arrive and has stopped, judged by how "
        "often it came"
    )
    first_seen_at: datetime | None = Field(description="When the first mail arrived")
    last_seen_at: datetime | None = Field(
        description="When the last mail arrived, including dismissed mail"
    )

    @classmethod
    def of(cls, view: HalfView) -> "HalfOut":
        """Return what is shown of it."""
        return cls(
            state=view.state, first_seen_at=view.first_seen_at, last_seen_at=view.last_seen_at
        )


class HalvesOut(BaseModel):
    """The two halves of a set-up. How a mail arrived tells which half it proves."""

    sent: HalfOut = Field(
        description="Mail that the caller sends, with the capture address in Cc or Bcc"
    )
    received: HalfOut = Field(
        description="Mail that the caller receives, forwarded by their provider"
    )

    @classmethod
    def of(cls, known: KnownSetup, now: datetime) -> "HalvesOut":
        """Return what is shown of them."""
        return cls(
            sent=HalfOut.of(half_view(known, Half.SENT, now)),
            received=HalfOut.of(half_view(known, Half.RECEIVED, now)),
        )


class WatchedOut(BaseModel):
    """A mail without a match that was dismissed while the caller's set-up window was open."""

    capture_address: str
    received_at: datetime
    sender: AddressOut | None
    subject: str
    text: str = Field(description="The beginning of the mail's text")
    links: list[str] = Field(
        description="Targets of the mail's links. Show them as text: anybody may have "
        "sent the mail, and nothing has opened them"
    )
    until: datetime = Field(description="When it is deleted")

    @classmethod
    def of(cls, mail: Watched) -> "WatchedOut":
        """Return what is shown of it."""
        sender = mail.sender
        return cls(
            capture_address=mail.capture_address,
            received_at=mail.received_at,
            sender=AddressOut(name=sender.name, address=sender.address) if sender else None,
            subject=mail.subject,
            text=mail.text,
            links=list(mail.links),
            until=mail.at + WATCHED_KEPT,
        )


class NoticeOut(BaseModel):
    """Something in the set-up that needs the user's attention."""

    kind: NoticeKind = Field(
        description="`silent_half`: mail has stopped arriving. `leak`: people outside "
        "the account have seen the capture address. `POST "
        "/v1/capture-addresses/{address}:rotate` replaces it and still "
        "accepts the old one for a while. `confirmation_expired`: a "
        "provider asked, and nothing has arrived since. Let it ask again. "
        "`round_trip_failed`: the latest test mail bounced or did not come "
        "back, and no mail has arrived since. See `round_trip`"
    )
    since: datetime
    half: Half | None = Field(description="For `silent_half`: which half")
    capture_address: str | None = Field(description="For `leak`: the address to rotate")
    mail_date: datetime | None = Field(
        description="For `leak`: date of the mail that revealed the address"
    )
    provider: str | None = Field(description="For `confirmation_expired`: the provider that asked")

    @classmethod
    def all_of(cls, found: Iterable[Notice]) -> "list[NoticeOut]":
        """Return the notices to show."""
        return [
            cls(
                kind=notice.kind,
                since=notice.since,
                half=notice.half,
                capture_address=notice.capture_address,
                mail_date=notice.mail_date,
                provider=notice.provider,
            )
            for notice in found
        ]


class SetupOut(BaseModel):
    """The caller's set-up."""

    capture_addresses: list[CaptureAddressOut]
    confirmations: list[ConfirmationOut] = Field(
        description="Confirmations of the last 24 hours: up to 100 that are proved to "
        "be from the provider, then up to 20 others, each newest first"
    )
    halves: HalvesOut
    watched: list[WatchedOut] = Field(
        description="Mails that the set-up window (`POST /v1/setup:watch`) has shown "
        "in the last 24 hours, newest first"
    )
    notices: list[NoticeOut] = Field(description="What needs the user's attention, newest first")
    round_trip: RoundTripOut | None = Field(
        description="The latest round trip; null if there was none"
    )


def setup_routes(directory: Directory, confirmations: Confirmations, setups: Setups) -> APIRouter:
    """Return the route of the set-up."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup")
    async def get_setup(caller: Annotated[Caller, allowed("timeline:read")]) -> SetupOut:
        """Return the state of the caller's own set-up, and what it needs next.

        `GET /v1/events` sends the event `setup` when it has changed.
        """
        now = datetime.now(UTC)
        known = await setups.of(caller.account, caller.person_id)
        addresses = await directory.capture_addresses(caller.account, caller.person_id)
        asked = await confirmations.of(caller.account, caller.person_id)
        return SetupOut(
            capture_addresses=[
                CaptureAddressOut(
                    address=found.address, state=found.state, valid_until=found.valid_until
                )
                for found in addresses
            ],
            confirmations=[
                ConfirmationOut(
                    provider=question.provider,
                    requested_by=question.requested_by,
                    code=question.code,
                    link=question.link,
                    capture_address=question.capture_address,
                    at=question.at,
                    expires_at=question.at + CONFIRMATIONS_KEPT,
                    doubtful=is_doubtful(question),
                    authentication=AuthenticationOut.model_validate(question.authentication)
                    if question.authentication
                    else None,
                )
                for question in asked
            ],
            halves=HalvesOut.of(known, now),
            watched=[
                WatchedOut.of(mail)
                for mail in await setups.watched(caller.account, caller.person_id, now)
            ],
            notices=NoticeOut.all_of(notices(known, now)),
            round_trip=_round_trip(known.round_trip, now) if known.round_trip else None,
        )

    return router


def _round_trip(latest: RoundTrip, now: datetime) -> RoundTripOut:
    return RoundTripOut.model_validate(
        {
            **{field: getattr(latest, field) for field in RoundTripOut.model_fields},
            **({"state": "lost", "at": latest.expires_at} if latest.is_lost(now) else {}),
        }
    )
