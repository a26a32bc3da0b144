"""`/v1/setup:prove` and `/v1/setup/round-trips`: proof that a user's mailbox forwards."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.matcher.decision.decide import Person
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.people import Directory
from services.matcher.reading.addresses import normalise
from services.matcher.round_trip.proving import Proving, TooManyToday
from services.matcher.round_trip.records import PER_DAY, Repeat
from shared.contracts.events import Kind
from shared.http.auth import Caller
from shared.http.preconditions import IfMatch, changed_meanwhile, demand_match, tagged
from shared.http.web import Code, Problem, SignedIn, allowed, not_found
from shared.runtime.relay import RelayAway


class ProveRequest(BaseModel):
    """Which of the caller's mailboxes to test."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[
        str | None,
        Field(max_length=320, description="One of the caller's own addresses. Default: the first"),
    ] = None


class ProveOut(BaseModel):
    """A test mail that is under way."""

    state: Literal["sent", "bounced"] = Field(
        description="`sent`, or `bounced` if the relay refused the address at once. `round_trip` "
        "of `GET /v1/setup` has the reason, and shows when the test mail comes back"
    )
    address: str
    sent_at: datetime
    expires_at: datetime = Field(description="A test mail that comes back later proves nothing")


class RoundTripSettings(BaseModel):
    """The account's settings for round trips."""

    model_config = ConfigDict(extra="forbid")

    repeat: Repeat = Field(
        description="`weekly`: every user whose mailbox has been proven to forward gets a test "
        "mail each week, so that a forward that stops is noticed"
    )


def setup_prove_routes(
    directory: Directory, capture_addresses: CaptureAddresses, proving: Proving
) -> APIRouter:
    """Return the routes of round trips."""
    router = APIRouter(tags=["set-up"])

    @router.post("/v1/setup:prove", status_code=202)
    async def prove_forwarding(caller: SignedIn, body: ProveRequest | None = None) -> ProveOut:
        """Send a test mail to the caller's own mailbox. If it comes back, the mailbox forwards.

        It concerns the caller alone, so it needs no scope. 404 for an address that is not the
        caller's. 409 if the caller has no capture address, or if no relay is configured: `detail`
        says what to do instead. 429 after eight in a day. 503 while the relay is unavailable.
        """
        person = await user(caller)
        address = _own(person, body.address if body else None, proving.domain)
        if not await can_come_back(caller):
            detail = "you have no capture address yet: POST /v1/capture-addresses creates one"
            raise Problem(Code.NO_CAPTURE_ADDRESS, detail)
        if proving.relay is None:
            raise Problem(
                Code.NO_RELAY,
                "This installation has no relay, so it sends no mail. Ask anyone outside of your "
                f"organisation to write to {address}, and watch `received` in GET /v1/setup: it "
                "turns to `working` when that mail arrives here.",
            )
        try:
            sent = await proving.send(caller.account, caller.person_id, address)
        except TooManyToday as error:
            detail = f"{PER_DAY} challenges on a day (UTC) are enough; try again tomorrow"
            wait = _until_tomorrow()
            raise Problem(Code.TOO_MANY_CHALLENGES, detail, retry_after=wait) from error
        except RelayAway as away:
            detail = "the relay does not accept mail right now. Nothing was sent. Try again later"
            raise Problem(Code.RELAY_UNAVAILABLE, detail) from away
        return ProveOut(
            state="bounced" if sent.is_refused else "sent",
            address=sent.address,
            sent_at=sent.sent_at,
            expires_at=sent.expires_at,
        )

    @router.get("/v1/setup/round-trips")
    async def get_round_trip_settings(response: Response, caller: SignedIn) -> RoundTripSettings:
        """Return whether the account repeats round trips. Any token of the account may read it."""
        return tagged(
            RoundTripSettings(repeat=await proving.records.repeat(caller.account)), response
        )

    @router.put("/v1/setup/round-trips")
    async def replace_round_trip_settings(
        body: RoundTripSettings,
        response: Response,
        caller: Annotated[Caller, allowed("account:write")],
        if_match: IfMatch = None,
    ) -> RoundTripSettings:
        """Change whether the account repeats round trips."""
        expected: Repeat | None = None
        if if_match is not None:
            expected = await proving.records.repeat(caller.account)
            demand_match(if_match, RoundTripSettings(repeat=expected))
        if not await proving.records.set_repeat(caller.account, body.repeat, expected):
            raise changed_meanwhile()
        return tagged(body, response)

    async def can_come_back(caller: Caller) -> bool:
        """Return whether there is an address to forward to: the user's, or the account's."""
        for owner in (caller.person_id, ""):
            if await capture_addresses.of_person(caller.account, owner):
                return True
        return False

    async def user(caller: Caller) -> Person:
        person = await directory.get(caller.account, caller.person_id)
        if person is None or person.kind is not Kind.USER or not person.addresses:
            raise Problem(
                Code.NOT_A_USER, "you are not a user of this account, or have no email address"
            )
        return person

    return router


def _own(person: Person, address: str | None, capture_domain: str) -> str:
    """Return the mailbox that is meant. Raises the problem 404 when it is not the caller's.

    A capture address is no mailbox: a challenge would be back without any forward.
    """
    wanted = None if address is None else normalise(address)
    for own in person.addresses:
        key = normalise(own)
        if wanted in (None, key) and not key.endswith(f"@{capture_domain}"):
            return own
    raise not_found("address of yours")


def _until_tomorrow() -> int:
    now = datetime.now(UTC)
    return 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
