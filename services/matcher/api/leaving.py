"""Removes what only users have from people who are no longer users."""

from collections.abc import Collection
from dataclasses import dataclass

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.round_trip.records import RoundTrips


@dataclass(frozen=True, slots=True)
class Leaving:
    """What people lose when they stop being users."""

    capture_addresses: CaptureAddresses
    never_capture: NeverCaptureLists
    round_trips: RoundTrips

    async def leave(self, account: str, person_ids: Collection[str]) -> None:
        """Revoke their capture addresses; delete their lists and round trips.

        Call it after the directory has changed, so that an address minted in the meantime is
        revoked too.
        """
        await self.capture_addresses.revoke(account, person_ids=person_ids)
        await self.never_capture.forget(account, person_ids)
        await self.round_trips.forget(account, person_ids)
