"""What a capture says about a round trip: that it came back, or why it did not.

    a challenge at a capture address   returned | stale | misdirected
    anything at a return path          bounced | ignored

The account and the user are those of the challenge's record. A capture is never shown or matched,
whatever it proves: the one outcome is `mail.round_trip.v1`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.matcher.captured import CapturedMail
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.metrics import ROUND_TRIPS
from services.matcher.round_trip.bounces import read_refusal
from services.matcher.round_trip.challenge import round_trip_in
from services.matcher.round_trip.records import Challenge, RoundTrips
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import MailReceived, MailRoundTrip, RoundTripResult
from shared.mail.headers import HeaderBlock


@dataclass(frozen=True, slots=True)
class Returning:
    """Reads what comes back; its fields are what it depends on."""

    records: RoundTrips
    ring: KeyRing

    def id_in(self, header: HeaderBlock) -> str | None:
        """Return the id of the round trip whose challenge a mail is, None for any other mail."""
        return round_trip_in(header, self.ring)

    async def came_back(
        self, received: MailReceived, id_: str, address: AddressRecord
    ) -> MailRoundTrip:
        """Return what a challenge at a capture address that counts is worth."""
        challenge = await self.records.find(id_)
        result = _result(received, challenge, address)
        if challenge is not None and result is RoundTripResult.RETURNED:
            await self.records.returned(challenge, received.received_at)
        ROUND_TRIPS.labels(result.value).inc()
        return MailRoundTrip(
            capture_id=received.capture_id,
            backfill=received.backfill,
            account=address.account,
            result=result,
            owner=challenge.person_id
            if challenge is not None and result is RoundTripResult.RETURNED
            else None,
            capture_address=received.capture_address,
            received_at=received.received_at,
            decided_at=datetime.now(UTC),
        )

    async def at_return_path(
        self, received: MailReceived, id_: str, header: HeaderBlock, mail: CapturedMail
    ) -> MailRoundTrip | None:
        """Return what came to the return path of a round trip; None where that is not known."""
        challenge = await self.records.find(id_)
        if challenge is None or challenge.return_path != received.capture_address:
            return None
        refusal = None if received.backfill else read_refusal(header, await mail.text())
        result = RoundTripResult.IGNORED if refusal is None else RoundTripResult.BOUNCED
        if refusal is not None:
            await self.records.refused(challenge, refusal, received.received_at)
        ROUND_TRIPS.labels(result.value).inc()
        return MailRoundTrip(
            capture_id=received.capture_id,
            backfill=received.backfill,
            account=challenge.account,
            result=result,
            received_at=received.received_at,
            decided_at=datetime.now(UTC),
        )


def _result(
    received: MailReceived, challenge: Challenge | None, address: AddressRecord
) -> RoundTripResult:
    if challenge is None or received.backfill or received.received_at > challenge.expires_at:
        return RoundTripResult.STALE
    is_theirs = address.is_of_account or address.person_id == challenge.person_id
    if address.account != challenge.account or not is_theirs:
        return RoundTripResult.MISDIRECTED
    return RoundTripResult.RETURNED
