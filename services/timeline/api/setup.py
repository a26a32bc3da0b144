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
    """One of the caller's capture addresses that still counts."""

    address: str
    state: Literal["active", "grace"]
    valid_until: datetime | None = Field(description="The end of a rotated address's grace")


class ConfirmationOut(BaseModel):
    """A mail provider's question whether it may forward to the capture address."""

    provider: str
    requested_by: str | None = Field(description="The address whose mail is to be forwarded")
    code: str | None = Field(description="To type in at the provider")
    link: str | None = Field(description="Confirms when it is opened")
    capture_address: str
    at: datetime
    expires_at: datetime = Field(description="When it is shown no more; ask the provider again")
    doubtful: bool = Field(
        description="It is not proved to be from the provider: warn of it. Always false where that "
        "is not checked"
    )
    authentication: AuthenticationOut | None = Field(
        description="Whether it is from the provider; null where that is not checked. Show it when "
        "it has `failed`: someone else wrote the question, though its link leads to the provider"
    )


class RoundTripOut(BaseModel):
    """The latest challenge to one of the caller's mailboxes (`POST /v1/setup:prove`)."""

    state: Literal["sent", "returned", "bounced", "failed", "lost"] = Field(
        description="`sent`: on its way. `returned`: the mailbox forwards. `bounced`: a mail "
        "server refused it. `failed`: the relay did not take it, which says nothing of the "
        "mailbox. `lost`: it did not come back in time"
    )
    address: str
    sent_at: datetime
    expires_at: datetime
    at: datetime = Field(description="When it came to this state")
    repeated: bool = Field(description="It was sent by the account's weekly check")
    status: str | None = Field(description="The enhanced status code of a bounce (RFC 3463)")
    reason: str | None = Field(description="Why it bounced, in words")
    advice: str | None = Field(description="What to do about it")


class HalfOut(BaseModel):
    """How far one half of a set-up has come."""

    state: HalfState = Field(
        description="`nothing_yet`; `awaiting_confirmation`: a provider asks whether it may "
        "forward; `working`; `silent`: it was, and misses the mail that its own rhythm lets expect"
    )
    first_seen_at: datetime | None = Field(description="When it brought mail for the first time")
    last_seen_at: datetime | None = Field(
        description="When it brought mail last, dismissed mail included"
    )

    @classmethod
    def of(cls, view: HalfView) -> "HalfOut":
        """Return what is shown of it."""
        return cls(
            state=view.state, first_seen_at=view.first_seen_at, last_seen_at=view.last_seen_at
        )


class HalvesOut(BaseModel):
    """The two halves of a set-up. Which one a mail proves is told by how it came."""

    sent: HalfOut = Field(description="Mail that the caller sends: Cc, Bcc")
    received: HalfOut = Field(description="Mail that the caller receives: forwarding")

    @classmethod
    def of(cls, known: KnownSetup, now: datetime) -> "HalvesOut":
        """Return what is shown of them."""
        return cls(
            sent=HalfOut.of(half_view(known, Half.SENT, now)),
            received=HalfOut.of(half_view(known, Half.RECEIVED, now)),
        )


class WatchedOut(BaseModel):
    """A mail without a match, dismissed while the caller's set-up window was open."""

    capture_address: str
    received_at: datetime
    sender: AddressOut | None
    subject: str
    text: str = Field(description="The beginning of its text")
    links: list[str] = Field(
        description="Where its links lead, to be shown as text: nothing has opened them, and "
        "anybody may have written the mail"
    )
    until: datetime = Field(description="Then it is forgotten")

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
    """Something about the set-up that needs a person."""

    kind: NoticeKind = Field(
        description="`silent_half`: nothing came since. `leak`: people outside the account have "
        "seen the capture address; `POST /v1/capture-addresses/{address}:rotate` gives another, "
        "and lets this one count for a while. `confirmation_expired`: a provider asked, and "
        "nothing has come since: let it ask again. `round_trip_failed`: the latest challenge "
        "bounced or did not come back, and no mail has come since: see `round_trip`"
    )
    since: datetime
    half: Half | None = Field(description="Of a silent half: which")
    capture_address: str | None = Field(description="Of a leak: which address to rotate")
    mail_date: datetime | None = Field(description="Of a leak: the date of the mail that showed it")
    provider: str | None = Field(description="Of an expired confirmation: who asked")

    @classmethod
    def all_of(cls, found: Iterable[Notice]) -> "list[NoticeOut]":
        """Return what is shown of them."""
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
        description="Of the last 24 hours: up to 100 that are proved to be from the provider, then "
        "up to 20 others, each newest first"
    )
    halves: HalvesOut
    watched: list[WatchedOut] = Field(
        description="What the set-up window (`POST /v1/setup:watch`) has caught, newest first, "
        "for 24 hours"
    )
    notices: list[NoticeOut] = Field(description="What needs a person, newest first")
    round_trip: RoundTripOut | None = Field(description="null: there was none")


def setup_routes(directory: Directory, confirmations: Confirmations, setups: Setups) -> APIRouter:
    """Return the route of the set-up."""
    router = APIRouter(tags=["set-up"])

    @router.get("/v1/setup")
    async def get_setup(caller: Annotated[Caller, allowed("timeline:read")]) -> SetupOut:
        """Return how far the caller's own set-up has come, and what it needs.

        `GET /v1/events` tells by the event `setup` when to ask again.
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
