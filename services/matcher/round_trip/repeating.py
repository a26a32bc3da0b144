"""The weekly round trips of the accounts that want them.

Only users whose mailbox has proven its forward once are tested again, so users who do not forward
get no test mail. One replica, the holder of a lease, looks for due round trips; each is claimed in
its own record as well, so that none is sent twice when the lease changes hands.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.people import Directory
from services.matcher.round_trip.proving import Proving, TooManyToday
from services.matcher.round_trip.records import Due, RoundTrips
from shared.runtime.periodic import Periodic
from shared.runtime.relay import RelayAway
from shared.storage.lease import Lease

_EVERY_SECONDS = 300.0
LEASE = timedelta(minutes=15)
_AT_ONCE = 20
_PAUSE_SECONDS = 1.0
"""Between two challenges: a relay has its limits, and a week is long."""
log = structlog.get_logger()


class Repeating(Periodic):
    """Sends weekly round trips. Any number of replicas may run it."""

    def __init__(
        self,
        proving: Proving,
        records: RoundTrips,
        directory: Directory,
        addresses: CaptureAddresses,
        lease: Lease,
        *,
        every_seconds: float = _EVERY_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        super().__init__(every_seconds)
        self._proving, self._records, self._lease = proving, records, lease
        self._directory, self._addresses = directory, addresses
        self._pause = pause_seconds

    async def once(self) -> None:
        """Send what is due; nothing at all without a relay."""
        if self._proving.relay is not None:
            try:
                await self.send_due()
            except PyMongoError as error:
                log.warning("round trips wait", why=type(error).__name__)

    async def send_due(self) -> None:
        """Send what is due now, if this replica has the lease."""
        if not await self._lease.held():
            return
        for account in await self._records.repeating_accounts():
            while due := await self._records.due(account, datetime.now(UTC), _AT_ONCE):
                for one in due:
                    if not await self._lease.held():
                        return
                    if await self._send(account, one):
                        await asyncio.sleep(self._pause)

    async def _send(self, account: str, due: Due) -> bool:
        """Send one; return whether the relay was asked."""
        if not await self._records.claim(account, due, datetime.now(UTC)):
            return False
        person = await self._directory.get(account, due.person_id)
        active = [await self._addresses.of_person(account, who) for who in (due.person_id, "")]
        if person is None or not any(active) or due.address not in person.addresses:
            return False  # in a week they are looked at again
        try:
            await self._proving.send(account, due.person_id, due.address, repeated=True)
        except TooManyToday:
            return False  # they are trying it themselves
        except RelayAway:  # logged and counted there
            await self._records.postpone(account, due, datetime.now(UTC))
        return True
