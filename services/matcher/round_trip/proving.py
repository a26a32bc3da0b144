"""Sends a challenge to one of a user's own addresses."""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from services.matcher.metrics import ROUND_TRIPS
from services.matcher.round_trip.bounces import refusal_of
from services.matcher.round_trip.challenge import challenge_mail
from services.matcher.round_trip.records import EXPIRES, Challenge, RoundTrips
from shared.contracts.capture_address import KeyRing, new_round_trip_id
from shared.runtime.relay import Outgoing, RelayAway, RelayRefused
from shared.storage.moments import as_stored

log = structlog.get_logger()


class TooManyToday(Exception):
    """The user has used up the challenges of the day."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A challenge that is under way, or was refused at once."""

    address: str
    sent_at: datetime
    expires_at: datetime
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Proving:
    """Sends challenges; its fields are what it depends on."""

    records: RoundTrips
    relay: Outgoing | None
    """None: this deployment sends no mail."""
    ring: KeyRing
    domain: str
    """The capture domain."""

    async def send(
        self, account: str, person_id: str, address: str, *, repeated: bool = False
    ) -> Sent:
        """Send a challenge to the user's address; return once the relay accepted or refused it.

        It is recorded before it is sent, so it may come back at once. Raises TooManyToday, and
        RelayAway, which does not count towards the day's limit.
        """
        relay, now = self.relay, as_stored(datetime.now(UTC))
        if relay is None:
            raise RelayAway("there is no relay")
        if not await self.records.take_one(account, person_id, now):
            raise TooManyToday
        id_ = new_round_trip_id(now.timestamp())
        return_path = self.ring.mint_return_path(account, id_, self.domain)
        challenge = Challenge(id_, account, person_id, return_path, now + EXPIRES)
        await self.records.begin(challenge, address, now, repeated=repeated)
        mail = challenge_mail(
            self.ring.round_trip_token(id_),
            sender=relay.sender,
            recipient=address,
            domain=self.domain,
            now=now,
            repeated=repeated,
        )
        try:
            await relay.send(mail, envelope_sender=return_path, recipient=address)
        except RelayRefused as refused:
            refusal = refusal_of(refused.reply)
            await self.records.refused(challenge, refusal, as_stored(datetime.now(UTC)))
            ROUND_TRIPS.labels("bounced").inc()
            log.info("challenge refused", status=refusal.status)
            return Sent(address, now, challenge.expires_at, is_refused=True)
        except RelayAway as away:
            await self.records.failed(challenge, as_stored(datetime.now(UTC)))
            await self.records.give_back(account, person_id, now)
            ROUND_TRIPS.labels("failed").inc()
            log.warning("challenge not sent", why=str(away))
            raise
        ROUND_TRIPS.labels("sent").inc()
        log.info("challenge sent", repeated=repeated)
        return Sent(address, now, challenge.expires_at)
